"""Entries: what becomes of a row of Clockify's report."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipeline.extract.entries import differing, frame_of
from pipeline.schemas import ClockifyTimeEntries
from pipeline.stops import Stop

NEW_YORK = "America/New_York"
READ_AT = datetime(2026, 11, 22, 6, tzinfo=UTC)
ID = "64c777ddd3fcab07cfbb210c"
FIX = "The API has changed"


def row(interval: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    """A report row: two hours and 54 minutes at 45.00, with some of it changed."""
    default = {
        "start": "2026-03-10T09:00:00-04:00",
        "end": "2026-03-10T11:54:00-04:00",
        "duration": 10440,
        "timeZone": "Europe/Berlin",
        "zonedStart": "2026-03-10T14:00:00",
    }
    return {
        "_id": ID,
        "description": "Pruning",
        "userId": "u1",
        "userName": "Ann Lee",
        "userEmail": "ann@example.com",
        "timeInterval": {**default, **(interval or {})},
        "billable": True,
        "projectId": "p1",
        "projectName": "Website",
        "clientId": "c1",
        "clientName": "Acme",
        "taskName": None,
        "tags": [{"_id": "t1", "name": "urgent"}],
        "type": "REGULAR",
        "isLocked": False,
        "amount": 13050,
        "rate": 4500,
        "currency": "USD",
        **changes,
    }


def without(key: str) -> dict[str, Any]:
    """The row without one key; a dot leads into the interval."""
    made = row()
    parent, _, name = key.rpartition(".")
    del (made[parent] if parent else made)[name]
    return made


def frame(
    *rows: dict[str, Any],
    raw: list[dict[str, Any]] | None = None,
    approved: set[str] | None = None,
    zone: str = NEW_YORK,
    user_zones: dict[str, str | None] | None = None,
    first: date = date(2026, 1, 1),
    last: date = date(2026, 12, 31),
) -> pd.DataFrame:
    """The frame of some rows."""
    return frame_of(
        list(rows),
        list(rows) if raw is None else raw,
        approved,
        zone=ZoneInfo(zone),
        user_zones=user_zones or {},
        read_at=READ_AT,
        first=first,
        last=last,
    )


def only(made: pd.DataFrame, column: str) -> Any:  # noqa: ANN401 - a column's own type
    """The value of a column in the only row, None for a missing one."""
    [found] = made[column]
    return found if isinstance(found, list) or not pd.isna(found) else None


def test_a_plain_row_fills_every_column() -> None:
    """The one valid example: each column of the table from its place in the report."""
    made = frame(row())
    expected = {
        "entry_id": ID,
        "work_date": pd.Timestamp("2026-03-10"),
        "person_work_date": pd.Timestamp("2026-03-10"),
        "user_id": "u1",
        "user_name": "Ann Lee",
        "user_email": "ann@example.com",
        "project_id": "p1",
        "project_name": "Website",
        "client_id": "c1",
        "client_name": "Acme",
        "task_name": None,
        "tag_names": ["urgent"],
        "description": "Pruning",
        "entry_type": "REGULAR",
        "is_billable": True,
        "start_at": pd.Timestamp("2026-03-10T13:00:00Z"),
        "end_at": pd.Timestamp("2026-03-10T15:54:00Z"),
        "duration_seconds": 10440,
        "raw_seconds": 10440,
        "reported_rate": "4500",
        "hourly_rate_minor": 4500,
        "amount_minor": 13050,
        "currency": "USD",
        "is_locked": False,
        "is_approved": None,
        "first_seen_at": pd.Timestamp(READ_AT),
        "read_at": pd.Timestamp(READ_AT),
    }
    assert expected.keys() == ClockifyTimeEntries.to_schema().columns.keys()
    assert {column: only(made, column) for column in expected} == expected


@pytest.mark.parametrize("rows", [[], [row()]])
def test_the_types_of_the_columns_do_not_depend_on_the_rows(rows: list[dict[str, Any]]) -> None:
    """An empty day gives the same types as a full one."""
    made = frame(*rows)
    expected = ClockifyTimeEntries.validate(made).dtypes
    assert made.dtypes.equals(expected)
    assert str(made["amount_minor"].dtype) == "Int64"


@pytest.mark.parametrize(
    ("changes", "column", "expected"),
    [
        ({"clientId": ""}, "client_id", None),
        ({"clientName": ""}, "client_name", None),
        ({"projectId": None, "projectName": None}, "project_id", None),
        ({"projectName": None}, "project_id", "p1"),
        ({"projectName": None}, "project_name", None),
        ({"clientName": None}, "client_id", "c1"),
        ({"clientName": None}, "client_name", None),
        ({"projectName": "cut \ud83c"}, "project_name", "cut \ufffd"),
        ({"clientName": "cut \ud83c"}, "client_name", "cut \ufffd"),
        ({"userName": "cut \ud83c"}, "user_name", "cut \ufffd"),
        ({"taskName": "cut \ud83c"}, "task_name", "cut \ufffd"),
        ({"tags": [{"name": "cut \ud83c"}]}, "tag_names", ["cut \ufffd"]),
        ({"tags": None}, "tag_names", []),
        ({"description": None}, "description", ""),
        ({"description": " <b>&lt;"}, "description", " <b>&lt;"),
        ({"description": "cut \ud83c"}, "description", "cut \ufffd"),
        ({"description": "\udf33 tree \U0001f333"}, "description", "\ufffd tree \U0001f333"),
        ({"description": "\ud83c\udf33 \ufeffÜ"}, "description", "\U0001f333 \ufeffÜ"),
        ({"type": "ON_STRIKE"}, "entry_type", "ON_STRIKE"),
        ({"isLocked": None, "locked": True}, "is_locked", True),
        ({"userName": None}, "user_name", None),
        ({"rate": None}, "hourly_rate_minor", None),
        ({"rate": None, "earnedRate": 4600}, "hourly_rate_minor", 4600),
        ({"rate": 0, "earnedRate": 4600}, "hourly_rate_minor", 0),
        ({"rate": Decimal("4500.0")}, "hourly_rate_minor", 4500),
        ({"rate": Decimal("4500.0")}, "reported_rate", "4500.0"),
        ({"rate": Decimal("4500.5")}, "hourly_rate_minor", None),
        ({"rate": Decimal("4500.5")}, "reported_rate", "4500.5"),
        ({"rate": 10**30}, "hourly_rate_minor", None),
        ({"rate": 10**17}, "hourly_rate_minor", None),
        ({"amount": 10**17}, "amount_minor", None),
        ({"rate": 2**53 + 1}, "hourly_rate_minor", 2**53 + 1),
        ({"rate": -4500}, "hourly_rate_minor", -4500),
        ({"amount": Decimal("69466.66666666667")}, "amount_minor", 69467),
        ({"amount": Decimal("69466.5")}, "amount_minor", 69467),
        ({"amount": Decimal("69467.5")}, "amount_minor", 69468),
        ({"amount": Decimal("69466.49999999999999")}, "amount_minor", 69466),
        ({"amount": None}, "amount_minor", None),
        ({"never heard of": {}}, "entry_id", ID),
    ],
)
def test_an_odd_value_is_read_as_it_is_meant(
    changes: dict[str, Any], column: str, expected: object
) -> None:
    """Money is whole minor units or none; no client is spelt two ways; half a letter is a sign."""
    assert only(frame(row(**changes)), column) == expected


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (0, 0),
        (-60, -60),
        (None, None),
        (Decimal("10440.0"), 10440),
        ("PT2H54M", 10440),
        ("PT1H2M3S", 3723),
        ("PT0S", 0),
        ("PT-1H-30M", -5400),
    ],
)
def test_a_duration_is_whole_seconds_however_it_is_spelt(
    duration: object, seconds: int | None
) -> None:
    """A number in reports, ISO 8601 in the core API, and both were seen in either."""
    assert only(frame(row({"duration": duration})), "duration_seconds") == seconds


@pytest.mark.parametrize("is_left_out", [True, False])
def test_a_running_entry_has_no_end(*, is_left_out: bool) -> None:
    """It is held by the review, not refused here: with null, or without the keys."""
    running = row({"end": None, "duration": None})
    if is_left_out:
        del running["timeInterval"]["end"], running["timeInterval"]["duration"]
    made = frame(running)
    assert only(made, "end_at") is None
    assert only(made, "duration_seconds") is None


@pytest.mark.parametrize(
    ("start", "zone", "work_date"),
    [
        ("2026-03-10T23:59:59-04:00", NEW_YORK, "2026-03-10"),
        ("2026-03-11T00:00:00-04:00", NEW_YORK, "2026-03-11"),
        ("2026-03-11T03:59:59Z", NEW_YORK, "2026-03-10"),
        ("2026-03-11T04:00:00Z", NEW_YORK, "2026-03-11"),
        # The hour that is skipped in spring, and the one that comes twice in autumn.
        ("2026-03-08T04:59:59Z", NEW_YORK, "2026-03-07"),
        ("2026-03-08T05:00:00Z", NEW_YORK, "2026-03-08"),
        ("2026-03-09T03:59:59Z", NEW_YORK, "2026-03-08"),
        ("2026-03-09T04:00:00Z", NEW_YORK, "2026-03-09"),
        ("2026-11-01T05:30:00Z", NEW_YORK, "2026-11-01"),
        ("2026-11-01T06:30:00Z", NEW_YORK, "2026-11-01"),
        ("2026-11-02T04:59:59Z", NEW_YORK, "2026-11-01"),
        ("2026-11-02T05:00:00Z", NEW_YORK, "2026-11-02"),
        # A midnight that does not exist: clocks went from 00:00 to 01:00.
        ("2018-11-04T02:59:59Z", "America/Sao_Paulo", "2018-11-03"),
        ("2018-11-04T03:00:00Z", "America/Sao_Paulo", "2018-11-04"),
        ("2024-02-29T23:30:00+13:00", "Pacific/Auckland", "2024-02-29"),
        ("2024-02-29T10:59:59Z", "Pacific/Auckland", "2024-02-29"),
        ("2024-02-29T11:00:00Z", "Pacific/Auckland", "2024-03-01"),
        ("2026-03-11T00:00:00.5-04:00", NEW_YORK, "2026-03-11"),
    ],
)
def test_the_work_date_is_the_start_on_the_companys_calendar(
    start: str, zone: str, work_date: str
) -> None:
    """Each side of midnight, on ordinary days, where clocks change, and on a leap day."""
    made = frame(row({"start": start}), zone=zone, first=date(2018, 1, 1))
    assert only(made, "work_date") == pd.Timestamp(work_date)


def test_a_clock_that_is_not_clockifys_stops_the_run_where_it_dates_an_entry_otherwise() -> None:
    """By which of the two it was billed nobody could say; with the same date they do no harm."""
    by_old_rules = {"start": "2026-03-11T00:30:00-03:00"}
    with pytest.raises(Stop) as stopped:
        frame(row(by_old_rules))
    said = f"starts at {by_old_rules['start']} on Clockify's clock of {NEW_YORK}, and on 2026-03-10"
    assert said in str(stopped.value)
    assert f"The entry {row()['_id']}" in str(stopped.value)
    assert "PYTHONTZPATH" in str(stopped.value)
    assert only(frame(row({"start": "2026-03-11T01:30:00-03:00"})), "work_date")
    for without_offset in ("2026-03-11T03:30:00Z", "2026-03-11T03:30:00"):
        assert only(frame(row({"start": without_offset})), "work_date")


@pytest.mark.parametrize(
    ("interval", "user_zones", "expected"),
    [
        ({"zonedStart": "2026-03-11T00:30:00"}, {}, "2026-03-11"),
        ({"zonedStart": "10.03.2026 14:00", "timeZone": "Pacific/Auckland"}, {}, "2026-03-11"),
        ({"zonedStart": None, "timeZone": "Pacific/Auckland"}, {}, "2026-03-11"),
        ({"zonedStart": None, "timeZone": None}, {"u1": "Pacific/Auckland"}, "2026-03-11"),
        ({"zonedStart": None, "timeZone": None}, {"u1": NEW_YORK}, "2026-03-10"),
        ({"zonedStart": None, "timeZone": None}, {"u1": None}, None),
        ({"zonedStart": None, "timeZone": "Mars/Base"}, {}, None),
    ],
)
def test_the_persons_date_comes_from_the_best_zone_known(
    interval: dict[str, Any], user_zones: dict[str, str | None], expected: str | None
) -> None:
    """The report's own local time, then its zone, then the profile's; never a guess."""
    found = only(frame(row(interval), user_zones=user_zones), "person_work_date")
    assert found == (pd.Timestamp(expected) if expected else None)


def test_a_row_outside_the_range_is_left_out() -> None:
    """A report may select by overlap; a row belongs to the day on which it starts."""
    days = ("09", "10", "11", "12")
    rows = [
        row({"start": f"2026-03-{day}T12:00:00Z"}, _id=f"{number:024x}")
        for number, day in enumerate(days)
    ]
    made = frame(*rows, first=date(2026, 3, 10), last=date(2026, 3, 11))
    assert [day.day for day in made["work_date"]] == [10, 11]


def test_times_come_from_the_unrounded_read_and_money_from_the_rounded_one() -> None:
    """Rounding may move the end, so rounded times are not trusted."""
    rounded = row({"end": "2026-03-10T12:00:00-04:00", "duration": 10800}, amount=13500)
    made = frame(rounded, raw=[row()])
    assert only(made, "duration_seconds") == 10800
    assert only(made, "raw_seconds") == 10440
    assert only(made, "amount_minor") == 13500
    assert only(made, "end_at") == pd.Timestamp("2026-03-10T15:54:00Z")


def test_what_rounding_leaves_alone_comes_from_the_unrounded_read() -> None:
    """Never the start of one moment beside the project of another."""
    changed = row({"start": "2026-03-11T09:00:00-04:00"}, projectId="p2", rate=4600, billable=False)
    made = frame(row(), raw=[changed])
    assert only(made, "work_date") == pd.Timestamp("2026-03-11")
    assert only(made, "project_id") == "p2"
    assert only(made, "hourly_rate_minor") == 4600
    assert not only(made, "is_billable")


def test_two_reads_that_differ_in_what_rounding_moves_are_of_the_same_entry() -> None:
    """Seconds and money."""
    assert differing([row()], [row({"duration": 10800}, amount=13500, earnedAmount=13500)]) == set()


@pytest.mark.parametrize(
    "changed",
    [
        row(userId="u2"),
        row(projectId="p2"),
        row(projectName="Website 2"),
        row(billable=False),
        row(description="Edited"),
        row(rate=4600),
        row(currency="EUR"),
        row(type="BREAK"),
        row(tags=[]),
        row({"start": "2026-03-10T09:00:01-04:00"}),
        row({"end": None}),
        row(timeInterval=None),
    ],
)
def test_an_entry_that_changed_between_two_reads_is_named(changed: dict[str, Any]) -> None:
    """And one that only one of them has."""
    other, new, gone = ({**row(), "_id": number * 24} for number in "012")
    assert differing([row(), other, gone], [changed, other, new]) == {ID, "1" * 24, "2" * 24}


def test_the_two_reads_are_joined_by_id_not_by_order() -> None:
    """Each entry gets its own tracked seconds."""
    other = "0" * 24
    rounded = [row({"duration": 900}), row({"duration": 1800}, _id=other)]
    raw = [row({"duration": 1000}, _id=other), row({"duration": 500})]
    made = frame(*rounded, raw=raw).set_index("entry_id")
    assert made.loc[ID, ["duration_seconds", "raw_seconds"]].tolist() == [900, 500]
    assert made.loc[other, ["duration_seconds", "raw_seconds"]].tolist() == [1800, 1000]


@pytest.mark.parametrize(
    ("approved", "expected"), [(None, None), (set(), False), ({ID}, True), ({"0" * 24}, False)]
)
def test_approval_is_what_the_read_of_approved_entries_says(
    approved: set[str] | None, expected: object
) -> None:
    """A request id is no evidence."""
    assert only(frame(row(approvalRequestId="r1"), approved=approved), "is_approved") == expected


@pytest.mark.parametrize(
    "key",
    [
        "_id",
        "userId",
        "userName",
        "description",
        "billable",
        "projectId",
        "projectName",
        "clientName",
        "timeInterval",
        "timeInterval.start",
        "timeInterval.end",
        "timeInterval.duration",
    ],
)
def test_a_missing_column_stops_the_run_and_is_named(key: str) -> None:
    """A change of the API, never bad data: the entry, the column and the fix are named."""
    other = row(_id="0" * 24)
    with pytest.raises(Stop, match=FIX) as raised:
        frame(other, without(key))
    subject = "without an id" if key == "_id" else ID
    assert f"Clockify's report row {subject} has no `{key}`" in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (row(_id=1), "holds a int as `_id`"),
        (
            row(_id="entry_time_off_001"),
            "first for 'entry_time_off_001' in the row whose `entry_id`",
        ),
        (row(_id=ID.upper()), f"first for '{ID.upper()}' in the row whose `entry_id`"),
        (row(billable="yes"), "holds a str as `billable`"),
        (row(rate="4500"), "holds a str as `rate`"),
        (row(rate=True), "holds a bool as `rate`"),
        (row(amount=[]), "holds a list as `amount`"),
        (row(tags=[{"name": None}]), "Clockify's tag without an id holds a NoneType as `name`"),
        (row({"start": 1}), "holds a int as `timeInterval.start`"),
        (row({"start": ""}), "has `` as the `timeInterval.start` of the "),
        (row({"end": "NaT"}), "has `NaT` as the `timeInterval.end` of the "),
        (row({"start": "yesterday"}), "has `yesterday` as the `timeInterval.start` of the "),
        (
            row({"duration": "two hours"}),
            "has `two hours` as the `timeInterval.duration` of the entry ",
        ),
        (
            row({"duration": Decimal("0.5")}),
            "has `0.5` as the `timeInterval.duration` of the entry ",
        ),
        (row(timeInterval=None), "holds a NoneType as `timeInterval`"),
    ],
)
def test_a_mistyped_column_stops_the_run_and_is_named(changed: dict[str, Any], says: str) -> None:
    """True and false are no numbers, a text is no number."""
    with pytest.raises(Stop) as raised:
        frame(changed)
    assert says in str(raised.value)
