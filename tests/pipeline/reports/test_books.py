"""The view from what Clockify says to what QuickBooks holds: one delivery, one change at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.reports.books import BOOKS_AND_LEDGER
from pipeline.schemas import (
    LEDGER_TABLES,
    WAREHOUSE_TABLES,
    ClockifyTimeEntries,
    ComparedDays,
    Deliveries,
    Drift,
    QuickbooksActivities,
    Table,
)
from pipeline.storage import doors
from pipeline.storage.database import Connection, Database
from tests.pipeline.quickbooks.test_activities import SENT
from tests.pipeline.rows import MEASURES, NOW, frame, valid

ENTRY = {
    "duration_seconds": 5410,
    "hourly_rate_minor": 13725,
    "amount_minor": 20626,
    "currency": "USD",
    "is_billable": True,
}
DELIVERY = {
    "state": "sent",
    "payload": SENT,
    "minutes": 90,
    "amount_minor": 20588,
    "currency": "USD",
    "quickbooks_id": "7",
}
ACTIVITY = {
    "quickbooks_id": "7",
    "person_id": "55",
    "customer_id": "21",
    "minutes": 90,
    "amount_minor": 20588,
    "currency": "USD",
    "is_billable": True,
}
EDITED = {"side": "quickbooks", "kind": "edited", "field": "minutes"}
LENGTHENED = {"side": "clockify", "kind": "edited", "field": "minutes"}
AGREED = {
    "clockify_seconds": 5410,
    "clockify_amount_minor": 20626,
    "minute_rounding_seconds": -10,
    "minute_rounding_amount_minor": 20588 - 20626,
    "ledger_minutes": 90,
    "ledger_amount_minor": 20588,
    "quickbooks_minutes": 90,
    "quickbooks_amount_minor": 20588,
}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Connection]:
    """An open file with every table, and the view."""
    tables = (*WAREHOUSE_TABLES, *LEDGER_TABLES)
    database = Database(path=tmp_path / "b.duckdb", what="file", when_broken="", tables=tables)
    with database.connect() as connection:
        connection.execute(f"CREATE VIEW books_and_ledger AS {BOOKS_AND_LEDGER}")
        put(connection, ComparedDays, compared_at=NOW)
        yield connection


def put(connection: Connection, model: type[Table], number: int = 0, **changes: object) -> None:
    """One row, the valid one with changes."""
    doors.insert(connection, model, frame(model, valid(model, number, **changes)))


def sums(connection: Connection) -> dict[str, Any]:
    """What the view comes to in all, less what is 0."""
    wanted = ", ".join(f"sum({name})::BIGINT AS {name}" for name in [*MEASURES, *UNEXPLAINED])
    found = connection.execute(f"SELECT {wanted} FROM books_and_ledger").df().to_dict("records")[0]
    return {str(name): int(value) for name, value in found.items() if value}


UNEXPLAINED = ("unexplained_seconds", "unexplained_amount_minor")


def test_rounding_is_named_to_the_second_and_the_cent(books: Connection) -> None:
    """Ten seconds above whole minutes, and what they would have been worth."""
    put(books, ClockifyTimeEntries, **ENTRY)
    put(books, Deliveries, **DELIVERY)
    put(books, QuickbooksActivities, **ACTIVITY)
    assert sums(books) == AGREED


@pytest.mark.parametrize(
    ("entry", "activity", "drift", "expected"),
    [
        (
            {"amount_minor": 20625},
            {},
            None,
            {"clockify_amount_minor": 20625, "cent_rounding_amount_minor": 1},
        ),
        (
            {"amount_minor": 20000},
            {},
            None,
            {"clockify_amount_minor": 20000, "unexplained_amount_minor": 626},
        ),
        (
            {"duration_seconds": 9000, "amount_minor": 34313},
            {},
            LENGTHENED,
            {
                "clockify_seconds": 9000,
                "clockify_amount_minor": 34313,
                "minute_rounding_seconds": 0,
                "minute_rounding_amount_minor": 0,
                "entry_drift_seconds": -3600,
                "entry_drift_amount_minor": 20588 - 34313,
            },
        ),
        (
            {},
            {"minutes": 60, "amount_minor": 13725},
            EDITED,
            {
                "activity_drift_minutes": -30,
                "activity_drift_amount_minor": 13725 - 20588,
                "quickbooks_minutes": 60,
                "quickbooks_amount_minor": 13725,
            },
        ),
        (
            {},
            {"minutes": 60, "amount_minor": 13725},
            None,
            {
                "quickbooks_minutes": 60,
                "quickbooks_amount_minor": 13725,
                "unexplained_seconds": -1800,
                "unexplained_amount_minor": 13725 - 20588,
            },
        ),
        (
            {},
            {"quickbooks_id": "8"},
            {"side": "quickbooks", "kind": "deleted", "field": None},
            {
                "activity_drift_minutes": -90,
                "activity_drift_amount_minor": -20588,
                "not_ours_minutes": 90,
                "not_ours_amount_minor": 20588,
            },
        ),
        ({}, {}, {"side": "clockify", "kind": "edited", "field": "description"}, {}),
    ],
)
def test_a_single_difference_has_its_own_name_or_is_unexplained(
    books: Connection,
    entry: dict[str, object],
    activity: dict[str, object],
    drift: dict[str, object] | None,
    expected: dict[str, int],
) -> None:
    """Nothing is tolerated: what has no row of drift behind it stands as unexplained."""
    put(books, ClockifyTimeEntries, **{**ENTRY, **entry})
    put(books, Deliveries, **DELIVERY)
    put(books, QuickbooksActivities, **{**ACTIVITY, **activity})
    if drift:
        put(books, Drift, **drift)
    assert sums(books) == {name: value for name, value in {**AGREED, **expected}.items() if value}


def test_no_other_persons_or_customers_time_evens_a_difference_out(books: Connection) -> None:
    """What was moved to another customer is missing from the one and too much at the other."""
    put(books, ClockifyTimeEntries, **ENTRY)
    put(books, Deliveries, **DELIVERY)
    put(books, QuickbooksActivities, **{**ACTIVITY, "customer_id": "22"})
    put(books, Drift, **{**EDITED, "field": "customer"})
    found = books.execute(
        "SELECT customer_id, ledger_minutes, activity_drift_minutes, quickbooks_minutes, "
        "unexplained_seconds FROM books_and_ledger ORDER BY customer_id"
    ).fetchall()
    assert found == [("21", 90, -90, 0, 0), ("22", 0, 90, 90, 0)]


def test_what_changed_after_the_last_comparison_is_left_out(books: Connection) -> None:
    """A check of its own says that it was not compared."""
    put(books, ClockifyTimeEntries, **ENTRY)
    put(books, Deliveries, **{**DELIVERY, "updated_at": NOW.replace(year=2025)})
    put(books, QuickbooksActivities, **ACTIVITY)
    assert sums(books) == {}
