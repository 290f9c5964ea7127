"""`export`: the fix list and the rejected entries as spreadsheets, for whoever is to mend them."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from pipeline import terminal
from pipeline.reports.analysis import copy_of, published_at
from pipeline.reports.fix_list import lines_of_days
from pipeline.reports.sheets import Sheet, write_csv, write_xlsx
from pipeline.settings import Settings
from pipeline.storage import Connection, Row, queries

FIX_LIST = {
    "concerns": "concerns",
    "entries": "entries",
    "time": "duration_seconds",
    "fix": "fix",
    "nearest in QuickBooks": "suggestion",
    "reason": "reason",
    "lets through": "entries_freed",
    "since": "since",
    "until": "until",
}
REJECTED = {
    "work date": "work_date",
    "person": "user_name",
    "client": "client_name",
    "project": "project_name",
    "time": "duration_seconds",
    "reasons": "reasons",
    "fixes": "fixes",
    "description": "description",
    "amount": "amount_minor",
    "currency": "currency",
    "entry id": "entry_id",
}
WHAT = {"fix-list": FIX_LIST, "rejected": REJECTED}


@click.command(name="export")
@click.argument("what", type=click.Choice(list(WHAT)))
@click.argument("first", type=terminal.DAY, metavar="FIRST")
@click.argument("last", type=terminal.DAY, metavar="LAST")
@click.option("--csv", "csv_file", type=terminal.file, help="Write a CSV file.")
@click.option("--xlsx", "xlsx_file", type=terminal.file, help="Write a workbook.")
def command(
    what: str, first: datetime, last: datetime, csv_file: Path | None, xlsx_file: Path | None
) -> None:
    """Write the fix list, or the rejected entries, of the work dates FIRST to LAST to a file.

    As of the end of the last run. Text that looks like a formula stays text.
    """
    if not csv_file and not xlsx_file:
        raise click.UsageError("name a file with `--csv` or `--xlsx`")
    days = terminal.window(first, last)
    settings = Settings.load()
    terminal.refuse_own(settings, csv_file, xlsx_file)
    terminal.refuse_unknowable(settings, *days)
    with copy_of(settings.analysis) as connection:
        sheet = Sheet(what, WHAT[what], _rows(connection, what, *days))
        notes = terminal.told_unread(terminal.unread(connection, settings, *days))
        as_of = terminal.as_of(published_at(connection), settings)
    if csv_file:
        write_csv(csv_file, sheet)
    if xlsx_file:
        write_xlsx(xlsx_file, [sheet], [as_of, *notes])
    terminal.print_text(as_of, f"{len(sheet.rows)} rows written", *notes)


def _rows(connection: Connection, what: str, first: date, last: date) -> Sequence[Row]:
    if what == "fix-list":
        return lines_of_days(connection, first, last)
    return queries.rows(
        connection,
        "FROM rejected_time_entries WHERE verdict = 'rejected' "
        "AND work_date BETWEEN $1 AND $2 ORDER BY work_date, user_name, start_at",
        [first, last],
    )
