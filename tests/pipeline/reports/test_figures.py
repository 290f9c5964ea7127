"""Figures of days: what the UI and the checks show, in hours and counts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.ledger import Ledger
from pipeline.reports import figures
from pipeline.schemas import (
    AcceptedTimeEntries,
    ClockifyProjects,
    ClockifyTimeEntries,
    RejectedTimeEntries,
    Table,
)
from pipeline.storage import doors, queries
from pipeline.storage.database import Connection, attach
from pipeline.warehouse import Warehouse
from tests.pipeline.rows import DAY, NOW, delivery, frame, valid

NEXT = DAY + timedelta(days=1)
PRIVATE = ("rate", "amount", "email", "description", "payload")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Connection]:
    """A warehouse with a ledger of four deliveries beside."""
    with Ledger.opened(tmp_path / "ledger.duckdb", 0, print) as ledger:
        states = ("sent", "sent", "doubtful", "pending")
        ledger.record(
            [delivery(number, state=state, minutes=20) for number, state in enumerate(states)]
        )
        ledger.record([delivery(9, state="refused", work_date=NEXT)])
    with Warehouse(tmp_path / "warehouse.duckdb").connect() as connection:
        attach(connection, tmp_path / "ledger.duckdb", "ledger")
        yield connection


def lay(connection: Connection, model: type[Table], *changes: dict[str, object]) -> None:
    """Put entries of the day into a table, an hour each, with changes."""
    same = {"work_date": DAY, "duration_seconds": 3600, "user_id": "u"}
    rows = [valid(model, number, **(same | change)) for number, change in enumerate(changes)]
    doors.insert(connection, model, frame(model, *rows))


def test_a_day_is_counted_in_entries_hours_and_people(books: Connection) -> None:
    """A running timer counts as an entry of no hours; a day with nothing has no row."""
    lay(
        books,
        ClockifyTimeEntries,
        {},
        {"user_id": "v", "duration_seconds": 1800},
        {"duration_seconds": None},
        {"work_date": NEXT + timedelta(days=1)},
    )
    assert queries.rows(books, figures.READ, [DAY, NEXT]) == [
        {"work_date": DAY, "entries": 3, "hours": 1.5, "people": 2}
    ]


def test_accepted_time_is_by_person_and_project_with_their_ids(books: Connection) -> None:
    """Two people of one name stay two; the ids stand for names where none are wanted."""
    names = {"user_name": "Ann", "project_name": "Website", "client_name": "Acme"}
    plain = {**names, "project_id": "p", "quickbooks_customer_id": "7"}
    lay(
        books,
        AcceptedTimeEntries,
        plain,
        plain,
        {**plain, "user_id": "v"},
        {**plain, "client_name": None, "project_name": None, "project_id": None},
        {**plain, "work_date": NEXT},
    )
    found = queries.rows(books, figures.ACCEPTED, [DAY, DAY])
    assert [tuple(row.values())[1:] for row in found] == [
        ("Ann", "Acme / Website", 2, 2.0, "u", "p", "7"),
        ("Ann", "no project", 1, 1.0, "u", None, "7"),
        ("Ann", "Acme / Website", 1, 1.0, "v", "p", "7"),
    ]


def rejected(connection: Connection) -> None:
    """Five entries not accepted, in three verdicts."""
    two = {"reasons": ["no_rate", "too_long"], "fixes": ["Set it.", "Split it."]}
    held = {"verdict": "held", "reasons": ["running"], "fixes": ["Wait."]}
    lay(
        connection,
        RejectedTimeEntries,
        {"duration_seconds": 600, **two},
        {"duration_seconds": 7200, **two},
        {**held, "duration_seconds": None, "user_name": None, "project_name": None},
        {"verdict": "excluded", "reasons": ["not_billable"], "fixes": ["None."]},
        {"reasons": ["too_long"], "fixes": ["Split it."], "duration_seconds": 90_000},
    )


def test_what_is_not_accepted_is_counted_once_under_its_first_reason(books: Connection) -> None:
    """So that totals add up; the rejected come first."""
    rejected(books)
    assert [
        tuple(row.values())[1:] for row in queries.rows(books, figures.NOT_ACCEPTED, [DAY, DAY])
    ] == [
        ("rejected", "too_long", 1, 25.0),
        ("rejected", "no_rate", 2, 2.17),
        ("held", "running", 1, 0.0),
        ("excluded", "not_billable", 1, 1.0),
    ]


def test_time_not_billable_on_a_billable_project_has_a_line_of_its_own(books: Connection) -> None:
    """There it may be a slip; on a project that is not billable it is none."""
    projects = [
        valid(ClockifyProjects, number, project_id=name, is_billable=name == "billed")
        for number, name in enumerate(("billed", "inner"))
    ]
    doors.insert(books, ClockifyProjects, frame(ClockifyProjects, *projects))
    not_billable = {"verdict": "excluded", "reasons": ["not_billable"], "fixes": ["None."]}
    lay(
        books,
        RejectedTimeEntries,
        {**not_billable, "project_id": "billed"},
        {**not_billable, "project_id": "inner"},
        {**not_billable, "project_id": None},
        {"verdict": "excluded", "reasons": ["not_work"], "project_id": "billed"},
    )
    assert queries.rows(books, figures.NOT_BILLABLE, [DAY, NEXT]) == [
        {"work_date": DAY, "entries": 1, "hours": 1.0}
    ]


@pytest.mark.parametrize(("most", "shown"), [(0, 0), (2, 2), (50, 4)])
def test_waiting_entries_are_the_longest_of_each_day(
    books: Connection, most: int, shown: int
) -> None:
    """Rejected before held, and what is excluded is nobody's task."""
    rejected(books)
    lay_next = {"work_date": NEXT, "entry_id": "f" * 24}
    lay(books, RejectedTimeEntries, lay_next)
    found = queries.rows(books, figures.WAITING, [DAY, NEXT, most])
    of_day = [row for row in found if row["work_date"] == DAY]
    assert [int(row["entry_id"], 16) for row in of_day] == [4, 1, 0, 2][:shown]
    assert len(found) - len(of_day) == min(most, 1)
    if shown == 4:
        assert of_day[1]["reason"] == "no_rate, too_long"
        assert of_day[1]["fix"] == "Set it. Split it."
        assert (of_day[3]["person"], of_day[3]["project"]) == ("u", "no project")


