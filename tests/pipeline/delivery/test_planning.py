"""Plans: what becomes of each candidate, beside what the ledger and QuickBooks hold.

Also of what was met before: refused and tried again, or skipped and other work.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.delivery.candidates import Candidate, request_id
from pipeline.delivery.desk import Desk
from pipeline.delivery.planning import Plan, _is_closed, _material, claimed_anew, plan
from pipeline.ledger import DECIDED_TO_SEND, Delivery
from pipeline.schemas import ClockifyTimeEntries
from pipeline.storage import doors
from tests.conftest import Sandbox
from tests.pipeline.delivery.desks import candidate, compared, intent, known, typed, work
from tests.pipeline.examples import entries, entry
from tests.pipeline.quickbooks.test_activities import SENT, sent
from tests.pipeline.rows import DAY, NOW, STATES, delivery

AFTER = pd.Timestamp("2024-05-20")
REFUSED = delivery(state="refused", error_code="2500", revision=1)
INTENT = delivery(fingerprint="another")
CHANGED = Candidate(
    entry_id=INTENT.entry_id,
    facts=delivery().facts,
    roundings=frozenset(),
    intent=INTENT,
    is_sendable=True,
)
A_DAY = timedelta(days=1)
TWIN = work(1)
"""The same work as the first entry's."""


def told(found: Plan) -> dict[int, str]:
    """What becomes of each entry, by its number."""
    return {int(row.entry_id, 16): action for action, row in found.rows()}


def planned(desk: Desk, *candidates: Candidate, **more: Any) -> dict[int, str]:  # noqa: ANN401
    """The same of a new plan."""
    return told(plan(desk, candidates, **more))


def day(number: int) -> dict[str, object]:
    """So many days after."""
    return {"work_date": pd.Timestamp(DAY + number * A_DAY)}


def test_what_quickbooks_does_not_hold_is_sent(desk: Desk) -> None:
    """The intent itself."""
    assert plan(desk, [candidate()]) == Plan(send=(intent(),))


def test_where_nothing_is_to_be_sent_nothing_is_read(desk: Desk, sandbox: Sandbox) -> None:
    """Most mornings have many such pieces; not even for what is rejected."""
    typed(sandbox)
    assert plan(desk, [candidate(is_sendable=False)]) == Plan(foreign=0)
    assert sandbox.calls("core") == 0


def test_days_that_are_asked_for_are_read_though_nothing_is_to_be_sent(
    desk: Desk, sandbox: Sandbox
) -> None:
    """A person wants to see what is there."""
    key, elsewhere = typed(sandbox), typed(sandbox, 2, TxnDate=str(DAY + 9 * A_DAY))
    found = plan(desk, [], days=(DAY, DAY))
    assert (list(found.free), found.foreign) == ([key], 1)
    both = plan(desk, [candidate()], days=(DAY + A_DAY, DAY + 9 * A_DAY))
    assert (told(both), list(both.free)) == ({1: "adopt"}, [elsewhere])


@pytest.mark.parametrize(
    ("keys", "error"), [({}, None), ({"HourlyRate": 150, "SyncToken": "0"}, "drift: rate")], ids=str
)
def test_what_quickbooks_holds_is_adopted(
    desk: Desk, sandbox: Sandbox, keys: dict[str, Any], error: str | None
) -> None:
    """With its id and version; the bookkeeper's price is told."""
    key = typed(sandbox, **keys)
    adopted = replace(intent(), state="adopted", quickbooks_id=key, sync_token="0")
    assert plan(desk, [candidate()]) == Plan(
        adopt=(replace(adopted, error_message=error),), foreign=1
    )


def test_what_resembles_something_is_left_to_a_person(desk: Desk, sandbox: Sandbox) -> None:
    """Who is told what it resembles."""
    keys = [typed(sandbox, Description=words) for words in ("First", "Second")]
    found = plan(desk, [candidate()])
    said = f"looks like QuickBooks' time activity {keys[0]}, {keys[1]}: a person must decide"
    row = replace(intent(), state="doubtful", quickbooks_id=keys[0], error_message=said)
    assert (found.send, found.adopt, found.doubt) == ((), (), (row,))
    assert (found.alike, sorted(found.free)) == ({row.entry_id: keys}, keys)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(91, "doubt"), (92, "send"), (96, "doubt"), (105, "send")]
)
def test_minutes_resemble_within_a_step_or_under_another_rounding(
    desk: Desk, sandbox: Sandbox, minutes: int, expected: str
) -> None:
    """An hour and a half, in other words: a step is a minute where nothing is rounded."""
    typed(sandbox, Hours=0, Minutes=minutes, Description="Other words")
    assert planned(desk, replace(candidate(), roundings=frozenset({96}))) == {1: expected}


