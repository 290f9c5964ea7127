"""A time activity: the exact bytes that are sent, and what is compared of one that is stored."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pipeline.quickbooks.activities import (
    Facts,
    differences,
    facts,
    fingerprint,
    meant,
    parse,
    payload,
)
from pipeline.quickbooks.rows import activity_row

ENTRY: dict[str, Any] = {
    "work_date": pd.Timestamp("2024-05-14"),
    "quickbooks_employee_id": "55",
    "quickbooks_customer_id": "21",
    "is_billable": True,
    "hours": 1,
    "minutes": 30,
    "sent_rate_minor": 13725,
    "currency": "USD",
    "description": "Garden Lighting",
}
SENT = (
    '{"BillableStatus":"Billable","CustomerRef":{"value":"21"},"Description":"Garden Lighting",'
    '"EmployeeRef":{"value":"55"},"HourlyRate":137.25,"Hours":1,"ItemRef":{"value":"8"},'
    '"Minutes":30,"NameOf":"Employee","Taxable":false,"TxnDate":"2024-05-14"}'
)
CUSTOMER = '"CustomerRef":{"value":"21"},'
PAYLOADS: dict[str, tuple[dict[str, object], list[tuple[str, str]]]] = {
    "no customer": ({"quickbooks_customer_id": None}, [(CUSTOMER, "")]),
    "no customer, as pandas says it": ({"quickbooks_customer_id": pd.NA}, [(CUSTOMER, "")]),
    "not billable": (
        {"is_billable": False, "sent_rate_minor": pd.NA, "currency": None},
        [
            ('"HourlyRate":137.25,', ""),
            ('"Taxable":false,', ""),
            ('"Billable",', '"NotBillable",'),
        ],
    ),
    "no description": ({"description": ""}, [('"Description":"Garden Lighting",', "")]),
    "description with all that needs escaping": (
        {"description": '🙂 "é"\n\\'},
        [("Garden Lighting", r"\ud83d\ude42 \"\u00e9\"\n\\")],
    ),
    "blanks stay as typed": ({"description": " a  b "}, [("Garden Lighting", " a  b ")]),
    "no whole hour": ({"hours": 0}, [('"Hours":1', '"Hours":0')]),
    "no minute": ({"minutes": 0}, [('"Minutes":30', '"Minutes":0')]),
    "another day": ({"work_date": pd.Timestamp("2024-02-29")}, [("2024-05-14", "2024-02-29")]),
    "rate 0": ({"sent_rate_minor": 0}, [("137.25", "0.00")]),
    "rate 0.01": ({"sent_rate_minor": 1}, [("137.25", "0.01")]),
    "rate 0.10": ({"sent_rate_minor": 10}, [("137.25", "0.10")]),
    "rate 100": ({"sent_rate_minor": 10_000}, [("137.25", "100.00")]),
    "highest rate": ({"sent_rate_minor": 9_999_999_999_999}, [("137.25", "99999999999.99")]),
    "rate no float holds": (
        {"sent_rate_minor": 9007199254740993},
        [("137.25", "90071992547409.93")],
    ),
}


def sent(*, item_id: str | None = "8", is_taxable: bool = False, **changes: object) -> str:
    """The payload of the valid entry, with changes."""
    return payload({**ENTRY, **changes}, item_id=item_id, is_taxable=is_taxable)


def test_the_payload_of_a_valid_entry_is_these_bytes() -> None:
    """The same entry makes the same bytes, whatever the order of its columns."""
    assert sent() == SENT
    backwards = dict(reversed(ENTRY.items()))
    assert payload(backwards, item_id="8", is_taxable=False) == SENT


@pytest.mark.parametrize(("change", "edits"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_single_change_changes_only_its_own_bytes(
    change: dict[str, object], edits: list[tuple[str, str]]
) -> None:
    """Numbers of money are decimal to the last digit."""
    expected = SENT
    for old, new in edits:
        assert old in expected
        expected = expected.replace(old, new)
    assert sent(**change) == expected


@pytest.mark.parametrize("change", [change for change, _ in PAYLOADS.values()], ids=PAYLOADS)
def test_what_is_compared_of_an_entry_are_the_facts_of_what_is_sent(
    change: dict[str, object],
) -> None:
    """Else it would be looked for as something else than it was sent as."""
    assert meant({**ENTRY, **change}, item_id="8") == facts(parse(sent(**change)))


def test_an_entry_without_a_usable_rate_is_compared_and_never_sent() -> None:
    """QuickBooks would price it by its item."""
    unpriced = {**ENTRY, "sent_rate_minor": pd.NA, "currency": "JPY"}
    assert meant(unpriced, item_id="8") == FACTS._replace(rate=Decimal(0))
    with pytest.raises(TypeError, match="NAType"):
        payload(unpriced, item_id="8", is_taxable=False)


@pytest.mark.parametrize("item_id", [None, ""])
def test_without_a_service_item_none_is_sent(item_id: str | None) -> None:
    """QuickBooks then chooses its own."""
    assert sent(item_id=item_id) == SENT.replace('"ItemRef":{"value":"8"},', "")


def test_taxable_is_sent_as_set() -> None:
    """`TAXABLE`; only of billable time."""
    assert sent(is_taxable=True) == SENT.replace("false", "true")
    assert "Taxable" not in sent(is_taxable=True, is_billable=False)


def test_a_currency_without_cents_is_no_number_that_anyone_guesses() -> None:
    """The review has rejected it before."""
    with pytest.raises(ValueError, match="JPY does not have two decimals"):
        sent(currency="JPY")


def test_parsed_decimals_are_exact() -> None:
    """A float would make 0.1 something else."""
    assert parse('{"HourlyRate":0.1}')["HourlyRate"] == Decimal("0.1")
    assert parse(SENT)["HourlyRate"] == Decimal("137.25")


def test_a_fingerprint_changes_with_the_payload_and_the_records_it_refers_to() -> None:
    """And with nothing else: a refusal is tried again only when what was refused has changed."""
    employee = {"id": "55", "display_name": "Ann"}
    customer = {"id": "21", "is_active": True, "parent_id": pd.NA}
    base = fingerprint(SENT, employee, customer)
    assert base == fingerprint(SENT, dict(reversed(employee.items())), dict(customer))
    others = [
        fingerprint(SENT + " ", employee, customer),
        fingerprint(SENT, employee | {"display_name": "Anne"}, customer),
        fingerprint(SENT, employee, customer | {"is_active": False}),
        fingerprint(SENT, employee, {}),
        fingerprint(SENT, employee, customer, {"service_item_id": "8"}),
    ]
    assert len({base, *others}) == len(others) + 1


BODY = parse(SENT)
FACTS = Facts(
    person="55",
    customer="21",
    work_date=date(2024, 5, 14),
    minutes=90,
    is_billable=True,
    description="Garden Lighting",
    rate=Decimal("137.25"),
    item="8",
)
BARE = {"TxnDate": "2024-05-14", "EmployeeRef": {"value": "55"}}
DEFAULTS = {
    "NameOf": "Employee",
    "CustomerRef": None,
    "Hours": 0,
    "Minutes": 0,
    "BillableStatus": "NotBillable",
    "Description": "",
    "HourlyRate": 0,
    "ItemRef": {},
}


def test_the_facts_of_what_was_sent() -> None:
    """The example that all changes below start from."""
    assert facts(BODY) == FACTS


@pytest.mark.parametrize("key", DEFAULTS)
def test_an_absent_key_equals_its_default(key: str) -> None:
    """QuickBooks leaves out what has no value."""
    assert facts(BARE | {key: DEFAULTS[key]}) == facts(BARE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"BillableStatus": "HasBeenBilled"}, {}),
        ({"BillableStatus": "NotBillable"}, {"is_billable": False}),
        ({"TxnDate": "2024-05-14Z"}, {}),
        ({"TxnDate": "2024-05-14T12:00:00-07:00"}, {}),
        ({"TxnDate": "2024-05-14-07:00"}, {}),
        ({"TxnDate": "2024-05-15"}, {"work_date": date(2024, 5, 15)}),
        ({"TxnDate": None}, {"work_date": date.min}),
        ({"Description": "  Garden\r\n\tLighting "}, {}),
        ({"Description": "Garden\u00a0Lighting"}, {}),
        ({"Description": "Garden lighting"}, {"description": "Garden lighting"}),
        ({"Description": "Garden \ud83d"}, {"description": "Garden \ufffd"}),
        ({"HourlyRate": Decimal("137.2500")}, {}),
        ({"HourlyRate": 137}, {"rate": Decimal(137)}),
        ({"HourlyRate": None}, {"rate": Decimal(0)}),
        ({"Hours": 0, "Minutes": 90}, {}),
        ({"Hours": None, "Minutes": 30}, {"minutes": 30}),
        ({"EmployeeRef": {"value": "55", "name": "Ann"}}, {}),
        ({"EmployeeRef": {"value": "5"}}, {"person": "5"}),
        ({"ItemRef": {"value": "9"}}, {"item": "9"}),
        ({"SyncToken": "3", "domain": "QBO", "sparse": False}, {}),
        ({"NameOf": "Vendor", "VendorRef": {"value": "55"}}, {"person": "Vendor 55"}),
        ({"NameOf": "Other", "OtherNameRef": {"value": "55"}}, {"person": "Other 55"}),
        ({"NameOf": "Vendor"}, {"person": "Vendor "}),
    ],
    ids=str,
)
def test_a_single_change_of_a_stored_activity_changes_only_its_fact(
    change: dict[str, object], expected: dict[str, object]
) -> None:
    """A vendor or other name of the same id is never the employee."""
    assert facts({**BODY, **change}) == FACTS._replace(**expected)


def test_half_a_character_in_what_is_stored_keeps_no_row_from_being_kept() -> None:
    """Whoever cuts a text within an emoji leaves one; a table that gets it takes nothing more."""
    torn, at = "cut \ud83d", {"CreateTime": "2024-05-14T09:00:00Z"}
    names = {key: {"value": "1", "name": torn} for key in ("EmployeeRef", "CustomerRef", "ItemRef")}
    stored = {**BODY, **names, "Id": "7", "Description": torn}
    stored |= {"MetaData": at | {"LastUpdatedTime": at["CreateTime"]}}
    row = activity_row(stored, currency="USD", entry_id=None, read_at=datetime.now(UTC))
    said = [row[key] for key in ("person_name", "customer_name", "item_name", "description")]
    assert said == ["cut \ufffd"] * 4


TIMED = {
    "StartTime": "2024-05-14T09:00:00-07:00",
    "EndTime": "2024-05-14T11:00:00-07:00",
    **BARE,
}


@pytest.mark.parametrize(
    ("change", "minutes"),
    [
        ({}, 120),
        ({"Hours": 0, "Minutes": 0}, 120),
        ({"Hours": 1}, 60),
        ({"Minutes": 7}, 7),
        ({"Hours": "1", "Minutes": "07"}, 67),
        ({"Hours": Decimal("1.0")}, 60),
        ({"Hours": Decimal("7.00")}, 420),
        ({"BreakHours": 1, "BreakMinutes": 15}, 45),
        ({"EndTime": "2024-05-14T19:00:00Z"}, 180),
        ({"EndTime": "2024-05-14T11:00:29-07:00"}, 120),
        ({"EndTime": "2024-05-14T11:00:30-07:00"}, 121),
        ({"EndTime": "2024-05-14T06:00:00-07:00"}, 21 * 60),
        ({"EndTime": "2024-05-14T09:00:00-07:00", "BreakHours": 8}, 16 * 60),
        ({"EndTime": None}, 0),
        ({"StartTime": None, "Minutes": 5}, 5),
    ],
    ids=str,
)
def test_an_activity_of_start_and_end_has_the_minutes_between(
    change: dict[str, object], minutes: int
) -> None:
    """Typed in QuickBooks' timesheet, or sent by another app; minutes that are stated win.

    Seconds are rounded as an entry's: what the vendor's button sent to the second is then equal.
    """
    assert facts(TIMED | change).minutes == minutes


OTHER = FACTS._replace(
    person="Vendor 55",
    customer="22",
    work_date=date(2024, 5, 15),
    minutes=89,
    is_billable=False,
    description="",
    rate=Decimal(0),
    item="9",
)


def test_nothing_differs_from_itself() -> None:
    """Also with a rate spelled otherwise."""
    assert differences(FACTS, FACTS._replace(rate=Decimal("137.250"))) == []


@pytest.mark.parametrize("field", Facts._fields)
def test_each_field_that_differs_is_named(field: str) -> None:
    """One at a time."""
    stored = FACTS._replace(**{field: getattr(OTHER, field)})
    assert differences(FACTS, stored) == [field]


def test_all_fields_that_differ_are_named() -> None:
    """Together."""
    assert set(differences(FACTS, OTHER)) == set(Facts._fields)


def test_a_rate_counts_only_of_billable_time_and_an_item_only_if_we_sent_one() -> None:
    """QuickBooks may fill both."""
    unpriced = FACTS._replace(is_billable=False, item="", rate=Decimal(0))
    filled = unpriced._replace(item="2", rate=Decimal(15))
    assert differences(unpriced, filled) == []
    assert differences(unpriced._replace(item="8"), filled) == ["item"]
    assert differences(unpriced._replace(is_billable=True), filled) == ["is_billable", "rate"]
