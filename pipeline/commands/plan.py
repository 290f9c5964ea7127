"""`plan A B`: what the next load of some days would send. Sends and records nothing."""

from datetime import datetime
from typing import Any

import click

from pipeline import terminal
from pipeline.delivery import loading
from pipeline.delivery.cutover import summed
from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import parse
from pipeline.schemas import DeliveryPlan, sql_types


@click.command()
@click.argument("first", type=terminal.DAY, metavar="FIRST")
@click.argument("last", type=terminal.DAY, metavar="LAST")
@terminal.as_json
def command(first: datetime, last: datetime, *, as_json: bool) -> None:
    """Show what a load of the days FIRST to LAST would send, adopt and leave to a person.

    Totals for people; with `--json` every payload too. Sends and records nothing.
    """
    days = terminal.window(first, last)
    with terminal.desk("plan", *days, only_reads=True) as desk:
        plans = loading.plans(desk, *days)
        with desk.company.warehouse.connect() as connection:
            unread = terminal.unread(connection, desk.company.settings, *days)
        unsettled = len(desk.ledger.unsettled())
        is_followed = desk.company.settings.after_send == "update"
    rows = [each for plan in plans for each in plan.rows()]
    by_day = (((action, str(row.work_date)), row) for action, row in rows)
    totals = summed(("action", "day"), by_day)[::-1]
    if as_json:
        payloads = [_payload(row, action) for action, row in rows]
        told = {"totals": totals, "deliveries": payloads, "unread_days": unread}
        terminal.print_json(told | {"unsettled": unsettled})
        return
    columns = ("action", "day", "entries", "hours", "amount")
    terminal.print_table("The next load", terminal.with_amounts(totals), columns)
    if not totals:
        terminal.print_text("The next load of these days has nothing new to send.")
    if unsettled:
        terminal.print_text(
            f"{unsettled} deliveries whose outcome nobody knows are settled first; those of these "
            "days that were not stored are sent anew."
        )
    if is_followed:
        terminal.print_text(
            "What was edited in Clockify since it was sent is updated in QuickBooks."
        )
    terminal.print_text(*terminal.told_unread(unread))


def _payload(row: Delivery, action: str) -> dict[str, Any]:
    """A row of `delivery_plan`, its payload as what it is."""
    said = vars(row) | {"action": action, "payload": parse(row.payload)}
    return {name: said[name] for name in sql_types(DeliveryPlan)}