@pytest.mark.parametrize("days", [-1, 0, 1, 2])
def test_the_day_before_the_first_and_the_day_after_the_last_are_read(
    desk: Desk, sandbox: Sandbox, days: int
) -> None:
    """By another rule of which day work belongs to, it may stand there; further off it may not."""
    typed(sandbox, TxnDate=str(DAY + days * A_DAY))
    expected = {-1: "doubt", 0: "adopt", 1: "doubt", 2: "send"}
    assert planned(desk, candidate())[1] == expected[days]
    beside = candidate(2, **day(2 if days < 0 else -2))
    assert planned(desk, candidate(), beside) == {1: expected[days], 2: "send"}


def test_what_is_somebodys_is_neither_adopted_nor_resembled(desk: Desk, sandbox: Sandbox) -> None:
    """Of our own deliveries; what is in doubt owns nothing."""
    key = typed(sandbox)
    desk.ledger.record([known(2, state="sent", quickbooks_id=key)])
    assert planned(desk, candidate()) == {1: "send"}
    desk.ledger.record([known(2, state="doubtful", quickbooks_id=key)])
    assert planned(desk, candidate()) == {1: "adopt"}


def test_what_an_unsettled_one_may_have_become_is_left_to_it(desk: Desk, sandbox: Sandbox) -> None:
    """One activity for each; the second of two is nobody's."""
    typed(sandbox)
    twin = replace(intent(2), payload=intent().payload)
    desk.ledger.record([replace(twin, state="unknown")])
    assert planned(desk, candidate()) == {1: "send"}
    typed(sandbox)
    assert planned(desk, candidate()) == {1: "adopt"}


@pytest.mark.parametrize("state", STATES)
def test_only_what_was_refused_is_planned_anew(desk: Desk, sandbox: Sandbox, state: str) -> None:
    """All else takes no part: what it may have become is left to it, or else is its twin's."""
    desk.ledger.record([known(state=state, fingerprint="of before")])
    assert planned(desk, candidate()) == ({1: "send"} if state == "refused" else {})
    typed(sandbox)
    may_be = {"refused": {1: "adopt", 2: "send"}, "pending": {2: "send"}, "unknown": {2: "send"}}
    assert planned(desk, candidate(), candidate(2, **TWIN)) == may_be.get(state, {2: "adopt"})


def test_of_what_is_as_it_was_refused_nothing_is_sent(desk: Desk, sandbox: Sandbox) -> None:
    """It is compared all the same: somebody may have typed it."""
    desk.ledger.record([known(state="refused", error_code="2500")])
    assert planned(desk, candidate()) == {}
    typed(sandbox)
    assert planned(desk, candidate(), candidate(2)) == {1: "adopt", 2: "send"}


def test_what_is_not_to_be_sent_keeps_what_is_its_own(desk: Desk, sandbox: Sandbox) -> None:
    """And is adopted where it may be recorded."""
    typed(sandbox, 2)
    alike = candidate(**{**work(2), "description": "Work 2, as agreed"})
    assert planned(desk, alike, candidate(2, is_sendable=False)) == {1: "send", 2: "adopt"}
    left = plan(desk, [alike, candidate(2, is_sendable=False, is_ours=False)])
    assert (told(left), left.free) == ({1: "send"}, {})


def test_what_is_not_to_be_sent_is_no_matter_of_what_it_resembles(
    desk: Desk, sandbox: Sandbox
) -> None:
    """Else each rejected entry beside a typed one would wait for two mendings."""
    key = typed(sandbox, 2, Description="Other words")
    found = plan(desk, [candidate(), candidate(2, is_sendable=False)])
    assert (told(found), list(found.free)) == ({1: "send"}, [key])


