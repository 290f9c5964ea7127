"""Standing checks: warnings of everything since `SEND_FROM` that is still open.

Each message is the answer, its table the work to do. Those of what was sent are in `books`.
"""

from checks.claim import EVERYTHING, LAUNCH, Claim
from pipeline import schemas
from pipeline.company import Company
from pipeline.ledger import SETTLED
from pipeline.orchestration import usual
from pipeline.quickbooks import eligibility
from pipeline.reports import figures, hours_at_risk
from pipeline.reports.analysis import REACH
from pipeline.reports.fix_list import FIXES
from pipeline.review import facts, verdicts
from pipeline.storage import Connection, Row, doors, queries

UNMATCHED = f"""
SELECT concerns AS {{name}}, any_value(user_id) AS user_id, any_value(project_id) AS project_id,
    count(*) AS entries, {figures.HOURS} AS hours, min(work_date) AS since,
    any_value(reason) AS reason, any_value(suggestion) AS suggestion, any_value(fix) AS fix
FROM ({FIXES}) WHERE work_date >= $since
    AND reason IN ('unknown_{{record}}', 'inactive_{{record}}', 'ambiguous_{{record}}')
GROUP BY concerns ORDER BY hours DESC
"""
"""Names with rejected entries that no record in QuickBooks matches, by hours."""


def projects_without_customers(connection: Connection, company: Company, _: Row) -> list[Row]:
    """Active billable projects to be sent that match no customer, and what would match nearly."""
    projects = doors.read(connection, schemas.ClockifyProjects)
    customers = doors.read(connection, schemas.QuickbooksCustomers)
    found = facts.expected_projects(projects, customers, company.settings)
    return [
        {"project": name, "project_id": id_, "problem": match.problem, "suggestion": match.hint}
        for name, id_, match in found
        if match.problem
    ]


def unknown_plan(connection: Connection, _: Company, __: Row) -> list[Row]:
    """The company's plan, if nobody can say whether it takes time activities."""
    found = eligibility.unknown_plan(verdicts.company(connection))
    return [{"problem": found.what, "fix": found.fix}] if found else []


def unusual_day(connection: Connection, _: Company, given: Row) -> list[Row]:
    """What is far from usual on the last day judged, in words with its counts."""
    window = [given["today"] - usual.REACH, given["yesterday"], given["zone"]]
    days = queries.rows(connection, figures.OVER_AND_JUDGED, window)
    found = usual.unusual([usual.Day(**day) for day in days])
    return [{"problem": "; ".join(found)}] if found else []


LAID_OUT = f"""
work_date, user_id, coalesce(any_value(user_name), user_id) AS person, count(*) AS entries,
    {figures.HOURS} AS hours, string_agg(entry_id, ' ' ORDER BY entry_id) AS entry_ids
"""
LATELY = "work_date >= greatest($since, date_trunc('month', $today::DATE) - INTERVAL 1 MONTH)"
TWICE = f"""
WITH alike AS (
    SELECT 'alike in all' AS problem, project_id, any_value({figures.PROJECT}) AS project,
        {LAID_OUT}
    FROM accepted_time_entries WHERE {LATELY}
    GROUP BY work_date, user_id, project_id, task_name, description, start_at, end_at
    HAVING count(*) > 1
)
FROM alike UNION ALL BY NAME
SELECT 'more than 24 hours on one day' AS problem, {LAID_OUT}
FROM accepted_time_entries
WHERE {LATELY} AND (work_date, user_id) NOT IN (SELECT (work_date, user_id) FROM alike)
GROUP BY work_date, user_id HAVING sum(duration_seconds) > 24 * 3600
ORDER BY work_date DESC, person, problem
"""
"""What may have been tracked twice, of the months that are not invoiced yet.

Neither entries that only overlap nor those of two projects, tasks or descriptions: timers run side
by side, and Clockify's timesheet has the hours of a day all start at the same time. Both alike may
be right, and nobody can say so of them: hence the warning ends by itself.
"""
FILTERS = {
    "only_users": "SELECT user_id, user_name FROM clockify_users UNION "
    "SELECT user_id, user_name FROM clockify_time_entries",
    "only_clients": "SELECT client_id, client_name FROM clockify_projects",
    "only_projects": "SELECT project_id, project_name FROM clockify_projects",
}
"""Settings that let only some through, with the ids and names that they can mean."""


