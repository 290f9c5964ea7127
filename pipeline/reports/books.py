"""The books beside the ledger: what was compared, as tables and as the analysts' view.

Holds how a comparison replaces an older one, and the view by day, person and customer in which
every difference has a name. Keeps out what counts as drift (`drift`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pipeline.extract.pieces import days_of
from pipeline.ledger import DELIVERED, Delivery
from pipeline.schemas import ComparedDays, Drift, QuickbooksActivities, Table, framed, name_of
from pipeline.storage import Connection, doors, transaction

SECOND = ("duplicated", "resembling")
"""Kinds of what may be an entry's second activity."""
OF_ACTIVITIES = [*SECOND, "not_ours"]
"""Kinds that are an activity's, and stand as long as its own day is not compared again."""
SAME = ("side", "kind", "field", "before", "after", "entry_id", "quickbooks_id")
"""What makes a row of `drift` the one that was found before."""
SENT_RATE = "coalesce((payload->>'$.HourlyRate')::DECIMAL(18, 2) * 100, 0)::HUGEINT"
"""The rate in minor units that a delivery was sent at."""
BOOKS_AND_LEDGER = f"""
WITH moving AS (
    SELECT entry_id, side FROM drift WHERE kind IN ('edited', 'moved', 'deleted')
        AND coalesce(field, '') NOT IN ('description', 'item')
), delivered AS (
    SELECT work_date, entry_id, quickbooks_id, state, minutes, coalesce(amount_minor, 0) AS amount,
        coalesce(payload->>'$.EmployeeRef.value', '') AS person_id,
        coalesce(payload->>'$.CustomerRef.value', '') AS customer_id, currency,
        {SENT_RATE} AS rate,
        entry_id IN (SELECT entry_id FROM moving WHERE side = 'clockify') AS is_entry_drifted,
        entry_id IN (SELECT entry_id FROM moving WHERE side = 'quickbooks') AS is_activity_drifted
    FROM deliveries JOIN compared_days USING (work_date)
    WHERE updated_at <= compared_at AND (state IN {DELIVERED}
        OR state = 'gone' AND entry_id IN (
            SELECT entry_id FROM moving WHERE side = 'quickbooks'))
), tracked AS (
    SELECT delivered.* EXCLUDE (work_date, person_id, customer_id, currency),
        if(is_entry_drifted, entry.work_date, delivered.work_date) AS work_date,
        if(is_entry_drifted, coalesce(accepted.quickbooks_employee_id, entry.user_name,
            entry.user_id), person_id) AS person_id,
        if(is_entry_drifted, coalesce(accepted.quickbooks_customer_id, entry.project_name, ''),
            customer_id) AS customer_id,
        if(is_entry_drifted, if(entry.is_billable, entry.currency, NULL), delivered.currency)
            AS currency,
        coalesce(entry.duration_seconds, 0)::HUGEINT AS seconds,
        CASE WHEN entry.is_billable AND entry.currency = delivered.currency
            THEN coalesce(entry.hourly_rate_minor, 0) ELSE 0 END::HUGEINT AS clockify_rate,
        CASE WHEN NOT entry.is_billable THEN 0 WHEN is_entry_drifted
            OR entry.currency = delivered.currency THEN coalesce(entry.amount_minor, 0)
            ELSE 0 END AS clockify_amount,
        (2 * seconds * rate + 3600) // 7200 AS exact_amount,
        (2 * seconds * clockify_rate + 3600) // 7200 AS exact_clockify,
        if(is_entry_drifted, NULL, delivered.minutes * 60 - seconds) AS rounded_by
    FROM delivered JOIN clockify_time_entries AS entry USING (entry_id)
    LEFT JOIN accepted_time_entries AS accepted USING (entry_id)
), sides AS (
    SELECT work_date, person_id, customer_id, currency, seconds AS clockify_seconds,
        clockify_amount AS clockify_amount_minor,
        if(abs(rounded_by) <= 30, rounded_by, NULL) AS minute_rounding_seconds,
        if(abs(rounded_by) <= 30, amount - exact_amount, NULL) AS minute_rounding_amount_minor,
        if(is_entry_drifted, NULL, exact_amount - exact_clockify) AS item_price_amount_minor,
        CASE WHEN NOT is_entry_drifted AND abs(exact_clockify - clockify_amount) <= 1
            THEN exact_clockify - clockify_amount END AS cent_rounding_amount_minor,
        CASE WHEN is_entry_drifted THEN -seconds END AS entry_drift_seconds,
        CASE WHEN is_entry_drifted THEN -clockify_amount END AS entry_drift_amount_minor
    FROM tracked
    UNION ALL BY NAME
    SELECT work_date, person_id, customer_id, currency, minutes AS ledger_minutes,
        amount AS ledger_amount_minor,
        CASE WHEN is_entry_drifted THEN minutes * 60 END AS entry_drift_seconds,
        CASE WHEN is_entry_drifted THEN amount END AS entry_drift_amount_minor,
        CASE WHEN is_activity_drifted THEN -minutes END AS activity_drift_minutes,
        CASE WHEN is_activity_drifted THEN -amount END AS activity_drift_amount_minor
    FROM delivered
    UNION ALL BY NAME
    SELECT work_date, person_id, customer_id, CASE WHEN is_billable THEN currency END AS currency,
        minutes AS not_ours_minutes, coalesce(amount_minor, 0) AS not_ours_amount_minor,
        minutes AS quickbooks_minutes, coalesce(amount_minor, 0) AS quickbooks_amount_minor
    FROM quickbooks_activities AS activity WHERE NOT EXISTS (
        SELECT 1 FROM deliveries WHERE state IN {DELIVERED}
            AND deliveries.quickbooks_id = activity.quickbooks_id)
    UNION ALL BY NAME
    SELECT if(is_activity_drifted, activity.work_date, delivered.work_date) AS work_date,
        if(is_activity_drifted, activity.person_id, delivered.person_id) AS person_id,
        if(is_activity_drifted, activity.customer_id, delivered.customer_id) AS customer_id,
        if(is_activity_drifted, if(is_billable, activity.currency, NULL), delivered.currency)
            AS currency,
        activity.minutes AS quickbooks_minutes,
        coalesce(amount_minor, 0) AS quickbooks_amount_minor,
        CASE WHEN is_activity_drifted THEN activity.minutes END AS activity_drift_minutes,
        if(is_activity_drifted, quickbooks_amount_minor, NULL) AS activity_drift_amount_minor
    FROM delivered JOIN quickbooks_activities AS activity USING (quickbooks_id)
    WHERE state <> 'gone'
), summed AS (
    SELECT work_date, person_id, customer_id, currency,
        coalesce(sum(COLUMNS('_(seconds|minutes|amount_minor)$')), 0)::BIGINT AS "\\0"
    FROM sides GROUP BY ALL
)
SELECT work_date, person_id, coalesce(employee.display_name, person_id) AS person, customer_id,
    coalesce(fully_qualified_name, customer_id) AS customer, summed.currency,
    summed.* EXCLUDE (work_date, person_id, customer_id, currency),
    quickbooks_minutes * 60 - clockify_seconds - minute_rounding_seconds - entry_drift_seconds
        - (activity_drift_minutes + not_ours_minutes) * 60 AS unexplained_seconds,
    quickbooks_amount_minor - clockify_amount_minor - minute_rounding_amount_minor
        - item_price_amount_minor - cent_rounding_amount_minor - entry_drift_amount_minor
        - activity_drift_amount_minor - not_ours_amount_minor AS unexplained_amount_minor
FROM summed
LEFT JOIN quickbooks_employees AS employee ON quickbooks_employee_id = person_id
LEFT JOIN quickbooks_customers ON quickbooks_customer_id = customer_id
"""
"""From what Clockify says to what QuickBooks holds, step by step; currency never mixed."""


