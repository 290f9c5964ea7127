"""Gates: blocking checks that judge the run's own window and name it. They repair nothing.

A gate stops the assets behind it in the same run. What a later run may send is judged again, row
by row, by the loader.
"""

from collections.abc import Iterator
from datetime import date
from functools import partial

from checks.claim import Claim
from pipeline import schemas, stages
from pipeline.company import Company
from pipeline.extract.pieces import pieces
from pipeline.ledger import LEFT_OUT
from pipeline.quickbooks import eligibility
from pipeline.reports.problems import PROBLEM
from pipeline.review import verdicts
from pipeline.stops import Stop
from pipeline.storage import Connection, Row, doors

gate = partial(Claim, is_gate=True)
"""Declares a claim that blocks."""
GATED_TABLES: tuple[type[schemas.Table], ...] = (
    *stages.LISTS,
    schemas.ClockifyTimeEntries,
    schemas.AcceptedTimeEntries,
    schemas.RejectedTimeEntries,
)
OF_THE_RUN = """(list_contains($run_ids, run_id) OR $is_alone AND run_id = (
    SELECT arg_max(run_id, updated_at) FROM ledger.deliveries))"""
"""Deliveries that this run changed; launched alone, those that the last one did."""


def misfits(
    model: type[schemas.Table], connection: Connection, company: Company, given: Row
) -> list[Row]:
    """Why the rows of the window do not fit their table's schema; of a year, piece by piece."""
    try:
        with company.warehouse.whole(connection):
            if "work_date" not in schemas.sql_types(model):
                doors.read_valid(connection, model)
            else:
                for span in _pieces_of(model, connection, given["first"], given["last"]):
                    doors.read_valid(connection, model, "work_date BETWEEN $1 AND $2", span)
    except Stop as stop:
        return [{"problem": str(stop).removesuffix(".")}]
    return []


def _pieces_of(
    model: type[schemas.Table], connection: Connection, first: date, last: date
) -> Iterator[tuple[date, date]]:
    """Those of the days that a table has, in pieces."""
    [(first, last)] = connection.execute(
        f"SELECT min(work_date), max(work_date) FROM {schemas.name_of(model)} "
        "WHERE work_date BETWEEN $1 AND $2",
        [first, last],
    ).fetchall()
    return pieces(first, last) if first else iter(())


def _schema_claim(model: type[schemas.Table], asset: str = "") -> Claim:
    name = schemas.name_of(model)
    return gate(
        asset=asset or name,
        says=f"Every row of {name} fits the schema that the table was made from.",
        wrong=partial(misfits, model),
        columns=["problem"],
        right="every row fits the schema",
        problem="Rows do not fit the schema",
        fix="{first_of_all[problem]}",
    )


SCHEMA_CLAIMS = [
    *map(_schema_claim, GATED_TABLES),
    _schema_claim(schemas.Deliveries, "quickbooks_time_activities"),
]


def ineligible(connection: Connection, company: Company, _: Row) -> list[Row]:
    """What forbids sending to the company."""
    refusals = eligibility.refusals(verdicts.company(connection), company.settings)
    return [{"problem": each} for each in refusals]


