"""`doctor`: each precondition in turn, with a mark and the fix."""

import click
from rich.text import Text

from pipeline import terminal
from pipeline.preconditions import Finding, examination, findings
from pipeline.settings import Settings
from pipeline.typed import visible

MARKS = {"right": "✓", "wrong": "✗", "doubtful": "!", "unseen": "·"}
COLOURS = {"right": "green", "wrong": "red", "doubtful": "yellow", "unseen": ""}


@click.command(name="doctor")
@terminal.as_json
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Check everything that a good morning's run needs, and name the fix for what is wrong.

    ✓ is right, ✗ is wrong, ! is worth a look and stops nothing, · could not be checked. The
    exit code is 1 if anything is wrong. Nothing is changed.
    """
    settings = Settings.load()
    with terminal.progress() as say:
        facts = examination.facts(settings, terminal.today(settings), say)
    found = list(findings(facts))
    if as_json:
        terminal.print_json([each._asdict() for each in found])
    else:
        for each in found:
            _show(each)
    ctx.exit(terminal.STOPPED if any(each.state == "wrong" for each in found) else 0)


def _show(each: Finding) -> None:
    mark = (MARKS[each.state], COLOURS[each.state])
    terminal.print_text(Text.assemble(mark, visible(f" {each.claim}: {each.said}")))
    if each.fix:
        terminal.print_text(Text(f"  {visible(each.fix)}", style="bold"))
