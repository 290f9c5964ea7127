"""`statement`: a month's billable time by customer, in Clockify and in QuickBooks."""

from calendar import monthrange
from datetime import date, datetime
from pathlib import Path

import click

from pipeline import terminal
from pipeline.reports.analysis import copy_of, published_at
from pipeline.reports.sheets import Column, Sheet, clock, write_csv, write_xlsx
from pipeline.reports.statement import PARTS, lines_of_month, of_month
from pipeline.settings import Settings
from pipeline.storage.queries import Row

SUMS = [
    column
    for part in PARTS
    for column in (
        Column(f"{part} time", f"{part}_seconds", "time"),
        Column(f"{part} amount", f"{part}_amount_minor", "money"),
    )
]
WHOSE = [Column("customer", "customer"), Column("currency", "currency")]
COLUMNS = [*WHOSE, Column("state", "state"), *SUMS]
LINES = [
    *WHOSE,
    Column("part", "part"),
    Column("line", "line"),
    Column("entries", "entries", "number"),
    Column("time", "duration_seconds", "time"),
    Column("amount", "amount_minor", "money"),
]


@click.command(name="statement")
@click.argument("month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM")
@click.option("--csv", "csv_file", type=terminal.FILE, help="Write it to a CSV file.")
@click.option(
    "--xlsx", "xlsx_file", type=terminal.FILE, help="Write it to a workbook, with every line."
)
@terminal.as_json
@click.pass_context
def command(
    ctx: click.Context, month: date, csv_file: Path | None, xlsx_file: Path | None, *, as_json: bool
) -> None:
    """May this month be invoiced? By customer and currency, and what is in the way.

    Clockify's billable time and amount = in QuickBooks + not sent ± rounding ± what differs. As of
    the last run's end. The exit code is 3 if a customer is not ready, or a day was never read.
    """
    first = date(month.year, month.month, 1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    settings = Settings.load()
    terminal.refuse_own(settings, csv_file, xlsx_file)
    today = datetime.now(settings.zone).date()
    _refuse_foreign(settings, today, first, last)
    with copy_of(settings.analysis) as connection:
        unread = terminal.unread_in(connection, settings, today, max(first, settings.since), last)
        rows = [row | {"state": _state(row)} for row in of_month(connection, first)]
        lines = lines_of_month(connection, first)
        at = published_at(connection)
    name, notes = f"{first:%Y-%m}", terminal.told_unread(unread)
    as_of = terminal.as_of(at, settings)
    if csv_file:
        write_csv(csv_file, Sheet(name, COLUMNS, rows))
    if xlsx_file:
        sheets = [Sheet(name, COLUMNS, rows), Sheet("lines", LINES, lines)]
        write_xlsx(xlsx_file, sheets, [as_of, *notes])
    if as_json:
        told = {"month": name, "published_at": at, "customers": rows}
        terminal.print_json(told | {"lines": lines, "unread_days": unread})
    else:
        terminal.print_text(as_of)
        _show(name, rows)
        for line in notes:
            terminal.print_text(line)
    is_ready = not unread and all(row["is_ready"] for row in rows)
    ctx.exit(0 if is_ready else terminal.UNDECIDED)


def _refuse_foreign(settings: Settings, today: date, first: date, last: date) -> None:
    """Refuse a month that is none of ours: nothing to invoice would look like all is ready.

    Raises:
        click.BadParameter: it lies before `START_DATE` or `SEND_FROM`, or in the future.
    """
    terminal.refuse_unknowable(settings, today, first, last)
    if last < settings.since:
        raise click.BadParameter(
            f"{last} is before SEND_FROM ({settings.since}): this pipeline sends nothing of it"
        )


def _state(row: Row) -> str:
    return "; ".join(row["blocks"]) or "ready to invoice"


def _show(name: str, rows: list[Row]) -> None:
    shown = [
        {
            "customer": row["customer"],
            **{part.replace("_", " "): clock(row[f"{part}_seconds"]) for part in PARTS},
            "amount": terminal.money(row["in_quickbooks_amount_minor"], row["currency"]),
            "state": row["state"],
        }
        for row in rows
    ]
    terminal.print_table(f"Billable time of {name}", shown, list(shown[0]) if shown else [])
    ready = sum(row["is_ready"] for row in rows)
    terminal.print_text(f"{name}: {ready} of {len(rows)} customers are ready to invoice.")
