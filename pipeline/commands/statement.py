"""`statement`: a month's billable time by customer, in Clockify and in QuickBooks."""

from datetime import date
from pathlib import Path

import click

from pipeline import terminal
from pipeline.analysis import copy_of
from pipeline.figures import Row
from pipeline.settings import Settings
from pipeline.sheets import Column, Sheet, clock, write_csv, write_xlsx
from pipeline.statement import PARTS, lines_of_month, of_month

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
FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command(name="statement")
@click.argument("month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM")
@click.option("--csv", "csv_file", type=FILE, help="Write it to a CSV file.")
@click.option("--xlsx", "xlsx_file", type=FILE, help="Write it to a workbook, with every line.")
@terminal.as_json
@click.pass_context
def command(
    ctx: click.Context, month: date, csv_file: Path | None, xlsx_file: Path | None, *, as_json: bool
) -> None:
    """May this month be invoiced? By customer and currency, and what is in the way.

    Clockify's billable time and amount = in QuickBooks + not sent ± rounding ± what differs. As of
    the last run's end. The exit code is 3 if a customer is not ready.
    """
    first = date(month.year, month.month, 1)
    with copy_of(Settings.load().analysis) as connection:
        rows = [row | {"state": _state(row)} for row in of_month(connection, first)]
        lines = lines_of_month(connection, first)
    name = f"{first:%Y-%m}"
    if csv_file:
        write_csv(csv_file, Sheet(name, COLUMNS, rows))
    if xlsx_file:
        write_xlsx(xlsx_file, [Sheet(name, COLUMNS, rows), Sheet("lines", LINES, lines)])
    if as_json:
        terminal.print_json({"month": name, "customers": rows, "lines": lines})
    else:
        _show(name, rows)
    ctx.exit(0 if all(row["is_ready"] for row in rows) else terminal.UNDECIDED)


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