def decided(code: str, seconds: int) -> Delivery:
    """What a person decided so many seconds from now."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    said = "decided by Ann"
    return known(state="refused", error_code=code, error_message=said, updated_at=at)


@pytest.mark.parametrize(
    ("code", "seconds", "expected"),
    [
        (DECIDED_TO_SEND, 0, "send"),
        (DECIDED_TO_SEND, -9, "doubt"),
        ("6210", 0, "doubt"),
    ],
)
def test_what_resembles_is_none_once_a_person_has_seen_it(
    desk: Desk, sandbox: Sandbox, code: str, seconds: int, expected: str
) -> None:
    """Only what was there when they decided, and only for what they decided about."""
    typed(sandbox, Description="Other words")
    desk.ledger.record([decided(code, seconds)])
    assert planned(desk, candidate()) == {1: expected}


@pytest.mark.parametrize(("seconds", "expected"), [(40, "send"), (-40, "doubt")])
def test_when_a_person_decided_is_told_by_intuits_clock(
    desk: Desk, sandbox: Sandbox, seconds: int, expected: str
) -> None:
    """Which may be another: what was made is stamped by it."""
    sandbox.switch(clock_skew_seconds=60)
    typed(sandbox, Description="Other words")
    desk.ledger.record([decided(DECIDED_TO_SEND, seconds - 20)])
    assert planned(desk, candidate()) == {1: expected}


def test_of_what_was_decided_to_be_sent_it_is_said_why_it_is_adopted(
    desk: Desk, sandbox: Sandbox
) -> None:
    """QuickBooks has come to hold it after all."""
    key = typed(sandbox, HourlyRate=1)
    desk.ledger.record([decided(DECIDED_TO_SEND, 0)])
    said = f"decided by Ann; not sent: time activity {key} is its equal; drift: rate"
    assert [row.error_message for row in plan(desk, [candidate()]).adopt] == [said]


def test_others_activities_are_counted_also_those_that_are_adopted(
    desk: Desk, sandbox: Sandbox
) -> None:
    """Not what we made; nor what is not told from what we may have made."""
    keys = [typed(sandbox, number) for number in range(1, 6)]
    desk.ledger.record(
        [
            known(1, state="sent", quickbooks_id=keys[0], attempts=1),
            known(2, state="adopted", quickbooks_id=keys[1]),
            known(3, state="unknown", attempts=1),
        ]
    )
    found = plan(desk, [candidate(4), candidate(6)])
    assert (told(found), found.foreign, list(found.free)) == (
        {4: "adopt", 6: "send"},
        len(("adopted before", "adopted now", "free")),
        [keys[4]],
    )


def test_what_only_the_warehouse_knows_to_have_been_sent_is_left_to_a_person(desk: Desk) -> None:
    """The ledger is older than the warehouse, and the activity is not to be found any more."""
    compared(desk, {1: "77"})
    found = plan(desk, [candidate(), candidate(2)])
    said = (
        "was sent before this ledger as time activity 77, which was changed or deleted since: "
        "a person must decide"
    )
    row = replace(intent(), state="doubtful", quickbooks_id="77", error_message=said)
    assert found == Plan(send=(intent(2),), doubt=(row,), alike={row.entry_id: ["77"]})


def test_what_the_warehouse_knows_and_a_person_has_decided_to_send_is_sent(desk: Desk) -> None:
    """It was they who said that it is not there."""
    compared(desk, {1: "77"})
    desk.ledger.record([decided(DECIDED_TO_SEND, 0)])
    assert planned(desk, candidate()) == {1: "send"}


def test_what_the_ledger_has_given_to_another_entry_meanwhile_is_not_lost(desk: Desk) -> None:
    """It stands for that one: two entries are two activities."""
    compared(desk, {1: "77", 2: "78"})
    desk.ledger.record([known(3, state="adopted", quickbooks_id="77", updated_at=NOW)])
    assert planned(desk, candidate(), candidate(2)) == {1: "send", 2: "doubt"}


def test_for_the_activity_that_a_twin_took_over_stands_that_of_the_twin(
    desk: Desk, sandbox: Sandbox
) -> None:
    """Whoever is left over is asked about with what is left over, however long the chain."""
    first, second = typed(sandbox), typed(sandbox)
    compared(desk, {1: "77", 2: second, 3: first})
    twins = [candidate(), *(candidate(number, **TWIN) for number in (2, 3))]
    found = plan(desk, twins)
    assert (told(found), found.alike) == (
        {1: "adopt", 2: "adopt", 3: "doubt"},
        {intent(3).entry_id: ["77"]},
    )


def test_what_a_twin_without_an_activity_took_over_is_that_twins(
    desk: Desk, sandbox: Sandbox
) -> None:
    """So that none is left over, and the other is sent."""
    key = typed(sandbox)
    compared(desk, {2: key})
    assert planned(desk, candidate(), candidate(2, **TWIN)) == {1: "adopt", 2: "send"}


@pytest.fixture
def skipping(desk: Desk) -> Desk:
    """A desk of three entries that a person skipped; the second is not billable by now."""
    stored = entries(entry(1), entry(2, is_billable=False), entry(3))
    with desk.company.warehouse.connect() as connection:
        doors.insert(connection, ClockifyTimeEntries, stored)
    desk.ledger.record([known(number, state="skipped", revision=1) for number in (1, 2, 3)])
    return desk


def test_what_was_skipped_and_is_other_work_by_now_is_left_to_a_person(
    skipping: Desk, sandbox: Sandbox
) -> None:
    """Whether or not anything is sent beside it; not what would not be sent anyway."""
    longer = [candidate(1, minutes=31), candidate(2, minutes=31), candidate(3)]
    meant = longer[0].intent
    assert meant
    said = "changed since it was skipped (minutes): a person must decide"
    again = {"revision": 2, "request_id": request_id("1", meant.entry_id, 0, 2)}
    row = replace(meant, state="doubtful", error_message=said, **again)
    assert plan(skipping, longer) == Plan(doubt=(row,))
    assert sandbox.calls("core") == 0
    assert planned(skipping, *longer, candidate(4)) == {1: "doubt", 4: "send"}


@pytest.mark.parametrize("state", STATES)
def test_only_what_was_skipped_is_asked_of_again(skipping: Desk, state: str) -> None:
    """What became of all else is known, or will be; what was refused is sent as it is now."""
    skipping.ledger.record([known(1, state=state)])
    expected = {"skipped": {1: "doubt"}, "refused": {1: "send"}}.get(state, {})
    assert planned(skipping, candidate(1, minutes=31)) == expected


@pytest.mark.parametrize("left", [{"is_sendable": False}, {"is_ours": False}], ids=str)
def test_what_was_skipped_and_may_not_be_sent_by_now_is_nobodys_matter(
    skipping: Desk, left: dict[str, bool]
) -> None:
    """It is rejected, or left to others."""
    assert planned(skipping, candidate(1, minutes=31, **left)) == {}


def test_what_was_never_tried_is_sent_as_it_is() -> None:
    """Nothing is known of it."""
    assert claimed_anew(CHANGED, None) is CHANGED


def test_what_has_changed_since_is_sent_as_its_next_revision() -> None:
    """By a request of its own: QuickBooks may remember what it said to the one before."""
    found = claimed_anew(CHANGED, REFUSED)
    assert found.is_sendable
    assert found.intent == replace(
        INTENT, revision=2, request_id=request_id(INTENT.realm_id, INTENT.entry_id, 0, 2)
    )


@pytest.mark.parametrize(
    ("code", "is_sendable"),
    [
        ("2500", False),
        ("3001", True),
        ("6190", True),
        ("6200", True),
        ("6210", True),
        ("not_stored", True),
        ("decided_to_send", True),
        ("asked_to_retry", True),
    ],
)
def test_what_is_as_it_was_is_sent_only_if_it_was_refused_for_the_moment(
    code: str, *, is_sendable: bool
) -> None:
    """Else it would be refused every morning."""
    same = replace(CHANGED, intent=replace(INTENT, fingerprint=REFUSED.fingerprint))
    assert claimed_anew(same, replace(REFUSED, error_code=code)).is_sendable is is_sendable


def test_what_may_not_be_sent_is_not_sent_because_it_has_changed() -> None:
    """It was refused, and is rejected or not finished by now."""
    assert not claimed_anew(replace(CHANGED, is_sendable=False), REFUSED).is_sendable


def test_what_nothing_may_be_recorded_of_any_more_stays_as_it_is() -> None:
    """It was refused, and left to others since."""
    left = replace(CHANGED, intent=None, is_sendable=False)
    assert claimed_anew(left, REFUSED) is left


def test_only_what_was_refused_is_compared_again() -> None:
    """All else is in QuickBooks, may be, or was decided about."""
    assert [state for state in STATES if not _is_closed(delivery(state=state))] == ["refused"]
    assert not _is_closed(None)


@pytest.mark.parametrize(
    ("changes", "sent_for", "now", "expected"),
    [
        ({}, "u1/p1", "u2/p2", []),
        ({"description": "Phone"}, "u1/p1", "u2/p2", []),
        ({"sent_rate_minor": 1}, "u1/p1", "u2/p2", []),
        ({"minutes": 31}, None, "u1/p1", ["minutes"]),
        ({"work_date": AFTER}, None, "u1/p1", ["work_date"]),
        ({"is_billable": False}, None, "u1/p1", ["is_billable"]),
        ({"quickbooks_customer_id": "99"}, "u1/p1", "u1/p2", ["customer"]),
        ({"quickbooks_customer_id": "99"}, "u1/p1", "u1/p1", []),
        ({"quickbooks_customer_id": "99"}, None, "u1/p1", []),
        ({"quickbooks_employee_id": "99"}, "u1/p1", "u2/p1", ["person"]),
        ({"quickbooks_employee_id": "99"}, "u1/p1", "u1/p1", []),
    ],
    ids=str,
)
def test_what_was_skipped_is_other_work_at_another_time_or_of_another_person_or_project(
    changes: dict[str, Any], sent_for: str | None, now: str, expected: list[str]
) -> None:
    """Not in other words or at another price, nor where a name leads to another in QuickBooks."""
    skipped = delivery(payload=SENT, sent_for=sent_for)
    assert _material(skipped, delivery(payload=sent(**changes), sent_for=now)) == expected
