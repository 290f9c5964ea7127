"""The analysts' copy: warehouse and ledger in one file that no run ever waits for.

Published at the end of every run, red or green: copied beside, given the analysts' views, and
moved into place, so that a reader of the old copy is not disturbed. Also answers the schedule,
which must not touch the warehouse while a run holds it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.files import AS_ITS_USER, is_there, make_folder
from pipeline.ledger import SETTLED
from pipeline.reports.books import BOOKS_AND_LEDGER
from pipeline.reports.figures import VERDICTS
from pipeline.reports.fix_list import OPEN_FIXES, fix_list
from pipeline.reports.hours_at_risk import hours_at_risk
from pipeline.reports.statement import lines, statement
from pipeline.schemas import LEDGER_TABLES, name_of, sql_types
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage.database import Connection, in_a_line, log_of, read_only
from pipeline.storage.ledger_file import attached
from pipeline.warehouse import Warehouse

BY_A_PERSON = " by "
"""In the place of a run's id: the command and who typed it, as `terminal.desk` names them."""
REACH = timedelta(days=100)
"""How far back the schedule reaches for an open day; older ones are named by a check."""
OPEN_DAYS = f"""
SELECT work_date, verdict, count(*) AS entries, sum(duration_seconds)::BIGINT AS duration_seconds
FROM verdicts WHERE verdict IN ('rejected', 'held') OR verdict = 'accepted'
    AND entry_id NOT IN (SELECT entry_id FROM deliveries WHERE state IN {SETTLED})
GROUP BY ALL
"""
DELIVERY_LOG = """
SELECT attempt.recorded_at, attempt.state, delivery.work_date, entry.user_name, entry.client_name,
    entry.project_name, delivery.minutes, attempt.error_code, attempt.error_message,
    attempt.quickbooks_id, attempt.entry_id, attempt.part, attempt.revision, attempt.attempt,
    attempt.intuit_tid, attempt.run_id
FROM delivery_attempts AS attempt JOIN deliveries AS delivery USING (entry_id, part)
LEFT JOIN clockify_time_entries AS entry USING (entry_id)
"""


def views(settings: Settings, today: date) -> dict[str, str]:
    """The analysts' views, each with its query, in the order in which they build on each other.

    Args:
        settings: say the first work date that concerns us, and whose price is sent.
        today: the calendar date now in `TIME_ZONE`.
    """
    since, is_priced_by_item = settings.since, settings.rate_source == "service_item"
    return {
        "verdicts": _verdicts(is_priced_by_item=is_priced_by_item),
        "open_days": OPEN_DAYS,
        "delivery_log": DELIVERY_LOG,
        "books_and_ledger": BOOKS_AND_LEDGER,
        "fixes": OPEN_FIXES,
        "fix_list": fix_list(since),
        "hours_at_risk": hours_at_risk(since, today),
        "statement_lines": lines(is_priced_by_item=is_priced_by_item),
        "statement": statement(since, today, settings.time_zone),
    }


def _verdicts(*, is_priced_by_item: bool) -> str:
    """Every entry with its verdict; a service item's price is in the company's home currency."""
    currency = "(SELECT home_currency FROM quickbooks_company)" if is_priced_by_item else "currency"
    sent = f"CASE WHEN verdict = 'accepted' THEN {currency} END AS sent_currency"
    return f"SELECT *, {sent} FROM ({VERDICTS})"


def lay_views(connection: Connection, settings: Settings, today: date) -> None:
    """The analysts' views over a warehouse with the ledger beside, for this connection alone."""
    for table in LEDGER_TABLES:
        name = name_of(table)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM ledger.{name}")
    for name, query in views(settings, today).items():
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")


