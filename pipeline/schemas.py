"""What columns each table has: the one source for tables, validation and the UI's column docs.

One pandera model a table; the table is named like the class, in snake case. A table is created from
its model, every frame is validated by it before it is written, and Dagster shows its
descriptions. Rules that decide over an entry are not here but in `reasons`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

Text = Series[str]
Whole = Series[pd.Int64Dtype]
Flag = Series[pd.BooleanDtype]
Day = Series[pa.DateTime]
Instant = Series[Annotated[pd.DatetimeTZDtype, "us", "UTC"]]
Texts = Series[object]

ENTRY_ID = r"^[0-9a-f]{24}\Z"
QUICKBOOKS_ID = r"^[0-9]+\Z"


def column(description: str, **rules: Any) -> Any:  # noqa: ANN401 - what pandera's Field takes and gives
    """A column with its description, and a value in each row."""
    return pa.Field(description=description, **rules)


nullable = partial(column, nullable=True)
"""Declares a column in which values may be missing."""


class Table(pa.DataFrameModel):
    """Base of the tables: values are coerced to the declared types, unknown columns left out."""

    class Config:
        """Pandera's settings."""

        coerce = True
        strict = "filter"


class ClockifyWorkspace(Table):
    """One row: the workspace as it was when entries were last read."""

    workspace_id: Text = column("Clockify's id of the workspace", unique=True)
    workspace_name: Text = column("Name of the workspace")
    plan: Text = nullable("`featureSubscriptionType`, such as `STANDARD_2021`")
    rounding: Text = column("`off`, or how entries were rounded, such as `nearest 15`")
    rounding_minutes: Whole = column("The step to which entries were rounded; 1 if not", ge=1)


class ClockifyUsers(Table):
    """One row per member of the Clockify workspace. Inactive members stay: their time was real."""

    user_id: Text = column("Clockify's id of the user", unique=True)
    user_name: Text = nullable("Profile name; empty while an invitation is open")
    user_email: Text = nullable("E-mail address")
    is_active: Flag = column("Whether the membership is active")
    time_zone: Text = nullable("IANA zone in the user's profile")


class ClockifyProjects(Table):
    """One row per project of the workspace with its client, archived ones included."""

    project_id: Text = column("Clockify's id of the project", unique=True)
    project_name: Text = column("Project name")
    client_id: Text = nullable("Clockify's id of the client, if any")
    client_name: Text = nullable("Client name, if any")
    is_billable: Flag = column("Whether new entries of the project are billable")
    is_archived: Flag = column("Whether the project is archived")


class QuickbooksEmployees(Table):
    """One row per QuickBooks employee. Inactive ones stay, so that they can be named as such."""

    quickbooks_employee_id: Text = column(
        "QuickBooks' id of the employee", unique=True, str_matches=QUICKBOOKS_ID
    )
    display_name: Text = column("Display name, with QuickBooks' ` (deleted)` if inactive")
    is_active: Flag = column("Whether the employee is active")
    email: Text = nullable("Primary e-mail address")
    sync_token: Text = nullable("QuickBooks' version of the record; none until it is read again")


class QuickbooksCustomers(Table):
    """One row per QuickBooks customer, sub-customer and project, inactive ones included."""

    quickbooks_customer_id: Text = column(
        "QuickBooks' id of the customer", unique=True, str_matches=QUICKBOOKS_ID
    )
    display_name: Text = column("Display name, with QuickBooks' ` (deleted)` if inactive")
    fully_qualified_name: Text = column("Names from the top customer down, with colons between")
    parent_id: Text = nullable("Id of the customer above, if any")
    level: Whole = column("Depth below the top customer; 0 at the top", ge=0)
    is_active: Flag = column("Whether the customer is active")
    is_project: Flag = column("Whether QuickBooks shows it as a project")
    currency: Text = nullable("ISO code of the customer's currency, if set")
    sync_token: Text = nullable("QuickBooks' version of the record; none until it is read again")


class QuickbooksCompany(Table):
    """One row: the company's plan and preferences, and the service item named in the settings."""

    realm_id: Text = column("QuickBooks' id of the company", str_matches=QUICKBOOKS_ID)
    company_name: Text = column("Company name")
    plan: Text = nullable("`OfferingSku`, such as `QuickBooks Online Plus`")
    is_payroll_enabled: Flag = column("Whether QuickBooks Payroll is on")
    is_time_tracking_enabled: Flag = column("Whether time tracking is on")
    home_currency: Text = column("ISO code of the home currency")
    service_item_id: Text = nullable("Id of `SERVICE_ITEM`; none when not set")
    service_item_name: Text = nullable("Path of `SERVICE_ITEM`; none when not set")
    service_item_rate_minor: Whole = nullable(
        "Price of `SERVICE_ITEM` per hour, in minor units of the home currency; -1 if not whole"
    )
    service_item_sync_token: Text = nullable("Version of `SERVICE_ITEM`")
    read_at: Instant = column("When the company was read")


