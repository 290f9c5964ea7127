"""`plan A B`: what the next load of some days would send. Changes nothing anywhere."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from pipeline import loading, terminal
from pipeline.activities import parse
from pipeline.ledger import Delivery
from pipeline.planning import Plan


@click.command()
@click.argument("first", type=terminal.DAY, metavar="FIRST")
@click.argument("last", type=terminal.DAY, metavar="LAST")
@terminal.as_json
def command(first: datetime, last: datetime, *, as_json: bool) -> None:
    """Show what a load of the days FIRST to LAST would send, adopt and leave to a person.

    Totals for people; with `--json` every payload too.
    """
    days = terminal.window(first, last)
    with terminal.desk("plan", *days, only_reads=True) as desk:
        plans = loading.plans(desk, *days)
        unread = terminal.unread(desk.company, *days)
    totals = _totals(plans)
    if as_json:
        payloads = [_payload(row, action) for action, row in _rows(plans)]
        terminal.print_json({"totals": totals, "deliveries": payloads, "unread_days": unread})
        return
    _show(totals)
    for line in terminal.told_unread(unread):
        terminal.print_text(line)


def _show(totals: Sequence[dict[str, Any]]) -> None:
    rows = [
        row
        | {
            "hours": terminal.hours(row["minutes"]),
            "amount": terminal.money(row["amount_minor"], row["currency"]),
        }
        for row in totals
    ]
    terminal.print_table("The next load", rows, ("action", "day", "entries", "hours", "amount"))
    if not rows:
        terminal.print_text("The next load of these days has nothing to do.")


def _rows(plans: Iterable[Plan]) -> list[tuple[str, Delivery]]:
    return [
        (action, row)
        for plan in plans
        for action, rows in (("send", plan.send), ("adopt", plan.adopt), ("doubt", plan.doubt))
        for row in rows
    ]


def _totals(plans: Iterable[Plan]) -> list[dict[str, Any]]:
    """By action, day and currency: never a sum across currencies."""
    sums: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for action, row in _rows(plans):
        key = (action, str(row.work_date), row.currency or "")
        sums[key].update(entries=1, minutes=row.minutes, amount_minor=row.amount_minor or 0)
    return [
        {
            "action": action,
            "day": day,
            "currency": currency or None,
            "entries": total["entries"],
            "minutes": total["minutes"],
            "amount_minor": total["amount_minor"] if currency else None,
        }
        for (action, day, currency), total in sorted(sums.items(), reverse=True)
    ]


def _payload(row: Delivery, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "entry_id": row.entry_id,
        "work_date": row.work_date,
        "quickbooks_id": row.quickbooks_id,
        "minutes": row.minutes,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "payload": parse(row.payload),
    }