def unknown_filters(connection: Connection, company: Company, _: Row) -> list[Row]:
    """What the filters name and nobody and nothing in Clockify is called."""
    is_shown = company.settings.metadata_names == "names"
    return [
        {"setting": setting.upper(), "called": f"`{name}`" if is_shown else f"name {place}"}
        for setting, query in FILTERS.items()
        if (names := getattr(company.settings, setting))
        for known in [{each for row in connection.sql(query).fetchall() for each in row}]
        for place, name in enumerate(names, 1)
        if name not in known
    ]


CLAIMS = {
    "the_filters_name_what_is_there": Claim(
        asset="clockify_projects",
        beside=("clockify_users",),
        says="Everybody and everything that `ONLY_USERS`, `ONLY_CLIENTS` and `ONLY_PROJECTS` name "
        "is in Clockify: a typing error would leave everything out while all stays green.",
        wrong=unknown_filters,
        columns=["setting", "called"],
        right="the filters name what is there",
        problem="{first_of_all[setting]}: {first_of_all[called]} is not in Clockify",
        fix="Correct it, character for character; put a name with a comma in double quotes and, "
        "in .env, the whole list in single quotes",
    ),
    "the_plan_is_known": Claim(
        asset="quickbooks_company",
        says="It is known whether the company's plan takes time activities.",
        wrong=unknown_plan,
        columns=["problem", "fix"],
        right="the plan is known to take time activities",
        problem="{first_of_all[problem]}",
        fix="{first_of_all[fix]}",
    ),
    "every_user_matches_an_employee": Claim(
        asset="rejected_time_entries",
        says="Every user with open entries has an active employee of exactly that name.",
        wrong=UNMATCHED.format(name="person", record="employee"),
        columns=["person", "entries", "hours", "since", "fix", "suggestion"],
        right="every user with open entries matches an employee",
        problem="Entries of people who match no employee: {measured}",
        fix="The table says what to change, the most hours first",
    ),
    "every_project_with_entries_matches_a_customer": Claim(
        asset="rejected_time_entries",
        says="Every project with open entries has an active customer of exactly that name.",
        wrong=UNMATCHED.format(name="project", record="customer"),
        columns=["project", "entries", "hours", "since", "fix", "suggestion"],
        right="every project with open entries matches a customer",
        problem="Entries of projects that match no customer: {measured}",
        fix="The table says what to change, the most hours first",
    ),
    "every_billable_project_matches_a_customer": Claim(
        asset="clockify_projects",
        beside=("quickbooks_customers",),
        says="Every active billable project matches a customer: a mismatch shows before hours are "
        "tracked.",
        wrong=projects_without_customers,
        columns=["project", "problem", "suggestion"],
        right="every active billable project matches a customer",
        problem="Active billable projects that match no customer: {measured}",
        fix="Correct the name or create the customer before hours are tracked on them",
    ),
    "no_entry_waits_for_a_person": Claim(
        asset="rejected_time_entries",
        says="No entry since the cut-over is rejected; otherwise how many hours, by reason.",
        wrong=f"""
        SELECT reasons[1] AS reason, count(*) AS entries, {figures.HOURS} AS hours,
            count(DISTINCT user_id) AS people, min(work_date) AS since, max(work_date) AS until
        FROM rejected_time_entries WHERE verdict = 'rejected' AND work_date >= $since
        GROUP BY reason ORDER BY hours DESC
        """,
        columns=["reason", "entries", "hours", "people", "since", "until"],
        right="no entry is rejected",
        problem="Rejected entries: {measured}",
        fix="Open a day of this asset under Partitions for each entry's fix",
    ),
    "no_time_looks_tracked_twice": Claim(
        asset="accepted_time_entries",
        says="No person has accepted entries alike in start, end, project, task and description, "
        "nor more than 24 hours on a day, in this month and the one before.\n\nThey are sent all "
        "the same: both may be right.",
        wrong=TWICE,
        columns=["person", "work_date", "problem", "entries", "hours", "project", "entry_ids"],
        right="no time looks as if it had been tracked twice",
        problem="Accepted entries that may have been tracked twice: {measured}",
        fix="They are sent all the same: where one is too many, delete it in Clockify, and in "
        "QuickBooks if it was sent; where all are right, there is nothing to do, and this warning "
        "ends with the month after theirs",
    ),
    "the_last_day_is_as_usual": Claim(
        asset="rejected_time_entries",
        says="The last day that has passed has about as many entries as its weekday usually has, "
        "and no more of them than usual are rejected.",
        wrong=unusual_day,
        columns=["problem"],
        right="the last day is as usual, or too few are known to say",
        problem="{first_of_all[problem]}",
        fix="Look at that day in Clockify, and at the key and the filters; if it was a holiday, "
        "there is nothing to do, and the next day ends this warning",
    ),
    "every_day_is_loaded": Claim(
        asset="clockify_time_entries",
        says="Every day from the cut-over to yesterday was read once it was over; for a gap, the "
        "message has the command that fills it.",
        wrong=f"""
        SELECT min(day)::DATE AS first, max(day)::DATE AS last, count(*) AS days,
            {LAUNCH} AS command
        FROM (SELECT day, day - to_days(row_number() OVER (ORDER BY day)::INTEGER) AS gap
            FROM generate_series($since::TIMESTAMP, $yesterday::TIMESTAMP, INTERVAL 1 DAY)
            AS days(day) WHERE day::DATE NOT IN (SELECT work_date FROM days
                WHERE {figures.was_over("$zone")}))
        GROUP BY gap ORDER BY first
        """,
        columns=["first", "last", "days", "command"],
        right="every day from {since} to {yesterday} is loaded",
        problem="Days since {since} never read after they were over: {measured}",
        fix="Fill them with {commands}",
    ),
    "every_accepted_entry_is_delivered": Claim(
        asset="quickbooks_time_activities",
        says="Every accepted entry since the cut-over stands in QuickBooks.",
        wrong=f"""
        SELECT work_date, coalesce(state, 'not sent yet') AS state, count(*) AS entries,
            {figures.HOURS} AS hours
        FROM accepted_time_entries
        LEFT JOIN (SELECT entry_id, state FROM ledger.deliveries) USING (entry_id)
        WHERE work_date >= $since
            AND coalesce(state, '') NOT IN {SETTLED}
        GROUP BY ALL ORDER BY work_date
        """,
        columns=["work_date", "state", "entries", "hours"],
        right="every accepted entry is in QuickBooks, or settled",
        problem="Accepted entries that are not in QuickBooks: {measured}",
        fix="Launch the load of their days, or do what their state asks for",
    ),
    "no_delivery_stands_unresolved": Claim(
        asset="quickbooks_time_activities",
        says="No delivery, of whatever run, stands refused, unknown or doubtful.",
        wrong=lambda connection, *_: queries.rows(connection, figures.UNRESOLVED, EVERYTHING),
        columns=[
            *("state", "work_date", "since", "hours", "problem"),
            *("entry_id", "quickbooks_id"),
        ],
        right="nothing stands refused, unknown or doubtful",
        problem="Deliveries that stand refused, unknown or doubtful: {measured}",
        fix="Compare them with QuickBooks",
    ),
    "open_days_are_within_reach": Claim(
        asset="quickbooks_time_activities",
        says="The schedule still reaches every open day; older ones are launched by hand.",
        wrong=f"""
        SELECT work_date, verdict, entries, min(work_date) OVER () AS first,
            max(work_date) OVER () AS last, {LAUNCH} AS command
        FROM open_days WHERE work_date >= $since AND work_date < $today::DATE - {REACH.days}
        ORDER BY work_date
        """,
        columns=["work_date", "verdict", "entries"],
        right="the schedule reaches every open day",
        problem="Entries on open days that the schedule no longer reaches: {measured}",
        fix="Launch those days with {commands}",
    ),
    "no_billable_hours_are_at_risk": Claim(
        asset="hours_at_risk",
        says="No billable entry since the cut-over is kept out of QuickBooks until a person does "
        "something.",
        wrong=lambda connection, *_: hours_at_risk.summed(connection, "cause"),
        columns=["cause", "entries", "hours", "since"],
        right="no billable hours are at risk",
        problem="Billable entries that are not in QuickBooks and will not get there by waiting: "
        "{measured}",
        fix="The asset fix_list says what to change, the most hours first",
    ),
}
