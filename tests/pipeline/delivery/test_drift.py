"""Drift as a pure comparison: what was sent, with one change at a time on either side."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pipeline.delivery import drift
from pipeline.delivery.drift import Change
from pipeline.review.lists import Names
from tests.pipeline.quickbooks.test_activities import FACTS as SENT
from tests.pipeline.rows import DAY

ENTRY: dict[str, Any] = {
    "quickbooks_employee_id": "55",
    "user_name": "Ann Lee",
    "quickbooks_customer_id": "21",
    "project_name": "Website",
    "client_name": "Acme",
    "work_date": pd.Timestamp(DAY),
    "duration_seconds": 5400,
    "is_billable": True,
    "description": "Garden  Lighting ",
    "sent_rate_minor": 13725,
}
NAMES = Names(
    people={"55": "Ann Lee", "56": "Bob Roy"},
    customers={"21": "Website", "22": "Shop"},
    paths={"21": "Acme:Website", "22": "Acme:Shop"},
    parents={"21": "Acme", "22": "Acme"},
)


def of_entry(*, is_priced_by_item: bool = False, **changes: object) -> list[tuple[object, ...]]:
    """What a changed entry comes to: kind, field, before, after."""
    said = drift.spoken_entry({**ENTRY, **changes}, SENT, NAMES)
    found = drift.of_entry(SENT, said, is_priced_by_item=is_priced_by_item)
    return [drift.named(each, NAMES)[1:] for each in found]


def test_of_another_client_it_is_another_project_only_where_clients_are_matched() -> None:
    """By its name alone, a project whose client is renamed is the same."""
    entry = {**ENTRY, "quickbooks_customer_id": None, "client_name": "Acme Inc"}
    said = drift.spoken_entry(entry, SENT, NAMES, is_client_used=False)
    assert drift.of_entry(SENT, said) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"duration_seconds": 5429}, []),
        ({"duration_seconds": 5430}, [("edited", "minutes", "90", "91")]),
        ({"duration_seconds": None}, [("edited", "minutes", "90", None)]),
        (
            {"work_date": pd.Timestamp("2024-05-15")},
            [("moved", "work_date", "2024-05-14", "2024-05-15")],
        ),
        ({"description": "Garden"}, [("edited", "description", "Garden Lighting", "Garden")]),
        ({"sent_rate_minor": 10000}, [("edited", "rate", "137.25", "100")]),
        ({"sent_rate_minor": None}, [("edited", "rate", "137.25", None)]),
        (
            {"is_billable": False, "sent_rate_minor": None},
            [("edited", "is_billable", "billable", "not billable")],
        ),
        (
            {"quickbooks_employee_id": "56", "user_name": "Bob Roy"},
            [("edited", "person", "Ann Lee", "Bob Roy")],
        ),
        ({"quickbooks_employee_id": None}, []),
        ({"quickbooks_customer_id": None, "client_name": None}, []),
        (
            {"quickbooks_customer_id": None, "client_name": "Bolt"},
            [("edited", "customer", "Acme:Website", "Bolt / Website")],
        ),
        (
            {"quickbooks_employee_id": None, "user_name": "Anne Lee"},
            [("edited", "person", "Ann Lee", "Anne Lee")],
        ),
        (
            {"quickbooks_customer_id": "22", "project_name": "Shop"},
            [("edited", "customer", "Acme:Website", "Acme:Shop")],
        ),
        ({"client_name": "Bolt"}, []),
        ({"quickbooks_customer_id": None}, []),
        (
            {"quickbooks_customer_id": None, "project_name": None},
            [("edited", "customer", "Acme:Website", "")],
        ),
    ],
    ids=str,
)
def test_a_single_change_of_an_entry_is_a_single_row(
    changes: Mapping[str, object], expected: list[tuple[object, ...]]
) -> None:
    """A name that matches nobody any more is no change while who was sent still bears it."""
    assert of_entry(**changes) == expected


def test_of_a_customer_with_none_above_it_the_client_says_nothing() -> None:
    """It was matched by the project's name alone."""
    entry = {**ENTRY, "quickbooks_customer_id": None}
    said = drift.spoken_entry(entry, SENT, replace(NAMES, parents={}))
    assert drift.of_entry(SENT, said) == []


def test_time_that_was_sent_as_not_billable_has_no_rate_to_change() -> None:
    """Sent as 0, and missing in Clockify."""
    said = drift.spoken_entry({**ENTRY, "is_billable": False, "sent_rate_minor": None}, SENT, NAMES)
    assert drift.of_entry(SENT._replace(is_billable=False, rate=Decimal(0)), said) == []


def test_a_new_price_of_the_service_item_is_no_change_of_the_entry() -> None:
    """`RATE_SOURCE=service_item`; a new year's price must not re-price the old year."""
    assert of_entry(is_priced_by_item=True, sent_rate_minor=1) == []


