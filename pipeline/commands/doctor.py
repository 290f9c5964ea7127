"""`doctor`: each precondition in turn, with a mark and the fix."""

from datetime import datetime

import click

from pipeline import examination, terminal
from pipeline.doctor import Finding, findings
from pipeline.settings import Settings

MARKS = {
    "right": click.style("✓", fg="green"),
    "wrong": click.style("✗", fg="red"),
    "doubtful": click.style("!", fg="yellow"),
    "unseen": "·",
}


@click.command(name="doctor")
@terminal.as_json
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Look at everything that a good morning's run needs, and name the fix of what is wrong.

    ✓ is right, ✗ is wrong, ! is worth a look and stops nothing, · could not be looked at. The
    exit code is 1 if anything is wrong. Nothing is changed.
    """
    settings = Settings.load()
    with terminal.progress() as say:
        facts = examination.facts(settings, datetime.now(settings.zone).date(), say)
    found = list(findings(facts))
    if as_json:
        terminal.print_json([each._asdict() for each in found])
    else:
        for each in found:
            _show(each)
    ctx.exit(terminal.STOPPED if any(each.state == "wrong" for each in found) else 0)


def _show(each: Finding) -> None:
    click.echo(f"{MARKS[each.state]} {each.claim}: {each.said}")
    if each.fix:
        click.echo(click.style(f"  {each.fix}", bold=True))
