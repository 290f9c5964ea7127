"""Standing checks: warnings over everything since `SEND_FROM` that is still open.

The UI shows only the latest evaluation, so these never judge a run's window: tomorrow's run must
not turn last month's red green. Each message is the answer, its table the work to do.
"""

from datetime import timedelta

import dagster as dg

from checks.gates import EVERYTHING
from pipeline import figures, matching, schemas
from pipeline import warehouse as doors
from pipeline.analysis import REACH
from pipeline.company import Company
from pipeline.hours_at_risk import summed
from pipeline.metadata import table
from pipeline.windows import stops_the_run

LAUNCH = "dg launch --assets '*' --partition-range {first}...{last}"
SHOWN = 3
"""Commands that a message names; its table has all of them."""
PERSON_REASONS = ["unknown_employee", "inactive_employee", "ambiguous_employee"]
CUSTOMER_REASONS = ["unknown_customer", "inactive_customer", "ambiguous_customer"]


def standing(
    company: Company,
    wrong: list[figures.Row],
    columns: list[str],
    *,
    right: str,
    problem: str,
    fix: str,
) -> dg.AssetCheckResult:
    """A standing check's result: a warning with its table, as long as something is wrong."""
    settings = company.settings
    if settings.metadata_names == "ids":  # a suggestion is made of names
        columns = [name for name in columns if name != "suggestion"]
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{problem}: {_measured(wrong)}. {fix}." if wrong else right,
        metadata={
            "open": table(
                wrong, columns, most=settings.metadata_rows, names=settings.metadata_names
            )
        },
    )


def _measured(rows: list[figures.Row]) -> str:
    """How much is wrong: entries and hours, or days, where the rows count them; else the rows."""
    counted = next((name for name in ("entries", "days") if name in rows[0]), None)
    count = int(figures.total(rows, counted)) if counted else len(rows)
    hours = f" ({figures.total(rows, 'hours'):.2f} hours)" if "hours" in rows[0] else ""
    return f"{count}{hours}"


def _unmatched(company: Company, name: str, reasons: list[str]) -> list[figures.Row]:
    """Names with rejected entries that no record in QuickBooks matches, by hours."""
    with company.warehouse.connect() as connection:
        return figures.rows(
            connection,
            f"SELECT {name}, any_value(user_id) AS user_id, any_value(project_id) AS project_id, "
            f"count(*) AS entries, {figures.HOURS} AS hours, min(work_date) AS since, "
            "any_value(reason) AS reason, any_value(suggestion) AS suggestion, "
            "any_value(fixes[list_position(reasons, reason)]) AS fix "
            "FROM (SELECT *, unnest(reasons) AS reason, coalesce(user_name, user_id) AS person, "
            "coalesce(client_name || ' / ', '') || project_name AS project "
            "FROM rejected_time_entries) "
            "WHERE work_date >= $1 AND verdict = 'rejected' AND list_contains($2, reason) "
            f"GROUP BY {name} ORDER BY hours DESC",
            [company.settings.since, reasons],
        )


@dg.asset_check(asset="rejected_time_entries")
@stops_the_run()
def every_user_matches_an_employee(
    company: dg.ResourceParam[Company],
) -> dg.AssetCheckResult:
    """Every user with open entries has an active employee of exactly that name."""
    return standing(
        company,
        _unmatched(company, "person", PERSON_REASONS),
        ["person", "entries", "hours", "since", "fix", "suggestion"],
        right="every user with open entries matches an employee",
        problem="Entries of people who match no employee",
        fix="The table says what to change, the most hours first",
    )


@dg.asset_check(asset="rejected_time_entries")
@stops_the_run()
def every_project_with_entries_matches_a_customer(
    company: dg.ResourceParam[Company],
) -> dg.AssetCheckResult:
    """Every project with open entries has an active customer of exactly that name."""
    return standing(
        company,
        _unmatched(company, "project", CUSTOMER_REASONS),
        ["project", "entries", "hours", "since", "fix", "suggestion"],
        right="every project with open entries matches a customer",
        problem="Entries of projects that match no customer",
        fix="The table says what to change, the most hours first",
    )


@dg.asset_check(asset="clockify_projects", additional_deps=["quickbooks_customers"])
@stops_the_run()
def every_billable_project_matches_a_customer(
    company: dg.ResourceParam[Company],
) -> dg.AssetCheckResult:
    """Every active billable project has a customer, so that a mismatch shows before the hours."""
    with company.warehouse.connect() as connection:
        projects = doors.read(
            connection, schemas.ClockifyProjects, "is_billable AND NOT is_archived"
        )
        customers = doors.read(connection, schemas.QuickbooksCustomers)
    columns = projects[["project_id", "client_name", "project_name"]].astype(object)
    ids = {
        (client, project): key
        for key, client, project in columns.where(columns.notna(), None).itertuples(index=False)
    }
    matches = matching.match_customers(ids, customers, company.settings.customer_matching)
    wrong = [
        {
            "project": " / ".join(part for part in pair if part),
            "project_id": project_id,
            "problem": matches[pair].problem,
            "suggestion": matches[pair].hint,
        }
        for pair, project_id in ids.items()
        if matches[pair].problem
    ]
    return standing(
        company,
        wrong,
        ["project", "problem", "suggestion"],
        right="every active billable project matches a customer",
        problem="Active billable projects that match no customer",
        fix="Correct the name or create the customer before hours are tracked on them",
    )