def test_an_entry_that_was_deleted_is_one_row() -> None:
    """Whatever it said."""
    assert drift.of_entry(SENT, None) == [Change("clockify", "deleted")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"person": "Vendor 55"}, [("edited", "person", "Ann Lee", "Vendor 55")]),
        ({"customer": ""}, [("edited", "customer", "Acme:Website", "")]),
        (
            {"work_date": DAY - timedelta(days=1)},
            [("moved", "work_date", "2024-05-14", "2024-05-13")],
        ),
        ({"minutes": 0}, [("edited", "minutes", "90", "0")]),
        ({"is_billable": False}, [("edited", "is_billable", "billable", "not billable")]),
        ({"rate": Decimal("137.2500")}, []),
        ({"rate": Decimal("137.125")}, [("edited", "rate", "137.25", "137.125")]),
        ({"rate": Decimal(1000)}, [("edited", "rate", "137.25", "1000")]),
        ({"item": "9"}, [("edited", "item", "8", "9")]),
    ],
    ids=str,
)
def test_a_single_change_of_a_time_activity_is_a_single_row(
    changes: dict[str, Any], expected: list[tuple[object, ...]]
) -> None:
    """Rate and item as well: of adopted ones they may differ from the start."""
    found = drift.of_activity(SENT, SENT._replace(**changes))
    assert [drift.named(each, NAMES)[1:] for each in found] == expected
    assert all(each.side == "quickbooks" for each in found)


def test_a_time_activity_that_was_billed_or_deleted_is_one_row() -> None:
    """Only the second is a warning."""
    [billed] = drift.of_activity(SENT, SENT, is_billed=True)
    [deleted] = drift.of_activity(SENT, None)
    assert (billed.kind, deleted.kind) == ("billed", "deleted")
    assert billed.kind in drift.FACTS_ONLY
    assert deleted.kind not in drift.FACTS_ONLY


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("duplicated", "a")),
        ({"rate": Decimal(1), "item": ""}, ("duplicated", "a")),
        ({"minutes": 91}, ("resembling", "a")),
        ({"description": "Lights"}, ("resembling", "a")),
        ({"description": "Lights", "minutes": 200}, ("not_ours", None)),
        ({"person": "56"}, ("not_ours", None)),
    ],
    ids=str,
)
def test_what_nobody_sent_is_told_apart_by_how_like_ours_it_is(
    changes: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    """As often as it stands there; a person's own work is nobody's business."""
    free = {"1": SENT._replace(**changes), "2": SENT._replace(**changes)}
    found = drift.strays({"a": SENT}, {"a": SENT}, free, 5)
    assert found == {"1": expected, "2": expected}


@pytest.mark.parametrize(
    ("changes", "entry_id"),
    [
        ({"person": "56"}, "a"),
        ({"person": "56", "rate": Decimal(1), "item": ""}, "a"),
        ({"person": "56", "minutes": 91}, None),
        ({"person": "56", "customer": "22"}, None),
        ({"person": "56", "work_date": DAY + timedelta(days=1)}, None),
        ({"person": "56", "description": "Lights"}, None),
        ({"person": "56", "is_billable": False}, None),
        ({"rate": Decimal(1)}, None),
    ],
    ids=str,
)
def test_what_was_sent_for_one_may_stand_there_for_another(
    changes: dict[str, Any], entry_id: str | None
) -> None:
    """If it is like it in all but the person; the price is the bookkeeper's."""
    found = drift.of_another_person({"a": SENT}, {"1": SENT._replace(**changes)})
    assert found == ({"1": [entry_id]} if entry_id else {})


def test_of_a_meeting_whose_it_was_nobody_can_tell() -> None:
    """It is like each of the others' entries; its own person's equal is no reason to be silent."""
    at_it = {key: SENT._replace(person=person) for key, person in (("b", "56"), ("a", "55"))}
    found = drift.of_another_person(at_it, {"1": SENT._replace(person="57")})
    assert found == {"1": ["a", "b"]}
    assert drift.of_another_person(at_it, {"1": at_it["b"]}) == {"1": ["a"]}


def test_beside_a_duplicate_a_look_alike_is_still_one() -> None:
    """Both may be invoiced beside what was sent."""
    free = {"1": SENT, "2": SENT._replace(minutes=91)}
    found = drift.strays({"a": SENT}, {"a": SENT}, free, 5)
    assert found == {"1": ("duplicated", "a"), "2": ("resembling", "a")}


def test_what_a_person_has_told_apart_resembles_nothing_and_its_equal_is_a_duplicate() -> None:
    """Asked once; another entry that it resembles is another question."""
    free = {"1": SENT._replace(description="Lights"), "2": SENT}
    found = drift.strays({"a": SENT}, {"a": SENT}, free, 5, apart={"a": free})
    assert found == {"1": ("not_ours", None), "2": ("duplicated", "a")}
    both = {"a": SENT, "b": SENT._replace(minutes=300, description="Lights")}
    found = drift.strays(both, both, {"1": free["1"]}, 5, apart={"a": {"1"}})
    assert found == {"1": ("resembling", "b")}


def test_a_copy_of_what_was_edited_since_is_a_duplicate_of_either() -> None:
    """Of what was sent, and of what stands there now."""
    now = SENT._replace(minutes=300, description="Lights")
    found = drift.strays({"a": SENT}, {"a": now}, {"1": SENT, "2": now}, 5)
    assert found == {"1": ("duplicated", "a"), "2": ("duplicated", "a")}
