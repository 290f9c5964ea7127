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
from pipeline.settings import Settings
from pipeline.storage import Connection

SOURCES = ["clockify_time_entries", *map(schemas.name_of, stages.LISTS)]
asset = partial(dg.AssetSpec, deps=SOURCES, group_name="review", kinds={"pandera"}, tags=DAILY)
"""Declares an asset of this stage."""
JUDGED = (schemas.ClockifyTimeEntries, schemas.QuickbooksEmployees, schemas.QuickbooksCustomers)
REJECTED = dg.AssetKey("rejected_time_entries")
ByDay = dict[date, dict[str, object]]


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
    chosen = sorted(context.selected_asset_keys)
    with stops_the_run():
        first, last = window(context)
        stages.review(company, context.log.info, first, last)
        with company.warehouse.connect() as connection:
            shown = {
                key: SHOWN[key.to_user_string()](connection, company.settings, first, last)
                for key in chosen
            }
            hours = figures.hours_by_verdict(connection, first, last)
        if REJECTED in shown:
            # One picture per run, on its last day: one for each day of a year would be megabytes.
            # Drawn here: what its drawing lacks is no fault of the warehouse's.
            shown[REJECTED][last]["hours by day"] = chart.hours_by_day(days_of(first, last), hours)
        for key, days in shown.items():
            for day, metadata in days.items():
                context.add_asset_metadata(metadata, key, day.isoformat())
    for key in chosen:
        yield dg.MaterializeResult(asset_key=key)


def _accepted(connection: Connection, settings: Settings, first: date, last: date) -> ByDay:
    accepted = figures.of_days(connection, figures.ACCEPTED, first, last)
    shown: ByDay = {}
    for day in days_of(first, last):
        rows = accepted[day]
        customers = links.quickbooks_customers(settings, rows, "project")
        shown[day] = {
            "dagster/partition_row_count": int(figures.total(rows, "entries")),
            "hours": figures.total(rows, "hours"),
            "by person and project": capped(
                settings, rows, ["person", "project", "entries", "hours"]
            ),
            "in QuickBooks": dg.MetadataValue.md(customers),
        }
    return shown


def _rejected(connection: Connection, settings: Settings, first: date, last: date) -> ByDay:
    """First what to do about a day, then its entries, then the numbers that are plotted."""
    lines = figures.of_days(connection, fix_list.OF_DAYS, first, last, fix_list.LINES_A_DAY)
    entries = figures.of_days(connection, figures.WAITING, first, last, settings.metadata_rows)
    reasons = figures.of_days(connection, figures.NOT_ACCEPTED, first, last)
    unbilled = figures.of_days(connection, figures.NOT_BILLABLE, first, last)
    shown: ByDay = {}
    for day in days_of(first, last):
        groups = reasons[day]
        shown[day] = {
            "fix list": capped(settings, lines[day], fix_list.COLUMNS),
            "entries not accepted": capped(
                settings, entries[day], ["person", "project", "hours", "reason", "fix", "entry_id"]
            ),
            "in Clockify": dg.MetadataValue.url(links.clockify_day(settings, day)),
            "by reason": table(groups, ["verdict", "reason", "entries", "hours"], most=len(groups)),
            "dagster/partition_row_count": int(figures.total(groups, "entries")),
            **counts(figures.summed(groups, "verdict"), "verdict"),
            **counts(groups, "reason"),
            "hours not billable on billable projects": figures.total(unbilled[day], "hours"),
        }
    return shown


SHOWN = {"accepted_time_entries": _accepted, "rejected_time_entries": _rejected}
"""What each day of an asset shows, even one without entries."""
