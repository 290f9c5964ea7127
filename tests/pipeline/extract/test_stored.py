"""What is stored of Clockify: whole days, an entry on one work date, nothing half."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.extract.entries import REMOVED
from pipeline.extract.stored import refuse_other_workspace, store
from pipeline.extract.suspicions import SAMPLE, Suspicion, hidden_rates
from pipeline.schemas import ClockifyTimeEntries, ClockifyWorkspace, Days
from pipeline.stops import Stop
from pipeline.storage import doors
from pipeline.storage.database import Connection
from pipeline.warehouse import Warehouse
from tests.pipeline.rows import DAY, NOW, frame, valid

A_DAY = timedelta(days=1)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Connection]:
    """An open, empty warehouse."""
    with Warehouse(tmp_path / "warehouse.duckdb").connect() as connection:
        yield connection


def entry(number: int = 1, day: date = DAY, **changes: object) -> dict[str, object]:
    """A valid entry on a day, with changes."""
    return valid(ClockifyTimeEntries, number, **{"work_date": day, **changes})


def stored(
    connection: Connection,
    *rows: dict[str, object],
    first: date = DAY,
    last: date = DAY,
    at: datetime = NOW,
) -> dict[str, date]:
    """The entries' days after a piece was stored."""
    read = frame(ClockifyTimeEntries, *(row | {"first_seen_at": at, "read_at": at} for row in rows))
    store(connection, read, (first, last), at, "off")
    return where(connection)


def where(connection: Connection) -> dict[str, date]:
    """Each stored entry's day."""
    query = "SELECT entry_id, work_date FROM clockify_time_entries ORDER BY ALL"
    return dict(connection.execute(query).fetchall())


def key(number: int) -> str:
    """An entry's id."""
    return f"{number:024x}"


def reviewed(connection: Connection) -> list[date]:
    """The days that have been judged since they were read."""
    query = "SELECT work_date FROM days WHERE reviewed_at IS NOT NULL ORDER BY ALL"
    return [day for (day,) in connection.execute(query).fetchall()]


def judge_all(connection: Connection) -> None:
    """Mark every day as judged."""
    connection.execute("UPDATE days SET reviewed_at = $1", [LATER])


def test_a_piece_takes_the_place_of_its_days_and_of_nothing_else(warehouse: Connection) -> None:
    """An entry that is gone from a day that was read is gone; the days beside stay."""
    before, after = entry(1, DAY - A_DAY), entry(4, DAY + A_DAY)
    whole = {"first": DAY - A_DAY, "last": DAY + A_DAY}
    stored(warehouse, before, entry(2), entry(3), after, **whole)
    judge_all(warehouse)
    left = stored(warehouse, entry(3), at=LATER)
    assert left == {key(1): DAY - A_DAY, key(3): DAY, key(4): DAY + A_DAY}
    assert reviewed(warehouse) == [DAY - A_DAY, DAY + A_DAY]


def test_an_entry_moved_in_leaves_its_old_day_which_is_judged_anew(warehouse: Connection) -> None:
    """It lives on one work date at any moment, and keeps when it was first seen."""
    old, other = DAY - 9 * A_DAY, DAY - 8 * A_DAY
    stored(warehouse, entry(1, old), entry(2, old), entry(3, other), first=old, last=other)
    judge_all(warehouse)
    assert stored(warehouse, entry(1), entry(9), at=LATER) == {
        key(1): DAY,
        key(2): old,
        key(3): other,
        key(9): DAY,
    }
    assert reviewed(warehouse) == [other]
    seen = doors.read(warehouse, ClockifyTimeEntries).set_index("entry_id")
    assert seen["first_seen_at"].to_dict() == {
        key(1): NOW,
        key(2): NOW,
        key(3): NOW,
        key(9): LATER,
    }
    assert seen["read_at"][key(1)] == LATER
    assert seen["read_at"][key(2)] == NOW


