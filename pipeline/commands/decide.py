"""`decide`: what a person says of entries that look as if QuickBooks might hold them."""

from dataclasses import replace
from pathlib import Path

import click

from pipeline import terminal
from pipeline.delivery import deciding, decisions
from pipeline.delivery.decisions import Decision


@click.command()
@click.argument("entry", required=False)
@click.argument("words", nargs=-1, metavar="[send | adopt ID | skip | keep]")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Decide what the column `decision` of this file says, all or nothing.",
)
@terminal.as_json
def command(
    entry: str | None, words: tuple[str, ...], csv_file: Path | None, *, as_json: bool
) -> None:
    """Decide on an ENTRY: send it, adopt a time activity as its own, never send it, or keep it.

    `send` is carried out by the next load of its day, if the entry is still accepted then; if
    QuickBooks has come to hold its equal, that is adopted instead. `skip` also settles what was
    sent and then deleted in QuickBooks (`gone`). `keep` is for an entry that is in QuickBooks: it
    says that the activity beside it there, which resembles it, is other work.
    """
    made = [
        replace(each, entry_id=each.entry_id.lower())  # as Clockify writes them, however typed
        for each in _decisions(entry, words, csv_file)
    ]
    if not made:
        click.echo("Nothing to decide: no row has a decision.", err=True)
        return
    with terminal.desk("decide", only_reads=False) as desk:
        decided = deciding.decide(desk, made, terminal.who())
    rows = [
        {
            "entry_id": row.entry_id,
            "work_date": row.work_date,
            "decision": each.verb,
            "quickbooks_id": row.quickbooks_id,
        }
        for each, row in zip(made, decided, strict=True)
    ]
    terminal.print_rows("Decided", rows, as_json=as_json)


def _decisions(entry: str | None, words: tuple[str, ...], csv_file: Path | None) -> list[Decision]:
    """What was asked for, in either way.

    Raises:
        click.UsageError: neither an entry with a decision, nor a file, or both.
    """
    if (entry is None) == (csv_file is None):
        raise click.UsageError("name an entry and its decision, or a file with `--csv`")
    if csv_file:
        return decisions.read_csv(csv_file)
    try:
        return [decisions.decision(str(entry), words)]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
