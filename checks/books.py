"""Standing checks of what was sent: does it stand as it was sent, and do both books agree?

They judge everything since `SEND_FROM` by the tables that each load leaves behind. That an
activity was billed, or is in QuickBooks and not ours, is shown, and no warning.
"""

import dagster as dg

from checks.claim import LAUNCH, Claim
from pipeline.company import Company
from pipeline.orchestration.metadata import capped, table
from pipeline.orchestration.windows import stops_the_run
from pipeline.reports import analysis
from pipeline.storage import Connection, Row, queries

LINES = {
    "in the ledger but not in QuickBooks": "side = 'quickbooks' AND kind = 'deleted'",
    "in QuickBooks twice": "kind = 'duplicated'",
    "in QuickBooks and like one of ours": "kind = 'resembling'",
    "changed in QuickBooks": "side = 'quickbooks' AND kind IN ('edited', 'moved')",
    "changed in Clockify": "side = 'clockify'",
    "in QuickBooks and not ours": "kind = 'not_ours'",
    "billed": "kind = 'billed'",
}
FACTS = {"changed in Clockify", "in QuickBooks and not ours", "billed"}
"""Lines in which the books and the ledger agree all the same."""
_LINE = " ".join(f"WHEN {condition} THEN '{line}'" for line, condition in LINES.items())
DRIFTED = f"""
SELECT line, count(*) AS activities, round(sum(minutes) / 60.0, 2) AS hours FROM (
    SELECT DISTINCT quickbooks_id, minutes, CASE {_LINE} END AS line FROM drift
    WHERE work_date >= $1)
GROUP BY line ORDER BY list_position({list(LINES)}, line)
"""
"""How many time activities, and hours, each kind of difference concerns."""
BY_PERSON_AND_CUSTOMER = """
SELECT person_id AS user_id, person, customer_id, customer, currency,
    round(sum(clockify_seconds) / 3600.0, 2) AS clockify_hours,
    round(sum(minute_rounding_seconds) / 3600.0, 4) AS rounding_hours,
    round(sum(entry_drift_seconds) / 3600.0, 2) AS entry_drift_hours,
    round(sum(ledger_minutes) / 60.0, 2) AS ledger_hours,
    round(sum(activity_drift_minutes) / 60.0, 2) AS activity_drift_hours,
    round(sum(not_ours_minutes) / 60.0, 2) AS not_ours_hours,
    round(sum(quickbooks_minutes) / 60.0, 2) AS quickbooks_hours,
    bool_or(activity_drift_amount_minor <> 0) AS is_money_different,
    count(*) FILTER (WHERE unexplained_seconds <> 0 OR unexplained_amount_minor <> 0) AS unexplained
FROM books_and_ledger WHERE work_date >= $1 GROUP BY ALL
ORDER BY unexplained DESC, abs(activity_drift_hours) DESC, quickbooks_hours DESC
"""
COLUMNS = [
    *("person", "customer", "clockify_hours", "ledger_hours", "quickbooks_hours"),
    *("rounding_hours", "entry_drift_hours", "activity_drift_hours", "not_ours_hours"),
    *("is_money_different", "currency"),
]
NOT_COMPARED = f"""
SELECT 'not compared since they were sent' AS line, count(*) AS activities,
    round(sum(minutes) / 60.0, 2) AS hours, min(work_date) AS first, max(work_date) AS last,
    {LAUNCH} AS command
FROM deliveries LEFT JOIN compared_days USING (work_date)
WHERE work_date >= $1 AND state IN ('sent', 'adopted')
    AND (compared_at IS NULL OR updated_at > compared_at)
HAVING count(*) > 0
"""
"""Deliveries that no load has compared since they changed, with the command that does."""


def unpublished(_: Connection, company: Company, __: Row) -> list[Row]:
    """What the analysts read, if the run before could not put its own copy there."""
    return [{"copy": analysis.age(company.settings.analysis)}] if company.was_cut_short else []


CLAIMS = {
    "nothing_has_drifted": Claim(
        asset="quickbooks_time_activities",
        says="No entry and no time activity has changed since it was sent, on either side.",
        # Of other fields than these only that they changed: they may hold rates and descriptions.
        wrong="""
        SELECT work_date, person_id AS user_id, person, customer_id, customer, 1 AS entries,
            round(any_value(minutes) / 60.0, 2) AS hours,
            string_agg(concat_ws(' ', side, kind, field, CASE
                WHEN field IN ('work_date', 'minutes', 'is_billable', 'is_approved')
                OR (field IN ('person', 'customer') AND $names = 'names')
                THEN coalesce(before, 'none') || ' → ' || coalesce(after, 'none') END
            ), '; ' ORDER BY side, field) AS change,
            any_value(is_billed) AS is_billed, CAST(min(found_at) AS DATE) AS since, entry_id,
            quickbooks_id
        FROM drift WHERE is_warning AND work_date >= $since
        GROUP BY ALL ORDER BY is_billed DESC, work_date DESC, entry_id
        """,
        columns=[
            *("person", "customer", "work_date", "hours", "change"),
            *("is_billed", "since", "entry_id", "quickbooks_id"),
        ],
        right="nothing that was sent has changed since",
        problem="Entries or time activities that changed after they were sent: {measured}",
        fix="Make both sides say the same (a description in characters that QuickBooks keeps), or "
        "set AFTER_SEND=update to follow the entries; settle what was deleted in QuickBooks with "
        "`python -m pipeline decide ENTRY skip`, or `adopt ID`; where an activity only resembles "
        "one of ours, say so with `decide ENTRY keep`; what is billed already is for the "
        "bookkeeper. The table `drift` has each field",
    ),
    "the_run_before_left_its_copies": Claim(
        asset="quickbooks_time_activities",
        says="The run before this one published the analysts' copy, and copied the ledger, at its "
        "end.\n\nWhat fails there comes after a run's last event: that run stays green.",
        wrong=unpublished,
        columns=["copy"],
        right="the run before published the analysts' copy and copied the ledger",
        problem="The run before was cut short, or could not publish the analysts' copy or copy "
        "the ledger: the analysts read {first_of_all[copy]}",
        fix="The last lines of its log say why; this run tries again",
    ),
}


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def the_books_and_the_ledger_agree(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """What the ledger says was sent stands in QuickBooks, once and unchanged."""
    first = company.settings.since
    with company.report(context.log.info) as connection:
        stale = queries.rows(connection, NOT_COMPARED, [first])
        lines = [*queries.rows(connection, DRIFTED, [first]), *stale]
        people = queries.rows(connection, BY_PERSON_AND_CUSTOMER, [first])
    wrong = [f"{line['activities']} {line['line']}" for line in lines if line["line"] not in FACTS]
    if unexplained := sum(row["unexplained"] for row in people):
        wrong.append(f"{unexplained} sums that nothing explains (`books_and_ledger`)")
    fixes = "".join(f" Compare with `{line['command']}`." for line in stale)
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The books and the ledger differ: {', '.join(wrong)}.{fixes}"
        if wrong
        else "all that was sent stands in QuickBooks, once and unchanged",
        metadata={
            "lines": table(lines, ["line", "activities", "hours"], most=len(lines)),
            "by person and customer": capped(company.settings, people, COLUMNS),
        },
    )
