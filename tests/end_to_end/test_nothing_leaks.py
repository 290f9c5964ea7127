"""After runs in which everything fails: no secret anywhere, and nothing private in Dagster."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner

from pipeline.__main__ import main
from pipeline.sandbox.world import World
from tests.end_to_end.conftest import DAY, House
from tests.end_to_end.stages import ENTRIES, LOAD, UP_TO_REVIEW
from tests.end_to_end.test_alerting import tick
from tests.pipeline.orchestration.test_alerts import SECRET, receiving

LAST = DAY + timedelta(days=1)
ODD_RATE = 98_765
"""In minor units; as money it is 987.65."""
ODD_WORDS = "Quokka-counting"
"""Begins every description."""
COMMANDS = (("doctor",), ("status",), ("why", "nobody"), ("disconnect", "--yes"))


@pytest.fixture
def troubled(house: House) -> Iterator[House]:
    """Two days of everything odd, with descriptions and a rate that are found anywhere."""
    for number, entry in enumerate(house.sandbox.world.workspace.entries.values()):
        entry.description = f"{ODD_WORDS} {number}"
        if entry.rate_minor:
            entry.rate_minor = ODD_RATE
    with receiving() as receiver:
        house.changes["ALERT_WEBHOOK_URL"] = receiver.url
        yield house


def fault(world: World, code: str, *also: str) -> str:
    """A fault of a careless QuickBooks, that quotes what authorised the call, and more."""
    detail = ", ".join((f"odd: {next(iter(world.tokens.access_tokens))}", *also))
    error = {"Message": "No", "Detail": detail, "code": code}
    return json.dumps({"Fault": {"Error": [error], "type": "ValidationFault"}})


def fail_in_every_way(house: House) -> None:
    """Run after run, each failing elsewhere and red."""
    world = house.sandbox.world
    sent = (next(iter(world.workspace.users.values())).email, ODD_WORDS, "987.65")
    assert house.run(DAY, LAST, *UP_TO_REVIEW).success
    for code, day in (("2010", DAY), ("10000", LAST)):  # refused, and nobody can tell
        with failing(house, fault(world, code, *sent), "batch"):
            assert not house.run(day, day, LOAD).success
    world.tokens.access_tokens.clear()  # the answer quotes the token that it refuses
    assert house.run(DAY, DAY, "quickbooks_company").success
    with failing(house, fault(world, "1"), "query"):
        assert not house.run(DAY, LAST, "quickbooks_employees").success
    key = json.dumps({"message": f"odd: {world.workspace.api_key}", "code": 1})
    with failing(house, key, "detailed"):
        assert not house.run(DAY, LAST, ENTRIES).success
    world.tokens.is_revoked = True
    assert not house.run(DAY, LAST, "quickbooks_company").success


@contextmanager
def failing(house: House, body: str, route: str) -> Iterator[None]:
    """A route that answers everything with this."""
    house.sandbox.fail(route, "status", status=400, body=body, times=None)
    yield
    house.sandbox.admin("DELETE", "faults")


def secrets(house: House) -> set[str]:
    """Every key, and every token that ever lived."""
    tokens = house.sandbox.world.tokens
    return {
        house.sandbox.world.workspace.api_key,
        tokens.client_secret,
        tokens.refresh_token,
        *tokens.dead_refresh_tokens,
        *tokens.access_tokens,
        SECRET,
    }


def events(instance: dg.DagsterInstance) -> str:
    """Everything that Dagster keeps of every run."""
    runs = instance.get_runs()
    assert len(runs) >= 6
    kept = [entry for run in runs for entry in instance.all_logs(run.run_id)]
    return "\n".join(f"{entry.user_message} {dg.serialize_value(entry)}" for entry in kept)


def tables(house: House) -> str:
    """Every cell of every table, in all three files."""
    shown = []
    for path in (house.settings.warehouse, house.settings.ledger, house.settings.analysis):
        with duckdb.connect(str(path), read_only=True) as connection:
            names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            assert names
            for (name,) in names:
                shown.append(repr(connection.execute(f"FROM {name}").fetchall()))
    return "\n".join(shown)


def files(folder: Path, *but: Path) -> Iterator[tuple[Path, bytes]]:
    """The raw content of every file."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in but:
            yield path, path.read_bytes()


def found(words: set[str], text: str) -> list[str]:
    """The words that stand in the text."""
    return sorted(word for word in words if word in text)


def amounts(text: str) -> list[str]:
    """Where the odd rate stands, and not as a part of a longer number, such as a time."""
    return re.findall(rf"(?<![\d.])(?:{ODD_RATE}|987\.65)(?!\d)", text)


def test_whatever_fails_no_secret_is_kept_or_said_and_dagster_knows_nothing_private(
    troubled: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs at the most talkative level, events, tables, files, errors, commands and alerts."""
    known = secrets(troubled)
    with caplog.at_level(logging.DEBUG):
        fail_in_every_way(troubled)
        known |= secrets(troubled)
        tick(troubled, None)
        shell = CliRunner(env=troubled.environment)
        said = "\n".join(shell.invoke(main, words).output for words in COMMANDS)
    logged = "\n".join(f"{each.getMessage()} {vars(each)}" for each in caplog.records)
    kept = events(troubled.instance)
    stored = tables(troubled)
    for text in (logged, kept, said, stored):
        assert text
        assert found(known, text) == []
    for text in (kept, stored):
        assert "odd: [removed]" in text, "what was quoted has come so far"
    raw = files(troubled.folder, troubled.settings.quickbooks_token_file)
    assert [path for path, content in raw if any(each.encode() in content for each in known)] == []

    users = troubled.sandbox.world.workspace.users.values()
    assert found({user.email for user in users} | {ODD_WORDS}, kept) == []
    assert amounts(kept) == []
    assert ODD_WORDS in stored, "the tables hold what the analysts need"
