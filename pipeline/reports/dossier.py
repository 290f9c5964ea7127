"""Everything known about one entry, from the analysis copy and, if asked, live: for `why`.

Holds the SQL and what is near an id that nobody knows. Keeps out how it is shown.
"""

from datetime import datetime
from pathlib import Path

from rapidfuzz import process

from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.rows import activity_row
from pipeline.reports.analysis import BY_A_PERSON, copy_of, published_at
from pipeline.stops import Stop
from pipeline.storage import Connection, Row, rows

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


def dossier(analysis: Path, entry_id: str) -> Row:
    """What the copy knows about an entry, from Clockify to QuickBooks, in rows of its tables.

    Returns:
        `entry_id`; `published_at`, of when all this is; `entry`, of `clockify_time_entries`, none
        if it was delivered and is gone from Clockify since; `accepted` and `rejected`, of these
        two tables, and its `verdict`, none if it was read and not judged yet; `deliveries`, by
        part; their `attempts`, the oldest first, and of these `decisions`, those that no run made
        but a person; `confirmations`, those whose list held its work date; `activities`, its own
        and those that its deliveries name without owning; `drift`; `is_live`, whether the
        activities are what QuickBooks holds at this moment, and not as last read.

    Raises:
        Stop: nothing has been published yet, or nobody knows the entry; names the days that were
            read and the nearest ids.
    """
    with copy_of(analysis) as connection:
        deliveries = _of(connection, "deliveries", "part", entry_id)
        entry = _one(connection, "clockify_time_entries", entry_id)
        if entry is None and not deliveries:
            raise _unknown(connection, entry_id)
        accepted = _one(connection, "accepted_time_entries", entry_id)
        rejected = _one(connection, "rejected_time_entries", entry_id)
        attempts = _of(connection, "delivery_attempts", "recorded_at, attempt", entry_id)
        return {
            "entry_id": entry_id,
            "published_at": published_at(connection),
            "entry": entry,
            "accepted": accepted,
            "rejected": rejected,
            "verdict": "accepted" if accepted else rejected and rejected["verdict"],
            "deliveries": deliveries,
            "attempts": attempts,
            "decisions": [row for row in attempts if BY_A_PERSON in row["run_id"]],
            "confirmations": rows(connection, CONFIRMATIONS, [entry_id]),
            "activities": rows(connection, ACTIVITIES, [entry_id]),
            "drift": _of(connection, "drift", "found_at, side, kind, field", entry_id),
            "is_live": False,
        }


def live(found: Row, quickbooks: QuickBooks, now: datetime) -> Row:
    """The same, with the time activities that its deliveries name as QuickBooks holds them now.

    Raises:
        Stop: QuickBooks cannot be read.
    """
    activities = [
        activity_row(
            body,
            currency=row["currency"] or "",
            entry_id=None if row["state"] == "doubtful" else found["entry_id"],
            read_at=now,
        )
        for row in found["deliveries"]
        if row["quickbooks_id"] and (body := quickbooks.time_activity(row["quickbooks_id"]))
    ]
    return found | {"activities": activities, "is_live": True}


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
