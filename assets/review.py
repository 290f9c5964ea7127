"""Review: every entry gets exactly one verdict; one not accepted says why and what to do.

The rules are in `pipeline.review.reasons`, the matching in `pipeline.review.matching`.
"""

from collections.abc import Iterator
from datetime import date
from functools import partial

import dagster as dg

from assets.extract import DAILY, SINGLE_RUN
from pipeline import schemas, stages
from pipeline.company import Company
from pipeline.extract.pieces import days_of
from pipeline.orchestration import chart, links
from pipeline.orchestration.metadata import capped, counts, definition_metadata, table
from pipeline.orchestration.windows import stops_the_run, window
from pipeline.reports import figures, fix_list
from pipeline.storage import queries

SOURCES = ["clockify_time_entries", *map(schemas.name_of, stages.LISTS)]
asset = partial(dg.AssetSpec, deps=SOURCES, group_name="review", kinds={"pandera"}, tags=DAILY)
"""Declares an asset of this stage."""
JUDGED = (schemas.ClockifyTimeEntries, schemas.QuickbooksEmployees, schemas.QuickbooksCustomers)


@dg.multi_asset(
    specs=[
        asset(
            "accepted_time_entries",
            description="One row per accepted entry: the employee, the customer, the hours and "
            "the amount to send. An entry that QuickBooks already holds stays accepted.",
            metadata=definition_metadata(schemas.AcceptedTimeEntries, *JUDGED),
        ),
        asset(
            "rejected_time_entries",
            description="One row per entry not accepted: its verdict (`rejected`: somebody must "
            "change something; `held`: not yet; `excluded`: never), its reasons, and a fix for "
            "each. Open a day under Partitions to see its entries.",
            metadata=definition_metadata(schemas.RejectedTimeEntries, *JUDGED),
        ),
    ],
    backfill_policy=SINGLE_RUN,
    can_subset=True,
)
def review(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
) -> Iterator[dg.MaterializeResult[None]]:
    """Judge the run's days, and any other day that was read since it was last judged.

    Both tables are always written together, so that an entry has one verdict at any moment.
    """
    with stops_the_run():
        first, last = window(context)
        stages.review(company, context.log.info, first, last)
        _describe_days(context, company, first, last)
    for key in sorted(context.selected_asset_keys):
        yield dg.MaterializeResult(asset_key=key)


def _describe_days(
    context: dg.AssetExecutionContext, company: Company, first: date, last: date
) -> None:
    """Put each day's facts on that day, even if it has no entries."""
    settings = company.settings
    with company.warehouse.connect() as connection:
        accepted = figures.of_days(connection, figures.ACCEPTED, first, last)
        groups = figures.of_days(connection, figures.NOT_ACCEPTED, first, last)
        unbilled = figures.of_days(connection, figures.NOT_BILLABLE, first, last)
        lines = figures.of_days(connection, fix_list.OF_DAYS, first, last, fix_list.LINES_A_DAY)
        entries = figures.of_days(connection, figures.WAITING, first, last, settings.metadata_rows)
        hours = figures.hours_by_verdict(connection, first, last)
    for day in days_of(first, last):
        _add(context, "accepted_time_entries", day, _accepted(accepted[day], company))
        rejected = _rejected(company, day, lines[day], entries[day], groups[day], unbilled[day])
        _add(context, "rejected_time_entries", day, rejected)
    # One picture per run, on its last day: one for each day of a year would be megabytes.
    picture: dict[str, object] = {"hours by day": chart.hours_by_day(days_of(first, last), hours)}
    _add(context, "rejected_time_entries", last, picture)


def _add(
    context: dg.AssetExecutionContext, key: str, day: date, metadata: dict[str, object]
) -> None:
    if dg.AssetKey(key) in context.selected_asset_keys:
        context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())


def _accepted(rows: list[queries.Row], company: Company) -> dict[str, object]:
    settings = company.settings
    return {
        "dagster/partition_row_count": int(figures.total(rows, "entries")),
        "hours": figures.total(rows, "hours"),
        "by person and project": capped(settings, rows, ["person", "project", "entries", "hours"]),
        "in QuickBooks": dg.MetadataValue.md(links.quickbooks_customers(settings, rows, "project")),
    }


def _rejected(
    company: Company,
    day: date,
    lines: list[queries.Row],
    entries: list[queries.Row],
    groups: list[queries.Row],
    unbilled: list[queries.Row],
) -> dict[str, object]:
    """First what to do about a day, then its entries, then the numbers that are plotted."""
    settings = company.settings
    return {
        "fix list": capped(settings, lines, fix_list.COLUMNS),
        "entries not accepted": capped(
            settings, entries, ["person", "project", "hours", "reason", "fix", "entry_id"]
        ),
        "in Clockify": dg.MetadataValue.url(links.clockify_day(settings, day)),
        "by reason": table(groups, ["verdict", "reason", "entries", "hours"], most=len(groups)),
        "dagster/partition_row_count": int(figures.total(groups, "entries")),
        **counts(figures.summed(groups, "verdict"), "verdict"),
        **counts(groups, "reason"),
        "hours not billable on billable projects": figures.total(unbilled, "hours"),
    }
