"""The statement: every second and cent of Clockify is found again, under one name."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import Delivery, Ledger
from pipeline.reports import analysis
from pipeline.schemas import (
    AcceptedTimeEntries,
    Days,
    Drift,
    QuickbooksActivities,
    QuickbooksCompany,
    QuickbooksCustomers,
    RejectedTimeEntries,
    Table,
)
from pipeline.settings import Settings
from pipeline.storage import doors, queries
from pipeline.storage.database import Connection, attach
from pipeline.warehouse import Warehouse
from tests.pipeline.rows import delivery, frame, valid

pytestmark = pytest.mark.usefixtures("copied_files")
MONTH, AFTER = date(2024, 4, 1), date(2024, 5, 2)
DAY = date(2024, 4, 10)
ENTRY: dict[str, object] = {
    "work_date": DAY,
    "duration_seconds": 3600,
    "is_billable": True,
    "amount_minor": 9000,
    "hourly_rate_minor": 9000,
    "currency": "USD",
    "quickbooks_customer_id": "7",
    "client_name": None,
    "project_name": "Roof",
}
SENT: dict[str, Any] = {
    "state": "sent",
    "work_date": DAY,
    "minutes": 60,
    "amount_minor": 9000,
    "currency": "USD",
    "payload": '{"CustomerRef":{"value":"7"}}',
}
TO_EIGHT = {"payload": '{"CustomerRef":{"value":"8"}}'}
ACTIVITY: dict[str, object] = {
    "quickbooks_id": "500",
    "work_date": DAY,
    "customer_id": "7",
    "minutes": 60,
    "rate_minor": 9000,
    "amount_minor": 9000,
    "currency": "USD",
    "is_billable": True,
    "is_billed": False,
}
UNREAD = "not read again"
CHANGED = "changed in Clockify since it was sent"
OTHER = "another rate in QuickBooks"
CHANGED_THERE = "changed in QuickBooks since it was sent"
Lines = dict[tuple[str, str], tuple[int, int]]


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse in which all of April was read, for the customers Acme and Birch."""
    path = tmp_path_factory.mktemp("april") / "warehouse.duckdb"
    with Warehouse(path).connect() as connection:
        days = [valid(Days, work_date=MONTH + timedelta(days=day)) for day in range(31)]
        doors.insert(connection, Days, frame(Days, *days))
        names = {6: "Acme", 7: "Birch"}
        customers = [
            valid(QuickbooksCustomers, number, fully_qualified_name=name)
            for number, name in names.items()
        ]
        doors.insert(connection, QuickbooksCustomers, frame(QuickbooksCustomers, *customers))
        company = valid(QuickbooksCompany, home_currency="USD")
        doors.insert(connection, QuickbooksCompany, frame(QuickbooksCompany, company))
    return path


@pytest.fixture
def warehouse(april: Path, tmp_path: Path) -> Iterator[Connection]:
    """A copy of it: to be changed."""
    path = shutil.copy(april, tmp_path)
    with Warehouse(Path(path)).connect() as connection:
        yield connection


def lay(connection: Connection, model: type[Table], *changes: dict[str, object]) -> None:
    """Put entries into a table, an hour of 90 dollars each, with changes."""
    rows = [valid(model, number, **(ENTRY | change)) for number, change in enumerate(changes)]
    doors.insert(connection, model, frame(model, *rows))


def seen(
    connection: Connection,
    tmp_path: Path,
    view: str,
    *sent: Delivery,
    today: date = AFTER,
    rate_source: str = "clockify",
) -> list[queries.Row]:
    """A view's rows, with these deliveries in the ledger beside."""
    with Ledger.opened(tmp_path / "ledger.duckdb", 0, print) as ledger:
        ledger.record(list(sent))
    attach(connection, tmp_path / "ledger.duckdb", "ledger")
    settings = Settings.model_construct(
        time_zone="UTC", send_from=MONTH, start_date=MONTH, rate_source=rate_source
    )
    analysis.lay_views(connection, settings, today)
    return queries.rows(connection, f"FROM {view} ORDER BY ALL")


