"""Report: what people work with. The fix list, the hours at risk, the month's statement.

These depend on the review, not on the load: a gate that fails on the load turns the run red and
stops what depends on it, and the fix list is needed most on a red morning. In a run they still come
last, so that they include what was sent.
"""

from datetime import timedelta
from functools import partial

import dagster as dg

from assets.extract import SINGLE_RUN
from pipeline.company import Company
from pipeline.extract.pieces import days_of
from pipeline.orchestration import chart, links
from pipeline.orchestration.metadata import capped, definition_metadata
from pipeline.orchestration.windows import stops_the_run
from pipeline.reports import books, figures, views
from pipeline.reports.fix_list import COLUMNS
from pipeline.reports.fix_list import lines as lines_of
from pipeline.reports.hours_at_risk import AGES, summed
from pipeline.reports.statement import IN_HOURS, SHOWN, of_month
from pipeline.schemas import RejectedTimeEntries
from pipeline.storage import queries

LAST = {"dagster/priority": "-1"}
"""Of the steps that are ready, those of this stage run last."""
REVIEWED = ["accepted_time_entries", "rejected_time_entries"]
report = partial(
    dg.asset, group_name="report", kinds={"duckdb"}, backfill_policy=SINGLE_RUN, op_tags=LAST
)


@report(deps=["rejected_time_entries"], metadata=definition_metadata(views.FixList))
@stops_the_run()
def fix_list(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
) -> dg.MaterializeResult[None]:
    """One row per fix that lets entries through: whom it concerns, what to change, worst first.

    Over all open days since `SEND_FROM`. An entry with two reasons is in two rows, since both need
    a fix; `entries_freed` counts the entries that this fix alone lets through. The whole list is
    the view `fix_list` of the analysis copy.
    """
    settings = company.settings
    days = days_of(company.today() - timedelta(days=chart.MOST_DAYS), company.today())
    with company.report(context.log.info) as connection:
        lines = lines_of(connection)
        [waiting] = queries.rows(
            connection,
            "SELECT count(DISTINCT entry_id) AS entries, count(DISTINCT work_date) AS days "
            "FROM fixes WHERE work_date >= $1 AND reason <> ALL($2)",
            [settings.since, list(books.SECOND)],
        )
        hours = figures.hours_by_verdict(connection, days[0], days[-1])
    return dg.MaterializeResult(
        metadata={
            "fix list": capped(settings, lines, COLUMNS),
            "in QuickBooks": dg.MetadataValue.md(links.quickbooks_lists(settings)),
            "hours by day": chart.hours_by_day(days, hours),
            "dagster/row_count": len(lines),
            "entries that wait for a fix": waiting["entries"],
            "days with such entries": waiting["days"],
        }
    )


@report(deps=REVIEWED, metadata=definition_metadata(views.HoursAtRisk, RejectedTimeEntries))
@stops_the_run()
def hours_at_risk(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
) -> dg.MaterializeResult[None]:
    """One row per billable entry that is not in QuickBooks and will not get there by waiting.

    Rejected, held until somebody does something, or accepted and not delivered, since `SEND_FROM`;
    by age, cause, person and customer as Clockify names them. Its numbers are plotted from run to
    run. Amounts are in the view `hours_at_risk` of the analysis copy.
    """
    settings = company.settings
    with company.report(context.log.info) as connection:
        by = {
            column: summed(connection, column) for column in ("cause", "person", "customer", "age")
        }
    hours = {row["age"]: row["hours"] for row in by["age"]}
    return dg.MaterializeResult(
        metadata={
            **{
                f"by {column}": capped(settings, by[column], [column, "entries", "hours", "since"])
                for column in ("cause", "person", "customer")
            },
            "dagster/row_count": int(figures.total(by["age"], "entries")),
            "hours at risk": figures.total(by["age"], "hours"),
            **{f"hours: {age}": hours.get(age, 0.0) for age in AGES},
        }
    )


@report(deps=REVIEWED, metadata=definition_metadata(views.Statement))
@stops_the_run()
def statement(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
) -> dg.MaterializeResult[None]:
    """One row per month, customer and currency: may it be invoiced, or what is in the way?

    Clockify's billable time = in QuickBooks + not sent ± rounding ± what differs, to the second and
    the cent; the view `statement_lines` names each line. It shows this month and the one before,
    in hours; amounts are in the analysis copy.
    """
    settings = company.settings
    this = company.today().replace(day=1)
    before = (this - timedelta(days=1)).replace(day=1)
    with company.report(context.log.info) as connection:
        months = {month: of_month(connection, month, IN_HOURS) for month in (before, this)}
    ready = [row for row in months[before] if row["is_ready"]]
    blocked = [row for rows in months.values() for row in rows if not row["is_ready"]]
    return dg.MaterializeResult(
        metadata={
            **{f"{month:%Y-%m}": capped(settings, rows, SHOWN) for month, rows in months.items()},
            "not ready, in QuickBooks": dg.MetadataValue.md(
                links.quickbooks_customers(settings, blocked, "customer")
            ),
            "customers ready to invoice": len(ready),
            "customers not ready": len(months[before]) - len(ready),
        }
    )