def publish(settings: Settings, run_id: str, now: datetime, log: Callable[[str], object]) -> None:
    """Put a fresh copy in the place of the old one.

    Raises:
        Stop: the disk is full, or a file is broken or open elsewhere.
        OSError: its place cannot be written.
    """
    warehouse = Warehouse(settings.warehouse)
    draft = settings.analysis.with_name(settings.analysis.name + ".new")
    make_folder(settings.analysis.parent)
    # Opened only if need be, which takes time: to be made, or for what is not in the file yet.
    if not is_there(settings.warehouse) or is_there(log_of(settings.warehouse)):
        with warehouse.connect() as connection:
            connection.execute("CHECKPOINT")
    log("publishing the analysis copy")
    # A publication that was killed leaves a log, which DuckDB would replay into this draft.
    log_of(draft).unlink(missing_ok=True)
    with Warehouse(draft).told():
        shutil.copyfile(settings.warehouse, draft)
    with Warehouse(draft).connect() as connection, warehouse.whole(connection):
        with attached(connection, settings.ledger, settings.lock_seconds, log):
            for table in LEDGER_TABLES:
                name, columns = name_of(table), ", ".join(sql_types(table))
                connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM ledger.{name}")
        connection.execute(
            "CREATE TABLE published AS SELECT $1::TIMESTAMPTZ AS published_at, $2 AS run_id, "
            "$3 AS last_run_id, $4::TIMESTAMPTZ AS last_run_at",
            [now, run_id, *(_last_run(settings) if BY_A_PERSON in run_id else (run_id, now))],
        )
        today = now.astimezone(settings.zone).date()
        for name, query in views(settings, today).items():
            connection.execute(f"CREATE VIEW {name} AS {query}")
        connection.execute("CHECKPOINT")  # closing does one too, but hides a full disk
    # Nor must what a stranger, who opened the last copy to write, left in its log be replayed.
    log_of(settings.analysis).unlink(missing_ok=True)
    draft.replace(settings.analysis)


def _last_run(settings: Settings) -> tuple[str | None, datetime | None]:
    """The last run and its end, by the copy that stands there: a command of a person is none."""
    try:
        with copy_of(settings.analysis) as connection:
            query = "SELECT last_run_id, last_run_at FROM published"
            [(run_id, at)] = connection.execute(query).fetchall()
    except Stop:  # nothing stands there that this version knows
        return None, None
    return run_id, at


@contextmanager
def copy_of(path: Path) -> Iterator[Connection]:
    """The copy as the last run left it, to be read.

    Raises:
        Stop: nothing has been published yet, or by a version that had other tables; or the file
            is broken, is a folder, may not be read, or is open in another program that writes.
    """
    try:
        path.open("rb").close()
    except FileNotFoundError as error:
        raise Stop(
            f"There is no analysis copy at {path} yet",
            "launch a first run, which publishes it at its end",
        ) from error
    except OSError as error:
        raise Stop(
            f"The analysis copy {path} cannot be opened ({error.strerror})",
            f"{AS_ITS_USER}, or name another file in ANALYSIS",
        ) from error
    try:
        with read_only(path) as connection:
            yield connection
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise Stop(
            f"The analysis copy {path} was published by another version of this program",
            "launch a run, which publishes it anew at its end",
        ) from error
    except duckdb.Error as error:
        raise Stop(
            f"The analysis copy {path} cannot be read: {in_a_line(error)}",
            "close the program that has it open; or delete it, and the next run of any asset "
            "publishes it again",
        ) from error


def published_at(connection: Connection) -> datetime:
    """When the copy was published; what happened since is not in it."""
    [(at,)] = connection.execute("SELECT published_at FROM published").fetchall()
    assert isinstance(at, datetime)
    return at


def oldest_open_day(path: Path, since: date) -> date | None:
    """The oldest open day since a date; none if nothing is open or nothing was published yet.

    Raises:
        Stop: the copy cannot be read.
    """
    if not is_there(path):
        return None
    query = "SELECT min(work_date) FROM open_days WHERE work_date >= $1"
    with copy_of(path) as connection:
        [(day,)] = connection.execute(query, [since]).fetchall()
    return day if isinstance(day, date) else None


def age(path: Path) -> str:
    """Of when the copy is, in words."""
    if not is_there(path):
        return "nothing yet"
    try:
        with copy_of(path) as connection:
            at = published_at(connection)
    except Stop as stop:
        return str(stop)
    return f"a copy of {at:%Y-%m-%d %H:%M} UTC"
