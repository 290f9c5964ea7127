"""The ledger's file: never rebuilt, opened by one writer at a time, and copied after each run.

Keeps out its rows (`ledger`).
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path

from pipeline.schemas import LEDGER_TABLES, Deliveries
from pipeline.storage.database import Connection, Database, log_of, when_free

BACKUPS_KEPT = 14
COPIED_AT = "?" * 8 + "T" + "?" * 12
"""A copy's time in its name; so exact because `ledger-b` may lie beside `ledger`."""


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
        Stop: the file is corrupt, foreign or newer.
    """
    return when_free(database(path).connect, wait_seconds, on_wait)


def attached(
    connection: Connection, path: Path, wait_seconds: float, on_wait: Callable[[str], object]
) -> AbstractContextManager[None]:
    """Have the ledger beside a warehouse's tables as `ledger.…`, to be read; waits as `opened`.

    Detached at the end: what is attached is so for all connections of the process, and stays open
    with them.

    Raises:
        FileBusyError: still held after `wait_seconds`.
        Stop: the file is corrupt, foreign or newer.
    """
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
        version=3,
    )


def backups(path: Path) -> Path:
    """The folder that holds a ledger's copies."""
    return path.parent / "backups"


def back_up(
    path: Path, now: datetime, wait_seconds: float, on_wait: Callable[[str], object]
) -> None:
    """Copy the ledger and drop all but the newest copies.

    Opened for it, so that nobody writes meanwhile and what a killed run left in the log beside
    the file is in the copy; closed right after it, since closing the copied file's handle drops
    the lock.

    Args:
        path: the ledger; nothing is copied while there is none.
        now: the copy's time, in UTC, which names it.
        wait_seconds: how long to wait for the ledger's lock.
        on_wait: told once whom we wait for.

    Raises:
        FileBusyError: still held after `wait_seconds`.
        Stop: the disk is full, or the file is corrupt, foreign or newer.
        OSError: the folder of the copies cannot be written.
    """
    if not path.exists():
        return
    folder = backups(path)
    folder.mkdir(exist_ok=True)
    copy = folder / f"{path.stem}-{now:%Y%m%dT%H%M%S%f}{path.suffix}"
    draft = copy.with_suffix(".new")
    with opened(path, wait_seconds, on_wait) as connection:
        if log_of(path).exists():
            connection.execute("CHECKPOINT")
        shutil.copy2(path, draft)
    draft.replace(copy)
    for old in sorted(folder.glob(f"{path.stem}-{COPIED_AT}{path.suffix}"))[:-BACKUPS_KEPT]:
        old.unlink()
