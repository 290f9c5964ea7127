"""What the commands share: how they get at a company, and how they say what they found.

Keeps out what any one command does.
"""

import json
import os
import pwd
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from pipeline import files
from pipeline.company import opened
from pipeline.delivery import opening
from pipeline.delivery.desk import Desk
from pipeline.extract.pieces import days_of
from pipeline.reports.books import days_judged
from pipeline.reports.sheets import clock
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage import Connection
from pipeline.tables import shown
from pipeline.typed import is_unseen

STOPPED = 1
UNDECIDED = 3
"""Exit code: done, and something is left for a person to decide."""
TRY_LATER = 4

READ = (
    ".venv/bin/dg launch --assets 'group:extract or group:review' "
    "--partition-range {first}...{last}"
)


def file(value: str) -> Path:
    """The type of an option that names a file to be written.

    Raises:
        Stop: as `files.refuse_unwritable`, before any work is done.
    """
    path = Path(value)
    files.refuse_unwritable(path)
    return path


def refuse_own(settings: Settings, *paths: Path | None) -> None:
    """Refuse to write what was asked for in the place of one of the pipeline's own files.

    Raises:
        click.BadParameter: one of the paths is such a file.
    """
    asked = {path.resolve(): path for path in paths if path}
    for name, own in settings.files.items():
        if path := asked.get(own.resolve()):
            raise click.BadParameter(f"{path} is the pipeline's own {name}: name another file")


DAY = click.DateTime(formats=["%Y-%m-%d"])
LONGEST = timedelta(days=3660)
as_json = click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")


def who() -> str:
    """The person at the terminal, as the system knows them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def window(first: datetime, last: datetime) -> tuple[date, date]:
    """The days of two arguments of type `DAY`.

    Raises:
        click.BadParameter: the last is before the first, or a year is mistyped: a load walks all
            days between them.
    """
    if last < first:
        raise click.BadParameter(f"{last:%Y-%m-%d} is before {first:%Y-%m-%d}")
    if last - first > LONGEST:
        raise click.BadParameter(f"{first:%Y-%m-%d} to {last:%Y-%m-%d} is more than ten years")
    return first.date(), last.date()


def today(settings: Settings) -> date:
    """The calendar date now in `TIME_ZONE`."""
    return datetime.now(settings.zone).date()


def refuse_unknowable(settings: Settings, first: date, last: date) -> None:
    """Refuse days of which nothing can be known.

    Raises:
        click.BadParameter: they all lie before `START_DATE`, or in the future.
    """
    if last < settings.start_date:
        raise click.BadParameter(
            f"{last} is before START_DATE ({settings.start_date}): no day before it is ever read"
        )
    if first > (now := today(settings)):
        raise click.BadParameter(f"{first} lies in the future: today is {now}")


def unread(connection: Connection, settings: Settings, first: date, last: date) -> list[date]:
    """The days of a range that could have been judged by now and were not.

    Args:
        connection: one to the warehouse, or to the analysis copy.
        settings: say the first day that is ever read.
        first: the first day.
        last: the last one, included.
    """
    known = days_of(max(first, settings.start_date), min(last, today(settings)))
    return sorted(set(known) - days_judged(connection))


def told_unread(days: Sequence[date]) -> list[str]:
    """How many days nobody knows of, with the command that helps; nothing if there are none."""
    if not days:
        return []
    command = READ.format(first=days[0], last=days[-1])
    return [f"{len(days)} of these days were never read and judged: `{command}` does both."]


@contextmanager
def desk(command: str, *days: date, only_reads: bool) -> Iterator[Desk]:
    """A desk of this machine's settings, held for a command; what goes on is shown.

    Args:
        command: its name, for whoever waits for it meanwhile.
        days: the first and last work date; all since `START_DATE` if not given.
        only_reads: leave the copies of the ledger and the analysts' copy as they are, and bind
            nothing.

    Raises:
        click.BadParameter: as `refuse_unknowable`.
        Stop: settings are wrong, there is no warehouse, or another run holds it; or the company was
            never read, may not be written, or the ledger is another's or cannot be had.
    """
    settings = Settings.load()
    first, last = days or (settings.start_date, today(settings))
    refuse_unknowable(settings, first, last)
    if not files.is_there(settings.warehouse):
        raise Stop(
            f"There is no warehouse {settings.warehouse}",
            "check that WAREHOUSE is right, in this shell too; if nothing was ever read, launch a "
            "first run",
        )
    holder = f"{command} by {who()}"
    with (
        progress() as say,
        opened(settings, holder, say, only_reads=only_reads, is_all_or_nothing=True) as company,
        opening.desk(company, say, first, last) as made,
    ):
        opening.bind(made, is_dry=only_reads)
        yield made


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show on stderr what goes on, if it is a terminal; what was shown is gone at the end."""
    with Console(stderr=True, highlight=False).status("Working") as status:
        yield lambda said: status.update(escape(said))


def print_json(value: object) -> None:
    """Print a document for machines; days and decimals as text.

    People look at it too: what a terminal would carry out is spelled, which is the same to a
    machine.
    """
    said = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    click.echo(
        "".join(
            f"\\u{ord(char):04x}" if is_unseen(char) and char != "\n" else char for char in said
        )
    )


def print_text(*lines: str | Text) -> None:
    """Print lines for people, wrapped only where a terminal shows them."""
    console = Console(highlight=False)
    for line in lines:
        console.print(line, markup=False, soft_wrap=not console.is_terminal)


def print_table(title: str, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Print rows for people, as wide as the terminal is; nothing if there are none."""
    console = Console(highlight=False)
    for each in shown(title, rows, columns, console.width):
        console.print(each)


def print_rows(title: str, rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print rows, at least one, with all their columns: for machines or for people."""
    if as_json:
        print_json(rows)
    else:
        print_table(title, rows, list(rows[0]))


def hours(minutes: int) -> str:
    """Whole minutes as hours and minutes."""
    return clock(minutes * 60).removesuffix(":00")


def instant(at: datetime, settings: Settings) -> str:
    """An instant in the company's zone, to the minute."""
    return f"{at.astimezone(settings.zone):%Y-%m-%d %H:%M}"


def as_of(at: datetime, settings: Settings) -> str:
    """The line above what is told from the analysts' copy: whatever happened since is not in it."""
    return f"As of {instant(at, settings)} ({settings.time_zone})"


def money(minor: int | None, currency: str | None) -> str:
    """Minor units with their currency; nothing where there is none."""
    if minor is None or not currency:
        return ""
    sign, minor = "-" if minor < 0 else "", abs(minor)
    return f"{sign}{minor // 100:,}.{minor % 100:02} {currency}"


def with_amounts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows, each with its minutes as `hours` and its minor units as `amount` beside."""
    return [
        {
            **row,
            "hours": hours(row["minutes"]),
            "amount": money(row["amount_minor"], row["currency"]),
        }
        for row in rows
    ]
