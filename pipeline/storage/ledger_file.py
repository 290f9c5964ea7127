"""The ledger's file: never rebuilt, opened by one writer at a time, and copied after each run.

Keeps out its rows (`ledger`).
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pipeline import files
from pipeline.schemas import LEDGER_TABLES, Deliveries
from pipeline.stops import Stop
from pipeline.storage.database import Connection, Database, log_of, when_free

BACKUPS_KEPT = 14
COPIED_AT = "%Y%m%dT%H%M%S%f"
"""A copy's time in its name."""
ANY_TIME = "?" * 8 + "T" + "?" * 12
"""The same as a pattern; so exact because `ledger-b` may lie beside `ledger`."""
A_TICK = timedelta(microseconds=1)


def opened(
    path: Path, wait_seconds: float, on_wait: Callable[[str], object]
) -> AbstractContextManager[Connection]:
    """A connection that nobody else has, waiting for another loader to finish.

    Args:
        path: the file; made when absent.
        wait_seconds: how long to wait for its lock.
        on_wait: told once whom we wait for.

    Raises:
        FileBusyError: still held after `wait_seconds`.
        Stop: the file is corrupt, foreign or newer, or it is lost.
    """
    _refuse_lost(path)
    return when_free(database(path).connect, wait_seconds, on_wait)


def attached(
    connection: Connection, path: Path, wait_seconds: float, on_wait: Callable[[str], object]
) -> AbstractContextManager[None]:
    """Have the ledger beside a warehouse's tables as `ledger.…`, to be read; waits as `opened`.

    Detached at the end: what is attached is so for all connections of the process, and stays open
    with them.

    Raises:
        FileBusyError: still held after `wait_seconds`.
        Stop: the file is corrupt, foreign or newer, or it is lost.
    """
    _refuse_lost(path)
    beside = partial(database(path).attached, connection, "ledger")
    return when_free(beside, wait_seconds, on_wait)


def database(path: Path) -> Database:
    """The file, and what to do if it breaks."""
    return Database(
        path=path,
        what="ledger",
        when_broken=f"move it and {path.name}.wal away and put the newest copy from "
        f"{backups(path)} in its place; what was sent since is found again in QuickBooks before "
        "anything is sent",
        tables=LEDGER_TABLES,
        keys={Deliveries: "entry_id, part"},
        version=4,
    )


def backups(path: Path) -> Path:
    """The folder that holds a ledger's copies."""
    return path.parent / "backups"


def copies(path: Path) -> list[Path]:
    """The copies of a ledger, the oldest first."""
    return sorted(backups(path).glob(f"{path.stem}-{ANY_TIME}{path.suffix}"))


def _refuse_lost(path: Path) -> None:
    """Stop where copies tell of a ledger that is not there.

    A new one would know nothing of what was skipped, or deleted in QuickBooks since, and in a
    fortnight its own copies would have taken the place of the good ones.
    """
    if not files.is_there(path) and (known := copies(path)):
        raise Stop(
            f"The ledger {path} is missing, though {known[-1]} is a copy of it",
            "check that LEDGER and the disk are the right ones; if it is lost, put the newest "
            f"copy from {backups(path)} in its place; to start afresh, move its copies away",
        )


def back_up(
    path: Path, now: datetime, wait_seconds: float, on_wait: Callable[[str], object]
) -> None:
    """Copy the ledger and drop all but the newest copies.

    Opened for it, so that nobody writes meanwhile and what a killed run left in the log beside
    the file is in the copy; closed right after it, since closing the copied file's handle drops
    the lock.

    Args:
        path: the ledger; nothing is copied while there is none.
        now: the copy's time, in UTC, which names it; after a clock that was ahead, the next moment
            after its copies', so that the newest is always the last.
        wait_seconds: how long to wait for the ledger's lock.
        on_wait: told once whom we wait for.

    Raises:
        FileBusyError: still held after `wait_seconds`.
        Stop: the disk is full, or the file is corrupt, foreign or newer.
        OSError: the folder of the copies cannot be written.
    """
    if not files.is_there(path):
        return
    files.make_folder(backups(path))
    at = max([now, *(_copied_at(path, each) + A_TICK for each in copies(path))])
    copy = backups(path) / f"{path.stem}-{at.astimezone(UTC):{COPIED_AT}}{path.suffix}"
    draft = copy.with_suffix(".new")
    with opened(path, wait_seconds, on_wait) as connection:
        if files.is_there(log_of(path)):
            connection.execute("CHECKPOINT")
        shutil.copy2(path, draft)
    files.move(draft, copy)
    for old in copies(path)[:-BACKUPS_KEPT]:
        old.unlink()


def _copied_at(path: Path, copy: Path) -> datetime:
    at = copy.stem.removeprefix(f"{path.stem}-")
    return datetime.strptime(at, COPIED_AT).replace(tzinfo=UTC)
