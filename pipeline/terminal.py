"""What the commands share: how they get at a company, and how they say what they found.

Keeps out what any one command does.
"""

import json
import os
import pwd
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import loading
from pipeline.company import Company, opened
from pipeline.desk import Desk
from pipeline.settings import Settings
from pipeline.stops import Stop

STOPPED = 1
UNDECIDED = 3
"""Exit code: done, and something is left for a person to decide."""
TRY_LATER = 4
PATIENCE_SECONDS = 1.0
"""What takes longer shows that it goes on."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")

DAY = click.DateTime(formats=["%Y-%m-%d"])
as_json = click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")


def exit_code(stop: Stop) -> int:
    """The exit code of what stopped a command."""
    return TRY_LATER if stop.is_transient else STOPPED


def who() -> str:
    """The person at the terminal, as the system knows them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def window(first: datetime, last: datetime) -> tuple[date, date]:
    """The days of two arguments of type `DAY`.

    Raises:
        click.BadParameter: the last is before the first.
    """
    if last < first:
        raise click.BadParameter(f"{last:%Y-%m-%d} is before {first:%Y-%m-%d}")
    return first.date(), last.date()


@contextmanager
def company(command: str, *, only_reads: bool) -> Iterator[tuple[Company, Callable[[str], None]]]:
    """The company of this machine's settings, held for a command, and where to say what goes on.

    Args:
        command: its name, for whoever waits for it meanwhile.
        only_reads: leave the copies of the ledger and the analysts' copy as they are.

    Raises:
        Stop: settings are wrong, or another run holds the warehouse.
    """
    settings = Settings.load()
    with (
        progress() as say,
        opened(settings, f"{command} by {who()}", say, only_reads=only_reads) as held,
    ):
        yield held, say


@contextmanager
def desk(command: str, first: date, last: date, *, only_reads: bool) -> Iterator[Desk]:
    """A desk for some days; see `company`, and `loading.desk`.

    Raises:
        Stop: as `company`; or the company was never read, may not be written, or the ledger is
            another's or cannot be had.
    """
    with (
        company(command, only_reads=only_reads) as (held, say),
        loading.desk(held, say, first, last) as made,
    ):
        yield made


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show on stderr what goes on, if it is a terminal, once it has taken more than a second."""
    status = Console(stderr=True, highlight=False).status("Working")
    timer = threading.Timer(PATIENCE_SECONDS, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda said: status.update(escape(said))
    finally:
        timer.cancel()
        timer.join()
        status.stop()


def print_json(value: object) -> None:
    """Print a document for machines; days and decimals as text."""
    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def print_text(shown: str | Table) -> None:
    """Print a line or a table for people, as wide as the terminal is."""
    Console(highlight=False).print(shown, markup=False)


def print_table(title: str, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Print rows for people; numbers to the right, nothing if there are none."""
    if not rows:
        return
    shown = Table(title=title, title_justify="left")
    for name in columns:
        is_number = all(isinstance(row.get(name), int) for row in rows) or name == "amount"
        shown.add_column(name, justify="right" if is_number or name == "hours" else "left")
    for row in rows:
        shown.add_row(*(_cell(row.get(name)) for name in columns))
    print_text(shown)


def hours(minutes: int) -> str:
    """Whole minutes as hours and minutes."""
    return f"{minutes // 60}:{minutes % 60:02}"


def money(minor: int | None, currency: str | None) -> str:
    """Minor units with their currency; nothing where there is none."""
    if minor is None or not currency:
        return ""
    sign, minor = "-" if minor < 0 else "", abs(minor)
    return f"{sign}{minor // 100:,}.{minor % 100:02} {currency}"


def harmless(cell: object) -> object:
    """A cell of a CSV that no spreadsheet takes for a formula."""
    is_formula = isinstance(cell, str) and cell.startswith(FORMULA)
    return f"'{cell}" if is_formula else cell


def _cell(value: object) -> str:
    return "" if value is None else escape(str(value))
