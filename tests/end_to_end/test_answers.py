"""Whatever QuickBooks answers to a batch: nothing is doubled, and what is not known is said."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import DAY, House, Type, check, logged, problems, states
from tests.end_to_end.stages import CONFIRMED, DAILY, LOAD
from tests.end_to_end.test_cutover import press_for

NEXT = DAY + timedelta(days=1)
ALL, FIRST_BATCH = 16, 6
REST = ALL - FIRST_BATCH


def fault(code: str, text: str = "of some kind") -> dict[str, Any]:
    """QuickBooks' own words for no."""
    return {"Error": [{"Message": f"Fault {text}", "Detail": "", "code": code}], "type": "Fault"}


READS_BEFORE_SENDING = 3
"""Of QuickBooks' activities: counted, read, counted."""
READS_REFUSED: dict[str, Any] = {
    "fault": "status",
    "status": 400,
    "body": {"Fault": fault("4001")},
    "skip": READS_BEFORE_SENDING,
    "times": None,
}
"""All reads after those: at once, where an outage would be waited for."""


def load(house: House) -> dg.ExecuteInProcessResult:
    """Load the day."""
    return house.run(DAY, DAY, LOAD)


def has_each_entry_once(house: House) -> bool:
    """Whether QuickBooks holds one activity for each entry, and nothing else."""
    return held(house.sandbox.world) == due(house.sandbox.world, DAY, DAY)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few entries make three batches."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", FIRST_BATCH)


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds each throttled batch waited, without the wait."""
    slept: list[float] = []
    monkeypatch.setattr("pipeline.delivery.sending.time", SimpleNamespace(sleep=slept.append))
    return slept


STORED: list[dict[str, Any]] = [
    {"fault": "drop_after_store"},
    {"fault": "truncate"},
    {"fault": "delay", "delay_seconds": 3, "when": "after"},
    {"fault": "status", "status": 503, "when": "after"},
    {"fault": "status", "status": 200, "when": "after"},
]
NOT_STORED: list[dict[str, Any]] = [
    {"fault": "drop_before_store"},
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 200, "body": {"Fault": fault("10000")}},
]
OF_BOTH = [{"bId": str(place), "Fault": fault("003001")} for place in range(2)]
THROTTLED: list[dict[str, Any]] = [
    {"status": 429, "body": ""},
    {"status": 429, "body": {"Fault": fault("003001")}},
    {"status": 200, "body": {"BatchItemResponse": OF_BOTH}},
]
NOT_RECEIVED: list[dict[str, Any]] = [
    *({"fault": "status", "headers": {"Retry-After": "1"}, **answer} for answer in THROTTLED),
    {"fault": "status", "status": 429},
    {"fault": "status", "status": 401},
]
BY_BATCH = """
SELECT list_sort(list(DISTINCT state)) FROM delivery_attempts
GROUP BY entry_id ORDER BY min(recorded_at), entry_id
"""


def struck(house: House, answers: list[dict[str, Any]]) -> tuple[list[list[str]], list[str]]:
    """Load two days in batches of two, of which every second is answered so, and see no stop.

    Returns:
        The states in which each batch was, in the order of sending; and what the run said.
    """
    for number, answer in enumerate(answers):
        # A request that is struck is not counted by the others, so each lets one more pass.
        house.sandbox.fail("batch", skip=number, **answer)
    said = house.prepare(DAY, NEXT, LOAD)
    assert held(house.sandbox.world) == due(house.sandbox.world, DAY, NEXT)
    assert states(house) == {"sent": 2 * ALL}
    entries = [states for (states,) in house.rows(BY_BATCH)]
    assert entries[::2] == entries[1::2], "what is answered is answered to a whole batch"
    return entries[::2], said


def test_an_answer_that_proves_nothing_is_settled_by_reading_quickbooks(
    reviewed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored, and found there; or not, and then each entry is sent alone. Nothing stays open."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    batches, _ = struck(reviewed, STORED + NOT_STORED)
    found = [["pending", "sent", "unknown"]] * len(STORED)
    sent_again = [["pending", "refused", "sent", "unknown"]] * len(NOT_STORED)
    assert batches[::2] == found + sent_again
    assert batches[1::2] == [["pending", "sent"]] * (ALL // 2)
    assert reviewed.sandbox.calls(BATCHES) == ALL + 2 * len(NOT_STORED)


def test_batches_that_are_refused_are_red_once_and_not_sent_again(reviewed: House) -> None:
    """The third batch is sent, the next run sends nothing, and a warning stands.

    What a fault repeats of an entry is in the tables alone: Dagster's log, which many may read for
    ever, has the code and what it means.
    """
    words = "Too long: Work number 01 at 137.25"
    for status, code, text in ((200, "2010", "of some kind"), (400, "2050", words)):
        body = {"Fault": fault(code, text)}
        reviewed.sandbox.fail("batch", "status", status=status, body=body)
    refused = 2 * FIRST_BATCH
    first = load(reviewed)
    assert not first.success
    assert f" {refused}." in str(check(first, "no_delivery_refused_or_unknown").description)
    log = " ".join(str(entry) for entry in reviewed.instance.all_logs(first.run_id))
    assert "fault 2050: its text is too long" in log
    assert words not in log
    [(message,)] = reviewed.rows(
        "SELECT DISTINCT error_message FROM deliveries WHERE error_code = '2050'"
    )
    assert words in message
    second = load(reviewed)
    assert problems(second) == []
    assert f" {refused} " in str(check(second, "no_delivery_stands_unresolved").description)
    assert len(reviewed.activities) == ALL - refused
    assert states(reviewed) == {"refused": refused, "sent": ALL - refused}


def test_a_batch_that_certainly_was_not_received_is_sent_again(
    reviewed: House, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    """Throttled, or with an expired token: the same bytes, stored once, and no run stops.

    The token that the run before left is none any more either: the first read gets a 401.
    `Retry-After` comes before our own measure, which is two seconds here.
    """
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    reviewed.sandbox.world.tokens.access_tokens.clear()
    batches, said = struck(reviewed, NOT_RECEIVED)
    assert not [each for each in batches if "unknown" in each]
    assert reviewed.sandbox.calls(BATCHES) == ALL + len(NOT_RECEIVED)
    assert naps == [1, 1, 1, 2]
    pauses = [each for each in said if "throttles" in each]
    assert pauses == [f"QuickBooks throttles: 2 wait {seconds:.0f} s" for seconds in naps]


@pytest.mark.parametrize("request_ids", ["honour", "ignore", "refuse_600"])
def test_a_batch_that_was_stored_and_then_throttled_is_found_before_it_goes_again(
    reviewed: House, monkeypatch: pytest.MonkeyPatch, request_ids: str
) -> None:
    """Whatever QuickBooks remembers of a request: nobody says what a throttled one has done."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    reviewed.sandbox.switch(request_ids=request_ids)
    pause = {"Retry-After": "0"}
    struck(
        reviewed,
        [{"fault": "status", "when": "after", "headers": pause, **each} for each in THROTTLED],
    )
    assert reviewed.sandbox.calls(BATCHES) == ALL


