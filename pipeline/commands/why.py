"""`why`: everything known about one entry, from the analysis copy, and live if asked."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from pipeline import terminal
from pipeline.ledger import LEFT_OUT, TOLD_APART
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.reports import dossier
from pipeline.reports.analysis import BY_A_PERSON
from pipeline.reports.sheets import clock
from pipeline.settings import Settings
from pipeline.storage import Row
from pipeline.typed import visible

SHORT = 8
"""Characters of a run's id by which Dagster's UI shows it."""
DRIFT = ("field", "before", "after", "quickbooks_id", "not_followed")
ATTEMPT = ("quickbooks_id", "error_code", "error_message", "intuit_tid", "run")


@click.command(name="why")
@click.argument("entry_id")
@click.option(
    "--live", "is_live", is_flag=True, help="Ask QuickBooks what it holds at this moment."
)
@terminal.as_json
def command(entry_id: str, *, is_live: bool, as_json: bool) -> None:
    """Show how ENTRY_ID was read, judged and delivered, who decided what, and what to change.

    As of the end of the last run, so that no run has to wait for this; `--live` reads its time
    activity anew. Changes nothing.
    """
    settings = Settings.load()
    found = dossier.dossier(settings.analysis, entry_id.strip().lower())
    if is_live:
        with QuickBooks(settings, Tokens(settings)) as quickbooks:
            found = dossier.live(found, quickbooks, datetime.now(UTC))
    if as_json:
        terminal.print_json(found)
        return
    terminal.print_text(terminal.as_of(found["published_at"], settings))
    for part in (_read, _judged, _delivered, _held):
        terminal.print_text(*map(visible, part(found, settings)))
    _tables(found, settings)


def _read(found: Row, settings: Settings) -> Iterator[str]:
    """The entry as Clockify gave it."""
    entry = found["entry"]
    if entry is None:
        yield f"Entry {found['entry_id']} is no longer in Clockify on any day that was read."
        return
    spent = entry["duration_seconds"]
    rate = terminal.money(entry["hourly_rate_minor"], entry["currency"])
    dates = f"{entry['work_date']} in {settings.time_zone}"
    if entry["person_work_date"] not in {None, entry["work_date"]}:
        dates += f", {entry['person_work_date']} in the person's own zone"
    yield f"Entry {found['entry_id']}, as read on {terminal.instant(entry['read_at'], settings)}"
    yield f"  person       {entry['user_name'] or 'without a name'} ({entry['user_id']})"
    yield f"  client       {entry['client_name'] or 'none'}"
    yield f"  project      {entry['project_name'] or 'none'}"
    yield f"  work date    {dates}"
    yield f"  time         {'running' if spent is None else clock(spent)}"
    yield f"  billable     {'yes' if entry['is_billable'] else 'no'}, rate {rate or 'none'}"
    yield f"  description  {entry['description']}"


def _judged(found: Row, _: Settings) -> Iterator[str]:
    """Its verdict with every reason and fix."""
    yield f"Verdict: {found['verdict'] or ('not judged yet' if found['entry'] else 'none')}"
    if found["rejected"] is None:
        return
    fixes = found["rejected"]["fixes"]
    for reason, fix in zip(found["rejected"]["reasons"], fixes, strict=True):
        yield f"  {reason}: {fix}"
    suggestion = found["rejected"]["suggestion"]
    if suggestion and not any(suggestion in fix for fix in fixes):
        yield f"  {suggestion}"


def _delivered(found: Row, _: Settings) -> Iterator[str]:
    """What the ledger says became of it."""
    if not found["deliveries"]:
        yield "Delivery: none"
    for row in found["deliveries"]:
        held = f", time activity {row['quickbooks_id']}" if row["quickbooks_id"] else ""
        yield f"Delivery: {row['state']}{held}, {_amount(row)}"
        if row["error_message"]:
            yield f"  {row['error_message']}"
        if row["state"] == "gone":
            yield "  deleted in QuickBooks and never sent again: `decide ENTRY skip` settles it"
        elif row["state"] == "skipped" and row["quickbooks_id"]:
            yield "  deleted in QuickBooks before that"


def _held(found: Row, settings: Settings) -> Iterator[str]:
    """What QuickBooks holds of it, billed or not."""
    for row in found["activities"]:
        billed = "billed" if row["is_billed"] else "not billed yet"
        own = "" if row["entry_id"] == found["entry_id"] else ", not its own"
        state = billed if row["is_billable"] else "not billable"
        at = terminal.instant(row["read_at"], settings)
        known = f"QuickBooks, {'now' if found['is_live'] else f'as read on {at}'}"
        yield f"{known}: time activity {row['quickbooks_id']}{own}, {_amount(row)}, {state}"
        whose = f"{row['person_name'] or row['person_id']} for {row['customer_name'] or 'nobody'}"
        yield f"  {whose}, service item {row['item_name'] or row['item_id'] or 'none'}"
        yield f"  {row['description']}"
    named = {row["quickbooks_id"] for row in found["deliveries"] if row["quickbooks_id"]}
    there = {row["quickbooks_id"] for row in found["activities"]}
    gone = {row["quickbooks_id"] for row in found["deliveries"] if row["state"] in LEFT_OUT}
    for missing in sorted(named - there - gone):
        why = "is not there" if found["is_live"] else "has not been read since; `--live` reads it"
        yield f"QuickBooks: time activity {missing} {why}"


def _amount(row: Row) -> str:
    amount = terminal.money(row["amount_minor"], row["currency"])
    return f"{terminal.hours(row['minutes'])} on {row['work_date']} {amount}".rstrip()


def _tables(found: Row, settings: Settings) -> None:
    """What people decided, what changed since it was sent, and each attempt."""
    terminal.print_table("Decisions", _decisions(found, settings), ("when", "who", "said"))
    changed = _when(found["drift"], "found_at", settings)
    terminal.print_table("Drift", changed, ("when", "side", "kind", *DRIFT))
    tried = [
        row
        | {
            "run": row["run_id"][: None if BY_A_PERSON in row["run_id"] else SHORT],
            "intuit_tid": row["intuit_tid"] if row["error_code"] else None,
        }
        for row in _when(found["attempts"], "recorded_at", settings)
    ]
    terminal.print_table("Attempts", tried, ("when", "state", *ATTEMPT))


def _decisions(found: Row, settings: Settings) -> list[Row]:
    confirmed = [
        row
        | {
            "who": f"confirmed by {row['confirmed_by']}",
            "said": f"{row['first_day']} to {row['last_day']}: send what QuickBooks does not hold",
        }
        for row in _when(found["confirmations"], "confirmed_at", settings)
    ]
    decided = [
        row | {"who": row["run_id"], "said": f"{_said(row)} ({row['state']})"}
        for row in _when(found["decisions"], "recorded_at", settings)
    ]
    return confirmed + decided


def _said(attempt: Row) -> str:
    """What a person decided; what was sent keeps its own words, and is only told apart."""
    is_kept = attempt["error_code"] == TOLD_APART
    return "keep: what resembles it is other work" if is_kept else str(attempt["error_message"])


def _when(rows: list[Row], instant: str, settings: Settings) -> list[Row]:
    return [row | {"when": terminal.instant(row[instant], settings)} for row in rows]
