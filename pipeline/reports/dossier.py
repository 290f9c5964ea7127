"""Everything known about one entry, from the analysis copy and, if asked, live: for `why`.

Holds the SQL and what is near an id that nobody knows. Keeps out how it is shown.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from rapidfuzz import process

from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.rows import activity_row
from pipeline.reports.analysis import BY_A_PERSON, copy_of, published_at
from pipeline.stops import Stop
from pipeline.storage.database import Connection
from pipeline.storage.queries import Row, rows

NEAR_IDS = 3
CONFIRMATIONS = """
SELECT DISTINCT confirmation.* FROM cutover_confirmations AS confirmation
JOIN deliveries AS delivery USING (realm_id)
WHERE delivery.entry_id = $1 AND delivery.work_date BETWEEN first_day AND last_day
ORDER BY confirmed_at
"""
ACTIVITIES = """
SELECT * FROM quickbooks_activities WHERE entry_id = $1
OR quickbooks_id IN (SELECT quickbooks_id FROM deliveries WHERE entry_id = $1)
ORDER BY quickbooks_id
"""


@dataclass(frozen=True)
class Dossier:
    """One entry from Clockify to QuickBooks; rows are those of the tables, by column name."""

    entry_id: str
    published_at: datetime
    """Of when all this is."""
    entry: Row | None
    """Of `clockify_time_entries`; none if it was delivered and is gone from Clockify since."""
    accepted: Row | None
    """Of `accepted_time_entries`."""
    rejected: Row | None
    """Of `rejected_time_entries`: verdict, reasons, fixes and suggestion."""
    deliveries: list[Row]
    """Of `deliveries`, by part."""
    attempts: list[Row]
    """Of `delivery_attempts`, the oldest first."""
    confirmations: list[Row]
    """Of `cutover_confirmations`, those whose list held the entry's work date."""
    activities: list[Row]
    """Of `quickbooks_activities`: its own, and those that its deliveries name without owning."""
    drift: list[Row]
    """Of `drift`: what changed on either side since it was sent."""
    is_live: bool = False
    """Whether `activities` is what QuickBooks holds at this moment, and not as last read."""

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

    @property
    def decisions(self) -> list[Row]:
        """The attempts that no run made but a person, with `decide` or `retry`."""
        return [row for row in self.attempts if BY_A_PERSON in row["run_id"]]

    @property
    def activity_ids(self) -> list[str]:
        """The time activities that its deliveries name."""
        ids = (row["quickbooks_id"] for row in self.deliveries)
        return [activity_id for activity_id in ids if activity_id]


def dossier(analysis: Path, entry_id: str) -> Dossier:
    """What the copy knows about an entry.

    Raises:
        Stop: nothing has been published yet, or nobody knows the entry; names the days that were
            read and the nearest ids.
    """
    with copy_of(analysis) as connection:
        deliveries = _of(connection, "deliveries", "part", entry_id)
        entry = _one(connection, "clockify_time_entries", entry_id)
        if entry is None and not deliveries:
            raise _unknown(connection, entry_id)
        return Dossier(
            entry_id=entry_id,
            published_at=published_at(connection),
            entry=entry,
            accepted=_one(connection, "accepted_time_entries", entry_id),
            rejected=_one(connection, "rejected_time_entries", entry_id),
            deliveries=deliveries,
            attempts=_of(connection, "delivery_attempts", "recorded_at, attempt", entry_id),
            confirmations=rows(connection, CONFIRMATIONS, [entry_id]),
            activities=rows(connection, ACTIVITIES, [entry_id]),
            drift=_of(connection, "drift", "found_at, side, kind, field", entry_id),
        )


def live(found: Dossier, quickbooks: QuickBooks, now: datetime) -> Dossier:
    """The same, with the time activities that its deliveries name as QuickBooks holds them now.

    Raises:
        Stop: QuickBooks cannot be read.
    """
    currency = found.deliveries[0]["currency"] if found.deliveries else None
    owned = {row["quickbooks_id"] for row in found.deliveries if row["state"] != "doubtful"}
    activities = [
        activity_row(
            body,
            currency=currency or "",
            entry_id=found.entry_id if activity_id in owned else None,
            read_at=now,
        )
        for activity_id in found.activity_ids
        if (body := quickbooks.time_activity(activity_id))
    ]
    return replace(found, activities=activities, is_live=True)


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