class ClockifyTimeEntries(Table):
    """One row per Clockify time entry, on the one work date on which it starts."""

    entry_id: Text = column("Clockify's id of the entry", unique=True, str_matches=ENTRY_ID)
    work_date: Day = column("Calendar date of the start in `TIME_ZONE`; QuickBooks' TxnDate")
    person_work_date: Day = nullable("Calendar date of the start in the person's zone")
    user_id: Text = column("Clockify's id of the user")
    user_name: Text = nullable("The user's name; the QuickBooks employee must match")
    user_email: Text = nullable("The user's e-mail address")
    project_id: Text = nullable("Clockify's id of the project")
    project_name: Text = nullable("Project name; the QuickBooks customer must match")
    client_id: Text = nullable("Clockify's id of the client")
    client_name: Text = nullable("Client name; the customer's parent must match")
    task_name: Text = nullable("Task name; not sent")
    tag_names: Texts = column("Names of the tags; not sent")
    description: Text = column("What was done, as typed; sent as it is")
    entry_type: Text = nullable("REGULAR, BREAK, HOLIDAY or TIME_OFF")
    is_billable: Flag = column("Whether the entry is marked billable")
    start_at: Instant = column("Start")
    end_at: Instant = nullable("End; none while the timer runs")
    duration_seconds: Whole = nullable("Reported seconds, rounded if rounding is on")
    raw_seconds: Whole = nullable("Tracked seconds before rounding")
    reported_rate: Text = nullable("The hourly rate as the report spells it")
    hourly_rate_minor: Whole = nullable(
        "Hourly rate in minor units; none if the reported one is not whole"
    )
    amount_minor: Whole = nullable("Clockify's amount in minor units, rounded once")
    currency: Text = nullable("ISO code of the rate's currency")
    is_locked: Flag = nullable("Whether Clockify has locked the entry")
    is_approved: Flag = nullable("Whether approved; none if approval is not required")
    first_seen_at: Instant = column("When this pipeline first read the entry")
    read_at: Instant = column("When this row was read")


class Days(Table):
    """One row per work date that was read completely, even if it holds no entry."""

    work_date: Day = column("The day", unique=True)
    extracted_at: Instant = column("When the day was last read")
    rounding: Text = nullable("The rounding it was read with, as in `clockify_workspace`")
    reviewed_at: Instant = nullable("When its entries were last judged")
    judged_by: Text = nullable("The settings by which its entries were last judged, as JSON")


class WatchedMonths(Table):
    """One row per month older than the daily range, with the report's totals when last compared."""

    month: Day = column("First day of the month", unique=True)
    totals: Text = column(
        "As JSON: entries, seconds and amounts as the report gave them, the last day counted, when"
    )
    read_at: Instant = column("When the whole month was last read")


class Explained(Table):
    """What becomes of an entry, and why."""

    verdict: Text = column(
        "What becomes of the entry", isin=["accepted", "rejected", "held", "excluded"]
    )
    reasons: Texts = column(
        "Why it is not accepted, in the catalogue's order; counted under the first"
    )
    fixes: Texts = column("What to change and where, one sentence a reason")
    suggestion: Text = nullable("Nearest names in QuickBooks and how they differ")


class Matched(Table):
    """Whom and what an entry is for in QuickBooks."""

    quickbooks_employee_id: Text = nullable("The employee, if the person matches")
    quickbooks_customer_id: Text = nullable("The customer, if the project matches")


class Sent(Matched):
    """What is sent of an entry, or would be."""

    hours: Whole = nullable("Whole hours to send", in_range={"min_value": 0, "max_value": 23})
    minutes: Whole = nullable(
        "Minutes to send beside the hours", in_range={"min_value": 0, "max_value": 59}
    )
    sent_rate_minor: Whole = nullable("Hourly rate to send, in minor units", ge=0)
    sent_amount_minor: Whole = nullable("Minutes ÷ 60 × rate, in minor units", ge=0)
    is_delivered: Flag = column("Whether QuickBooks already holds it (sent or adopted)")


class Verdicts(Sent, Explained):
    """One row per entry judged: what `judging` decides, before it is joined to the entries."""

    entry_id: Text = column("Clockify's id of the entry", unique=True, str_matches=ENTRY_ID)


