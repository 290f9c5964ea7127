"""Load: the accepted entries become time activities in QuickBooks, once each.

The order of steps is in `pipeline.delivery.loading`; the README says in prose what is promised.
"""

from datetime import date, timedelta

import dagster as dg

from assets.extract import DAILY, SINGLE_RUN
from pipeline import schemas, stages
from pipeline.company import Company
from pipeline.delivery.loading import Wishes
from pipeline.delivery.planning import Plan
from pipeline.extract.pieces import days_of
from pipeline.orchestration import links
from pipeline.orchestration.failed_runs import MISSED_AFTER
from pipeline.orchestration.metadata import capped, counts, definition_metadata, table
from pipeline.orchestration.windows import DRY_RUN, SCHEDULE_NAME, stops_the_run, window
from pipeline.reports import figures

DAILY_WITH_LEEWAY = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=26), fail_window=MISSED_AFTER
)
"""A morning's run may take two hours."""


class LoadConfig(Wishes, dg.Config):
    """How one run loads."""


@dg.asset(
    group_name="load",
    kinds={"quickbooks"},
    deps=["accepted_time_entries"],
    tags=DAILY,
    backfill_policy=SINGLE_RUN,
    freshness_policy=DAILY_WITH_LEEWAY,
    metadata=definition_metadata(schemas.Deliveries, schemas.AcceptedTimeEntries),
)
@stops_the_run()
def quickbooks_time_activities(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company], config: LoadConfig
) -> dg.MaterializeResult[None]:
    """One row per entry ever meant for QuickBooks: its delivery, by state.

    Each accepted entry becomes one time activity. Before anything is sent, QuickBooks is read:
    what it already holds is adopted, what looks alike is left for a person. A request whose outcome
    is unknown is settled by reading QuickBooks, and sent again only if it was not stored. Last, all
    that was ever sent for these days is compared with both sides as they are now: see the checks
    `nothing_has_drifted` and `the_books_and_the_ledger_agree`.
    """
    first, last = window(context)
    is_scheduled = SCHEDULE_NAME in context.run.tags
    planned = stages.load(company, context.log.info, first, last, config, is_scheduled=is_scheduled)
    is_dry = config.dry_run or company.settings.dry_run
    if is_dry or DRY_RUN in context.run.tags:  # of the run that this one executes again
        context.instance.add_run_tags(context.run.run_id, {DRY_RUN: str(is_dry).lower()})
    _describe_days(context, company, planned, first, last)
    return dg.MaterializeResult()


def _describe_days(
    context: dg.AssetExecutionContext,
    company: Company,
    planned: list[Plan],
    first: date,
    last: date,
) -> None:
    """Put each day's facts on that day, even if it has no entries."""
    settings = company.settings
    with company.report(context.log.info) as connection:
        states = figures.of_days(connection, figures.DELIVERED, first, last)
        unresolved = figures.of_days(connection, figures.UNRESOLVED, first, last)
    would_send = [row.work_date for plan in planned for row in plan.send]
    for day in days_of(first, last):
        metadata: dict[str, object] = {
            "dagster/partition_row_count": int(figures.total(states[day], "entries")),
            "by state": table(states[day], ["state", "entries", "hours"], most=len(states[day])),
            "for a person": capped(
                settings,
                unresolved[day],
                ["state", "hours", "error_code", "problem", "entry_id", "quickbooks_id"],
            ),
            **counts(states[day], "state"),
        }
        if alike := [row["quickbooks_id"] for row in unresolved[day] if row["quickbooks_id"]]:
            pages = links.quickbooks_activities(settings, alike[: settings.metadata_rows])
            metadata["in QuickBooks"] = dg.MetadataValue.md(pages)
        if planned:
            metadata["would be sent (dry run)"] = would_send.count(day)
        context.add_asset_metadata(metadata, partition_key=day.isoformat())