def test_an_entry_that_returns_after_it_was_gone_is_new(warehouse: Connection) -> None:
    """Nothing remembers it."""
    stored(warehouse, entry(1))
    stored(warehouse, at=NOW + A_DAY)
    stored(warehouse, entry(1), at=LATER)
    assert doors.read(warehouse, ClockifyTimeEntries)["first_seen_at"].tolist() == [LATER]


def test_every_day_of_a_piece_is_marked_as_read_also_with_no_entry(warehouse: Connection) -> None:
    """Once each, however often it is read, through a leap day."""
    first, last = date(2024, 2, 28), date(2024, 3, 1)
    for at in (NOW, LATER):
        stored(warehouse, entry(1, date(2024, 2, 29)), first=first, last=last, at=at)
    days = doors.read(warehouse, Days)
    assert days["work_date"].dt.date.tolist() == [first, date(2024, 2, 29), last]
    assert set(days["extracted_at"]) == {pd.Timestamp(LATER)}
    assert days["reviewed_at"].isna().all()


def test_a_piece_that_does_not_fit_changes_nothing(warehouse: Connection) -> None:
    """An entry without a start, say."""
    stored(warehouse, entry(1))
    with pytest.raises(Stop, match="`start_at`"):
        stored(warehouse, entry(2), entry(3, start_at=None))
    assert where(warehouse) == {key(1): DAY}


def test_a_piece_that_fails_half_way_changes_nothing(warehouse: Connection) -> None:
    """A day is never without the entries that it had."""
    stored(warehouse, entry(1))
    warehouse.execute("DROP TABLE days")
    with pytest.raises(duckdb.CatalogException):
        stored(warehouse, entry(2))
    assert where(warehouse) == {key(1): DAY}


def test_a_piece_without_entries_empties_its_days(warehouse: Connection) -> None:
    """A holiday whose entries were deleted."""
    stored(warehouse, entry(1))
    assert stored(warehouse) == {}


def test_changed_fields_of_an_entry_are_stored(warehouse: Connection) -> None:
    """The last read counts."""
    stored(warehouse, entry(1, description="Draft", end_at=None))
    stored(warehouse, entry(1, description="Final", tag_names=[]), at=LATER)
    [row] = doors.read(warehouse, ClockifyTimeEntries).to_dict("records")
    assert (row["description"], row["tag_names"], row["end_at"]) == ("Final", [], NOW)


def test_who_was_removed_keeps_the_name_that_was_read_last(warehouse: Connection) -> None:
    """Clockify's report then names everybody alike: all that was sent of them would drift."""
    before = {"first": DAY - A_DAY, "last": DAY - A_DAY}
    stored(warehouse, entry(1, DAY - A_DAY, user_id="u", user_name="Ann"), **before)
    stored(warehouse, entry(2, user_id="u", user_name="Ann Lee"), at=LATER)
    ids = enumerate(("u", "u", "never known"), 2)
    stored(warehouse, *(entry(number, user_id=id_, user_name=REMOVED) for number, id_ in ids))
    names = doors.read(warehouse, ClockifyTimeEntries)["user_name"].tolist()
    assert sorted(names) == ["Ann", "Ann Lee", "Ann Lee", REMOVED]


def priced(number: int, **changes: object) -> dict[str, object]:
    """An entry of one person on one project that had a rate."""
    given = {"user_id": "u", "project_id": "p", "hourly_rate_minor": 4500}
    return entry(number, **{**given, **changes})


def unpriced(number: int, **changes: object) -> dict[str, object]:
    """A later entry of the same without a rate."""
    return priced(number, **{"hourly_rate_minor": None, **changes})