def lines(connection: Connection, tmp_path: Path, *sent: Delivery) -> Lines:
    """Seconds and minor units of each line, by customer."""
    return {
        (row["customer"], row["line"]): (row["duration_seconds"], row["amount_minor"])
        for row in seen(connection, tmp_path, "statement_lines", *sent)
    }


@pytest.mark.parametrize(
    ("entry", "sent", "expected"),
    [
        ({}, {}, {UNREAD: (3600, 9000)}),
        (
            {"duration_seconds": 3620, "amount_minor": 9050},
            {},
            {UNREAD: (3600, 9000), "minute rounding": (20, 50)},
        ),
        (
            {"duration_seconds": 3570, "amount_minor": 8925},
            {},
            {UNREAD: (3600, 9000), "minute rounding": (-30, -75)},
        ),
        (
            {"amount_minor": 9001},
            {},
            {UNREAD: (3600, 9000), "cent rounding": (0, 1)},
        ),
        (
            {"amount_minor": 9002},
            {},
            {UNREAD: (3600, 9000), "in Clockify not its time at its rate": (0, 2)},
        ),
        (
            {},
            {"amount_minor": 10_000},
            {UNREAD: (3600, 10_000), OTHER: (0, -1000)},
        ),
        (
            {"duration_seconds": 7200, "amount_minor": 18_000},
            {},
            {UNREAD: (3600, 9000), CHANGED: (3600, 9000)},
        ),
        ({}, {"state": "adopted"}, {UNREAD: (3600, 9000)}),
        ({}, {"state": "unknown"}, {"accepted: unknown": (3600, 9000)}),
        ({}, {"state": "refused"}, {"accepted: refused": (3600, 9000)}),
        ({}, {"state": "gone"}, {"accepted: gone": (3600, 9000)}),
    ],
)
def test_what_became_of_an_entry_adds_up_to_what_clockify_says(
    warehouse: Connection,
    tmp_path: Path,
    entry: dict[str, object],
    sent: dict[str, Any],
    expected: dict[str, tuple[int, int]],
) -> None:
    """Each difference has a line of its own, to the second and the cent."""
    lay(warehouse, AcceptedTimeEntries, entry)
    found = lines(warehouse, tmp_path, delivery(0, **(SENT | sent)))
    tracked = found.pop(("Acme", "clockify"))
    assert found == {("Acme", line): both for line, both in expected.items()}
    assert tracked == tuple(map(sum, zip(*expected.values(), strict=True)))


def test_who_was_sent_to_is_who_it_is_of_until_the_entry_says_another(
    warehouse: Connection, tmp_path: Path
) -> None:
    """A finished job is made inactive: its entries lead to nobody, and nothing has changed."""
    lay(warehouse, AcceptedTimeEntries, {"quickbooks_customer_id": None})
    sent = delivery(0, **SENT)
    found = lines(warehouse, tmp_path, sent)
    assert found == {("Acme", "clockify"): (3600, 9000), ("Acme", UNREAD): (3600, 9000)}
    change = {"side": "clockify", "kind": "edited", "field": "customer", "entry_id": sent.entry_id}
    doors.insert(warehouse, Drift, frame(Drift, valid(Drift, 0, **change)))
    found = queries.rows(warehouse, "FROM statement_lines ORDER BY ALL")
    assert {(row["customer"], row["line"]) for row in found} == {
        *(("Roof", "clockify"), ("Roof", CHANGED)),
        *(("Acme", UNREAD), ("Acme", CHANGED)),
    }


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        ({}, {("Acme", "unbilled"): (3600, 9000)}),
        ({"is_billed": True}, {("Acme", "billed"): (3600, 9000)}),
        (
            {"minutes": 90, "amount_minor": 13_500},
            {("Acme", "unbilled"): (5400, 13_500), ("Acme", CHANGED_THERE): (-1800, -4500)},
        ),
        (
            {"customer_id": "8", "is_billed": True},
            {
                ("Acme", CHANGED_THERE): (3600, 9000),
                ("Birch", "billed"): (3600, 9000),
                ("Birch", CHANGED_THERE): (-3600, -9000),
            },
        ),
        ({"is_billable": False, "amount_minor": None}, {("Acme", CHANGED_THERE): (3600, 9000)}),
        ({"quickbooks_id": "501"}, {("Acme", UNREAD): (3600, 9000)}),
    ],
)
def test_what_quickbooks_holds_now_is_what_counts(
    warehouse: Connection,
    tmp_path: Path,
    activity: dict[str, object],
    expected: Lines,
) -> None:
    """Billed, or not, or changed by a bookkeeper: then the customers it concerns are blocked."""
    lay(warehouse, AcceptedTimeEntries, {})
    row = valid(QuickbooksActivities, 0, **(ACTIVITY | activity))
    doors.insert(warehouse, QuickbooksActivities, frame(QuickbooksActivities, row))
    found = lines(warehouse, tmp_path, delivery(0, **(SENT | {"quickbooks_id": "500"})))
    assert found.pop(("Acme", "clockify")) == (3600, 9000)
    assert found == expected


