"""Hours at risk: billable time that is not in QuickBooks and will not get there by waiting.

Holds the SQL. What only needs time is no risk: a day that has not passed, one that the settings
hold, a timer that may still be running since yesterday.
"""

from datetime import date

from pipeline.ledger import SETTLED
from pipeline.reports.figures import HOURS, PROJECT
from pipeline.storage import Connection, Row, rows

AGES = ("up to 7 days", "8 to 30 days", "31 to 90 days", "over 90 days")


def hours_at_risk(since: date, today: date) -> str:
    """The view `hours_at_risk`: one row per billable entry at risk, with age, cause and whose.

    Args:
        since: the first work date that concerns us.
        today: the calendar date now in `TIME_ZONE`, from which ages count.
    """
    return f"""
SELECT work_date, entry_id, cause, coalesce(user_name, user_id) AS person,
    {PROJECT} AS customer,
    DATE '{today}' - work_date AS age_days,
    CASE WHEN age_days <= 7 THEN '{AGES[0]}' WHEN age_days <= 30 THEN '{AGES[1]}'
        WHEN age_days <= 90 THEN '{AGES[2]}' ELSE '{AGES[3]}' END AS age,
    coalesce(duration_seconds, 0) AS duration_seconds, amount_minor, currency, user_id, project_id
FROM (
    SELECT *, coalesce(reason, state, 'not sent yet') AS cause FROM verdicts
    LEFT JOIN (SELECT entry_id, state FROM deliveries WHERE part = 0) USING (entry_id)
    WHERE verdict <> 'excluded' AND (reason IS NOT NULL OR coalesce(state, '') NOT IN {SETTLED})
)
WHERE is_billable AND work_date >= DATE '{since}' AND work_date < DATE '{today}'
    AND cause NOT IN ('in_future', 'settling')
    AND NOT (cause = 'running' AND work_date >= DATE '{today}' - 1)
"""


def summed(connection: Connection, column: str) -> list[Row]:
    """Entries, hours, and the oldest day at risk by a column of the view, the most hours first."""
    return rows(
        connection,
        f"SELECT {column}, count(*) AS entries, {HOURS} AS hours, min(work_date) AS since, "
        "min(user_id) AS user_id, min(project_id) AS customer_id "
        f"FROM hours_at_risk GROUP BY {column} ORDER BY hours DESC, entries DESC",
    )
