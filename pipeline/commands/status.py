"""`status`: how things stand, on one screen, from the analysis copy alone."""

from collections.abc import Iterator, Sequence

import click

from pipeline import terminal
from pipeline.ledger import UNSETTLED
from pipeline.reports.situation import situation
from pipeline.settings import Settings
from pipeline.storage import Row


@click.command(name="status")
@terminal.as_json
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show the last run, and what was sent, rejected, held, at risk or left to decide.

    The exit code is 3 if the fix list is not empty, or the outcome of something sent is unknown.
    This makes no run wait.
    """
    settings = Settings.load()
    found = situation(settings.analysis, settings.since)
    if as_json:
        terminal.print_json(found)
    else:
        click.echo("\n".join(_screen(found, settings)))
    is_unsettled = any(tally["name"] in UNSETTLED for tally in found["deliveries"])
    ctx.exit(terminal.UNDECIDED if found["fixes"] or is_unsettled else 0)


def _screen(found: Row, settings: Settings) -> Iterator[str]:
    ended = f", ended {terminal.instant(found['ended_at'], settings)}" if found["ended_at"] else ""
    yield terminal.as_of(found["published_at"], settings)
    yield f"Last run         {found['run_id'] or 'none'}{ended}"
    yield f"Read up to       {found['read_until'] or 'no day yet'}"
    yield f"By that run      {_listed(found['in_run'])}"
    yield f"Work dates since {settings.since}"
    yield f"  deliveries     {_listed(found['deliveries'])}"
    yield f"  waiting        {_listed(found['waiting'])}"
    at_risk = found["at_risk"]
    oldest = f", billable and not in QuickBooks, the oldest from {at_risk['name']}"
    yield f"  to be done     {found['fixes']:,} in the fix list"
    yield f"  at risk        {_counted(at_risk)}{oldest if at_risk['entries'] else ''}"


def _listed(tallies: Sequence[Row]) -> str:
    return ", ".join(f"{tally['name']} {_counted(tally)}" for tally in tallies) or "nothing"


def _counted(tally: Row) -> str:
    return f"{tally['entries']:,} ({terminal.hours(tally['minutes'])} h)"