def test_billed_and_unbilled_are_summed_apart(warehouse: Connection, tmp_path: Path) -> None:
    """What was not read again is in neither."""
    lay(warehouse, AcceptedTimeEntries, {}, {}, {})
    changes = ({}, {"quickbooks_id": "501", "is_billed": True})
    rows = [valid(QuickbooksActivities, n, **(ACTIVITY | one)) for n, one in enumerate(changes)]
    doors.insert(warehouse, QuickbooksActivities, frame(QuickbooksActivities, *rows))
    sent = [delivery(n, **(SENT | {"quickbooks_id": str(500 + n)})) for n in range(3)]
    [row] = seen(warehouse, tmp_path, "statement", *sent)
    shown = [row[f"{part}_seconds"] for part in ("in_quickbooks", "billed", "unbilled")]
    assert (shown, row["is_ready"]) == ([10_800, 3600, 3600], True)


def test_an_entry_moved_to_another_customer_differs_for_both(
    warehouse: Connection, tmp_path: Path
) -> None:
    """Each customer's own statement still adds up: one has too much, the other too little."""
    lay(warehouse, AcceptedTimeEntries, {})
    assert lines(warehouse, tmp_path, delivery(0, **(SENT | TO_EIGHT))) == {
        ("Acme", "clockify"): (3600, 9000),
        ("Acme", CHANGED): (3600, 9000),
        ("Birch", UNREAD): (3600, 9000),
        ("Birch", CHANGED): (-3600, -9000),
    }


def test_what_was_sent_and_is_gone_from_clockify_is_named(
    warehouse: Connection, tmp_path: Path
) -> None:
    """An entry deleted, or marked not billable, after it was sent."""
    lay(warehouse, RejectedTimeEntries, {"is_billable": False})
    assert lines(warehouse, tmp_path, delivery(0, **SENT), delivery(1, **SENT)) == {
        ("Acme", UNREAD): (7200, 18_000),
        ("Acme", CHANGED): (-7200, -18_000),
    }


def test_what_was_not_sent_is_told_by_its_first_reason(
    warehouse: Connection, tmp_path: Path
) -> None:
    """Where no customer matches, as Clockify names it; an entry still running has no time yet."""
    unmatched = {"quickbooks_customer_id": None, "reasons": ["unknown_customer", "no_rate"]}
    waiting = {"verdict": "held", "reasons": ["running"]}
    lay(
        warehouse,
        RejectedTimeEntries,
        unmatched | {"amount_minor": None, "currency": None},
        waiting | {"duration_seconds": None, "amount_minor": None},
    )
    found = lines(warehouse, tmp_path)
    assert found["Roof", "rejected: unknown_customer"] == (3600, 0)
    assert found["Acme", "held: running"] == (0, 0)


ITEM = "the price of the service item"
AT_FIFTY = {
    "amount_minor": 5000,
    "payload": '{"CustomerRef":{"value":"7"},"HourlyRate":50.00}',
}