def days_read(connection: Connection) -> set[date]:
    """The days that were ever read from Clockify."""
    return {day for (day,) in connection.execute("SELECT work_date FROM days").fetchall()}


def days_judged(connection: Connection) -> set[date]:
    """The days whose entries have verdicts; not those that were read anew since."""
    query = "SELECT work_date FROM days WHERE reviewed_at IS NOT NULL"
    return {day for (day,) in connection.execute(query).fetchall()}


def stale_days(connection: Connection, changed: Mapping[date, datetime]) -> list[date]:
    """Days of which a comparison has been overtaken: by a read, or by what became of a delivery.

    Such as of a month that has changed, a moved entry, or what a person has decided since; and
    those that have deliveries and were never compared.

    Args:
        connection: an open warehouse.
        changed: when what is compared of each day last changed.
    """
    rows = connection.execute(
        "SELECT work_date, extracted_at, compared_at FROM days LEFT JOIN compared_days "
        "USING (work_date) ORDER BY work_date"
    ).fetchall()
    return [
        day
        for day, read, compared in rows
        if (day in changed if compared is None else compared < max(read, changed.get(day, read)))
    ]


def made_of(connection: Connection, entry_ids: Sequence[str]) -> dict[str, str]:
    """Each entry, of those, that had a time activity when QuickBooks was last compared, with it."""
    rows = connection.execute(
        "SELECT entry_id, max(quickbooks_id) FROM quickbooks_activities "
        "WHERE entry_id = ANY($1) GROUP BY ALL",
        [list(entry_ids)],
    ).fetchall()
    return dict(rows)


