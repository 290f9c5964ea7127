"""Sending: the intent before the request, the outcome after it, and what is sent by itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from pipeline.company import utc_now
from pipeline.delivery.breaker import Tally
from pipeline.delivery.desk import Desk
from pipeline.delivery.planning import Plan
from pipeline.delivery.sending import ALONE, carry_out
from pipeline.ledger import DECIDED_TO_SEND, NOT_STORED, Delivery
from pipeline.quickbooks.faults import THROTTLED
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.end_to_end.books import BATCHES
from tests.pipeline.delivery.conftest import Clock
from tests.pipeline.delivery.desks import intent, known
from tests.pipeline.rows import DAY

A_DAY = timedelta(days=1)
HISTORY = "SELECT entry_id, state, attempt, batch_id, batch_position FROM delivery_attempts"
AT_ONCE = {"Retry-After": "0"}
"""By our own measure, after a second."""
LONG_ENOUGH = 1000.0
"""Seconds that a run has waited, in all, of some that are throttled."""


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """A desk that has read QuickBooks, and so knows its clock."""
    desk.quickbooks.time_activities(DAY, DAY)
    return desk


def send(desk: Desk, *numbers: int, tally: Tally | None = None) -> dict[int, Delivery]:
    """Send entries; what the ledger then holds of them, by number."""
    carry_out(desk, Plan(send=tuple(map(intent, numbers))), tally or Tally())
    return held(desk, *numbers)


def held(desk: Desk, *numbers: int) -> dict[int, Delivery]:
    """What the ledger holds of entries, by number."""
    rows = desk.ledger.deliveries(intent(number).entry_id for number in numbers)
    return {int(key, 16): row for key, row in rows.items()}


def states(desk: Desk, *numbers: int) -> dict[int, str]:
    """In which state they are."""
    return {number: row.state for number, row in held(desk, *numbers).items()}


def history(desk: Desk) -> list[tuple[Any, ...]]:
    """All that the ledger has recorded, in order, entries by number."""
    rows = desk.ledger._connection.execute(HISTORY).fetchall()
    return [(int(key, 16), *rest) for key, *rest in rows]


def batch_id(*numbers: int) -> str:
    """The request id of a batch."""
    return str(uuid5(NAMESPACE_URL, "|".join(intent(number).request_id for number in numbers)))


def fault(code: str) -> dict[str, Any]:
    """QuickBooks' own words for no."""
    return {"Error": [{"Message": "No", "Detail": "", "code": code}], "type": "Fault"}


def answer(sandbox: Sandbox, *codes: str, **more: object) -> None:
    """Have the next batch answered with a fault for each of its items, and none stored."""
    items = [{"bId": str(place), "Fault": fault(code)} for place, code in enumerate(codes)]
    body = {"BatchItemResponse": items}
    sandbox.fail("batch", "status", status=200, body=body, **more)


def test_the_intent_is_recorded_before_the_request_and_its_outcome_after_it(
    ready: Desk, sandbox: Sandbox
) -> None:
    """With the two clocks by which an unanswered request is looked for."""
    begun, intuit = utc_now(), ready.quickbooks.last_time
    rows = send(ready, 1, 2)
    stored = sandbox.world.company.activities
    assert [stored[str(rows[number].quickbooks_id)]["Description"] for number in (1, 2)] == [
        "Work 1",
        "Work 2",
    ]
    for number, row in rows.items():
        assert row.sent_at
        assert begun <= row.sent_at <= row.updated_at
        assert str(row.intuit_tid).startswith("1-")
        assert row == replace(
            intent(number),
            state="sent",
            quickbooks_id=row.quickbooks_id,
            sync_token="0",
            attempts=1,
            sent_at=row.sent_at,
            intuit_time=intuit,
            intuit_tid=row.intuit_tid,
            updated_at=row.updated_at,
        )
    assert history(ready) == [
        (number, state, 1, batch_id(1, 2), number - 1)
        for state in ("pending", "sent")
        for number in (1, 2)
    ]


def test_what_is_adopted_or_doubtful_is_recorded_and_not_sent(
    ready: Desk, sandbox: Sandbox
) -> None:
    """QuickBooks holds it, or may."""
    rows = (known(1, state="adopted", quickbooks_id="7"), known(2, state="doubtful"))
    assert carry_out(ready, Plan(adopt=rows[:1], doubt=rows[1:]), Tally()) == set()
    assert states(ready, 1, 2) == {1: "adopted", 2: "doubtful"}
    assert sandbox.calls(BATCHES) == 0


