"""Settlement: what reads settle, how long they are apart, and what is closed after two of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.company import utc_now
from pipeline.delivery.desk import Desk
from pipeline.delivery.settlement import settle, stored_after_all
from pipeline.ledger import NOT_STORED, Delivery
from tests.conftest import Sandbox
from tests.pipeline.delivery.conftest import Clock
from tests.pipeline.delivery.desks import intent, known, typed
from tests.pipeline.rows import DAY, NOW

pytestmark = pytest.mark.usefixtures("clock")
A_DAY = timedelta(days=1)
SETTLE_SECONDS = 300
AGAIN = SETTLE_SECONDS / 5
"""Between the two reads after which something is closed."""
READS = "GET /v3/company/{id}/query"
MOVED = {"TxnDate": str(DAY + 40 * A_DAY)}


def unknown(
    desk: Desk,
    number: int = 1,
    *,
    ago: timedelta = timedelta(hours=1),
    **changes: Any,  # noqa: ANN401
) -> Delivery:
    """A delivery of which nobody heard, sent so long ago, as the ledger has it."""
    at = utc_now() - ago
    sent = {"attempts": 1, "sent_at": at, "intuit_time": at, "updated_at": at, "run_id": "before"}
    row = known(number, **{"state": "unknown", **sent, **changes})
    desk.ledger.record([row])
    return row


def made(sandbox: Sandbox, key: str, at: datetime) -> None:
    """Have an activity made at another time."""
    times = sandbox.world.company.activities[key]["MetaData"]
    times["CreateTime"] = at.isoformat(timespec="seconds")


def held(desk: Desk, number: int = 1) -> Delivery:
    """What the ledger holds of an entry."""
    return desk.ledger.deliveries([intent(number).entry_id])[intent(number).entry_id]


def test_where_nothing_is_open_nothing_is_read_or_said(
    desk: Desk, sandbox: Sandbox, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on most mornings."""
    desk.ledger.record([known(state="sent", quickbooks_id="7")])
    assert settle(desk) == []
    assert (sandbox.calls(READS), clock.slept, capsys.readouterr().out) == (0, [], "")


