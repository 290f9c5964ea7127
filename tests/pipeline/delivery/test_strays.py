"""Strays: what stands beside ours in QuickBooks, nobody's own, and what it is the like of."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.delivery import strays
from pipeline.delivery.desk import Desk
from pipeline.delivery.pairing import Pair
from pipeline.ledger import TOLD_APART, Delivery
from pipeline.quickbooks.activities import Body, parse
from tests.pipeline.delivery.desks import intent, known, work
from tests.pipeline.rows import DAY, NOW, STATES

A_DAY = timedelta(days=1)
WORDS = {"Description": "Other words"}
ANOTHER = {"EmployeeRef": {"value": "10"}}
"""What QuickBooks may make of a person."""
BEFORE, AFTER = NOW - timedelta(minutes=5), NOW + timedelta(minutes=3 + 5 + 5)
"""The first and the last moment at which what was sent can have been made: a clock's slack before,
and after it the longest request, the time it takes to settle, and the slack once more."""


def body(number: int = 1, key: str = "7", *, at: datetime = NOW, **changes: object) -> Body:
    """What an entry would be sent as, as QuickBooks holds it, made at some time, with changes."""
    times = {"CreateTime": at.isoformat(), "LastUpdatedTime": at.isoformat()}
    stored = {"Id": key, "SyncToken": "0", "MetaData": times}
    return parse(intent(number).payload) | stored | changes


def delivered(number: int = 1, **changes: Any) -> Delivery:  # noqa: ANN401 - fields of any type
    """What was sent of an entry, with changes; its activity is 1 for entry 1."""
    sent = {"state": "sent", "quickbooks_id": str(number), "intuit_time": NOW, "sent_at": NOW}
    return known(number, **{**sent, **changes})


def found(
    desk: Desk,
    *bodies: Body,
    sent: tuple[Delivery, ...] = (delivered(),),
    pairs: tuple[Pair, ...] = (),
) -> dict[str, tuple[str, int | None]]:
    """What each stray is, and the like of which entry, by the id of its activity."""
    activities = {str(each["Id"]): each for each in bodies}
    return {
        row["quickbooks_id"]: (row["kind"], row["entry_id"] and int(row["entry_id"], 16))
        for row in strays.rows(desk, sent, pairs, activities)
    }


def test_what_a_stray_is_is_told_with_all_that_is_known_of_it(desk: Desk) -> None:
    """Its own day, person and customer, and whether it is billed."""
    day = DAY + A_DAY
    activity = body(
        key="9", TxnDate=str(day), BillableStatus="HasBeenBilled", CustomerRef={"value": "11"}
    )
    [row] = strays.rows(desk, [], [], {"9": activity})
    assert row == {
        "work_date": day,
        "side": "quickbooks",
        "kind": "not_ours",
        "field": None,
        "before": None,
        "after": None,
        "entry_id": None,
        "quickbooks_id": "9",
        "person_id": "9",
        "person": None,
        "customer_id": "11",
        "customer": "Acme:Website",
        "minutes": 90,
        "is_billed": True,
        "is_warning": False,
        "not_followed": None,
        "found_at": row["found_at"],
    }
    assert row["found_at"] <= desk.company.now()
    [row] = strays.rows(desk, [delivered()], [], {"7": body()})
    assert (row["is_billed"], row["is_warning"]) == (False, True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("duplicated", 1)),
        (WORDS, ("resembling", 1)),
        ({"Minutes": 31}, ("resembling", 1)),
        ({"Minutes": 32}, ("resembling", 1)),
        ({"Minutes": 32, **WORDS}, ("not_ours", None)),
        ({"Minutes": 31, **WORDS}, ("resembling", 1)),
        ({**WORDS, "CustomerRef": {"value": "28"}}, ("not_ours", None)),
    ],
    ids=str,
)
def test_a_stray_is_what_it_is_like(
    desk: Desk, changes: dict[str, Any], expected: tuple[str, int | None]
) -> None:
    """Minutes are alike within a step of the desk's."""
    assert found(desk, body(**changes)) == {"7": expected}


def test_what_a_delivery_owns_or_a_person_must_decide_on_is_no_stray(desk: Desk) -> None:
    """Whatever state it is in."""
    desk.ledger.record(
        [
            *(delivered(1), delivered(2, state="gone"), delivered(3, state="doubtful")),
            delivered(4, state="doubtful", quickbooks_id=None),
        ]
    )
    activities = [body(number, str(number)) for number in range(1, 5)]
    assert found(desk, *activities, sent=()) == {"4": ("not_ours", None)}


def test_what_an_unsettled_one_may_have_become_is_no_stray(desk: Desk) -> None:
    """One for each: the second of two is told."""
    desk.ledger.record([known(2, state="unknown")])
    twins = (body(2, "7"), body(2, "8"))
    assert found(desk, twins[0], sent=()) == {}
    assert found(desk, *twins, sent=()) == {"8": ("not_ours", None)}