class AcceptedTimeEntries(Sent, ClockifyTimeEntries):
    """One row per accepted entry: what may be sent, or was."""

    quickbooks_employee_id: Text = nullable(
        "The employee; none only for a delivered entry that no longer matches"
    )
    quickbooks_customer_id: Text = nullable(
        "The customer; none for non-billable time without a project"
    )


class RejectedTimeEntries(Matched, Explained, ClockifyTimeEntries):
    """One row per entry not accepted, with its verdict, its reasons and their fixes."""

    verdict: Text = column(
        "`rejected`: somebody must change something; `held`: not yet; `excluded`: never",
        isin=["rejected", "held", "excluded"],
    )


class Attempted(Table):
    """What a delivery and each row of its history have in common."""

    entry_id: Text = column("Clockify's id of the entry", str_matches=ENTRY_ID)
    part: Whole = column("0, unless an entry is split", ge=0)
    state: Text = column(
        "What is known of it",
        isin=["pending", "sent", "adopted", "refused", "unknown", "doubtful", "gone", "skipped"],
    )
    revision: Whole = column("Grows only after a known outcome", ge=0)
    payload: Text = column("The time activity sent, as its exact JSON")
    quickbooks_id: Text = nullable("Id of the time activity, if known")
    error_code: Text = nullable("QuickBooks' code of the last fault")
    error_message: Text = nullable("What went wrong or differs, in words")
    intuit_tid: Text = nullable("Intuit's trace of the last answer")
    run_id: Text = column("The Dagster run that last changed it")


class Deliveries(Attempted):
    """One row per entry and part ever meant for QuickBooks: the ledger."""

    realm_id: Text = column("QuickBooks' id of the company")
    work_date: Day = column("The TxnDate sent")
    request_id: Text = column(
        "Made of realm, entry, part and revision", str_length={"max_value": 36}
    )
    fingerprint: Text = column("Hash of the payload")
    minutes: Whole = column("Minutes in all, as sent", ge=0)
    amount_minor: Whole = nullable("Minutes ÷ 60 × rate, in minor units")
    currency: Text = nullable("ISO code of the amount")
    is_sent_approved: Flag = nullable(
        "Whether approval was required and given when it was sent, or last followed; none for "
        "older rows"
    )
    sent_for: Text = nullable(
        "Clockify's ids of the user and the project, a slash between, when it was sent"
    )
    sync_token: Text = nullable("QuickBooks' version of it")
    attempts: Whole = column("Times it was sent", ge=0)
    intuit_time: Instant = nullable("Intuit's clock in its last answer before the send")
    sent_at: Instant = nullable("When the last attempt began, by our clock")
    updated_at: Instant = column("When this row last changed")


class DeliveryAttempts(Attempted):
    """One row per change of a delivery, and per update about to be sent; never changed later."""

    attempt: Whole = column("The delivery's attempt")
    batch_id: Text = nullable("Request id of the batch it was sent in")
    batch_position: Whole = nullable("Its place in the batch")
    recorded_at: Instant = column("When")


class LedgerBinding(Table):
    """One row: whose books and which clock this ledger is for, so that no other is written."""

    realm_id: Text = column("QuickBooks' id of the company")
    workspace_id: Text = column("Clockify's id of the workspace")
    time_zone: Text = column("The zone of the work dates")
    rounding: Text = column("Whether and how Clockify rounds, such as `off` or `nearest 15`")


class CutoverConfirmations(Table):
    """One row per time a person confirmed that what QuickBooks does not hold is to be sent."""

    realm_id: Text = column("QuickBooks' id of the company")
    first_day: Day = column("First work date of the list")
    last_day: Day = column("Last work date of the list")
    confirmed_at: Instant = column("When")
    confirmed_by: Text = column("Who or what run")


class DeliveryPlan(Table):
    """One row per entry that the last dry run would have sent, adopted or left for a person."""

    entry_id: Text = column("Clockify's id of the entry", unique=True)
    work_date: Day = column("The TxnDate")
    action: Text = column("What the load would do", isin=["send", "adopt", "doubt"])
    quickbooks_id: Text = nullable("The time activity it equals or resembles")
    payload: Text = column("The time activity as it would be sent, as JSON")
    minutes: Whole = column("Minutes in all", ge=0)
    amount_minor: Whole = nullable("Minutes ÷ 60 × rate, in minor units")
    currency: Text = nullable("ISO code of the amount")


