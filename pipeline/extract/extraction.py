"""Reading Clockify into the warehouse: whole days, an entry on one work date, nothing half.

Holds how a piece replaces what was stored, and how an entry that has left a complete read is
followed to where it went. Keeps out HTTP (`clockify`) and what a row of the report means
(`entries`).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

import pandas as pd

from pipeline.clockify.client import Clockify, Workspace
from pipeline.clockify.detailed_report import READS
from pipeline.extract.entries import REMOVED, Row, differing, frame_of
from pipeline.extract.hidden_rates import hidden_rates, refuse_hidden_rates
from pipeline.extract.pieces import Piece, days_of, pieces, pieces_of
from pipeline.schemas import ClockifyTimeEntries, ClockifyUsers, ClockifyWorkspace, Days
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage import doors
from pipeline.storage.database import Connection, transaction
from pipeline.warehouse import Warehouse

NOT_ROUNDED = "off"
"""The rounding by which entries are read as they were tracked."""
OLDEST_YEAR, LAST_YEAR = 1900, 2200
"""Between which a mistyped date can be stored like any other."""


@dataclass(frozen=True)
class Reading:
    """How this run reads the report."""

    settings: Settings
    rounding: str
    """As `clockify_workspace` has it."""
    log: Callable[[str], object]
    now: Callable[[], datetime]

    @property
    def is_rounding_on(self) -> bool:
        """Whether durations are rounded."""
        return self.rounding != NOT_ROUNDED


@dataclass
class Extracted:
    """What an extraction found out about entries that a read did not have."""

    left: dict[str, tuple[date, str]] = field(default_factory=dict)
    """Those that have left the day on which they were stored: the day, and what became of them."""
    followed: dict[str, date] = field(default_factory=dict)
    """Those that exist and are yet to be read, with the day on which they start now."""


def workspace_row(workspace: Workspace, setting: str) -> dict[str, object]:
    """The row of `clockify_workspace`, with the rounding by which entries are read.

    Args:
        workspace: says what Clockify's own setting is.
        setting: `ROUNDING`.
    """
    is_on = setting == "on" or (setting == "workspace" and workspace.is_rounding_on)
    step = workspace.round_minutes if is_on else 1
    return {
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "plan": workspace.plan,
        "rounding": f"{workspace.round_mode} {step}" if is_on else NOT_ROUNDED,
        "rounding_minutes": max(step, 1),
    }


def refuse_other_workspace(warehouse: Warehouse, wanted: str) -> None:
    """Stop before a workspace's entries are read among another's, or sent for them.

    Raises:
        Stop: what is stored was read from another workspace than `wanted`.
    """
    known = list(warehouse.read(ClockifyWorkspace)["workspace_id"])
    if known and known != [wanted]:
        raise Stop(
            f"The warehouse {warehouse.path} holds the entries of the Clockify workspace "
            f"{known[0]}, and CLOCKIFY_WORKSPACE_ID is {wanted}",
            "set it back; or, if the change is meant, name another WAREHOUSE, which the next run "
            "fills from that workspace",
        )


def refuse_unread(connection: Connection, first: date, last: date) -> None:
    """Stop before days are judged, or sent, of which nothing was ever read.

    That nothing is found there would look like the end of a good run.

    Raises:
        Stop: there are such days; names one of them.
    """
    read = connection.execute("SELECT work_date FROM days").fetchall()
    if unread := sorted({*days_of(first, last)} - {day for (day,) in read}):
        raise Stop(
            f"{len(unread)} of the days from {first} to {last} were never read from Clockify, "
            f"such as {unread[0]}",
            f"launch them with what reads them: `.venv/bin/dg launch --assets '*' "
            f"--partition-range {unread[0]}...{unread[-1]}`",
        )


def extract(
    warehouse: Warehouse,
    clockify: Clockify,
    reading: Reading,
    first: date,
    last: date,
    others: Sequence[date] = (),
) -> Extracted:
    """Read a range of work dates, and others; finished pieces stay if a later one stops.

    Raises:
        Stop: a read is incomplete, or the key sees no rates where it saw some; nothing of that
            piece is written.
    """
    found = Extracted()
    users = people(warehouse)
    apart = [day for day in others if not first <= day <= last]
    queue = deque([*pieces(first, last), *pieces_of(apart)])
    while queue:
        start, end = queue.popleft()
        reading.log(f"reading Clockify from {start} to {end}")
        begun = reading.now()  # what is added while it is read may not be in it
        frame = read(clockify, reading, users, start, end)
        ids = set(frame["entry_id"])
        _refuse_a_gap(ids, found, start, end)
        with warehouse.connect() as connection:
            # Where rates are the service item's, a key that sees none does no harm.
            needs_rates = reading.settings.rate_source == "clockify"
            hidden = hidden_rates(connection, frame) if needs_rates else None
            missing = _missing(connection, ids | found.followed.keys(), start, end)
        if hidden:
            refuse_hidden_rates(hidden, lambda day: read(clockify, reading, users, day, day))
        goals = _follow(warehouse, clockify, reading, missing, found)
        if any(start <= day <= end for day in goals):
            queue.appendleft((start, end))  # half a read is written nowhere
        else:
            with warehouse.connect() as connection:
                store(connection, frame, (start, end), begun, reading.rounding, found.followed)
            reading.log(f"stored {len(frame)} entries from {start} to {end}")
            found.followed = {key: day for key, day in found.followed.items() if key not in ids}
        queue.extend(_apart(goals, queue))
    return found


def people(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of `clockify_users`, and as such who is in none and has stored entries.

    Clockify's list leaves some out who were removed, and its reports may leave out their time.
    """
    users = warehouse.read(ClockifyUsers)
    query = "SELECT DISTINCT user_id FROM clockify_time_entries ORDER BY ALL"
    with warehouse.connect() as connection:
        stored = pd.Series(
            [user_id for (user_id,) in connection.execute(query).fetchall()], dtype=object
        )
    gone = pd.DataFrame({"user_id": stored[~stored.isin(users["user_id"])], "is_active": False})
    gone = gone.reindex(columns=users.columns).astype(users.dtypes)
    return pd.concat([users, gone], ignore_index=True)


