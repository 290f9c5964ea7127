"""Figures of each day and of a window, as plain rows: what the UI, the checks and the demo show.

Holds the aggregating SQL. Keeps out how it is shown, and every rate, description and e-mail
address.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pipeline.reports.problems import PROBLEM
from pipeline.storage import Connection, Row, rows

HOURS = "round(coalesce(sum(duration_seconds), 0) / 3600.0, 2)"
PROJECT = "coalesce(client_name || ' / ', '') || coalesce(project_name, project_id, 'no project')"
"""How a project is called, with its client before it."""
WINDOW = "work_date BETWEEN $1 AND $2"
VERDICTS = """
SELECT *, 'accepted' AS verdict FROM accepted_time_entries
UNION ALL BY NAME
SELECT *, reasons[1] AS reason FROM rejected_time_entries
"""
"""Every entry that was judged, with its verdict and, unless it is accepted, its first reason."""
READ = f"""
SELECT work_date, count(*) AS entries, {HOURS} AS hours, count(DISTINCT user_id) AS people
FROM clockify_time_entries WHERE {WINDOW} GROUP BY work_date
"""
"""Entries, hours and people on each day that has entries."""
ACCEPTED = f"""
SELECT work_date, user_name AS person, {PROJECT} AS project, count(*) AS entries,
    {HOURS} AS hours, user_id, project_id, min(quickbooks_customer_id) AS customer_id
FROM accepted_time_entries WHERE {WINDOW} GROUP BY ALL
ORDER BY work_date, hours DESC, user_id, project_id
"""
"""Accepted entries and hours on each day, by person and customer as Clockify names them."""
NOT_ACCEPTED = f"""
SELECT work_date, verdict, reasons[1] AS reason, count(*) AS entries, {HOURS} AS hours
FROM rejected_time_entries WHERE {WINDOW} GROUP BY ALL
ORDER BY work_date, verdict DESC, hours DESC
"""
"""Entries and hours on each day by verdict and first reason, the rejected first."""
NOT_BILLABLE = f"""
SELECT work_date, count(*) AS entries, {HOURS} AS hours
FROM rejected_time_entries WHERE {WINDOW} AND reasons[1] = 'not_billable'
    AND project_id IN (SELECT project_id FROM clockify_projects WHERE is_billable)
GROUP BY work_date
"""
"""Entries and hours on each day that are not billable on a billable project: a slip, maybe."""
WAITING = f"""
SELECT work_date, coalesce(user_name, user_id) AS person,
    coalesce(project_name, 'no project') AS project,
    round(coalesce(duration_seconds, 0) / 3600.0, 2) AS hours,
    array_to_string(reasons, ', ') AS reason, array_to_string(fixes, ' ') AS fix, entry_id,
    user_id, project_id
FROM rejected_time_entries WHERE {WINDOW} AND verdict <> 'excluded'
QUALIFY row_number() OVER (PARTITION BY work_date ORDER BY verdict DESC, hours DESC, entry_id)
    <= $3
ORDER BY work_date, verdict DESC, hours DESC, entry_id
"""
"""The entries of each day that are rejected or held, longest first, at most `$3` a day."""
DELIVERED = f"""
SELECT work_date, state, count(*) AS entries, round(sum(minutes) / 60.0, 2) AS hours
FROM ledger.deliveries WHERE {WINDOW} GROUP BY ALL ORDER BY work_date, state
"""
"""Deliveries and hours on each day by state; the connection has the ledger beside."""
UNRESOLVED = f"""
SELECT work_date, state, round(minutes / 60.0, 2) AS hours, error_code, {PROBLEM} AS problem,
    entry_id, quickbooks_id, run_id, CAST(updated_at AS DATE) AS since
FROM ledger.deliveries
WHERE {WINDOW} AND state IN ('pending', 'unknown', 'refused', 'doubtful') ORDER BY state, work_date
"""
"""Deliveries that stand refused, unknown or doubtful; the connection has the ledger beside."""


def was_over(zone: str) -> str:
    """SQL of whether a row of `days` was read after its day had passed: later entries are in it.

    Args:
        zone: SQL of the zone's name.
    """
    return f"extracted_at >= timezone({zone}, (work_date + 1)::TIMESTAMP)"


OVER_AND_JUDGED = f"""
SELECT days.work_date, count(entry_id) AS entries,
    count(entry_id) FILTER (verdict = 'rejected') AS rejected
FROM days LEFT JOIN ({VERDICTS}) AS verdicts USING (work_date)
WHERE days.{WINDOW} AND reviewed_at IS NOT NULL AND {was_over("$3")}
GROUP BY days.work_date ORDER BY days.work_date
"""
"""Entries, and rejected ones, of each day judged; half a day is not to be taken for an unusual one.

`$3` is the zone's name.
"""


def of_days(
    connection: Connection, query: str, first: date, last: date, *more: object
) -> dict[date, list[Row]]:
    """The rows of one of these queries, by their day; a day with nothing has an empty list."""
    days: dict[date, list[Row]] = defaultdict(list)
    for row in rows(connection, query, [first, last, *more]):
        days[row["work_date"]].append(row)
    return days


def hours_by_verdict(
    connection: Connection, first: date, last: date
) -> dict[tuple[date, str], float]:
    """The hours of each day by verdict."""
    found = rows(
        connection,
        f"SELECT work_date, verdict, {HOURS} AS hours FROM ({VERDICTS}) WHERE {WINDOW} "
        "GROUP BY ALL",
        [first, last],
    )
    return {(row["work_date"], row["verdict"]): row["hours"] for row in found}


def summed(found: Iterable[Mapping[str, Any]], column: str) -> list[Row]:
    """Entries and hours added up by a column's values."""
    sums: dict[object, Row] = {}
    for row in found:
        group = sums.setdefault(row[column], {column: row[column], "entries": 0, "hours": 0})
        group["entries"] += row["entries"]
        group["hours"] = round(group["hours"] + row["hours"], 2)
    return list(sums.values())


def total(found: Iterable[Mapping[str, Any]], column: str) -> float:
    """The sum of a column, to two decimals: hours and counts for show, never for books."""
    return round(float(sum(row[column] for row in found)), 2)