class QuickbooksActivities(Table):
    """One row per time activity in QuickBooks, ours or not, on the days compared; as last read."""

    quickbooks_id: Text = column("QuickBooks' id of the time activity", unique=True)
    work_date: Day = column("TxnDate")
    person_id: Text = column("Id of the employee; for a vendor or other name, after its kind")
    person_name: Text = nullable("Name of the person")
    customer_id: Text = column("Id of the customer; empty without one")
    customer_name: Text = nullable("Name of the customer")
    item_id: Text = column("Id of the service item; empty without one")
    item_name: Text = nullable("Name of the service item")
    minutes: Whole = column("Minutes in all")
    rate_minor: Whole = nullable(
        "Hourly rate in minor units; none if it is not whole or not billable"
    )
    amount_minor: Whole = nullable("Minutes ÷ 60 × rate, in minor units; none if not billable")
    currency: Text = nullable("The customer's currency, or else the company's")
    is_billable: Flag = column("Whether it is billable or billed")
    is_billed: Flag = column("Whether it is on an invoice (`HasBeenBilled`)")
    description: Text = column("What was done, as QuickBooks holds it")
    created_at: Instant = column("When it was created, by Intuit's clock")
    updated_at: Instant = column("When it last changed, by Intuit's clock")
    entry_id: Text = nullable("The entry whose delivery owns it; none if it is not ours")
    read_at: Instant = column("When it was read")


class Drift(Table):
    """One row per field in which an entry, or its time activity, is not what was sent.

    Also one per time activity that was billed, and per one that is there and not ours: those are
    facts, not warnings.
    """

    work_date: Day = column("TxnDate as sent; of an activity that is not ours, its own")
    side: Text = column("Where it changed", isin=["clockify", "quickbooks"])
    kind: Text = column(
        "What happened: `resembling` is like one of ours in all but one respect",
        isin=[
            *("edited", "moved", "unapproved", "deleted"),
            *("billed", "duplicated", "resembling", "not_ours"),
        ],
    )
    field: Text = nullable("The field that changed, if it is one")
    before: Text = nullable("What was sent; of money, the exact decimal number")
    after: Text = nullable("What it is now")
    entry_id: Text = nullable("Clockify's id of the entry")
    quickbooks_id: Text = nullable("QuickBooks' id of the time activity")
    person_id: Text = column("Id of the person in QuickBooks")
    person: Text = nullable("Name of the person in QuickBooks")
    customer_id: Text = column("Id of the customer; empty without one")
    customer: Text = nullable("Name of the customer, with its parents")
    minutes: Whole = column("Minutes of the time activity, as sent")
    is_billed: Flag = column("Whether the time activity is already on an invoice")
    is_warning: Flag = column(
        "Whether somebody should look; that it is billed or not ours is a fact"
    )
    not_followed: Text = nullable(
        "Why `AFTER_SEND=update` did not bring QuickBooks into line, if it was asked to"
    )
    found_at: Instant = column("When this was first found")


class ComparedDays(Table):
    """One row per work date whose deliveries were compared with Clockify and QuickBooks."""

    work_date: Day = column("The day", unique=True)
    compared_at: Instant = column("When that was last done")


WAREHOUSE_TABLES: tuple[type[Table], ...] = (
    *(ClockifyWorkspace, ClockifyUsers, ClockifyProjects, ClockifyTimeEntries),
    *(QuickbooksEmployees, QuickbooksCustomers, QuickbooksCompany),
    *(AcceptedTimeEntries, RejectedTimeEntries, Days, WatchedMonths),
    *(DeliveryPlan, QuickbooksActivities, Drift, ComparedDays),
)
LEDGER_TABLES: tuple[type[Table], ...] = (
    Deliveries,
    DeliveryAttempts,
    LedgerBinding,
    CutoverConfirmations,
)

SQL_TYPES = {
    "string[python]": "VARCHAR",
    "Int64": "BIGINT",
    "boolean": "BOOLEAN",
    "datetime64[ns]": "DATE",
    "datetime64[us, UTC]": "TIMESTAMPTZ",
    "object": "VARCHAR[]",
}


def name_of(model: type[Table]) -> str:
    """The table's name: the class's, in snake case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", model.__name__).lower()


@cache
def sql_types(model: type[Table]) -> Mapping[str, str]:
    """Column name to SQL type, in the table's order."""
    return {
        name: SQL_TYPES[str(column.dtype)] for name, column in model.to_schema().columns.items()
    }


def framed(model: type[Table], rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Rows as a frame, their values as they are; without any it still has the model's columns."""
    return pd.DataFrame(list(rows), dtype=object) if rows else model.empty()
