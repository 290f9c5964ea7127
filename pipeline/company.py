"""One company's run: its settings, its files and its two services, opened together.

Holds what lasts from a run's start to its end: the lock on the warehouse, and at the end, red or
green, the ledger's copy and the analysts' copy. Keeps out what a run does.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.clockify.client import Clockify
from pipeline.files import is_there, make_folder
from pipeline.ledger import Ledger
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.reports import analysis
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage.database import Connection, FileBusyError, when_free
from pipeline.storage.ledger_file import attached, back_up
from pipeline.warehouse import Warehouse

Log = Callable[[str], object]


def utc_now() -> datetime:
    """The instant now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Company:
    """Everything that an asset or check may use of the world."""

    settings: Settings
    warehouse: Warehouse
    now: Callable[[], datetime]
    run_id: str
    held: Connection | None = None
    """The run's own connection to the warehouse, open from its start to its end."""
    was_cut_short: bool = False
    """Whether the run before did not come to the end of its copies."""
    laid: list[date] = field(default_factory=list, init=False, compare=False)
    """The dates for which the analysts' views were laid: they say what is over."""

    def today(self) -> date:
        """The calendar date now in `TIME_ZONE`."""
        return self.now().astimezone(self.settings.zone).date()

    def clockify(self, log: Log) -> Clockify:
        """A client for Clockify, to be closed by who uses it."""
        return Clockify(self.settings, log)

    def quickbooks(self) -> QuickBooks:
        """A client for QuickBooks, to be closed by who uses it."""
        return QuickBooks(self.settings, Tokens(self.settings))

    def ledger(self, log: Log) -> AbstractContextManager[Ledger]:
        """The ledger, held open: while it is, nobody else sends."""
        return Ledger.opened(self.settings.ledger, self.settings.lock_seconds, log)

    @contextmanager
    def report(self, log: Log) -> Iterator[Connection]:
        """The run's connection, with the ledger beside and the analysts' views over both."""
        assert self.held, "only a run reports"
        ledger = attached(self.held, self.settings.ledger, self.settings.lock_seconds, log)
        with self.warehouse.told(), self.warehouse.whole(self.held), ledger:
            today = self.today()
            if self.laid[-1:] != [today]:  # a run reports often, and laying them takes a while
                analysis.lay_views(self.held, self.settings, today)
                self.laid.append(today)
            yield self.held


@contextmanager
def opened(
    settings: Settings,
    run_id: str,
    log: Log,
    now: Callable[[], datetime] = utc_now,
    *,
    only_reads: bool = False,
    is_all_or_nothing: bool = False,
) -> Iterator[Company]:
    """Hold the warehouse for a run; copy the ledger and publish the analysts' copy at its end.

    DuckDB opens a file once for all connections of a process, and that is what costs: while the
    run's own stands open, each short one is a matter of microseconds.

    Args:
        settings: name the files and services.
        run_id: the run, as whoever waits for it is told.
        log: told of what takes time.
        now: the clock, in UTC.
        only_reads: copy and publish nothing, so that a look does not push out an older copy.
        is_all_or_nothing: what stops has changed nothing: then neither, since with another's files
            named by mistake the good copy would give way to an empty one.

    Raises:
        Stop: another run or program holds the warehouse for longer than `LOCK_SECONDS`; or the file
            is broken, foreign or newer.
    """
    warehouse = Warehouse(settings.warehouse)
    with (
        when_free(partial(_held, settings, run_id), settings.lock_seconds, log),
        ExitStack() as files,
    ):
        held = files.enter_context(when_free(warehouse.connect, settings.lock_seconds, log))
        if only_reads:
            yield Company(settings, warehouse, now, run_id, held)
            return
        was_cut_short = _marked(settings)
        try:
            yield Company(settings, warehouse, now, run_id, held, was_cut_short)
        except BaseException as error:
            files.close()
            if is_all_or_nothing and isinstance(error, Stop):
                if not was_cut_short:
                    unfinished(settings).unlink(missing_ok=True)
                raise
            try:
                _leave_copies(settings, run_id, log, now)
            except Exception as failed:  # noqa: BLE001 - what stopped the run is what is told
                log(f"not copied: {failed}")
            raise
        files.close()  # copying an open file would take this process's lock away
        _leave_copies(settings, run_id, log, now)


def unfinished(settings: Settings) -> Path:
    """The file that stands from a run's start until its copies are made."""
    return settings.analysis.with_suffix(".unfinished")


def _marked(settings: Settings) -> bool:
    """Lay the mark of a run that has begun; whether the one before left its own.

    Dagster only logs what fails after a run's last event, and a killed run says nothing: the mark
    tells the next one.
    """
    mark = unfinished(settings)
    try:
        make_folder(mark.parent)
        was_there = is_there(mark)
        mark.touch()
    except OSError as error:
        raise _unwritable(f"analysis copy {settings.analysis}", error) from error
    return was_there


def _leave_copies(settings: Settings, run_id: str, log: Log, now: Callable[[], datetime]) -> None:
    """Copy the ledger and publish the analysts' copy, the second even if the first fails.

    Raises:
        Stop: one of them cannot be written.
    """
    try:
        try:
            back_up(settings.ledger, now(), settings.lock_seconds, log)
        finally:
            analysis.publish(settings, run_id, now(), log)
        unfinished(settings).unlink(missing_ok=True)
    except OSError as error:
        raise Stop(
            f"What was done is recorded, but not copied: {error.filename2 or error.filename} "
            f"({error.strerror})",
            "make it writable, or move away what is in its place; the next run copies all of it",
        ) from error


@contextmanager
def _held(settings: Settings, run_id: str) -> Iterator[None]:
    """The lock on the warehouse. `dg launch` passes no queue, so this is what protects.

    Raises:
        FileBusyError: another run holds it.
        Stop: it cannot be written.
    """
    lock = FileLock(settings.warehouse.with_suffix(".lock"))
    holder = settings.warehouse.with_suffix(".holder")
    try:
        make_folder(settings.warehouse.parent)
        lock.acquire(timeout=0)
        holder.write_text(f"run {run_id} (process {os.getpid()})")
    except Timeout as error:
        raise FileBusyError(
            f"The warehouse {settings.warehouse} is held by {_named(holder)}",
            "wait until that run has ended, then launch this one again",
            is_transient=True,
        ) from error
    except OSError as error:
        lock.release()
        raise _unwritable(f"warehouse {settings.warehouse}", error) from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _named(holder: Path) -> str:
    try:
        return holder.read_text()
    except FileNotFoundError:
        return "another run"


def _unwritable(what: str, error: OSError) -> Stop:
    return Stop(
        f"The folder of the {what} cannot be written ({error.strerror})",
        "free disk space or correct the folder's permissions, then run again",
    )
