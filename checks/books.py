"""Standing checks of what was sent: has it drifted, and do the books and the ledger agree?

Both judge everything since `SEND_FROM` that was compared, by the tables that each load leaves
behind. That an activity was billed, or is there and not ours, is shown and warned of by nobody.
"""

from datetime import date

import dagster as dg

from checks.standing import LAUNCH, standing
from pipeline import figures
from pipeline.company import Company
from pipeline.metadata import table
from pipeline.warehouse import Connection
from pipeline.windows import stops_the_run

SHOWN = ["work_date", "minutes", "is_billable", "is_approved"]
"""Fields whose values may be shown; of the others only that they changed."""
NAMES = ["person", "customer"]
"""Fields whose values are names: shown unless `METADATA_NAMES=ids`."""
LINES = {
    "in the ledger, not in QuickBooks": "side = 'quickbooks' AND kind = 'deleted'",
    "there twice": "kind = 'duplicated'",
    "there, and like one of ours": "kind = 'resembling'",
    "changed in QuickBooks": "side = 'quickbooks' AND kind IN ('edited', 'moved')",
    "changed in Clockify": "side = 'clockify'",
    "there and not ours": "kind = 'not_ours'",
    "billed": "kind = 'billed'",
}
FACTS = {"changed in Clockify", "there and not ours", "billed"}
"""Lines in which the books and the ledger agree all the same."""
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


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def nothing_has_drifted(company: dg.ResourceParam[Company]) -> dg.AssetCheckResult:
    """No entry and no time activity has changed since it was sent, on either side."""
    settings = company.settings
    shown = SHOWN if settings.metadata_names == "ids" else [*SHOWN, *NAMES]
    with company.warehouse.connect() as connection:
        wrong = figures.rows(
            connection,
            "SELECT work_date, person_id AS user_id, person, customer_id, customer, "
            "1 AS entries, round(any_value(minutes) / 60.0, 2) AS hours, "
            "string_agg(concat_ws(' ', side, kind, field, CASE WHEN list_contains($2, field) "
            "THEN coalesce(before, 'none') || ' → ' || coalesce(after, 'none') END), '; ' "
            "ORDER BY side, field) AS change, any_value(is_billed) AS is_billed, "
            "CAST(min(found_at) AS DATE) AS since, entry_id, quickbooks_id "
            "FROM drift WHERE is_warning AND work_date >= $1 GROUP BY ALL "
            "ORDER BY is_billed DESC, work_date DESC, entry_id",
            [settings.since, shown],
        )
    return standing(
        company,
        wrong,
        [
            *("person", "customer", "work_date", "hours", "change"),
            *("is_billed", "since", "entry_id", "quickbooks_id"),
        ],
        right="nothing that was sent has changed since",
        problem="Entries or time activities that changed after they were sent",
        fix="Make both sides say the same, or set AFTER_SEND=update to follow the entries; "
        "what is billed already is for the bookkeeper. The table `drift` has each field",
    )


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def the_books_and_the_ledger_agree(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """What the ledger says was sent stands in QuickBooks, once and unchanged."""
    first, settings = company.settings.since, company.settings
    with company.report(context.log.info) as connection:
        lines = [*_lines(connection, first), *_not_compared(connection, first)]
        people = figures.rows(connection, BY_PERSON_AND_CUSTOMER, [first])
    wrong = [f"{line['activities']} {line['line']}" for line in lines if line["line"] not in FACTS]
    if unexplained := sum(row["unexplained"] for row in people):
        wrong.append(f"{unexplained} sums that nothing explains (`books_and_ledger`)")
    fixes = "".join(f" {line['fix']}." for line in lines if line.get("fix"))
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The books and the ledger differ: {', '.join(wrong)}.{fixes}"
        if wrong
        else "all that was sent stands in QuickBooks, once and unchanged",
        metadata={
            "lines": table(lines, ["line", "activities", "hours"], most=len(lines)),
            "by person and customer": table(
                people, COLUMNS, most=settings.metadata_rows, names=settings.metadata_names
            ),
        },
    )


def _lines(connection: Connection, first: date) -> list[figures.Row]:
    """How many time activities, and hours, each kind of difference concerns."""
    return [
        {"line": line, **row}
        for line, condition in LINES.items()
        for row in figures.rows(
            connection,
            "SELECT count(*) AS activities, round(sum(minutes) / 60.0, 2) AS hours "
            "FROM (SELECT DISTINCT quickbooks_id, minutes FROM drift "
            f"WHERE work_date >= $1 AND {condition}) HAVING count(*) > 0",
            [first],
        )
    ]


def _not_compared(connection: Connection, first: date) -> list[figures.Row]:
    """Deliveries that no load has compared since they changed, with the command that does."""
    found = figures.rows(
        connection,
        "SELECT 'not compared since they were sent' AS line, count(*) AS activities, "
        "round(sum(minutes) / 60.0, 2) AS hours, min(work_date) AS first, max(work_date) AS last "
        "FROM deliveries LEFT JOIN compared_days USING (work_date) WHERE work_date >= $1 "
        "AND state IN ('sent', 'adopted') AND (compared_at IS NULL OR updated_at > compared_at) "
        "HAVING count(*) > 0",
        [first],
    )
    return [row | {"fix": f"Compare with `{LAUNCH.format(**row)}`"} for row in found]
