"""Extract: Clockify's entries by work date, and the people, projects and company they refer to.

Each asset reads everything, checks it against the counts that the API gives, and then writes.
Nothing is filtered here: what may be sent is decided in review.
"""

from datetime import date
from functools import partial

import dagster as dg

from pipeline import schemas, stages
from pipeline.company import Company
from pipeline.extract.extraction import Extracted
from pipeline.extract.pieces import days_of
from pipeline.orchestration.metadata import capped, definition_metadata
from pipeline.orchestration.windows import stops_the_run, window
from pipeline.reports import figures

RETRIES = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
)
SINGLE_RUN = dg.BackfillPolicy.single_run()
DAILY = {"grain": "work_date"}
"""Tag of the assets that `definitions` partitions by work date."""
asset = partial(dg.asset, group_name="extract", backfill_policy=SINGLE_RUN, retry_policy=RETRIES)
"""Declares an asset of this stage."""


class ExtractConfig(dg.Config):
    """How one run extracts."""

    watch_history: bool = False
    """Compare older months by their totals; read again those that changed, and one in turn."""


def snapshot(model: type[schemas.Table]) -> dg.AssetsDefinition:
    """An asset that replaces a stored list by the whole of what its service holds now.

    Args:
        model: the list's table, which says what a row is.
    """
    service, _ = stages.LISTS[model]

    @asset(
        name=schemas.name_of(model),
        description=model.__doc__,
        kinds={service},
        metadata=definition_metadata(model),
    )
    @stops_the_run()
    def read_whole(
        context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
    ) -> dg.MaterializeResult[None]:
        rows = stages.snapshot(company, context.log.info, model)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return read_whole


clockify_users = snapshot(schemas.ClockifyUsers)
clockify_projects = snapshot(schemas.ClockifyProjects)
quickbooks_employees = snapshot(schemas.QuickbooksEmployees)
quickbooks_customers = snapshot(schemas.QuickbooksCustomers)
quickbooks_company = snapshot(schemas.QuickbooksCompany)


@asset(
    kinds={"clockify"},
    deps=[clockify_users],
    tags=DAILY,
    metadata=definition_metadata(schemas.ClockifyTimeEntries),
)
@stops_the_run()
def clockify_time_entries(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company], config: ExtractConfig
) -> dg.MaterializeResult[None]:
    """One row per Clockify time entry, on the work date on which it starts in `TIME_ZONE`.

    Read from the detailed report, rounded as `ROUNDING` says, and checked against the report's
    own count. An entry that has left a day is looked up by its id: it was deleted, or it has moved,
    and then its new day is read in the same run, or the run stops.
    """
    first, last = window(context)
    found = stages.extract(
        company, context.log.info, first, last, watch_history=config.watch_history
    )
    _describe_days(context, company, found, first, last)
    return dg.MaterializeResult()


def _describe_days(
    context: dg.AssetExecutionContext, company: Company, found: Extracted, first: date, last: date
) -> None:
    """Put each day's facts on that day, even if it has no entries."""
    with company.warehouse.connect() as connection:
        days = figures.of_days(connection, figures.READ, first, last)
    for day in days_of(first, last):
        row = days[day][0] if day in days else {"entries": 0, "hours": 0, "people": 0}
        gone = [
            {"entry_id": entry_id, "what": what}
            for entry_id, (left, what) in found.left.items()
            if left == day
        ]
        context.add_asset_metadata(
            {
                "dagster/partition_row_count": row["entries"],
                "hours": row["hours"],
                "people": row["people"],
                "entries that left this day": len(gone),
                "left": capped(company.settings, gone, ["entry_id", "what"]),
            },
            partition_key=day.isoformat(),
        )
