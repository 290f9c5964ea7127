"""Secrets: none in any log line or error, whatever goes wrong, at the most talkative level."""

import json
import logging
import traceback
from collections.abc import Callable
from datetime import date

import pytest

from pipeline.clockify.client import Clockify
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.pipeline.conftest import SettingsFor

DAY = date(2026, 11, 10)
WRONG = {
    "CLOCKIFY_API_KEY": "wrong-clockify-key",
    "QUICKBOOKS_CLIENT_SECRET": "wrong-client-secret",
    "QUICKBOOKS_REFRESH_TOKEN": "AB1-wrong-refresh-token",
}
Prepare = Callable[[Sandbox], object]


def expire(sandbox: Sandbox) -> None:
    """End every access token; the answer to the next call quotes the one it had."""
    sandbox.world.tokens.access_tokens.clear()


def quote(sandbox: Sandbox) -> None:
    """Answer every request with what authorised it."""
    key, tokens = sandbox.env["CLOCKIFY_API_KEY"], sandbox.world.tokens.access_tokens
    fault = {"Error": [{"Detail": f"odd: {next(iter(tokens))}", "code": "1"}]}
    bodies = {
        "detailed": {"message": f"odd: {key}"},
        "query": {"Fault": fault},
        "batch": {"Fault": fault},
    }
    for route, body in bodies.items():
        sandbox.fail(route, "status", status=400, body=json.dumps(body), times=None)


def outage(sandbox: Sandbox) -> None:
    """Break every connection."""
    for route in ("query", "batch", "detailed", "bearer"):
        sandbox.fail(route, "drop_after_store", times=None)


CASES: list[tuple[dict[str, str], Prepare]] = [
    ({}, lambda _: None),
    ({}, expire),
    ({}, quote),
    ({}, outage),
    (WRONG, lambda _: None),
    ({"QUICKBOOKS_CLIENT_SECRET": WRONG["QUICKBOOKS_CLIENT_SECRET"]}, lambda _: None),
    (
        {"QUICKBOOKS_API_URL": "http://127.0.0.1:9", "CLOCKIFY_API_URL": "http://127.0.0.1:9"},
        expire,
    ),
]


def use(settings_for: SettingsFor, changes: dict[str, str], prepare: Callable[[], object]) -> str:
    """Call everything once and return what is said: errors with their tracebacks, and answers."""
    settings = settings_for(**changes)
    tokens = Tokens(settings)
    said = [repr(settings)]
    with Clockify(settings) as clockify, QuickBooks(settings, tokens) as quickbooks:
        calls: list[Callable[[], object]] = [
            quickbooks.company,
            prepare,
            clockify.workspace,
            lambda: clockify.reports.rows(DAY, DAY, rounding=False)[:0],
            quickbooks.employees,
            lambda: quickbooks.create_batch(quickbooks.await_turn(), "r1", ['{"Odd": 1}']),
            lambda: tokens.refresh()[:0],
        ]
        for call in calls:
            try:
                said.append(repr(call()))
            except Stop as stop:
                said += [str(stop), repr(stop), *traceback.format_exception(stop)]
    return "\n".join(said)


@pytest.mark.parametrize(("changes", "prepare"), CASES)
def test_no_secret_is_ever_said(
    sandbox: Sandbox,
    settings_for: SettingsFor,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, str],
    prepare: Prepare,
) -> None:
    """Keys, and every token that lived during the test, dead ones included."""
    secrets = set(WRONG.values())

    def remember() -> None:
        held = sandbox.world.tokens
        secrets.update({held.refresh_token, *held.dead_refresh_tokens, *held.access_tokens})
        secrets.update({sandbox.env["CLOCKIFY_API_KEY"], held.client_secret})

    def change() -> None:
        remember()
        prepare(sandbox)

    remember()
    with caplog.at_level(logging.DEBUG):
        said = use(settings_for, changes, change)
    remember()
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "HTTP Request" in logged
    assert [secret for secret in secrets if secret in said + logged] == []


def test_a_fault_that_quotes_the_token_says_all_but_the_token(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """The rest of the answer is what helps."""
    quickbooks.company()
    quote(sandbox)
    token = next(iter(sandbox.world.tokens.access_tokens))
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", ["{}"])
    assert answer.fault is not None
    assert "[removed]" in answer.fault.detail
    assert token not in json.dumps(answer.body)
    assert token not in repr(answer)
