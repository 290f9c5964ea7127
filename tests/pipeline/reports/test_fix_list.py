"""The fix list and the hours at risk: one line an act, worst first, and nothing that only waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import Delivery, Ledger
from pipeline.reports import analysis, figures, fix_list, views
from pipeline.reports.hours_at_risk import summed
from pipeline.review.reasons import REASON_IDS
from pipeline.schemas import (
    AcceptedTimeEntries,
    Day,
    RejectedTimeEntries,
    Table,
    Text,
    Whole,
    column,
    name_of,
    sql_types,
)
from pipeline.settings import Settings
from pipeline.storage import doors, queries
from pipeline.storage.database import Connection, attach
from pipeline.warehouse import Warehouse
from tests.pipeline.rows import DAY, delivery, frame, valid

pytestmark = pytest.mark.usefixtures("copied_files")
NEXT = DAY + timedelta(days=1)
SINCE = DAY - timedelta(days=100)
PLAIN: dict[str, object] = {
    "work_date": DAY,
    "duration_seconds": 3600,
    "is_billable": True,
    "user_id": "u",
    "user_name": "Ann",
    "client_name": "Acme",
    "project_name": "Roof",
    "project_id": "p",
}
RENAME = {"reasons": ["unknown_customer"], "fixes": ["Rename it."], "suggestion": "`Roof `"}
PRICE = {"reasons": ["no_rate"], "fixes": ["Set it."], "suggestion": None}
BOTH = {"reasons": ["unknown_customer", "no_rate"], "fixes": ["Rename it.", "Set it."]}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Connection]:
    """A warehouse with a ledger beside: entry 7 was sent, 8 is doubtful, 9 gone, long ago."""
    states = {7: "sent", 8: "doubtful", 9: "gone"}
    before = SINCE - timedelta(days=1)
    given = [delivery(key, state=state, work_date=before) for key, state in states.items()]
    with beside(tmp_path, *given) as connection:
        yield connection


@contextmanager
def beside(tmp_path: Path, *deliveries: Delivery) -> Iterator[Connection]:
    """A warehouse beside a ledger with these deliveries."""
    with Ledger.opened(tmp_path / "ledger.duckdb", 0, print) as ledger:
        ledger.record(deliveries)
    with Warehouse(tmp_path / "warehouse.duckdb").connect() as connection:
        attach(connection, tmp_path / "ledger.duckdb", "ledger")
        yield connection


def lay(connection: Connection, model: type[Table], entries: dict[int, dict[str, Any]]) -> None:
    """Put entries of the day into a table, an hour each, by number, with changes."""
    rows = [valid(model, number, **(PLAIN | change)) for number, change in entries.items()]
    doors.insert(connection, model, frame(model, *rows))


def seen(connection: Connection, view: str, today: date = NEXT) -> list[queries.Row]:
    """A view's rows as they are on a day."""
    settings = Settings.model_construct(time_zone="UTC", send_from=SINCE, start_date=SINCE)
    analysis.lay_views(connection, settings, today)
    return queries.rows(connection, f"FROM {view}")


def test_entries_that_one_act_mends_are_one_line_the_most_hours_first(books: Connection) -> None:
    """The sentence says what to do, so what has one sentence is one thing to do."""
    lay(books, RejectedTimeEntries, {0: PRICE, 1: RENAME, 2: RENAME | {"work_date": NEXT}})
    found = [
        (row["reason"], row["concerns"], row["entries"], row["duration_seconds"], row["suggestion"])
        for row in seen(books, "fix_list")
    ]
    assert found == [
        ("unknown_customer", "Acme / Roof", 2, 7200, "`Roof `"),
        ("no_rate", "Ann, Acme / Roof", 1, 3600, None),
    ]


def test_what_quickbooks_refused_or_may_hold_already_is_in_the_list(tmp_path: Path) -> None:
    """One line a fault; what the next load tries again by itself only needs time."""
    states = [("refused", "2500"), ("refused", "2500"), ("refused", "3001"), ("doubtful", None)]
    given = [
        delivery(number, state=state, error_code=code, work_date=DAY)
        for number, (state, code) in enumerate([*states, ("unknown", None), ("sent", None)])
    ]
    with beside(tmp_path, *given) as books:
        lay(books, AcceptedTimeEntries, {key: {} for key in range(6)})
        found = seen(books, "fix_list")
        assert fix_list.lines_of_days(books, DAY, DAY) == found
    assert [(row["reason"], row["entries"]) for row in found] == [("refused", 2), ("doubtful", 1)]
    [refused, doubtful] = [row["fix"] for row in found]
    assert "fault 2500: it names a person, customer or item that is inactive or gone." in refused
    assert "`python -m pipeline retry --reason 2500`" in refused
    assert "no longer to be sent, settle it with `python -m pipeline decide ENTRY skip`" in refused
    assert "`python -m pipeline decide`" in doubtful


def test_what_was_deleted_in_quickbooks_is_in_the_list_while_its_entry_stands(
    tmp_path: Path,
) -> None:
    """It is billable, in no books and never sent again: a person says whether that is right."""
    given = [delivery(number, state="gone", work_date=DAY) for number in (0, 1)]
    with beside(tmp_path, *given, delivery(2, state="skipped", work_date=DAY)) as books:
        lay(books, AcceptedTimeEntries, {0: {}, 2: {}})
        [line] = seen(books, "fix_list")
    assert (line["reason"], line["entries"]) == ("gone", 1)
    assert "`python -m pipeline decide ENTRY skip`" in line["fix"]
    assert "`python -m pipeline decide ENTRY adopt ID`" in line["fix"]