def likened(connection: Connection) -> list[tuple[str, date]]:
    """Each entry of which another activity is the like, and the day on which that stands."""
    return connection.execute(
        f"SELECT DISTINCT entry_id, work_date FROM drift WHERE kind IN {SECOND}"
    ).fetchall()


def store(
    connection: Connection,
    activities: Sequence[Mapping[str, object]],
    drift: Sequence[Mapping[str, object]],
    known: Sequence[Delivery],
    window: tuple[date, date],
    now: datetime,
) -> None:
    """Put a comparison in the place of older ones of its days, entries and activities.

    Args:
        connection: an open warehouse.
        activities: rows of `quickbooks_activities`.
        drift: rows of `drift`.
        known: the deliveries compared.
        window: the first and last day.
        now: when.
    """
    days = sorted(days_read(connection) & set(days_of(*window)))
    compared = [{"work_date": day, "compared_at": now} for day in days]
    staged: dict[type[Table], Sequence[Mapping[str, object]]] = {
        ComparedDays: compared,
        QuickbooksActivities: activities,
        Drift: drift,
    }
    for model, rows in staged.items():
        doors.stage(connection, model, framed(model, rows), f"new_{name_of(model)}")
    entries = [each.entry_id for each in known]
    ids = [each.quickbooks_id for each in known if each.quickbooks_id]
    of_window = "work_date BETWEEN $1 AND $2"
    alike = " AND ".join(f"new_drift.{name} IS NOT DISTINCT FROM drift.{name}" for name in SAME)
    with transaction(connection):
        connection.execute(
            f"UPDATE new_drift SET found_at = drift.found_at FROM drift WHERE {alike}"
        )
        connection.execute(f"DELETE FROM compared_days WHERE {of_window}", window)
        connection.execute(
            f"DELETE FROM quickbooks_activities WHERE {of_window} OR quickbooks_id = ANY($3) "
            "OR quickbooks_id IN (SELECT quickbooks_id FROM new_quickbooks_activities)",
            [*window, ids],
        )
        connection.execute(
            f"DELETE FROM drift WHERE {of_window} OR entry_id = ANY($3) AND kind <> ALL($4) "
            "OR quickbooks_id IN (SELECT quickbooks_id FROM new_quickbooks_activities)",
            [*window, entries, OF_ACTIVITIES],
        )
        for name in map(name_of, staged):
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM new_{name}")
