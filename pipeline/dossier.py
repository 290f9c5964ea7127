"""Everything known about one entry, from the analysis copy alone: for `why`.

Holds the SQL and what is near an id that nobody knows. Keeps out how it is shown.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rapidfuzz import process

from pipeline.analysis import copy_of
from pipeline.figures import Row, rows
from pipeline.stops import Stop
from pipeline.warehouse import Connection

NEAR_IDS = 3


@dataclass(frozen=True)
class Dossier:
    """One entry from Clockify to QuickBooks; rows are those of the tables, by column name."""

    entry_id: str
    entry: Row | None
    """Of `clockify_time_entries`; none if it was delivered and is gone from Clockify since."""
    accepted: Row | None
    """Of `accepted_time_entries`."""
    rejected: Row | None
    """Of `rejected_time_entries`: verdict, reasons, fixes and suggestion."""
    deliveries: list[Row]
    """Of `deliveries`, by part: what QuickBooks holds, as far as the ledger knows."""
    attempts: list[Row]
    """Of `delivery_attempts`, the oldest first."""

    @property
    def verdict(self) -> str | None:
        """Its one verdict; none if it was read and not judged yet."""
        if self.accepted:
            return "accepted"
        return str(self.rejected["verdict"]) if self.rejected else None

    @property
    def other_date(self) -> date | None:
        """The work date in the person's own zone, where that is another one."""
        if not self.entry or self.entry["person_work_date"] in (None, self.entry["work_date"]):
            return None
        day: date = self.entry["person_work_date"]
        return day


def dossier(analysis: Path, entry_id: str) -> Dossier:
    """What the copy knows about an entry.

    Raises:
        Stop: nothing has been published yet, or nobody knows the entry; names the days that were
            read and the nearest ids.
    """
    with copy_of(analysis) as connection:
        found = Dossier(
            entry_id,
            _one(connection, "clockify_time_entries", entry_id),
            _one(connection, "accepted_time_entries", entry_id),
            _one(connection, "rejected_time_entries", entry_id),
            _of(connection, "deliveries", "part", entry_id),
            _of(connection, "delivery_attempts", "recorded_at, attempt", entry_id),
        )
        if found.entry is None and not found.deliveries:
            raise _unknown(connection, entry_id)
    return found


def _one(connection: Connection, table: str, entry_id: str) -> Row | None:
    return next(iter(_of(connection, table, "work_date", entry_id)), None)


def _of(connection: Connection, table: str, order: str, entry_id: str) -> list[Row]:
    query = f"SELECT * FROM {table} WHERE entry_id = $1 ORDER BY {order}"
    return rows(connection, query, [entry_id])


def _unknown(connection: Connection, entry_id: str) -> Stop:
    [read] = rows(
        connection,
        "SELECT min(work_date) AS first, max(work_date) AS last, count(*) AS days FROM days",
    )
    known = connection.execute(
        "SELECT entry_id FROM clockify_time_entries UNION SELECT entry_id FROM deliveries"
    ).fetchall()
    near = process.extract(entry_id, [each for (each,) in known], limit=NEAR_IDS, score_cutoff=80)
    fix = "look it up in Clockify: it may be deleted, or lie on a day that was not read"
    if near:
        fix = f"the nearest ids are {', '.join(found for found, *_ in near)}"
    span = f"{read['days']} days from {read['first']} to {read['last']}"
    return Stop(
        f"No entry {entry_id} is known; {span if read['days'] else 'no day'} were read", fix
    )
