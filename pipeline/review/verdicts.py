"""Verdicts in the warehouse: judging a window's stored entries and keeping what was decided.

Holds the SQL around `review.judge`, which is pure. Accepted and rejected entries are written
together, so that every entry has exactly one verdict at any moment.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from pipeline import schemas
from pipeline.extract.entries import work_dates
from pipeline.ledger import Ledger
from pipeline.review.judging import judge
from pipeline.review.lists import Lists
from pipeline.review.reasons import NOT_WORK
from pipeline.review.rules import Rules
from pipeline.schemas import ClockifyTimeEntries, Table, name_of, sql_types
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage import Connection, doors, queries, transaction

RULES_NEED_NOT = frozenset({"description", "tag_names", "task_name", "user_email", "first_seen_at"})
"""Wide columns of an entry that no rule reads."""
DECIDED = ["entry_id", *(name for name in sql_types(schemas.Sent) if name != "is_delivered")]
"""What a verdict adds to an entry that is sent."""
WINDOW = "work_date BETWEEN $1 AND $2"
AROUND = "work_date IN (CAST($1 AS DATE) - 1, CAST($2 AS DATE) + 1)"
WAITING = (
    f"{WINDOW} AND entry_id IN (SELECT entry_id FROM accepted_time_entries WHERE NOT is_delivered)"
)
"""Which entries of both days and those between are accepted and not delivered."""


def waiting_by_another_rounding(
    connection: Connection, first: date, last: date, rounding: str
) -> list[tuple[str, date, str]]:
    """Accepted entries, not delivered when they were judged, of days read by another rounding.

    Each with its day and that rounding. Of a day that an earlier version read nobody knows it.
    """
    return connection.execute(
        "SELECT entry_id, work_date, days.rounding FROM clockify_time_entries "
        f"JOIN days USING (work_date) WHERE days.rounding <> $3 AND {WAITING} ORDER BY ALL",
        [first, last, rounding],
    ).fetchall()


SHARED_PROJECTS = """
WITH projects AS (
    SELECT project_name, client_name FROM clockify_projects WHERE NOT is_archived
        OR project_id IN (SELECT project_id FROM clockify_time_entries WHERE project_id IS NOT NULL)
    UNION ALL
    SELECT arg_max(project_name, read_at), arg_max(coalesce(client_name, ''), read_at)
    FROM clockify_time_entries WHERE project_id NOT IN (SELECT project_id FROM clockify_projects)
    GROUP BY project_id
)
SELECT project_name FROM projects WHERE project_name IS NOT NULL
GROUP BY project_name HAVING count(DISTINCT coalesce(client_name, '')) > 1
"""
"""Each project by the name that it has now; archived ones only if time was tracked on them."""


def company(connection: Connection) -> dict[str, Any]:
    """The stored row of `quickbooks_company`.

    Raises:
        Stop: it was never read.
    """
    found = queries.rows(connection, "FROM quickbooks_company")
    if len(found) != 1:
        raise Stop(
            "The QuickBooks company has not been read yet",
            "launch quickbooks_company, quickbooks_employees and quickbooks_customers first",
        )
    return found[0]


def rules_of_run(
    connection: Connection, ledger: Ledger, settings: Settings, today: date, days: tuple[date, date]
) -> Rules:
    """The rules for a run over some days: they hold what Intuit would refuse as closed.

    All but one probe, an entry of these days that nothing else keeps back; of another day each
    time, so that books reopened in part are found out too. Only refusals that could be a probe say
    how far the books are closed: of an entry that is gone nobody would ever learn that they are
    open again. Without a probe nothing is held: if they are still closed, the next refusal tells.

    Args:
        connection: an open warehouse.
        ledger: knows what was refused as closed.
        settings: the settings.
        today: the calendar date now in `TIME_ZONE`.
        days: the run's first and last work date.
    """
    known = company(connection)
    is_by_name = settings.customer_matching == "project"
    shared = connection.execute(SHARED_PROJECTS).fetchall() if is_by_name else []
    open_rules = Rules(
        settings=settings,
        today=today,
        home_currency=known["home_currency"],
        service_item_rate_minor=known["service_item_rate_minor"],
        shared_projects=frozenset(name for (name,) in shared),
    )
    closed = ledger.closed_period()
    if not closed:
        return open_rules
    ids = [refused.entry_id for refused in closed]
    rows = connection.execute(
        f"SELECT entry_id FROM clockify_time_entries WHERE {WINDOW} AND entry_id = ANY($3) "
        "AND entry_id NOT IN "
        "(SELECT entry_id FROM rejected_time_entries WHERE reasons <> ['books_closed'])",
        [*days, ids],
    ).fetchall()
    free = {entry_id for (entry_id,) in rows}
    closed = [refused for refused in closed if refused.entry_id in free]
    if not closed:
        return open_rules
    through = max(refused.work_date for refused in closed)
    return replace(open_rules, books_closed_through=through, probe_entry_id=closed[0].entry_id)


def judged(
    connection: Connection,
    ledger: Ledger,
    lists: Lists,
    rules: Rules,
    first: date,
    last: date,
    chosen: str = WINDOW,
) -> pd.DataFrame:
    """The verdicts over the stored entries of a window, as they are now.

    Args:
        connection: an open warehouse.
        ledger: says what QuickBooks holds already.
        lists: whom and what the entries may be for.
        rules: what else the rules need to know.
        first: the window's first work date.
        last: the window's last work date.
        chosen: which days of both, `AROUND` for the day before and the day after.
    """
    columns = [name for name in sql_types(ClockifyTimeEntries) if name not in RULES_NEED_NOT]
    entries = doors.read(connection, ClockifyTimeEntries, chosen, [first, last], columns)
    if entries.empty:  # judging none costs as much as judging some
        return schemas.Verdicts.empty()
    settled = ledger.settled(entries["entry_id"])
    return judge(entries, lists, rules, settled)


def of_today(
    connection: Connection, lists: Lists, rules: Rules, entry_ids: Iterable[str]
) -> pd.DataFrame:
    """Entries as they were read last, each with the verdict it would have had it never been sent.

    On the date that `TIME_ZONE` gives them now, also if they were read under another: nothing that
    was sent is taken for moved, and nothing follows, because a setting changed for a while.

    Returns:
        The columns of `clockify_time_entries` and `verdicts`, one row for each that is stored.
    """
    entries = doors.read(connection, ClockifyTimeEntries, "entry_id = ANY($1)", [list(entry_ids)])
    entries["work_date"] = work_dates(entries["start_at"], rules.settings.zone)
    again = judge(entries, lists, rules, settled={})
    return entries.merge(again, on="entry_id", validate="one_to_one")


def store(
    connection: Connection,
    verdicts: pd.DataFrame,
    rules: Rules,
    first: date,
    last: date,
    now: datetime,
) -> None:
    """Put a window's verdicts in place of the old ones, and of its entries' old ones anywhere."""
    doors.stage(connection, schemas.Verdicts, verdicts, "piece_verdicts")
    with transaction(connection):
        for table, chosen in (
            (schemas.AcceptedTimeEntries, "verdict = 'accepted'"),
            (schemas.RejectedTimeEntries, "verdict <> 'accepted'"),
        ):
            connection.execute(
                f"DELETE FROM {name_of(table)} WHERE {WINDOW} "
                "OR entry_id IN (SELECT entry_id FROM piece_verdicts)",
                [first, last],
            )
            connection.execute(
                f"INSERT INTO {name_of(table)} BY NAME SELECT entry.*, {_added(table)} "
                "FROM clockify_time_entries AS entry JOIN piece_verdicts USING (entry_id) "
                f"WHERE {chosen}"
            )
        connection.execute(
            f"UPDATE days SET reviewed_at = $3, judged_by = $4 WHERE {WINDOW}",
            [first, last, now, rules.judged_by],
        )


def stale_days(connection: Connection, rules: Rules) -> list[date]:
    """Days read since they were last judged, or judged by other settings.

    A moved entry, a month that has changed, or an earlier `SEND_FROM`.
    """
    rows = connection.execute(
        "SELECT work_date FROM days WHERE reviewed_at IS NULL OR reviewed_at < extracted_at "
        "OR judged_by IS DISTINCT FROM $1 ORDER BY work_date",
        [rules.judged_by],
    ).fetchall()
    return [day for (day,) in rows]


def sendable(connection: Connection, again: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """The accepted, undelivered entries of a window that are still acceptable as they stand.

    A check gates only its own run, so every row is judged again, by the lists as they are now, and
    must be its entry of the latest extract in every column: a load launched alone after a
    failed check sends nothing that is not eligible.

    Args:
        connection: an open warehouse.
        again: the window's verdicts as `judged` gives them now.
        first: the window's first work date.
        last: the window's last work date.
    """
    accepted = doors.read_valid(
        connection, schemas.AcceptedTimeEntries, f"{WINDOW} AND NOT is_delivered", [first, last]
    )
    is_still = (again["verdict"] == "accepted") & _is_known(again)
    is_still &= again["entry_id"].isin(_as_read(connection, first, last))
    still = again.loc[is_still, [*DECIDED, "verdict"]]
    return accepted.merge(still, on=DECIDED, how="inner", validate="one_to_one")


def others(connection: Connection, again: pd.DataFrame, sendable: Collection[str]) -> pd.DataFrame:
    """The other finished, undelivered work entries that `again` judged, whatever their verdict.

    Those without an employee or minutes are left out: no activity can be told to be theirs.
    """
    is_other = ~again["is_delivered"] & ~again["entry_id"].isin(sendable)
    found = again.loc[is_other & _is_known(again), [*DECIDED, "verdict"]]
    entries = doors.read(
        connection,
        ClockifyTimeEntries,
        "entry_id = ANY($1) AND end_at IS NOT NULL "
        "AND coalesce(entry_type NOT IN (SELECT unnest($2)), TRUE)",
        [found["entry_id"].tolist(), list(NOT_WORK)],
    )
    return entries.merge(found, on="entry_id", how="inner", validate="one_to_one")


def _is_known(again: pd.DataFrame) -> pd.Series:
    """Whether it says whose it is and how long it took; what is settled may not any more."""
    return again["quickbooks_employee_id"].notna() & again["hours"].notna()


def _as_read(connection: Connection, first: date, last: date) -> set[str]:
    """Accepted entries of a window that are, column for column, what was read last."""
    columns = ", ".join(sql_types(ClockifyTimeEntries))
    rows = connection.execute(
        "SELECT entry_id FROM "
        f"(SELECT {columns} FROM accepted_time_entries WHERE {WINDOW} AND NOT is_delivered "
        f"INTERSECT SELECT {columns} FROM clockify_time_entries WHERE {WINDOW})",
        [first, last],
    ).fetchall()
    return {entry_id for (entry_id,) in rows}


def _added(table: type[Table]) -> str:
    entry = sql_types(ClockifyTimeEntries)
    return ", ".join(f"piece_verdicts.{name}" for name in sql_types(table) if name not in entry)