@pytest.mark.parametrize(
    ("entry", "sent", "expected"),
    [
        ({}, {}, {UNREAD: (3600, 5000), ITEM: (0, 4000)}),
        (
            {"duration_seconds": 3620, "amount_minor": 9050},
            {},
            {UNREAD: (3600, 5000), "minute rounding": (20, 28), ITEM: (0, 4022)},
        ),
        (
            {"amount_minor": None, "hourly_rate_minor": None, "currency": None},
            {},
            {UNREAD: (3600, 5000), ITEM: (0, -5000)},
        ),
        ({"currency": "EUR"}, {}, {UNREAD: (3600, 5000), ITEM: (0, -5000)}),
        ({"amount_minor": 5000}, {}, {UNREAD: (3600, 5000)}),
        ({}, {"currency": "EUR"}, {UNREAD: (3600, 5000), ITEM: (0, -5000)}),
        ({"duration_seconds": 7200}, {}, {UNREAD: (3600, 5000), CHANGED: (3600, 4000)}),
        ({}, {"amount_minor": 4000}, {UNREAD: (3600, 4000), ITEM: (0, 4000), OTHER: (0, 1000)}),
        ({}, {"state": "refused"}, {"accepted: refused": (3600, 9000)}),
    ],
)
def test_the_price_of_the_item_is_a_difference_in_nobodys_way(
    warehouse: Connection,
    tmp_path: Path,
    entry: dict[str, object],
    sent: dict[str, Any],
    expected: dict[str, tuple[int, int]],
) -> None:
    """With `RATE_SOURCE=service_item`; what Clockify would ask for it is no matter."""
    lay(warehouse, AcceptedTimeEntries, entry)
    delivered = delivery(0, **(SENT | AT_FIFTY | sent))
    by_item = "service_item"
    found = {
        row["line"]: (row["duration_seconds"], row["amount_minor"])
        for row in seen(warehouse, tmp_path, "statement_lines", delivered, rate_source=by_item)
    }
    tracked = found.pop("clockify")
    assert found == expected
    assert tracked == tuple(map(sum, zip(*expected.values(), strict=True)))
    [row] = queries.rows(warehouse, "FROM statement")
    assert row["is_ready"] == (expected.keys() <= {UNREAD, ITEM, "minute rounding"})


@pytest.mark.parametrize("table", [AcceptedTimeEntries, RejectedTimeEntries])
def test_an_absurd_rate_breaks_no_statement(
    warehouse: Connection, tmp_path: Path, table: type[Table]
) -> None:
    """Times seconds it is more than 64 bits hold, and the copy would not be published."""
    lay(warehouse, table, {"amount_minor": 2**60, "hourly_rate_minor": 2**60})
    sent = [delivery(0, **SENT)] if table is AcceptedTimeEntries else []
    [row] = seen(warehouse, tmp_path, "statement", *sent)
    assert row["clockify_amount_minor"] == 2**60


def test_currencies_are_never_added(warehouse: Connection, tmp_path: Path) -> None:
    """One customer in two currencies is two lines."""
    lay(warehouse, AcceptedTimeEntries, {}, {"currency": "EUR"})
    found = seen(warehouse, tmp_path, "statement")
    assert [(row["currency"], row["clockify_amount_minor"]) for row in found] == [
        ("EUR", 9000),
        ("USD", 9000),
    ]


@pytest.mark.parametrize(
    ("table", "entry", "today", "blocks"),
    [
        (AcceptedTimeEntries, {}, AFTER, []),
        (AcceptedTimeEntries, {"duration_seconds": 3610, "amount_minor": 9025}, AFTER, []),
        (AcceptedTimeEntries, {}, date(2024, 4, 30), ["the month is not over"]),
        (AcceptedTimeEntries, {"duration_seconds": 60}, AFTER, [f"{CHANGED} (1)"]),
        (RejectedTimeEntries, {"reasons": ["no_rate"]}, AFTER, ["rejected: no_rate (1)"]),
        (RejectedTimeEntries, {"verdict": "excluded", "reasons": ["filtered_out"]}, AFTER, []),
    ],
)
def test_a_month_may_be_invoiced_when_nothing_is_open(
    warehouse: Connection,
    tmp_path: Path,
    table: type[Table],
    entry: dict[str, object],
    today: date,
    blocks: list[str],
) -> None:
    """What is in the way is named with its entries; rounding is in nobody's way."""
    lay(warehouse, table, entry)
    sent = [delivery(0, **SENT)] if table is AcceptedTimeEntries else []
    [row] = seen(warehouse, tmp_path, "statement", *sent, today=today)
    assert (row["blocks"], row["is_ready"]) == (blocks, not blocks)


