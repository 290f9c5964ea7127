"""Settling: an intent is sent, left for a person, or not stored as far as complete reads go."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.delivery.settling import creation_span, findings
from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import Body, identity

SETTLE_SECONDS = 300
INTUIT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
OURS = INTUIT + timedelta(seconds=90)
"""Our clock runs a minute and a half ahead of Intuit's."""
BODY: dict[str, Any] = {
    "TxnDate": "2026-11-20",
    "NameOf": "Employee",
    "EmployeeRef": {"value": "55"},
    "CustomerRef": {"value": "21"},
    "BillableStatus": "Billable",
    "HourlyRate": 137,
    "Hours": 1,
    "Minutes": 30,
    "Description": "Planting plan",
}
INTENT = Delivery(
    entry_id="a" * 24,
    realm_id="9130",
    work_date=date(2026, 11, 20),
    state="unknown",
    request_id="r",
    payload=json.dumps(BODY),
    fingerprint="f",
    minutes=90,
    intuit_time=INTUIT,
    sent_at=OURS,
    updated_at=OURS + timedelta(seconds=30),
    run_id="run",
)


def activity(key: str = "7", created: timedelta = timedelta(seconds=5), **changes: object) -> Body:
    """An activity that is what the intent asked for, but for the changes."""
    times = {"CreateTime": (INTUIT + created).isoformat()}
    return BODY | {"Id": key, "SyncToken": "0", "MetaData": times} | changes


def states(intents: list[Delivery], unclaimed: list[Body]) -> list[str]:
    """What becomes of each intent."""
    by_id = {body["Id"]: body for body in unclaimed}
    return [each.state for each in findings(intents, by_id, SETTLE_SECONDS).values()]


def test_an_equal_activity_created_in_time_is_the_intents() -> None:
    """The connection broke after QuickBooks had stored it."""
    found = findings([INTENT], {"7": activity("7")}, SETTLE_SECONDS)[INTENT.entry_id]
    assert (found.state, found.activities[0]["Id"]) == ("sent", "7")


def test_nothing_alike_means_not_stored_as_far_as_this_read_goes() -> None:
    """Another person's work at the same time says nothing."""
    other = activity(
        EmployeeRef={"value": "56"},
        CustomerRef={"value": "3"},
        Hours=4,
        TxnDate="2026-11-01",
        Description="",
    )
    assert states([INTENT], [other]) == ["not_stored"]
    assert states([INTENT], []) == ["not_stored"]


@pytest.mark.parametrize(
    "change",
    [
        {"Description": "Planting plan, as agreed"},
        {"TxnDate": "2026-11-19"},
        {"CustomerRef": {"value": "22"}},
        {"Minutes": 45},
        {"HourlyRate": 140},
        {"BillableStatus": "NotBillable"},
        {"Description": "?", "TxnDate": "2026-11-01", "CustomerRef": {"value": "22"}},
    ],
)
def test_an_activity_changed_since_is_left_for_a_person(change: dict[str, Any]) -> None:
    """People edit everything but the creation time; two fields alike are enough to stop."""
    assert states([INTENT], [activity(**change)]) == ["doubtful"]


def test_one_field_alike_is_not_enough_to_stop() -> None:
    """The same person did something else."""
    elsewhere = activity(
        Description="Call", TxnDate="2026-11-01", CustomerRef={"value": "22"}, Hours=3
    )
    assert states([INTENT], [elsewhere]) == ["not_stored"]


def test_an_equal_activity_of_another_time_is_left_for_a_person() -> None:
    """It may be somebody's own, or ours stored much later: creation time never decides to send."""
    assert states([INTENT], [activity(created=timedelta(days=-3))]) == ["doubtful"]


def test_a_merely_similar_activity_of_another_time_says_nothing() -> None:
    """Creation time is what ties a changed activity to the intent."""
    similar = activity(created=timedelta(days=-3), Description="Planting plan, as agreed")
    assert states([INTENT], [similar]) == ["not_stored"]


def test_one_activity_settles_one_of_two_equal_intents() -> None:
    """Multisets: the twin stays open."""
    twin = replace(INTENT, entry_id="b" * 24)
    assert sorted(states([INTENT, twin], [activity("7")])) == ["not_stored", "sent"]
    assert states([INTENT, twin], [activity("7"), activity("8")]) == ["sent", "sent"]


def test_the_span_measures_only_durations_by_our_clock() -> None:
    """Clocks that differ by hours move nothing."""
    far = timedelta(hours=7)
    shifted = replace(INTENT, sent_at=OURS + far, updated_at=INTENT.updated_at + far)
    assert creation_span(shifted, SETTLE_SECONDS) == creation_span(INTENT, SETTLE_SECONDS)


def test_a_paused_attempt_widens_the_span() -> None:
    """A process stopped between intent and request stores as much later."""
    paused = replace(INTENT, updated_at=OURS + timedelta(hours=2))
    assert creation_span(paused, SETTLE_SECONDS)[1] > INTUIT + timedelta(hours=2)


def test_the_span_is_five_minutes_wider_than_a_request_and_the_wait_can_take() -> None:
    """From Intuit's clock before the send: 5 min before; 3 min, the settle time and 5 min after."""
    five, three = timedelta(minutes=5), timedelta(minutes=3)
    settling = timedelta(seconds=SETTLE_SECONDS)
    assert creation_span(INTENT, SETTLE_SECONDS) == (
        INTUIT - five,
        INTUIT + three + settling + five,
    )


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize(
    ("seconds", "change", "state"),
    [
        (0, {}, "sent"),
        (1, {}, "doubtful"),
        (0, {"Description": "Call"}, "doubtful"),
        (1, {"Description": "Call"}, "not_stored"),
    ],
)
def test_both_ends_of_the_span_are_within_it(
    end: int, seconds: int, change: dict[str, Any], state: str
) -> None:
    """A second beyond, an equal activity only stops, and a changed one says nothing."""
    at = creation_span(INTENT, SETTLE_SECONDS)[end] + timedelta(seconds=seconds * (2 * end - 1))
    assert states([INTENT], [activity(created=at - INTUIT, **change)]) == [state]


def test_an_activity_is_known_with_its_version() -> None:
    """The first one, if QuickBooks does not say."""
    assert identity({"Id": "7", "SyncToken": "3"}) == {"quickbooks_id": "7", "sync_token": "3"}
    assert identity({"Id": "7"})["sync_token"] == "0"