def test_no_batch_is_bigger_than_quickbooks_likes(
    ready: Desk,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each is said when it is done."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    assert {row.state for row in send(ready, 1, 2, 3).values()} == {"sent"}
    assert sandbox.calls(BATCHES) == 2
    assert capsys.readouterr().out.splitlines() == [
        "sent 2 of 3 time activities",
        "sent 3 of 3 time activities",
    ]


def retried(desk: Desk, codes: Sequence[str]) -> Plan:
    """Entries that were refused, each on a day of its own, and are tried again; one more is new."""
    refused = [
        known(number, state="refused", error_code=code, revision=5 - number)
        for number, code in enumerate(codes, 1)
    ]
    desk.ledger.record(refused)
    again = [
        replace(
            row,
            state="pending",
            error_code=None,
            revision=row.revision + 1,
            work_date=DAY + number * A_DAY,
        )
        for number, row in enumerate(refused, 1)
    ]
    return Plan(send=(*again, intent(len(codes) + 1)))


def test_what_was_not_stored_or_decided_is_sent_by_itself_and_in_the_end(
    ready: Desk, sandbox: Sandbox
) -> None:
    """Its outcome then touches nothing else; what was tried most often goes last."""
    plan = retried(ready, [NOT_STORED, DECIDED_TO_SEND, "2500"])
    assert {*ALONE} == {NOT_STORED, DECIDED_TO_SEND}
    assert carry_out(ready, plan, Tally()) == {DAY + A_DAY, DAY + 2 * A_DAY}
    assert states(ready, 1, 2, 3, 4) == {1: "refused", 2: "refused", 3: "sent", 4: "sent"}
    assert sandbox.calls(BATCHES) == 1
    assert carry_out(ready, plan, Tally(), is_alone=True) == set()
    assert states(ready, 1, 2) == {1: "sent", 2: "sent"}
    assert [row[0] for row in history(ready)[-4:]] == [2, 2, 1, 1]
    assert sandbox.calls(BATCHES) == 3


def test_a_batch_after_which_the_tally_says_so_is_the_last(
    ready: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three were stored for somebody else."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 3)
    sandbox.fail("batch", "swap_person", times=None)
    with pytest.raises(Stop, match="did not store 3 time activities as they were sent"):
        send(ready, 1, 2, 3, 4)
    assert states(ready, 1, 2, 3, 4) == dict.fromkeys((1, 2, 3), "sent")
    said = {row.error_message for row in held(ready, 1, 2, 3).values()}
    assert said == {"stored otherwise than sent: person"}


def test_only_what_is_throttled_goes_again_after_the_pause_that_is_asked_for(
    ready: Desk, sandbox: Sandbox, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """As another batch, since one of its items is known; each is counted once."""
    answer(sandbox, "2050", THROTTLED, THROTTLED, headers=AT_ONCE)
    tally = Tally()
    assert {number: row.state for number, row in send(ready, 1, 2, 3, tally=tally).items()} == {
        1: "refused",
        2: "sent",
        3: "sent",
    }
    assert {code: len(rows) for code, rows in tally.refused.items()} == {"2050": 1}
    assert clock.slept == [tally.waited_seconds] == [1]
    assert [row for row in history(ready) if row[0] != 2] == [
        (1, "pending", 1, batch_id(1, 2, 3), 0),
        (3, "pending", 1, batch_id(1, 2, 3), 2),
        (1, "refused", 1, batch_id(1, 2, 3), 0),
        (3, "pending", 2, batch_id(2, 3), 1),
        (3, "sent", 2, batch_id(2, 3), 1),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "1 refused, 2 throttled",
        "QuickBooks throttles: 2 wait 1 s",
        "sent 3 of 3 time activities",
    ]


def test_what_is_silent_once_it_was_throttled_is_silent(
    ready: Desk, sandbox: Sandbox, clock: Clock
) -> None:
    """Two such batches in a row are an outage; by our own measure it waits as long as it may."""
    sandbox.fail("batch", "status", status=429)
    sandbox.fail("batch", "drop_after_store")
    tally = Tally()
    assert {row.state for row in send(ready, 1, 2, tally=tally).values()} == {"unknown"}
    assert (tally.silent, clock.slept) == (1, [2])


def test_what_is_throttled_too_long_is_refused_for_the_moment(
    ready: Desk, sandbox: Sandbox
) -> None:
    """And nothing more is tried."""
    sandbox.fail("batch", "status", status=429, times=2)
    with pytest.raises(Stop, match="throttled the same time activities again and again") as stop:
        send(ready, 1, 2, tally=Tally(waited_seconds=LONG_ENOUGH))
    assert stop.value.is_transient
    said = {(row.state, row.error_code, row.error_message) for row in held(ready, 1, 2).values()}
    assert said == {("refused", THROTTLED, "throttled again and again")}
    assert sandbox.calls(BATCHES) == 1


def test_what_was_stored_and_throttled_is_found_before_it_is_given_up(
    ready: Desk, sandbox: Sandbox
) -> None:
    """Then nothing is left to be given up."""
    sandbox.fail("batch", "status", status=429, when="after")
    assert {
        row.state for row in send(ready, 1, 2, tally=Tally(waited_seconds=LONG_ENOUGH)).values()
    } == {"sent"}
    assert len(sandbox.world.company.activities) == 2


def test_without_intuits_clock_nothing_is_sent(desk: Desk, sandbox: Sandbox) -> None:
    """Nobody could tell what became of a request that is not answered."""
    with pytest.raises(Stop, match="None of QuickBooks' answers says when it was given"):
        send(desk, 1)
    assert (history(desk), sandbox.calls(BATCHES)) == ([], 0)


@pytest.mark.parametrize("codes", [("6190", "2050"), ("2050", "6190")])
def test_a_fault_of_the_whole_company_stops_the_run_once_all_is_recorded(
    ready: Desk, sandbox: Sandbox, codes: tuple[str, str]
) -> None:
    """Whichever item names it; with Intuit's trace."""
    answer(sandbox, *codes)
    with pytest.raises(Stop, match=r"subscription has ended .*\[intuit_tid 1-"):
        send(ready, 1, 2)
    found = held(ready, 1, 2)
    assert [found[number].error_code for number in (1, 2)] == [*codes]
    assert {row.state for row in found.values()} == {"refused"}


def test_what_is_not_answered_is_unknown_and_said(
    ready: Desk, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not sent again."""
    sandbox.fail("batch", "drop_after_store")
    assert {row.state for row in send(ready, 1, 2).values()} == {"unknown"}
    assert capsys.readouterr().out.startswith("2 unknown: no answer came (")
    assert sandbox.calls(BATCHES) == 1


@pytest.fixture
def asked_before(ready: Desk, sandbox: Sandbox) -> str:
    """The id of the first entry's activity, which a lost ledger sent a minute ago."""
    turn = ready.quickbooks.await_turn()
    said = ready.quickbooks.create_batch(turn, batch_id(1), [intent().payload])
    sandbox.switch(clock_skew_seconds=60)
    ready.quickbooks.time_activities(DAY, DAY)
    return str(said.items[0]["TimeActivity"]["Id"])


def test_an_old_answer_about_what_is_still_there_is_true(ready: Desk, asked_before: str) -> None:
    """What somebody has changed since is told."""
    row = send(ready, 1)[1]
    assert (row.state, row.quickbooks_id, row.error_message) == ("sent", asked_before, None)


def test_an_old_answer_is_not_believed_before_quickbooks_is_read(
    ready: Desk, sandbox: Sandbox, asked_before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it tells of was deleted since."""
    del sandbox.world.company.activities[asked_before]
    row = send(ready, 1)[1]
    assert (row.state, row.quickbooks_id) == ("gone", asked_before)
    assert [row[1] for row in history(ready)] == ["pending", "sent", "gone"]
    assert capsys.readouterr().out.splitlines()[0] == "1 gone"


def test_an_old_answer_stands_until_it_can_be_checked(
    ready: Desk, sandbox: Sandbox, asked_before: str
) -> None:
    """Nothing is sent again meanwhile."""
    sandbox.fail("timeactivity", "status", status=403)
    with pytest.raises(Stop):
        send(ready, 1)
    assert held(ready, 1)[1].quickbooks_id == asked_before
    assert states(ready, 1) == {1: "sent"}


def test_an_answer_about_what_is_another_entrys_says_nothing(
    ready: Desk, asked_before: str
) -> None:
    """An equal one has adopted it by now."""
    ready.ledger.record([known(2, state="adopted", quickbooks_id=asked_before)])
    row = send(ready, 1)[1]
    said = f"QuickBooks named {asked_before}, which is another entry's"
    assert (row.state, row.quickbooks_id, row.error_message) == ("unknown", None, said)