def test_what_a_person_skipped_is_named_and_blocks_nothing(
    warehouse: Connection, tmp_path: Path
) -> None:
    """It was decided; what stands refused or doubtful was not."""
    lay(warehouse, AcceptedTimeEntries, {}, {})
    states = [delivery(0, **(SENT | {"state": "skipped"})), delivery(1, **SENT)]
    [row] = seen(warehouse, tmp_path, "statement", *states)
    assert (row["not_sent_seconds"], row["is_ready"]) == (3600, True)


@pytest.mark.parametrize(
    ("kind", "blocks"),
    [
        ("duplicated", ["in QuickBooks twice (1)"]),
        ("resembling", ["in QuickBooks and like one of ours (1)"]),
        ("not_ours", []),
        ("billed", []),
    ],
)
def test_what_may_be_an_entrys_second_activity_is_in_the_way(
    warehouse: Connection, tmp_path: Path, kind: str, blocks: list[str]
) -> None:
    """Else the customer would pay an hour twice; of all else that is not ours nothing is said."""
    lay(warehouse, AcceptedTimeEntries, {})
    stray = {"quickbooks_id": "501", "entry_id": None, "work_date": DAY, "customer_id": "7"}
    doors.insert(warehouse, Drift, frame(Drift, valid(Drift, kind=kind, **stray)))
    [row] = seen(warehouse, tmp_path, "statement", delivery(0, **SENT))
    assert (row["blocks"], row["is_ready"]) == (blocks, not blocks)
    assert (row["clockify_seconds"], row["differing_seconds"]) == (3600, 0)


@pytest.mark.parametrize(
    ("state", "currency", "blocks"),
    [
        ("unknown", "USD", ["nobody knows yet: unknown (1)"]),
        ("pending", "USD", ["nobody knows yet: pending (1)"]),
        ("doubtful", "USD", ["nobody knows yet: doubtful (1)"]),
        ("refused", "USD", []),
        ("unknown", None, []),
    ],
)
def test_what_may_have_been_sent_of_an_entry_that_is_no_more_is_in_the_way(
    warehouse: Connection, tmp_path: Path, state: str, currency: str | None, blocks: list[str]
) -> None:
    """It may be in QuickBooks, and billable there."""
    lay(warehouse, AcceptedTimeEntries, {})
    left = SENT | {"state": state, "currency": currency, "quickbooks_id": None}
    [row] = seen(warehouse, tmp_path, "statement", delivery(0, **SENT), delivery(1, **left))
    assert (row["blocks"], row["is_ready"]) == (blocks, not blocks)


def test_a_month_with_a_day_never_read_is_not_ready(warehouse: Connection, tmp_path: Path) -> None:
    """Nobody knows what was done on that day."""
    lay(warehouse, AcceptedTimeEntries, {})
    warehouse.execute("DELETE FROM days WHERE work_date = $1", [DAY])
    [row] = seen(warehouse, tmp_path, "statement", delivery(0, **SENT))
    assert row["blocks"] == ["1 days never read and judged"]


def test_a_day_read_before_it_was_over_is_as_good_as_never_read(
    warehouse: Connection, tmp_path: Path
) -> None:
    """What was tracked on its evening is not there yet."""
    lay(warehouse, AcceptedTimeEntries, {})
    at = f"TIMESTAMPTZ '{DAY} 23:59:59+00'"
    warehouse.execute(f"UPDATE days SET extracted_at = {at} WHERE work_date = $1", [DAY])
    [row] = seen(warehouse, tmp_path, "statement", delivery(0, **SENT))
    assert row["blocks"] == ["1 days never read and judged"]