def test_deliveries_are_counted_by_state(books: Connection) -> None:
    """Of the window's days only."""
    found = queries.rows(books, figures.DELIVERED, [DAY, DAY])
    assert [(row["state"], row["entries"], row["hours"]) for row in found] == [
        ("doubtful", 1, 0.33),
        ("pending", 1, 0.33),
        ("sent", 2, 0.67),
    ]


def test_unresolved_deliveries_are_those_that_wait_for_somebody(books: Connection) -> None:
    """Each with its entry and the day since when."""
    found = queries.rows(books, figures.UNRESOLVED, [DAY, NEXT])
    assert [row["state"] for row in found] == ["doubtful", "pending", "refused"]
    assert (found[0]["entry_id"], found[0]["since"]) == (f"{2:024x}", NOW.date())


def test_no_figure_holds_a_rate_an_address_or_a_description(books: Connection) -> None:
    """They go into the event log, which many may read."""
    rejected(books)
    lay(books, AcceptedTimeEntries, {})
    found = [
        *queries.rows(books, figures.ACCEPTED, [DAY, NEXT]),
        *queries.rows(books, figures.NOT_ACCEPTED, [DAY, NEXT]),
        *queries.rows(books, figures.WAITING, [DAY, NEXT, 50]),
        *queries.rows(books, figures.DELIVERED, [DAY, NEXT]),
        *queries.rows(books, figures.UNRESOLVED, [DAY, NEXT]),
    ]
    names = {name for row in found for name in row}
    assert not [name for name in names if any(word in name for word in PRIVATE)]


def test_rows_by_day_have_an_empty_list_for_a_day_with_nothing(books: Connection) -> None:
    """So that such a day is described too."""
    days = figures.of_days(books, figures.DELIVERED, DAY, NEXT + timedelta(days=1))
    assert [row["entries"] for row in days[DAY]] == [1, 1, 2]
    assert [row["entries"] for row in days[NEXT]] == [1]
    assert days[NEXT + timedelta(days=1)] == []


def test_sums_and_totals_add_up() -> None:
    """To two decimals, without a float's crumbs."""
    rows = [{"state": "sent", "entries": 1, "hours": 0.1} for _ in range(3)]
    other = {"state": "gone", "entries": 2, "hours": 1}
    assert figures.summed([*rows, other], "state") == [
        {"state": "sent", "entries": 3, "hours": 0.3},
        {"state": "gone", "entries": 2, "hours": 1},
    ]
    assert figures.total(rows, "hours") == 0.3
    assert figures.total([], "entries") == 0