@pytest.mark.parametrize("state", STATES)
def test_only_of_what_is_in_quickbooks_a_stray_is_one_too_many(desk: Desk, state: str) -> None:
    """Nothing stands twice beside what was refused, or deleted."""
    is_there = state in {"sent", "adopted"}
    expected = ("duplicated", 1) if is_there else ("not_ours", None)
    assert found(desk, body(), sent=(delivered(state=state),)) == {"7": expected}
    another = ("resembling", 1) if is_there else ("not_ours", None)
    assert found(desk, body(**ANOTHER), sent=(delivered(state=state),)) == {"7": another}


def test_what_was_compared_counts_though_it_is_of_another_day(desk: Desk) -> None:
    """As it was sent, and as it stands there now; not if it was deleted."""
    pair = Pair(delivered(), body(key="1", Hours=5, **WORDS), None)
    now = body(key="8", Hours=5, **WORDS)
    likes = {"7": ("duplicated", 1), "8": ("duplicated", 1)}
    assert found(desk, body(), now, sent=(), pairs=(pair,)) == likes
    gone = replace(pair, activity=None)
    others = dict.fromkeys(likes, ("not_ours", None))
    assert found(desk, body(), now, sent=(), pairs=(gone,)) == others


@pytest.mark.parametrize("changes", [WORDS, ANOTHER], ids=str)
@pytest.mark.parametrize("code", [TOLD_APART, "2500"])
@pytest.mark.parametrize(("ahead", "at", "is_seen"), [(0, 0, True), (0, 60, False), (60, 60, True)])
def test_what_a_person_has_told_apart_is_somebody_elses(
    desk: Desk, changes: dict[str, Any], code: str, ahead: int, at: int, *, is_seen: bool
) -> None:
    """If it was there when they decided, by Intuit's clock."""
    desk.ledger.record([delivered(error_code=code), delivered()])
    desk.quickbooks.http.ahead = timedelta(seconds=ahead)
    is_told = is_seen and code != "2500"
    expected = ("not_ours", None) if is_told else ("resembling", 1)
    assert found(desk, body(at=NOW + timedelta(seconds=at), **changes)) == {"7": expected}


@pytest.mark.parametrize(
    ("changes", "at", "is_like"),
    [
        ({}, NOW, True),
        ({}, BEFORE, True),
        ({}, BEFORE - timedelta(seconds=1), False),
        ({}, AFTER, True),
        ({}, AFTER + timedelta(seconds=1), False),
        ({"updated_at": NOW + 3 * A_DAY}, AFTER, True),
        ({"updated_at": NOW + 3 * A_DAY}, AFTER + timedelta(seconds=1), False),
        ({"intuit_time": NOW - A_DAY}, NOW, False),
        ({"intuit_time": None, "sent_at": None, "state": "adopted"}, NOW, False),
    ],
    ids=str,
)
def test_what_was_made_for_somebody_else_while_it_was_sent_is_its_like(
    desk: Desk, changes: dict[str, Any], at: datetime, *, is_like: bool
) -> None:
    """QuickBooks may store what it is sent for another; made at another time it is theirs."""
    expected = ("resembling", 1) if is_like else ("not_ours", None)
    strange = body(at=at, **ANOTHER)
    assert found(desk, strange, sent=(delivered(**changes),)) == {"7": expected}


def test_of_a_meeting_the_first_that_was_not_told_apart_is_named(desk: Desk) -> None:
    """Whose it was nobody can tell; whose it is like otherwise is said first."""
    at_it = [
        delivered(1),
        delivered(2, payload=intent(**work(1) | {"quickbooks_employee_id": "11"}).payload),
    ]
    assert found(desk, body(**ANOTHER), sent=(*at_it,)) == {"7": ("resembling", 1)}
    desk.ledger.record([replace(at_it[0], error_code=TOLD_APART)])
    assert found(desk, body(**ANOTHER), sent=(*at_it,)) == {"7": ("resembling", 2)}
    theirs = delivered(3, payload=intent(**work(1) | {"quickbooks_employee_id": "10"}).payload)
    assert found(desk, body(**ANOTHER), sent=(*at_it, theirs)) == {"7": ("duplicated", 3)}


def test_what_a_stray_may_be_the_like_of_is_of_the_days_about_it_or_was_its_like(
    desk: Desk,
) -> None:
    """Else a warning would come and go with the days that are looked at."""
    days = {1: -2, 2: -1, 3: 0, 4: 2, 5: 3, 6: 4, 7: 90}
    rows = [delivered(number, work_date=DAY + day * A_DAY) for number, day in days.items()]
    desk.ledger.record(rows)
    likened = [intent(7).entry_id, intent(3).entry_id]
    about = strays.about(desk, DAY, DAY + 2 * A_DAY, likened)
    assert {int(row.entry_id, 16) for row in about} == {2, 3, 4, 5, 7}
