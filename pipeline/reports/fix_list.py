"""The fix list: what people must change so that entries can be sent, one line a fix, worst first.

Entries with the same fix are mended by the same act, so the sentence itself is what lines are
grouped by. Holds the SQL; keeps out what a fix says (`reasons`) and how a line is shown.
"""

from datetime import date

from pipeline.ledger import PASSING
from pipeline.reports.books import SECOND
from pipeline.reports.figures import PROJECT
from pipeline.reports.problems import REFUSED
from pipeline.review.reasons import REJECTING
from pipeline.storage import Connection, Row, rows

LINES_A_DAY = 10
ABOUT_PEOPLE = ("unknown_employee", "inactive_employee", "ambiguous_employee")
ABOUT_CUSTOMERS = ("unknown_customer", "inactive_customer", "ambiguous_customer")
ABOUT_RATES = ("no_rate", "zero_rate", "bad_rate", "wrong_currency")
ASKING = (*REJECTING, "not_approved", "books_closed")
"""The reasons that ask somebody to do something; the others only need time, or nothing."""
COLUMNS = ("concerns", "entries", "hours", "fix", "reason")
"""Of a line, as it is shown: the UI has room for five; the fix names the nearest match."""

FIXES = f"""
SELECT work_date, entry_id, reason, fix, duration_seconds, project_id, user_id, is_only_reason,
    if(reason IN {ABOUT_PEOPLE + ABOUT_CUSTOMERS}, suggestion, NULL) AS suggestion,
    CASE WHEN reason IN {ABOUT_PEOPLE} THEN person WHEN reason IN {ABOUT_CUSTOMERS} THEN project
        WHEN reason IN {ABOUT_RATES} THEN person || ', ' || project
        ELSE person || ', ' || work_date END AS concerns,
    if(reason IN {ABOUT_CUSTOMERS}, project_id, user_id) AS concerns_id
FROM (
    SELECT *, unnest(reasons) AS reason, unnest(fixes) AS fix, len(reasons) = 1 AS is_only_reason,
        coalesce(user_name, user_id) AS person,
        {PROJECT} AS project
    FROM rejected_time_entries WHERE verdict <> 'excluded'
) WHERE reason IN {ASKING}
"""
"""One row per entry and reason of it that asks somebody to do something."""

OPEN_FIXES = f"""
WITH unsettled AS (
    SELECT work_date, entry_id, state AS reason, minutes, TRUE AS is_only_reason, CASE state
        WHEN 'doubtful' THEN 'Compare it with what QuickBooks holds: `python -m pipeline cutover'
            || ' FIRST LAST` shows both for its day. Then say what is so with `python -m pipeline'
            || ' decide`.'
        WHEN 'gone' THEN 'It was deleted in QuickBooks and is not sent again. If that is right,'
            || ' settle it with `python -m pipeline decide ENTRY skip`; if another time activity'
            || ' there stands for it, with `python -m pipeline decide ENTRY adopt ID`.'
        ELSE {REFUSED} || '. Correct that in Clockify or QuickBooks;'
            || ' if nothing there has changed, `python -m pipeline retry --reason ' || error_code
            || '` has it tried again; if it is no longer to be sent, settle it with'
            || ' `python -m pipeline decide ENTRY skip`.'
        END AS fix
    FROM deliveries
    WHERE state = 'doubtful' OR state = 'refused' AND error_code NOT IN {PASSING}
        OR state = 'gone' AND entry_id IN (SELECT entry_id FROM accepted_time_entries)
    UNION ALL
    SELECT work_date, entry_id, kind, minutes, FALSE,
        'QuickBooks holds a second time activity ' || if(kind = 'duplicated', 'that says the same.'
        || ' If it is the same work, delete one of the two there; if it is other work, change its'
        || ' description.', 'that resembles its own. If it is the same work, delete one of the two'
        || ' there; if it is other work, say so with `python -m pipeline decide ENTRY keep`.')
        || ' `python -m pipeline why ENTRY` names it.'
    FROM drift WHERE kind IN {SECOND}
)
{FIXES}
UNION ALL BY NAME
SELECT unsettled.* EXCLUDE minutes, minutes * 60 AS duration_seconds,
    user_id, user_id AS concerns_id, project_id,
    coalesce(user_name, user_id, entry_id) || ', ' || unsettled.work_date AS concerns
FROM unsettled LEFT JOIN clockify_time_entries USING (entry_id)
"""
"""The same, and what the ledger and the books hold that only a person can settle."""

LINE = """
    reason, min(concerns) || CASE WHEN count(DISTINCT concerns) > 1
        THEN ' and ' || (count(DISTINCT concerns) - 1) || ' more' ELSE '' END AS concerns,
    count(*) AS entries, coalesce(sum(duration_seconds), 0)::BIGINT AS duration_seconds,
    arg_min(suggestion, length(suggestion)) AS suggestion, fix,
    count(*) FILTER (WHERE is_only_reason) AS entries_freed,
    min(work_date) AS since, max(work_date) AS until, min(concerns_id) AS concerns_id
"""
IN_HOURS = "round(duration_seconds / 3600.0, 2) AS hours"
WORST_FIRST = "duration_seconds DESC, entries DESC, reason, fix"
"""By hours; an entry with several reasons is in several lines, since each must be mended."""
OF_DAYS = f"""
SELECT *, {IN_HOURS} FROM (SELECT work_date, {LINE} FROM ({FIXES})
    WHERE work_date BETWEEN $1 AND $2 GROUP BY work_date, reason, fix)
QUALIFY row_number() OVER (PARTITION BY work_date ORDER BY {WORST_FIRST}) <= $3
ORDER BY work_date, {WORST_FIRST}
"""
"""Each day's own lines, worst first, at most `$3` a day; for `figures.of_days`."""


def fix_list(since: date) -> str:
    """The view `fix_list`: one line for each act that is open since a day.

    Args:
        since: the first work date that concerns us.
    """
    return _lines_of(f"work_date >= DATE '{since}'")


def _lines_of(days: str) -> str:
    """SQL of the lines of some days taken together, worst first, over the view `fixes`."""
    return (
        f"FROM (SELECT {LINE} FROM fixes WHERE {days} GROUP BY reason, fix) ORDER BY {WORST_FIRST}"
    )


def lines(connection: Connection) -> list[Row]:
    """All lines of the view, worst first, with their hours."""
    return rows(connection, f"SELECT *, {IN_HOURS} FROM fix_list ORDER BY {WORST_FIRST}")


def lines_of_days(connection: Connection, first: date, last: date) -> list[Row]:
    """All lines of some days taken together, worst first; the connection has the view `fixes`."""
    return rows(connection, _lines_of("work_date BETWEEN $1 AND $2"), [first, last])
