"""Standing checks of what a load leaves behind, as `standing` describes them."""

import dagster as dg

from checks.standing import standing
from pipeline import analysis, figures
from pipeline.company import Company, unfinished
from pipeline.windows import stops_the_run


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def activities_stand_as_they_were_sent(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """No time activity, of whatever run, was stored otherwise than it was sent, or changed since.

    The gate of the run that sent it is red once; this keeps it.
    """
    with company.books(context.log.info) as connection:
        wrong = figures.explained(
            connection,
            "SELECT state, work_date, CAST(updated_at AS DATE) AS since, error_code, "
            "error_message, round(minutes / 60.0, 2) AS hours, quickbooks_id, entry_id "
            "FROM ledger.deliveries WHERE state IN ('sent', 'gone') AND error_message IS NOT NULL "
            "ORDER BY work_date",
        )
    return standing(
        company,
        wrong,
        ["state", "work_date", "since", "hours", "problem", "quickbooks_id", "entry_id"],
        right="QuickBooks holds every time activity as it was sent",
        problem="Time activities that QuickBooks stored otherwise than they were sent, or no "
        "longer has",
        fix="Compare them with QuickBooks and correct them there",
    )


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def the_run_before_left_its_copies(company: dg.ResourceParam[Company]) -> dg.AssetCheckResult:
    """The run before this one published the analysts' copy, and copied the ledger, at its end.

    What fails there comes after a run's last event, so that the run itself stays green.
    """
    is_done = not unfinished(company.settings).exists()
    age = "" if is_done else f"the analysts read {analysis.age(company.settings.analysis)}"
    return dg.AssetCheckResult(
        passed=is_done,
        severity=dg.AssetCheckSeverity.WARN,
        description="the run before published the analysts' copy and copied the ledger"
        if is_done
        else f"The run before could not publish the analysts' copy or copy the ledger: {age}. The "
        "last lines of its log say why; this run tries again.",
    )