@dg.asset_check(asset="rejected_time_entries")
@stops_the_run()
def no_entry_waits_for_a_person(company: dg.ResourceParam[Company]) -> dg.AssetCheckResult:
    """No entry since the cut-over is rejected; otherwise how many hours, by reason."""
    with company.warehouse.connect() as connection:
        wrong = figures.rows(
            connection,
            f"SELECT reasons[1] AS reason, count(*) AS entries, {figures.HOURS} AS hours, "
            "count(DISTINCT user_id) AS people, min(work_date) AS since, max(work_date) AS until "
            "FROM rejected_time_entries WHERE verdict = 'rejected' AND work_date >= $1 "
            "GROUP BY reason ORDER BY hours DESC",
            [company.settings.since],
        )
    return standing(
        company,
        wrong,
        ["reason", "entries", "hours", "people", "since", "until"],
        right="no entry is rejected",
        problem="Rejected entries",
        fix="Open a day of this asset under Partitions for the fix of each",
    )


@dg.asset_check(asset="clockify_time_entries")
@stops_the_run()
def every_day_is_loaded(company: dg.ResourceParam[Company]) -> dg.AssetCheckResult:
    """Every day from the cut-over to yesterday was read; a gap names the command that fills it."""
    first, last = company.settings.since, company.today() - timedelta(days=1)
    with company.warehouse.connect() as connection:
        gaps = figures.rows(
            connection,
            "SELECT min(day)::DATE AS first, max(day)::DATE AS last, count(*) AS days FROM ("
            "SELECT day, day - to_days(row_number() OVER (ORDER BY day)::INTEGER) AS gap "
            "FROM generate_series($1::TIMESTAMP, $2::TIMESTAMP, INTERVAL 1 DAY) AS days(day) "
            "WHERE day::DATE NOT IN (SELECT work_date FROM days)) GROUP BY gap ORDER BY first",
            [first, last],
        )
    wrong = [gap | {"command": LAUNCH.format(**gap)} for gap in gaps]
    return standing(
        company,
        wrong,
        ["first", "last", "days", "command"],
        right=f"every day from {first} to {last} is loaded",
        problem=f"Days never read since {first}",
        fix="Fill them with " + ", ".join(f"`{gap['command']}`" for gap in wrong[:SHOWN]),
    )


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def every_accepted_entry_is_delivered(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """Every accepted entry since the cut-over stands in QuickBooks."""
    with company.books(context.log.info) as connection:
        wrong = figures.rows(
            connection,
            "SELECT work_date, coalesce(state, 'not sent yet') AS state, count(*) AS entries, "
            f"{figures.HOURS} AS hours FROM accepted_time_entries AS accepted "
            "LEFT JOIN (SELECT entry_id, state FROM ledger.deliveries) USING (entry_id) "
            "WHERE work_date >= $1 "
            "AND coalesce(state, '') NOT IN ('sent', 'adopted', 'gone', 'skipped') "
            "GROUP BY ALL ORDER BY work_date",
            [company.settings.since],
        )
    return standing(
        company,
        wrong,
        ["work_date", "state", "entries", "hours"],
        right="every accepted entry is in QuickBooks",
        problem="Accepted entries that are not in QuickBooks",
        fix="Launch the load of their days, or see what their state says",
    )


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def no_delivery_stands_unresolved(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """No delivery, of whatever run, stands refused, unknown or doubtful."""
    with company.books(context.log.info) as connection:
        wrong = figures.unresolved(connection, *EVERYTHING)
    return standing(
        company,
        wrong,
        ["state", "work_date", "since", "hours", "problem", "entry_id", "quickbooks_id"],
        right="nothing stands refused, unknown or doubtful",
        problem="Deliveries that stand refused, unknown or doubtful",
        fix="Compare them with QuickBooks",
    )


@dg.asset_check(asset="quickbooks_time_activities")
@stops_the_run()
def open_days_are_within_reach(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """No open day is older than the schedule reaches; older ones are launched by hand."""
    with company.report(context.log.info) as connection:
        wrong = figures.rows(
            connection,
            "SELECT work_date, verdict, entries FROM open_days WHERE work_date >= $1 "
            "AND work_date < $2 ORDER BY work_date",
            [company.settings.since, company.today() - REACH],
        )
    days = [row["work_date"] for row in wrong]
    command = LAUNCH.format(first=days[0], last=days[-1]) if days else ""
    return standing(
        company,
        wrong,
        ["work_date", "verdict", "entries"],
        right="the schedule reaches every open day",
        problem="Entries on open days older than the schedule reaches",
        fix=f"Launch those days with `{command}`",
    )


@dg.asset_check(asset="hours_at_risk")
@stops_the_run()
def no_billable_hours_are_at_risk(
    context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
) -> dg.AssetCheckResult:
    """No billable entry since the cut-over is kept out of QuickBooks by what a person must do."""
    with company.report(context.log.info) as connection:
        wrong = summed(connection, "cause")
    return standing(
        company,
        wrong,
        ["cause", "entries", "hours", "since"],
        right="no billable hours are at risk",
        problem="Billable entries that are not in QuickBooks and will not get there by waiting",
        fix="The asset fix_list says what to change, the most hours first",
    )