@pytest.mark.parametrize("state", ["pending", "unknown"])
def test_what_is_found_is_sent(
    desk: Desk, sandbox: Sandbox, clock: Clock, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the first read, so that nobody waits; what was said of it no longer holds."""
    row = unknown(desk, state=state, error_code="500", error_message="silent", ago=timedelta())
    key = typed(sandbox)
    assert settle(desk) == []
    found = held(desk)
    expected = {"state": "sent", "quickbooks_id": key, "sync_token": "0"}
    told = {"error_code": None, "error_message": None, "run_id": "run"}
    assert found == replace(row, **expected, **told, updated_at=found.updated_at)
    assert found.updated_at > row.updated_at
    assert clock.slept == []
    assert capsys.readouterr().out == "settling 1 deliveries whose outcome nobody knows\n"


def test_what_two_reads_do_not_have_is_closed(desk: Desk, clock: Clock) -> None:
    """The second a fifth of the time after the first; its entry may be sent anew."""
    row = unknown(desk, error_code="500", error_message="silent")
    closed = settle(desk)
    found = held(desk)
    said = "two complete reads of QuickBooks have nothing like it: it was not stored"
    expected = {"state": "refused", "error_code": NOT_STORED, "error_message": said}
    assert closed == [found]
    assert found == replace(row, **expected, run_id="run", updated_at=found.updated_at)
    assert found.updated_at > row.updated_at
    assert clock.slept == [AGAIN]


@pytest.mark.parametrize(
    ("ago", "waited"),
    [
        ((100,), [200, AGAIN]),
        ((100, 250), [200, AGAIN]),
        ((299,), [1, AGAIN]),
        ((300,), [AGAIN]),
        ((300.5,), [AGAIN]),
        ((-50,), [SETTLE_SECONDS, AGAIN]),
    ],
)
def test_the_first_read_that_counts_is_so_long_after_the_last_attempt(
    desk: Desk,
    clock: Clock,
    ago: tuple[float, ...],
    waited: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Which no clock that was set back makes longer."""
    at = utc_now()
    for number, seconds in enumerate(ago, 1):
        sent_at = at - timedelta(seconds=seconds)
        unknown(desk, number, sent_at=sent_at, updated_at=sent_at)
    still = replace(desk, company=replace(desk.company, now=lambda: at))
    assert len(settle(still)) == len(ago)
    assert clock.slept == waited
    said = f" s before {len(ago)} deliveries are settled"
    assert (said in capsys.readouterr().out) is (waited != [AGAIN])


@pytest.mark.parametrize("during", [1, 2])
def test_what_appears_while_it_is_waited_for_is_found(
    desk: Desk, sandbox: Sandbox, clock: Clock, during: int
) -> None:
    """QuickBooks may work on a request for long; what is settled is not waited for any more."""
    unknown(desk, ago=timedelta(seconds=100))
    clock.meanwhile[during] = lambda: typed(sandbox)
    assert settle(desk) == []
    assert held(desk).state == "sent"
    assert len(clock.slept) == during


@pytest.mark.parametrize("during", [0, 1])
def test_a_read_that_fails_leaves_all_as_it_is(
    desk: Desk, sandbox: Sandbox, clock: Clock, during: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also the last one; what was settled before it is."""
    row = unknown(desk)
    unknown(desk, 2, ago=timedelta())
    typed(sandbox, 2)
    clock.meanwhile[1] = fail = lambda: sandbox.fail("query", "status", status=403)
    if not during:
        fail()
    assert settle(desk) == []
    assert held(desk) == row
    assert held(desk, 2).state == ("sent" if during else "unknown")
    assert "\nnot settled: QuickBooks does not let this app" in capsys.readouterr().out


def test_what_may_be_it_is_left_to_a_person(desk: Desk, sandbox: Sandbox) -> None:
    """Who is told which, and what QuickBooks had said."""
    unknown(desk, error_code="500", ago=timedelta())
    keys = [typed(sandbox, Description=words) for words in ("First", "Second")]
    assert settle(desk) == []
    found = held(desk)
    said = f"may be QuickBooks' time activity {keys[0]}, {keys[1]}, changed since: a person must "
    assert (found.state, found.quickbooks_id, found.sync_token) == ("doubtful", keys[0], "0")
    assert (found.error_code, found.error_message) == ("500", f"{said}decide")


def test_what_is_another_deliverys_is_not_taken(desk: Desk, sandbox: Sandbox) -> None:
    """A twin has it."""
    unknown(desk)
    key = typed(sandbox)
    desk.ledger.record([known(2, state="adopted", quickbooks_id=key)])
    assert [row.error_code for row in settle(desk)] == [NOT_STORED]


MANY = range(1, 6)
"""More than reads, each of which might settle the first or the last."""


def test_what_was_moved_is_found_by_when_it_was_made(desk: Desk, sandbox: Sandbox) -> None:
    """People edit everything but that; whichever attempt it is of."""
    for number in MANY:
        row = unknown(desk, number, ago=number * A_DAY)
        assert row.sent_at
        made(sandbox, typed(sandbox, number, **MOVED), row.sent_at)
    assert settle(desk) == []
    assert {held(desk, number).state for number in MANY} == {"doubtful"}


def test_what_equals_it_and_was_made_at_another_time_is_found_by_its_day(
    desk: Desk, sandbox: Sandbox
) -> None:
    """It may be its own, and may not: whichever day it is of."""
    for number in MANY:
        day = DAY + number * 5 * A_DAY
        body = intent(number).payload.replace(str(DAY), str(day))
        unknown(desk, number, payload=body, work_date=day)
        made(sandbox, typed(sandbox, number, TxnDate=str(day)), utc_now() - 90 * A_DAY)
    assert settle(desk) == []
    assert {held(desk, number).state for number in MANY} == {"doubtful"}


def test_a_fault_that_keeps_the_same_out_again_and_again_is_a_refusal(desk: Desk) -> None:
    """In QuickBooks' words; of a rule of its own sooner than of what may be an outage."""
    faults = [
        *(("6000", 1, NOT_STORED), ("6000", 2, "6000")),
        *(("10000", 3, NOT_STORED), ("10000", 4, "10000"), ("10000", 5, "10000")),
        *(("200", 5, NOT_STORED), (None, 5, NOT_STORED)),
    ]
    sent = {"state": "unknown", "sent_at": NOW, "intuit_time": NOW, "error_message": "No"}
    for revision in range(5):
        desk.ledger.record(
            [
                known(number, **sent, error_code=code, revision=revision)
                for number, (code, times, _) in enumerate(faults, 1)
                if revision < times
            ]
        )
    closed = {int(row.entry_id, 16): row for row in settle(desk)}
    for number, (code, _, expected) in enumerate(faults, 1):
        row = closed[number]
        assert row == held(desk, number)
        assert (row.state, row.error_code, row.run_id) == ("refused", expected, "run")
        assert (row.error_message == "No") is (expected == code)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "sent"),
        ({"Description": "Other words"}, "unknown"),
        ({"Description": "Other words", "Minutes": 31}, None),
        ({"Minutes": 31}, None),
    ],
    ids=str,
)
def test_of_what_was_throttled_only_its_equal_and_its_own_in_other_words_keep_it_back(
    desk: Desk,
    sandbox: Sandbox,
    changes: dict[str, object],
    expected: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All else is somebody else's, made meanwhile: it is sent again."""
    rows = [unknown(desk, number, state="pending", ago=timedelta()) for number in (1, 2)]
    key = typed(sandbox, **changes)
    assert stored_after_all(desk, rows) == (rows[1:] if expected else rows)
    found, said = held(desk), capsys.readouterr().out
    assert found.state == (expected or "pending")
    assert found.quickbooks_id == (key if expected == "sent" else None)
    assert said == "1 of the throttled are in QuickBooks all the same\n" * bool(expected)
    words = "throttled, and may be stored in other words"
    assert found.error_message == (words if expected == "unknown" else None)


def test_of_two_that_are_alike_the_one_sent_first_has_what_is_there(
    desk: Desk, sandbox: Sandbox
) -> None:
    """Of an earlier batch nobody knows yet either: the throttled one is sent again."""
    unknown(desk, 1, ago=timedelta())
    later = unknown(desk, 2, state="pending", payload=intent().payload, ago=timedelta())
    typed(sandbox)
    assert stored_after_all(desk, [later]) == [later]
    assert held(desk, 2) == later