THROTTLED_ONCE = {"fault": "status", "status": 429, "body": "", "headers": {"Retry-After": "0"}}


def test_two_batches_in_a_row_that_were_stored_and_throttled_are_no_outage(
    reviewed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are found: neither was silent."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    reviewed.sandbox.fail("batch", when="after", times=2, **THROTTLED_ONCE)
    said = reviewed.prepare(DAY, DAY, LOAD)
    assert said.count("2 of the throttled are in QuickBooks all the same") == 2
    assert states(reviewed) == {"sent": ALL}


def test_what_was_stored_at_the_last_attempt_is_found_before_it_is_given_up(
    reviewed: House,
) -> None:
    """Else the next run would take it for new, once it was edited meanwhile."""
    reviewed.changes["HTTP_PATIENCE_SECONDS"] = "1"
    pause = THROTTLED_ONCE | {"headers": {"Retry-After": "1"}}
    reviewed.sandbox.fail("batch", **pause)
    reviewed.sandbox.fail("batch", when="after", times=None, **pause)
    reviewed.prepare(DAY, DAY, LOAD)
    assert states(reviewed) == {"sent": ALL}
    assert has_each_entry_once(reviewed)


def test_what_is_like_a_throttled_entry_is_no_reason_to_keep_it_back(reviewed: House) -> None:
    """An earlier batch that nobody knows of yet, and what somebody has just typed for another."""
    customers = {each.customer for each in due(reviewed.sandbox.world, DAY, DAY)}
    for customer in sorted(customers):
        other = {"EmployeeRef": {"value": "9"}, "CustomerRef": {"value": customer}}
        day = {"TxnDate": str(DAY), "NameOf": "Employee", "Hours": 7, "Minutes": 13}
        reviewed.sandbox.admin("POST", "activities", **other, **day, Description="Other work")
    reviewed.sandbox.fail("batch", "drop_after_store")
    reviewed.sandbox.fail("batch", skip=1, **THROTTLED_ONCE)
    reviewed.prepare(DAY, DAY, LOAD, **CONFIRMED)
    assert states(reviewed) == {"sent": ALL}
    assert len(reviewed.activities) == ALL + len(customers)


SENT_TWICE = """
SELECT first.batch_id = second.batch_id, count(*) FROM delivery_attempts first
JOIN delivery_attempts second USING (entry_id) WHERE first.attempt = 1 AND second.attempt = 2
AND first.state = 'pending' AND second.state = 'pending'
GROUP BY first.batch_id, second.batch_id ORDER BY count(*)
"""
"""Whether the same id was used again, and for how many entries, by batch."""


def test_a_batch_throttled_whole_is_sent_again_as_it_was_and_one_throttled_in_part_is_not(
    reviewed: House,
) -> None:
    """The same id means the same bytes; once an item is known, the others are another batch.

    Only the throttled go again, and the one that was refused is named.
    """
    whole = [{"bId": str(place), "Fault": fault("003001")} for place in range(FIRST_BATCH)]
    known = {"bId": "0", "Fault": fault("2050", "Too long")}
    part = [{"bId": str(place), "Fault": fault("3001")} for place in range(1, FIRST_BATCH)]
    for number, items in enumerate((whole, [known, *part])):
        body = {"BatchItemResponse": items}
        reviewed.sandbox.fail("batch", "status", status=200, body=body, skip=number)
    assert not load(reviewed).success
    assert reviewed.rows(SENT_TWICE) == [(False, FIRST_BATCH - 1), (True, FIRST_BATCH)]
    assert states(reviewed) == {"refused": 1, "sent": ALL - 1}
    assert reviewed.rows("SELECT error_code FROM deliveries WHERE state = 'refused'") == [("2050",)]
    assert len(reviewed.activities) == ALL - 1


def test_an_outage_stops_the_run_and_what_was_not_sent_is_sent_when_it_is_over(
    reviewed: House,
) -> None:
    """Throttled all along; or silent twice in a row, which leaves two batches unknown, not all."""
    reviewed.changes["HTTP_PATIENCE_SECONDS"] = "1"
    for status, said, left in (
        (429, "what was not sent is tried then", {"refused": FIRST_BATCH}),
        (503, "2 batches in a row", {"unknown": 2 * FIRST_BATCH}),
    ):
        reviewed.sandbox.fail("batch", "status", status=status, times=None)
        assert said in reviewed.stopped(DAY, DAY, LOAD)
        assert states(reviewed) == left
        reviewed.sandbox.holder.faults.clear()
    reviewed.prepare(DAY, DAY, LOAD)
    assert states(reviewed) == {"sent": ALL}
    assert has_each_entry_once(reviewed)


def test_what_was_given_to_somebody_else_is_told_though_an_equal_took_its_place(
    reviewed: House, shell: Type
) -> None:
    """The answer was lost, then the old button was pressed: an hour may be billed twice.

    Somebody else's work of the same words and time, typed in long before, is theirs; and so is what
    a person says is. An equal entry of the same meeting, sent an hour later, excuses nothing.
    """
    reviewed.sandbox.fail("batch", "drop_after_store")
    reviewed.sandbox.fail("query", **READS_REFUSED)
    load(reviewed)
    reviewed.sandbox.holder.faults.clear()
    unknown = reviewed.rows("SELECT entry_id FROM deliveries WHERE state = 'unknown'")
    entries = reviewed.sandbox.world.workspace.entries
    unheard, heard = reviewed.activities[:FIRST_BATCH], reviewed.activities[FIRST_BATCH:]
    people = {activity["EmployeeRef"]["value"] for activity in reviewed.activities}
    other = {"value": min(reviewed.sandbox.world.company.employees.keys() - people)}
    for activity in unheard:
        activity["EmployeeRef"] = other
    theirs = reviewed.sandbox.admin("POST", "activities", **{**heard[0], "EmployeeRef": other})
    of_before = {"CreateTime": "2026-11-01T08:00:00-08:00"}
    reviewed.sandbox.world.company.activities[theirs["Id"]]["MetaData"] |= of_before
    press_for(reviewed, [entries[entry_id] for (entry_id,) in unknown], DAY, DAY)
    reviewed.prepare(DAY, DAY, LOAD)
    assert states(reviewed) == {"sent": ALL}
    told = "SELECT quickbooks_id, kind, is_warning FROM drift WHERE side = 'quickbooks' ORDER BY 1"
    assert reviewed.rows(told) == sorted(
        [
            *((activity["Id"], "resembling", True) for activity in unheard),
            (theirs["Id"], "not_ours", False),
        ]
    )
    like = "SELECT entry_id FROM drift WHERE kind = 'resembling'"
    mine = entries[unknown[0][0]]
    at_the_meeting = next(each for each in entries.values() if each.user_id != mine.user_id)
    entries["f" * 24] = replace(mine, id="f" * 24, user_id=at_the_meeting.user_id)
    reviewed.sandbox.switch(clock_skew_seconds=3600)
    reviewed.prepare(DAY, DAY, *DAILY, **CONFIRMED)
    assert states(reviewed) == {"sent": ALL + 1}
    assert len(reviewed.rows(like)) == FIRST_BATCH
    shell("decide", reviewed.rows(like)[0][0], "keep")
    reviewed.prepare(DAY, DAY, LOAD)
    assert len(reviewed.rows(like)) == FIRST_BATCH - 1


def test_what_was_stored_and_then_edited_is_left_for_a_person(reviewed: House) -> None:
    """The answer was lost, then the reads failed, then a bookkeeper edited: never sent again."""
    reviewed.sandbox.fail("batch", "drop_after_store")
    reviewed.sandbox.fail("query", **READS_REFUSED)
    first = load(reviewed)
    assert f"{FIRST_BATCH} unknown: no answer came (" in logged(reviewed, first)
    assert states(reviewed) == {"unknown": FIRST_BATCH, "sent": REST}
    reviewed.sandbox.holder.faults.clear()
    reviewed.activities[0].update({"Description": "as agreed on the phone"})
    reviewed.activities[1].update({"TxnDate": "2026-11-01"})
    second = load(reviewed)
    assert " 2." in str(check(second, "no_delivery_refused_or_unknown").description)
    assert states(reviewed) == {"doubtful": 2, "sent": ALL - 2}
    assert len(reviewed.activities) == ALL