def test_an_entry_with_two_reasons_is_in_two_lines_and_freed_by_neither(books: Connection) -> None:
    """Both must be mended; a line says how many entries it lets through by itself."""
    lay(books, RejectedTimeEntries, {0: BOTH, 1: PRICE})
    found = {row["reason"]: row for row in seen(books, "fix_list")}
    assert {reason: row["entries"] for reason, row in found.items()} == {
        "unknown_customer": 1,
        "no_rate": 2,
    }
    assert {reason: row["entries_freed"] for reason, row in found.items()} == {
        "unknown_customer": 0,
        "no_rate": 1,
    }


@pytest.mark.parametrize("reason", REASON_IDS)
def test_only_what_asks_somebody_to_act_is_in_the_list(books: Connection, reason: str) -> None:
    """What only needs time, or nothing, is nobody's task of the morning."""
    waits = ("running", "in_future", "settling")
    out = ("not_work", "zero_duration", "before_cutover", "filtered_out", "not_billable")
    verdict = "excluded" if reason in out else "held" if reason in waits else "rejected"
    given = {"verdict": verdict, "reasons": [reason], "fixes": ["Do it."]}
    lay(books, RejectedTimeEntries, {0: given})
    assert bool(seen(books, "fix_list")) == (reason not in waits + out)


@pytest.mark.parametrize(("most", "shown"), [(0, 0), (1, 1), (10, 2)])
def test_each_day_has_its_own_worst_lines(books: Connection, most: int, shown: int) -> None:
    """At most so many, and of that day's entries only."""
    lay(
        books,
        RejectedTimeEntries,
        {0: PRICE, 1: RENAME, 2: RENAME, 3: RENAME | {"work_date": NEXT}},
    )
    days = figures.of_days(books, fix_list.OF_DAYS, DAY, NEXT, most)
    assert [row["reason"] for row in days[DAY]] == ["unknown_customer", "no_rate"][:shown]
    assert [row["entries"] for row in days[NEXT]] == [1][: min(most, 1)]


@pytest.mark.parametrize(
    ("change", "causes"),
    [
        (PRICE, ["no_rate"]),
        (PRICE | {"is_billable": False}, []),
        (PRICE | {"work_date": SINCE - timedelta(days=1)}, []),
        ({"verdict": "excluded", "reasons": ["filtered_out"]}, []),
        ({"verdict": "held", "reasons": ["settling"]}, []),
        ({"verdict": "held", "reasons": ["not_approved"]}, ["not_approved"]),
        ({"verdict": "held", "reasons": ["running"]}, []),
        (
            {"verdict": "held", "reasons": ["running"], "work_date": DAY - timedelta(days=1)},
            ["running"],
        ),
    ],
)
def test_hours_are_at_risk_if_billable_and_not_there_by_waiting(
    books: Connection, change: dict[str, object], causes: list[str]
) -> None:
    """A timer of yesterday may still run; one of the day before was forgotten."""
    lay(books, RejectedTimeEntries, {0: change})
    assert [row["cause"] for row in seen(books, "hours_at_risk")] == causes


def test_accepted_entries_are_at_risk_until_quickbooks_has_them(books: Connection) -> None:
    """Sent is safe, and what a person deleted there is no open risk."""
    lay(books, AcceptedTimeEntries, {6: {}, 7: {}, 8: {}, 9: {}})
    assert sorted(row["cause"] for row in seen(books, "hours_at_risk")) == [
        "doubtful",
        "not sent yet",
    ]


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (7, "up to 7 days"),
        (8, "8 to 30 days"),
        (30, "8 to 30 days"),
        (31, "31 to 90 days"),
        (90, "31 to 90 days"),
        (91, "over 90 days"),
    ],
)
def test_risk_has_an_age(books: Connection, days: int, age: str) -> None:
    """Counted from the day of the work."""
    lay(books, RejectedTimeEntries, {0: PRICE})
    seen(books, "hours_at_risk", DAY + timedelta(days=days))
    assert [(row["age"], row["hours"]) for row in summed(books, "age")] == [(age, 1.0)]


class StatementLines(Table):
    """One row per month, customer, currency and line of the statement."""

    month: Day = column("First day of the month of the work")
    customer_id: Text = column("QuickBooks' id of the customer; empty where none matches")
    customer: Text = column("The customer with those above; else client and project in Clockify")
    currency: Text = column("ISO code of the amounts; `none` without a rate")
    part: Text = column("`clockify`, or what its time and amount became")
    line: Text = column("The part's line: a reason, a state, a difference by its name")
    entries: Whole = column("Entries in it")
    duration_seconds: Whole = column("Their time")
    amount_minor: Whole = column("Their amount in minor units")


@pytest.mark.parametrize(
    "model", [views.FixList, views.HoursAtRisk, StatementLines, views.Statement]
)
def test_a_view_has_just_the_columns_that_are_documented(
    books: Connection, model: type[Table]
) -> None:
    """And just their types."""
    seen(books, name_of(model))
    described = books.execute(f"DESCRIBE {name_of(model)}").fetchall()
    assert {name: sql for name, sql, *_ in described} == {
        name: "TIMESTAMP WITH TIME ZONE" if sql == "TIMESTAMPTZ" else sql
        for name, sql in sql_types(model).items()
    }
