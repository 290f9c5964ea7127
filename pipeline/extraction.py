"""Reading Clockify into the warehouse: whole days, an entry on one work date, nothing half.

Holds how a range is cut into pieces, how a piece replaces what was stored, and how an entry that
has left a complete read is followed to where it went. Keeps out HTTP (`clockify`) and what a row
of the report means (`entries`).
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from pipeline import doors
from pipeline.clockify import Clockify, Workspace
from pipeline.entries import frame_of
from pipeline.schemas import ClockifyTimeEntries, ClockifyUsers, Days
from pipeline.stops import Stop
from pipeline.warehouse import Connection, Warehouse, transaction

PIECE = timedelta(days=31)
"""Clockify's free plan gives no longer report (its reference, 2.6)."""
HIDDEN_RATES_SAMPLE = 3
"""Entries that must have lost their rate before a key without rates is suspected."""


@dataclass(frozen=True)
class Reading:
    """How this run reads the report."""

    zone: ZoneInfo
    is_rounding_on: bool
    needs_approval: bool
    log: Callable[[str], object]
    now: Callable[[], datetime]
    needs_rates: bool = True
    """Whether Clockify's rates are what is sent, so that a key that sees none must stop the run."""


@dataclass
class Extracted:
    """What an extraction found, for the log and the UI."""

    days: dict[date, None] = field(default_factory=dict)
    """Every day read, in order, those outside the range that a moved entry led to included."""
    deleted: dict[date, list[str]] = field(default_factory=dict)
    """Entries that were stored on the day and exist no more."""
    moved: dict[date, list[str]] = field(default_factory=dict)
    """Entries that were stored on the day and are now on another."""
    running: dict[date, list[str]] = field(default_factory=dict)
    """Entries that were stored on the day and whose timer runs again; read when it has stopped."""
    followed: set[str] = field(default_factory=set)
    """Entries that a read did not have and that exist all the same."""


def is_rounding_on(setting: str, workspace: Workspace) -> bool:
    """Whether entries are read rounded.

    Args:
        setting: `ROUNDING`.
        workspace: says what Clockify's own setting is.
    """
    return setting == "on" or (setting == "workspace" and workspace.is_rounding_on)


def workspace_row(workspace: Workspace, *, is_rounding_on: bool) -> dict[str, object]:
    """The row of `clockify_workspace`, with the rounding by which entries are read."""
    step = workspace.round_minutes if is_rounding_on else 1
    return {
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "plan": workspace.plan,
        "rounding": f"{workspace.round_mode} {step}" if is_rounding_on else "off",
        "rounding_minutes": max(step, 1),
    }


