"""`statement`: a month's billable time by customer, in Clockify and in QuickBooks."""

from calendar import monthrange
from collections.abc import Collection
from datetime import date
from pathlib import Path

import click

from pipeline import terminal
from pipeline.reports.analysis import copy_of, published_at
from pipeline.reports.sheets import Sheet, clock, write_csv, write_xlsx
from pipeline.reports.statement import PARTS, is_of_the_month, lines_of_month, of_month
from pipeline.settings import Settings
from pipeline.storage import Row

SUMS = {
    f"{part} {what}": f"{part}_{name}"
    for part in PARTS
    for what, name in (("time", "seconds"), ("amount", "amount_minor"))
}
SHOWN = (*(part.replace("_", " ") for part in PARTS), "amount", "state")
COLUMNS = {name: name for name in ("customer", "currency", "state")} | SUMS
OF_LINES = {"time": "duration_seconds", "amount": "amount_minor"}
LINES = {name: name for name in ("customer", "currency", "part", "line", "entries")} | OF_LINES


@click.command(name="statement")
@click.argument("month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM")
@click.option("--csv", "csv_file", type=terminal.file, help="Write it to a CSV file.")
@click.option(
    "--xlsx", "xlsx_file", type=terminal.file, help="Write it to a workbook, with every line."
)
@terminal.as_json
@click.pass_context
def command(
    ctx: click.Context, month: date, csv_file: Path | None, xlsx_file: Path | None, *, as_json: bool
) -> None:
    """May this month be invoiced? By customer and currency, and what is in the way.

    Clockify's billable time and amount = in QuickBooks + not sent ± rounding ± what differs. As of
    the end of the last run. The exit code is 3 if a customer is not ready, or a day was never read.
    """
    first = date(month.year, month.month, 1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    settings = Settings.load()
    terminal.refuse_own(settings, csv_file, xlsx_file)
    _refuse_foreign(settings, first, last)
    with copy_of(settings.analysis) as connection:
        unread = terminal.unread(connection, settings, max(first, settings.since), last)
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
        terminal.print_text(*notes)
    is_ready = not unread and all(row["is_ready"] for row in rows)
    ctx.exit(0 if is_ready else terminal.UNDECIDED)


def _refuse_foreign(settings: Settings, first: date, last: date) -> None:
    """Refuse a month that is none of ours: nothing to invoice would look like all is ready.

    Raises:
        click.BadParameter: it lies before `START_DATE` or `SEND_FROM`, or in the future.
    """
    terminal.refuse_unknowable(settings, first, last)
    if last < settings.since:
        raise click.BadParameter(
            f"{last} is before SEND_FROM ({settings.since}): this pipeline sends nothing of it"
        )


def _state(row: Row, told: Collection[str] = ()) -> str:
    """What is in a customer's way, but for what was told of them all."""
    blocks = [block for block in row["blocks"] if block not in told]
    if blocks:
        return "; ".join(blocks)
    return "only what is in the way of all" if row["blocks"] else "ready to invoice"


def _show(name: str, rows: list[Row]) -> None:
    """Show what is not zero, and once what is in every customer's way."""
    of_all = [block for block in rows[0]["blocks"] if is_of_the_month(block)] if rows[1:] else []
    shown = [
        {
            "customer": row["customer"],
            **{
                part.replace("_", " "): clock(seconds)
                for part in PARTS
                if (seconds := row[f"{part}_seconds"])
            },
            "amount": terminal.money(row["in_quickbooks_amount_minor"], row["currency"]),
            "state": _state(row, of_all),
        }
        for row in rows
    ]
    terminal.print_table(f"Billable time of {name}", shown, ["customer", *SHOWN])
    ready = sum(row["is_ready"] for row in rows)
    terminal.print_text(f"{name}: {ready} of {len(rows)} customers are ready to invoice.")
    if of_all:
        terminal.print_text(f"In the way of all: {'; '.join(of_all)}.")