CLAIMS = {
    "company_is_eligible": gate(
        asset="quickbooks_company",
        says="The company has a plan with time tracking, and no payroll unless it is allowed.",
        wrong=ineligible,
        columns=["problem"],
        right="the company may receive time activities",
        problem="This company may not receive time activities",
        fix="{first_of_all[problem]}",
    ),
    "entry_ids_are_unique": gate(
        asset="clockify_time_entries",
        says="Every entry is stored once, over the whole table: it lives on one work date.",
        wrong="SELECT entry_id, count(*) AS times FROM clockify_time_entries GROUP BY entry_id "
        "HAVING count(*) > 1 ORDER BY entry_id",
        columns=["entry_id", "times"],
        right="every entry is stored once",
        problem="Entries stored more than once: {measured}",
        fix="Extract their days again",
    ),
    "every_entry_has_one_verdict": gate(
        asset="accepted_time_entries",
        beside=("rejected_time_entries", "clockify_time_entries"),
        says="Every entry of the window is either accepted or not, once.",
        wrong="""
        SELECT entry_id, min(entry.work_date) AS work_date, count(verdict) AS verdicts
        FROM clockify_time_entries AS entry LEFT JOIN verdicts USING (entry_id)
        WHERE entry.work_date BETWEEN $first AND $last
        GROUP BY entry_id HAVING count(verdict) <> 1 ORDER BY entry_id
        """,
        columns=["work_date", "entry_id", "verdicts"],
        right="every entry has one verdict",
        problem="Entries with no verdict or several: {measured}",
        fix="Launch the review of their days again",
    ),
    "extracted_is_accepted_plus_rejected": gate(
        asset="accepted_time_entries",
        beside=("rejected_time_entries", "clockify_time_entries"),
        says="Extracted = accepted + rejected + held + excluded: entries, seconds, money by "
        "currency.",
        wrong="""
        FROM (SELECT side, currency, count(*) AS entries, sum(duration_seconds) AS seconds,
                sum(amount_minor) AS amount_minor
            FROM (SELECT 'extracted' AS side, * FROM clockify_time_entries
                UNION ALL BY NAME SELECT 'judged' AS side, * FROM verdicts)
            WHERE work_date BETWEEN $first AND $last GROUP BY side, currency)
        QUALIFY count(*) OVER (PARTITION BY currency, entries, seconds, amount_minor) = 1
        """,
        columns=["side", "currency", "entries", "seconds"],
        right="nothing was lost between extract and verdict",
        problem="Sums that differ between extract and verdict: {measured}",
        fix="Launch the review of these days again",
    ),
    "accepted_entries_name_an_active_employee_and_customer": gate(
        asset="accepted_time_entries",
        beside=("quickbooks_employees", "quickbooks_customers"),
        says="Accepted entries that may be sent name an active employee and, with a project, a "
        "customer.",
        wrong=f"""
        SELECT entry_id, work_date FROM accepted_time_entries
        LEFT JOIN quickbooks_employees AS employee USING (quickbooks_employee_id)
        LEFT JOIN quickbooks_customers AS customer USING (quickbooks_customer_id)
        WHERE work_date BETWEEN $first AND $last AND NOT is_delivered
        AND entry_id NOT IN (SELECT entry_id FROM ledger.deliveries WHERE state IN {LEFT_OUT})
        AND NOT (coalesce(employee.is_active, FALSE) AND coalesce(customer.is_active,
            quickbooks_customer_id IS NULL AND project_id IS NULL))
        """,
        columns=["work_date", "entry_id"],
        right="every accepted entry names an active employee and customer",
        problem="Accepted entries without an active employee and customer: {measured}",
        fix="Launch the review of their days again",
    ),
    "no_delivery_refused_or_unknown": gate(
        asset="quickbooks_time_activities",
        says="This run added no delivery that was refused, is unknown, or is left for a person.",
        wrong=f"""
        SELECT work_date, state, error_code, {PROBLEM} AS problem, entry_id
        FROM ledger.deliveries AS now
        WHERE {OF_THE_RUN} AND state IN ('pending', 'refused', 'unknown', 'doubtful')
        AND NOT EXISTS (SELECT 1 FROM ledger.delivery_attempts AS before
            WHERE before.entry_id = now.entry_id AND before.part = now.part
            AND before.run_id <> now.run_id AND NOT list_contains($run_ids, before.run_id)
            AND before.state = now.state
            AND before.error_code IS NOT DISTINCT FROM now.error_code)
        ORDER BY state, work_date
        """,
        columns=["work_date", "state", "error_code", "problem", "entry_id"],
        right="this run added no delivery that is refused, unknown, or left for a person",
        problem="Deliveries of this run that did not reach QuickBooks, or whose outcome nobody "
        "knows: {measured}",
        fix="The table says why; `deliveries` (error_message) has QuickBooks' own words; "
        "the check no_delivery_stands_unresolved shows them until they are cleared",
    ),
    "activities_are_stored_as_they_were_sent": gate(
        asset="quickbooks_time_activities",
        says="QuickBooks stored what this run sent: person, customer, date, minutes, rate, "
        "description.",
        wrong="SELECT work_date, error_message AS differs, quickbooks_id, entry_id "
        f"FROM ledger.deliveries WHERE {OF_THE_RUN} AND state = 'sent' "
        "AND error_message IS NOT NULL ORDER BY work_date",
        columns=["work_date", "differs", "quickbooks_id", "entry_id"],
        right="QuickBooks stored every time activity as it was sent",
        problem="Time activities that were not stored as they were sent: {measured}",
        fix="Compare and correct them in QuickBooks; a description needs characters that "
        "QuickBooks keeps, the same in Clockify and in QuickBooks",
    ),
}