def pieces(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Cut a range into whole days, at most 31 together."""
    while first <= last:
        end = min(last, first + PIECE - timedelta(days=1))
        yield first, end
        first = end + timedelta(days=1)


def days_of(first: date, last: date) -> list[date]:
    """Every day of a range, both ends included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def extract(
    warehouse: Warehouse, clockify: Clockify, reading: Reading, first: date, last: date
) -> Extracted:
    """Read a range of work dates; finished pieces stay if a later one stops.

    Raises:
        Stop: a read is incomplete, or the key sees no rates where it saw some; nothing of that
            piece is written.
    """
    found = Extracted()
    zones = _user_zones(warehouse)
    queue = deque(pieces(first, last))
    while queue:
        start, end = queue.popleft()
        reading.log(f"reading Clockify from {start} to {end}")
        frame = read(clockify, reading, zones, start, end)
        with warehouse.connect() as connection:
            hidden = hidden_rates(connection, frame) if reading.needs_rates else None
            missing = _missing(connection, frame, start, end)
        if hidden:
            _refuse_hidden_rates(hidden, clockify, reading, zones)
        found.days |= dict.fromkeys(days_of(start, end))
        queue.extend((day, day) for day in _follow(clockify, reading, missing, found))
        with warehouse.connect() as connection:
            store(connection, frame, start, end, reading.now())
        reading.log(f"stored {len(frame)} entries from {start} to {end}")
    return found


def read(
    clockify: Clockify, reading: Reading, zones: Mapping[str, str], first: date, last: date
) -> pd.DataFrame:
    """Read at most 31 days as `ClockifyTimeEntries`, rounded as the reading says.

    Raises:
        Stop: the read is incomplete, or the key may not see rates.
    """
    report = clockify.report(first, last, rounding=reading.is_rounding_on)
    raw = clockify.report(first, last, rounding=False) if reading.is_rounding_on else report
    return frame_of(
        report.rows,
        raw.rows,
        _approved(clockify, reading, first, last),
        zone=reading.zone,
        user_zones=zones,
        read_at=reading.now(),
        first=first,
        last=last,
    )


def store(
    connection: Connection, frame: pd.DataFrame, first: date, last: date, read_at: datetime
) -> None:
    """Put a piece in the place of what was stored: its days, and its entries wherever they were."""
    doors.stage(connection, ClockifyTimeEntries, frame, "piece")
    days = pd.DataFrame({"work_date": days_of(first, last), "extracted_at": read_at})
    doors.stage(connection, Days, days.assign(reviewed_at=None), "piece_days")
    with transaction(connection):
        connection.execute(
            "UPDATE piece SET first_seen_at = stored.first_seen_at "
            "FROM clockify_time_entries AS stored WHERE stored.entry_id = piece.entry_id"
        )
        for table in ("clockify_time_entries", "days"):
            connection.execute(
                f"DELETE FROM {table} WHERE work_date BETWEEN $1 AND $2", [first, last]
            )
        connection.execute(
            "UPDATE days SET reviewed_at = NULL WHERE work_date IN (SELECT work_date "
            "FROM clockify_time_entries WHERE entry_id IN (SELECT entry_id FROM piece))"
        )
        connection.execute(
            "DELETE FROM clockify_time_entries WHERE entry_id IN (SELECT entry_id FROM piece)"
        )
        connection.execute("INSERT INTO clockify_time_entries BY NAME SELECT * FROM piece")
        connection.execute("INSERT INTO days BY NAME SELECT * FROM piece_days")


@dataclass(frozen=True)
class HiddenRates:
    """A read without any rate, where there were rates before."""

    billable: int
    """Billable entries read."""
    known: int
    """Those of people and projects that had a rate."""
    seen_on: date | None
    """Another day, on which the most rates were seen; none if there is no other."""


def hidden_rates(connection: Connection, frame: pd.DataFrame) -> HiddenRates | None:
    """The suspicion that a key sees no rate any more where earlier reads had some.

    Such a key may no longer see rates: its owner lost the admin role (Clockify's reference, 8).
    Suspected where every billable entry has no rate or 0, and at least three of them are of people
    and projects that had one.
    """
    billable = frame[frame["is_billable"] & frame["end_at"].notna()]
    if (billable["hourly_rate_minor"].fillna(0) != 0).any() or billable.empty:
        return None
    connection.register("billable_rows", billable[["user_id", "project_id", "work_date"]])
    [(known,)] = connection.execute(
        "SELECT count(*) FROM billable_rows WHERE (user_id, project_id) IN (SELECT user_id, "
        "project_id FROM clockify_time_entries WHERE is_billable AND hourly_rate_minor > 0)"
    ).fetchall()
    days = connection.execute(
        "SELECT work_date FROM clockify_time_entries WHERE is_billable AND hourly_rate_minor > 0 "
        "AND work_date NOT IN (SELECT CAST(work_date AS DATE) FROM billable_rows) "
        "GROUP BY work_date ORDER BY count(*) DESC, work_date DESC LIMIT 1"
    ).fetchall()
    connection.unregister("billable_rows")
    if known < HIDDEN_RATES_SAMPLE:
        return None
    return HiddenRates(len(billable), known, days[0][0] if days else None)


def _refuse_hidden_rates(
    hidden: HiddenRates, clockify: Clockify, reading: Reading, zones: Mapping[str, str]
) -> None:
    """Stop unless the key still sees the rates of a day on which it saw them.

    If it does, those read now really are without: somebody set them to nothing.
    """
    if hidden.seen_on:
        frame = read(clockify, reading, zones, hidden.seen_on, hidden.seen_on)
        if (frame["hourly_rate_minor"].fillna(0) != 0).any():
            return
    raise Stop(
        f"The Clockify key sees no rate on any of {hidden.billable} billable entries, though "
        f"{hidden.known} of them are of people and projects that had one",
        "use the key of an admin who may see billable rates",
    )


def _approved(clockify: Clockify, reading: Reading, first: date, last: date) -> set[str] | None:
    """Ids of the approved entries; none if approval is not required.

    Only a read of approved entries is evidence: a request id or a lock is not.
    """
    if not reading.needs_approval:
        return None
    report = clockify.report(first, last, rounding=False, only_approved=True)
    return {str(row["_id"]) for row in report.rows}


def _user_zones(warehouse: Warehouse) -> dict[str, str]:
    users = warehouse.read(ClockifyUsers, "time_zone IS NOT NULL")
    return dict(zip(users["user_id"], users["time_zone"], strict=True))


def _missing(
    connection: Connection, frame: pd.DataFrame, first: date, last: date
) -> dict[str, date]:
    """Entries stored on these days that the read does not have, with their stored day."""
    rows = connection.execute(
        "SELECT entry_id, work_date FROM clockify_time_entries "
        "WHERE work_date BETWEEN $1 AND $2 ORDER BY entry_id",
        [first, last],
    ).fetchall()
    read = set(frame["entry_id"])
    return {entry_id: day for entry_id, day in rows if entry_id not in read}


def _follow(
    clockify: Clockify, reading: Reading, missing: Mapping[str, date], found: Extracted
) -> list[date]:
    """Ask for each missing entry by id; the days to read for those that still exist.

    Raises:
        Stop: an entry exists on a day whose read did not have it, twice.
    """
    goals = set()
    for entry_id, day in missing.items():
        now = clockify.whereabouts(entry_id)
        if now is None or now.is_running:
            left = found.deleted if now is None else found.running
            left.setdefault(day, []).append(entry_id)
            continue
        if entry_id in found.followed:
            raise Stop(
                f"Incomplete read: the entry {entry_id} starts on {now.start:%Y-%m-%d %H:%M %Z}, "
                "but Clockify's report of that day does not have it",
                "run again; if it stays, look at the entry in Clockify",
                is_transient=True,
            )
        found.followed.add(entry_id)
        found.moved.setdefault(day, []).append(entry_id)
        goals.add(now.start.astimezone(reading.zone).date())
    return sorted(goals)
