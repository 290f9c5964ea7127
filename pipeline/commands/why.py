"""`why`: everything known about one entry, from the analysis copy alone."""

from dataclasses import asdict

import click

from pipeline import terminal
from pipeline.dossier import Dossier, dossier
from pipeline.settings import Settings

ATTEMPT = ["recorded_at", "state", "quickbooks_id", "error_code", "error_message", "intuit_tid"]
SECONDS = 60


@click.command(name="why")
@click.argument("entry_id")
@terminal.as_json
def command(entry_id: str, *, as_json: bool) -> None:
    """Show how ENTRY_ID was read, judged and delivered, and what to change."""
    settings = Settings.load()
    found = dossier(settings.analysis, entry_id.strip().lower())
    if as_json:
        terminal.print_json(asdict(found) | {"verdict": found.verdict})
        return
    for line in (*_read(found, settings.time_zone), *_judged(found), *_delivered(found)):
        click.echo(line)
    terminal.print_table("Attempts", found.attempts, ATTEMPT)


def _read(found: Dossier, zone: str) -> list[str]:
    """The entry as Clockify gave it."""
    entry = found.entry
    if entry is None:
        return [f"Entry {found.entry_id} is no longer in Clockify on any day that was read."]
    spent = entry["duration_seconds"]
    rate = terminal.money(entry["hourly_rate_minor"], entry["currency"])
    dates = f"{entry['work_date']} in {zone}"
    if found.other_date:
        dates += f", {found.other_date} in the person's own zone"
    return [
        f"Entry {found.entry_id}, as read on {entry['read_at']:%Y-%m-%d %H:%M} UTC",
        f"  person       {entry['user_name']} ({entry['user_id']})",
        f"  client       {entry['client_name'] or 'none'}",
        f"  project      {entry['project_name'] or 'none'}",
        f"  work date    {dates}",
        f"  time         {'running' if spent is None else terminal.hours(spent // SECONDS)}",
        f"  billable     {'yes' if entry['is_billable'] else 'no'}, rate {rate or 'none'}",
        f"  description  {entry['description']}",
    ]


def _judged(found: Dossier) -> list[str]:
    """Its verdict with every reason and fix."""
    if found.rejected is None:
        return [f"Verdict: {found.verdict or 'not judged yet'}"]
    pairs = zip(found.rejected["reasons"], found.rejected["fixes"], strict=True)
    lines = [f"Verdict: {found.verdict}", *(f"  {reason}: {fix}" for reason, fix in pairs)]
    if suggestion := found.rejected["suggestion"]:
        lines.append(f"  {suggestion}")
    return lines


def _delivered(found: Dossier) -> list[str]:
    """What became of it in QuickBooks."""
    if not found.deliveries:
        return ["Delivery: none"]
    lines = []
    for row in found.deliveries:
        held = f", time activity {row['quickbooks_id']}" if row["quickbooks_id"] else ""
        spent = f"{terminal.hours(row['minutes'])} on {row['work_date']}"
        amount = terminal.money(row["amount_minor"], row["currency"])
        lines.append(f"Delivery: {row['state']}{held}, {spent} {amount}".rstrip())
        if row["error_message"]:
            lines.append(f"  {row['error_message']}")
    return lines
