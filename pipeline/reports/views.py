"""What columns the analysts' views have: the UI's column docs are rendered from it.

Their SQL stands in `fix_list`, `hours_at_risk` and `statement`, and has just these columns.
"""

from pipeline.schemas import Day, Flag, Table, Text, Texts, Whole, column, nullable


class FixList(Table):
    """One row per fix that lets entries through or clears up what is in QuickBooks, worst first."""

    reason: Text = column("Their reason, the state of their delivery, or what stands beside it")
    concerns: Text = column("Whom or what it concerns, as Clockify names it")
    entries: Whole = column("Entries that have this fix")
    duration_seconds: Whole = column("Their reported time")
    suggestion: Text = nullable("Nearest names in QuickBooks and how they differ")
    fix: Text = column("What to change and where")
    entries_freed: Whole = column("Of those entries, the ones that nothing else holds back")
    since: Day = column("First work date with such an entry")
    until: Day = column("Last work date with such an entry")
    concerns_id: Text = nullable("Clockify's id of the person or project concerned")


class HoursAtRisk(Table):
    """One row per billable entry that will not get into QuickBooks by waiting."""

    work_date: Day = column("Calendar date of the start in `TIME_ZONE`")
    entry_id: Text = column("Clockify's id of the entry", unique=True)
    cause: Text = column("Its first reason, or the state of its delivery")
    person: Text = column("Who did the work")
    customer: Text = column("Client and project as Clockify names them")
    age_days: Whole = column("Days since the work date")
    age: Text = column("The same in four classes")
    duration_seconds: Whole = column("Reported time; 0 while the timer runs")
    amount_minor: Whole = nullable("Clockify's amount in minor units")
    currency: Text = nullable("ISO code of the amount")
    user_id: Text = column("Clockify's id of the user")
    project_id: Text = nullable("Clockify's id of the project")


class Statement(Table):
    """One row per month, customer and currency: Clockify = QuickBooks + not sent ± differences."""

    month: Day = column("First day of the month of the work")
    customer_id: Text = column("QuickBooks' id of the customer; empty where none matches")
    customer: Text = column("The customer with its parents; else client and project in Clockify")
    currency: Text = column("ISO code of the amounts; `none` without a rate")
    clockify_seconds: Whole = column(
        "Billable time in Clockify: in QuickBooks, not sent, rounding and differing"
    )
    clockify_amount_minor: Whole = column("Its amount: the sum of the same four")
    in_quickbooks_seconds: Whole = column("Time sent or adopted, as QuickBooks last held it")
    in_quickbooks_amount_minor: Whole = column("Its amount")
    billed_seconds: Whole = column("Of that, what is on an invoice")
    billed_amount_minor: Whole = column("Its amount")
    unbilled_seconds: Whole = column("Of that, what is on none; the rest has not been read again")
    unbilled_amount_minor: Whole = column("Its amount")
    not_sent_seconds: Whole = column("Billable time not in QuickBooks")
    not_sent_amount_minor: Whole = column("Its amount in Clockify")
    rounding_seconds: Whole = column("Seconds that rounding to whole minutes leaves over")
    rounding_amount_minor: Whole = column("Their price, and cents that Clockify rounds differently")
    differing_seconds: Whole = column("Time changed since it was sent, on either side")
    differing_amount_minor: Whole = column("Its amount, and that of another rate in QuickBooks")
    blocks: Texts = column("What keeps the month from being invoiced")
    is_ready: Flag = column("Whether nothing does")