FEWEST = range(10, 10 + SAMPLE)
ALL_HIDDEN = [unpriced(number) for number in FEWEST]
VISIBLE = {
    "one fewer than is suspicious": ALL_HIDDEN[1:],
    "one has a rate": [*ALL_HIDDEN, priced(20)],
    "one without project or history has a rate": [*ALL_HIDDEN, priced(20, user_id="new")],
    "none is billable": [unpriced(number, is_billable=False) for number in FEWEST],
    "one is not billable": [*ALL_HIDDEN[1:], unpriced(20, is_billable=False)],
    "their timers run": [unpriced(number, end_at=None) for number in FEWEST],
    "another person": [unpriced(number, user_id="new") for number in FEWEST],
    "another project": [unpriced(number, project_id="new") for number in FEWEST],
    "no project": [unpriced(number, project_id=None) for number in FEWEST],
    "nothing was read": [],
}
HIDDEN = {
    "no rate": ALL_HIDDEN,
    "rate 0": [unpriced(number, hourly_rate_minor=0) for number in FEWEST],
    "among others never seen": [*ALL_HIDDEN, unpriced(20, user_id="new")],
    "beside time that is not billable": [*ALL_HIDDEN, priced(20, is_billable=False)],
    "beside a running timer": [*ALL_HIDDEN, priced(20, end_at=None)],
}


def compared(connection: Connection, rows: list[dict[str, object]]) -> Suspicion | None:
    """Look for hidden rates in rows just read, as they are validated."""
    read = frame(ClockifyTimeEntries, *rows)
    return hidden_rates(connection, ClockifyTimeEntries.validate(read))


@pytest.mark.parametrize("rows", HIDDEN.values(), ids=HIDDEN)
def test_a_key_that_sees_no_rate_any_more_is_suspected(
    warehouse: Connection, rows: list[dict[str, object]]
) -> None:
    """Else a month would be rejected as without rates, or billed at nothing."""
    stored(warehouse, priced(1))
    hidden = compared(warehouse, rows)
    assert hidden
    assert f"though {SAMPLE} of them" in str(hidden.stop)
    assert hidden.seen_on == ()


def test_the_day_with_the_most_rates_is_where_a_suspicion_is_tried(warehouse: Connection) -> None:
    """Another day than those just read, on which nothing is seen."""
    stored(warehouse, *map(priced, range(5)))
    busy, quiet = DAY - A_DAY, DAY - 2 * A_DAY
    stored(warehouse, priced(5, day=busy), priced(6, day=busy), first=busy, last=busy)
    stored(warehouse, priced(7, day=quiet), first=quiet, last=quiet)
    hidden = compared(warehouse, ALL_HIDDEN)
    assert hidden
    assert hidden.seen_on == (busy,)


@pytest.mark.parametrize("rows", VISIBLE.values(), ids=VISIBLE)
def test_its_nearest_neighbours_do_not(
    warehouse: Connection, rows: list[dict[str, object]]
) -> None:
    """A person or a project may be without a rate."""
    stored(warehouse, priced(1))
    assert compared(warehouse, rows) is None


@pytest.mark.parametrize(
    "before",
    [[], [unpriced(1)], [priced(1, hourly_rate_minor=0)], [priced(1, is_billable=False)]],
    ids=["nothing", "no rate", "rate 0", "rate of time not billable"],
)
def test_a_key_that_never_saw_a_rate_is_not_suspected(
    warehouse: Connection, before: list[dict[str, object]]
) -> None:
    """Those entries are rejected one by one, with their fix."""
    stored(warehouse, *before)
    assert compared(warehouse, ALL_HIDDEN) is None


@pytest.fixture
def workspace(tmp_path: Path) -> Warehouse:
    """A warehouse that was filled from the workspace `64a6`."""
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    row = valid(ClockifyWorkspace, workspace_id="64a6")
    warehouse.replace(ClockifyWorkspace, frame(ClockifyWorkspace, row))
    return warehouse


def test_another_workspace_needs_another_warehouse(workspace: Warehouse) -> None:
    """Until it was filled, a warehouse is nobody's."""
    refuse_other_workspace(workspace, "64a6")
    with pytest.raises(Stop, match="holds the entries of the Clockify workspace 64a6"):
        refuse_other_workspace(workspace, "64a7")
    refuse_other_workspace(Warehouse(workspace.path.with_name("new.duckdb")), "64a7")