def days_to_come(warehouse: Warehouse, today: date) -> list[date]:
    """Those that hold an entry, such as one of a wrong year: no range has them until then."""
    query = "SELECT DISTINCT work_date FROM clockify_time_entries WHERE work_date > $1 ORDER BY ALL"
    with warehouse.connect() as connection:
        return [day for (day,) in connection.execute(query, [today]).fetchall()]


def _apart(days: Iterable[date], queue: Collection[Piece]) -> list[Piece]:
    """The days that are in no piece of the queue, each a piece."""
    return [(day, day) for day in days if not any(start <= day <= end for start, end in queue)]


def read(
    clockify: Clockify, reading: Reading, users: pd.DataFrame, first: date, last: date
) -> pd.DataFrame:
    """Read at most 31 days as `ClockifyTimeEntries`, rounded as the reading says.

    Only a read of approved entries is evidence of approval: a request id or a lock is not.

    Args:
        clockify: asked.
        reading: says how.
        users: rows of `clockify_users`, for their zones, and for the former members among them.
        first: the first work date.
        last: the last one, included.

    Raises:
        Stop: the read is incomplete, or the key may not see rates.
    """
    former = set(users.loc[~users["is_active"], "user_id"])
    read_at = reading.now()
    raw = clockify.reports.rows(first, last, rounding=False, former=former)
    former &= {row["userId"] for row in raw}  # the others have no time here: ask no further
    rows_of = partial(clockify.reports.rows, first, last, former=former)
    rows, raw = _rounded(rows_of, raw) if reading.is_rounding_on else (raw, raw)
    approved = _approved(rows_of, raw) if reading.settings.require_approval else None
    zoned = users.dropna(subset="time_zone")
    return frame_of(
        rows,
        raw,
        approved,
        zone=reading.settings.zone,
        user_zones=dict(zip(zoned["user_id"], zoned["time_zone"], strict=True)),
        read_at=read_at,
        first=first,
        last=last,
    )


def _approved(rows_of: Callable[..., list[Row]], raw: Sequence[Row]) -> set[str]:
    """Ids of the entries that were approved as they were read.

    One that was corrected and approved after the first read waits for the next run.
    """
    rows = rows_of(rounding=False, only_approved=True)
    ids = {str(row["_id"]) for row in rows}
    return ids - differing(rows, [row for row in raw if row["_id"] in ids])


def _rounded(rows_of: Callable[..., list[Row]], raw: list[Row]) -> tuple[list[Row], list[Row]]:
    """The report rounded, and unrounded, of entries that did not change in between.

    Rounding may move an end (clockify-api.md, 2.5). So where the two tell an entry otherwise, it is
    read unrounded once more: what did not change from before to after was rounded as it is.

    Raises:
        Stop: entries change with every read.
    """
    for _ in range(READS):
        rows, before = rows_of(rounding=True), raw
        if not differing(rows, raw):
            return rows, raw
        raw = rows_of(rounding=False)
        # That may have come and gone between: then only the rounded read has it, or has it not.
        only_one_has = {row["_id"] for row in rows} ^ {row["_id"] for row in raw}
        if not (changed := differing(before, raw) | only_one_has):
            return rows, raw
    raise Stop(
        f"Incomplete read: entries change while they are read, such as {min(changed)}",
        "run again when nobody is editing these days",
        is_transient=True,
    )


def store(
    connection: Connection,
    frame: pd.DataFrame,
    window: Piece,
    read_at: datetime,
    rounding: str,
    followed: Collection[str] = (),
) -> None:
    """Put a piece in the place of what was stored: its days, and its entries wherever they were.

    An entry that is followed to another day stays until the read that has it is stored: if that
    read never comes, the next run finds it missing again. Who was removed from Clockify keeps the
    name that was read before.

    Args:
        connection: an open warehouse.
        frame: the entries.
        window: the days.
        read_at: when the read was begun.
        rounding: as `clockify_workspace` has it.
        followed: ids of entries that are yet to be read on another day.
    """
    first, last = window
    doors.stage(connection, ClockifyTimeEntries, frame, "piece")
    days = pd.DataFrame({"work_date": days_of(first, last), "extracted_at": read_at})
    days["rounding"] = rounding
    unjudged = days.assign(reviewed_at=None, judged_by=None)
    doors.stage(connection, Days, unjudged, "piece_days")
    with transaction(connection):
        connection.execute(
            "UPDATE piece SET first_seen_at = stored.first_seen_at "
            "FROM clockify_time_entries AS stored WHERE stored.entry_id = piece.entry_id"
        )
        connection.execute(
            "UPDATE piece SET user_name = known.user_name FROM (SELECT user_id, "
            "arg_max(user_name, read_at) AS user_name FROM clockify_time_entries "
            "WHERE user_name <> $1 GROUP BY user_id) AS known "
            "WHERE known.user_id = piece.user_id AND piece.user_name = $1",
            [REMOVED],
        )
        connection.execute("DELETE FROM days WHERE work_date BETWEEN $1 AND $2", [first, last])
        connection.execute(
            "DELETE FROM clockify_time_entries WHERE work_date BETWEEN $1 AND $2 "
            "AND NOT list_contains(CAST($3 AS VARCHAR[]), entry_id)",
            [first, last, list(followed)],
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


def _refuse_a_gap(ids: Collection[str], found: Extracted, first: date, last: date) -> None:
    """Stop if an entry was followed to these days and the read does not have it.

    A key that no longer sees everybody's time gives complete reads of the time that it does see.
    """
    for entry_id, day in found.followed.items():
        if first <= day <= last and entry_id not in ids:
            raise Stop(
                f"Incomplete read: the entry {entry_id} starts on {day}, but Clockify's report of "
                "that day does not have it",
                "run again, clockify_users included; if it stays, use the key of an admin, who "
                "sees everybody's time",
                is_transient=True,
            )


def _missing(
    connection: Connection, known: Collection[str], first: date, last: date
) -> dict[str, date]:
    """Entries stored on these days that no read has or is to have, with their stored day."""
    rows = connection.execute(
        "SELECT entry_id, work_date FROM clockify_time_entries "
        "WHERE work_date BETWEEN $1 AND $2 ORDER BY entry_id",
        [first, last],
    ).fetchall()
    return {entry_id: day for entry_id, day in rows if entry_id not in known}


def _follow(
    warehouse: Warehouse,
    clockify: Clockify,
    reading: Reading,
    missing: Mapping[str, date],
    found: Extracted,
) -> list[date]:
    """Ask for each missing entry by id; the days to read for those that still exist.

    One that is no more is dropped at once: where few requests are allowed, the next run must not
    have to ask for it again.

    Raises:
        Stop: Clockify does not say, or one starts on a day of no calendar of ours.
    """
    goals = set()
    for entry_id, day in missing.items():
        now = clockify.whereabouts(entry_id)
        if now is None or now.is_running:
            what = "deleted in Clockify" if now is None else "running again"
            found.left[entry_id] = day, what  # a running one is read when it has stopped
            if now is None:
                with warehouse.connect() as connection:
                    _drop(connection, entry_id, day)
            continue
        goal = now.start.astimezone(reading.settings.zone).date()
        if not OLDEST_YEAR <= goal.year <= LAST_YEAR:
            raise Stop(
                f"The entry {entry_id}, stored on {day}, now starts on {goal} in Clockify",
                "correct its date there",
            )
        if goal != day:
            found.left[entry_id] = day, "moved to another day"
        found.followed[entry_id] = goal
        goals.add(goal)
    return sorted(goals)


def _drop(connection: Connection, entry_id: str, day: date) -> None:
    """Forget an entry, without which its day is to be judged again."""
    with transaction(connection):
        connection.execute("UPDATE days SET reviewed_at = NULL WHERE work_date = $1", [day])
        connection.execute("DELETE FROM clockify_time_entries WHERE entry_id = $1", [entry_id])
