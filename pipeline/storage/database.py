"""The only opener of DuckDB: how a file is made, opened, versioned, waited for and closed.

Keeps out which files there are (`warehouse`, `ledger_file`), how frames become rows and rows frames
(`doors`), and what the rows mean.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
import stamina
from filelock import FileLock

from pipeline import files
from pipeline.schemas import Table, name_of, sql_types
from pipeline.stops import Stop

Connection = duckdb.DuckDBPyConnection
Result = TypeVar("Result")

LOCKED = "Could not set lock"
LEAVING = "Unique file handle conflict"
"""How DuckDB says that another thread of this process has the file half open or half closed."""
FULL = ("No space left", "File too large", "Disk quota exceeded")
"""How a disk, a limit on files and a quota say that nothing more fits."""
OF_THE_FILE = (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException)
"""Errors that are the file's, not the caller's; a full disk may also fail a commit."""
NOT_THERE = (duckdb.CatalogException, duckdb.BinderException)
"""Errors of a table or column that is missing: in the file, or else by a bug of ours."""
NEWER = "trying to read a database file with version number"


class FileBusyError(Stop):
    """Another process has the file open; its message names the holder."""


@dataclass(frozen=True)
class Database:
    """One DuckDB file of ours: its tables, its version, and what to do if it breaks."""

    path: Path
    what: str
    when_broken: str
    tables: tuple[type[Table], ...]
    keys: Mapping[type[Table], str] = field(default_factory=dict)
    """Primary key columns of the tables that have one; the warehouse's have none."""
    version: int = 1
    """Grows with the tables and columns that the schemas gain: an older file is given them."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in UTC to a file of the current version; closed on every path.

        Raises:
            FileBusyError: another process has the file open.
            Stop: the disk is full, or the file is corrupt, foreign, or newer than this program.
        """
        try:
            connection = self._prepared()
        except (duckdb.Error, OSError) as error:
            raise self._stop(error) from error
        try:
            with self.told(), self.whole(connection):
                yield connection
        finally:
            connection.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say what the file or its disk will not bear as a stop, while something is done to it.

        Raises:
            Stop: the disk is full, the memory too small, or the file is broken.
        """
        try:
            yield
        except (duckdb.Error, OSError) as error:
            if isinstance(error, OF_THE_FILE) or _is_full(str(error)):
                raise self._stop(error) from error
            raise

    @contextmanager
    def whole(self, connection: Connection, place: str = "") -> Iterator[None]:
        """Say as a stop that a table or column was taken out of the file; a bug is no stop.

        Args:
            connection: one to the file.
            place: what the file is attached as, with a dot; nothing if it is the connection's own.

        Raises:
            Stop: something is missing that this program had made.
        """
        try:
            yield
        except NOT_THERE as error:
            for table in self.tables:
                columns = ", ".join(sql_types(table))
                try:
                    connection.execute(f"SELECT {columns} FROM {place}{name_of(table)} LIMIT 0")
                except NOT_THERE as lost:
                    said = str(lost).partition("\n")[0]
                    raise Stop(
                        f"The {self.what} {self.path} is not as this program made it, in its table "
                        f"{name_of(table)}: {said}",
                        self.when_broken,
                    ) from error
            raise

    @contextmanager
    def attached(self, connection: Connection, name: str) -> Iterator[None]:
        """Have the file beside what another connection has open, to be read.

        Raises:
            FileBusyError: another process has the file open.
            Stop: as `connect`.
        """
        if files.is_there(self.path):
            with self._attached(connection, name):
                if self._version_in(connection, f"{name}.") == self.version:
                    with self.whole(connection, f"{name}."):
                        yield
                    return
        with self.connect():  # which makes it, or brings it up to date
            pass
        with self._attached(connection, name), self.whole(connection, f"{name}."):
            yield

    @contextmanager
    def _attached(self, connection: Connection, name: str) -> Iterator[None]:
        try:
            attach(connection, self.path, name)
        except duckdb.Error as error:
            if isinstance(error, duckdb.IOException) or LEAVING in str(error):
                raise self._stop(error) from error
            raise
        try:
            yield
        finally:
            connection.execute(f"DETACH {name}")

    def _prepared(self) -> Connection:
        files.make_folder(self.path.parent)
        if not files.is_there(self.path):
            # Two first runs must not each make one: the later would take the earlier's place.
            with FileLock(self.path.with_name(self.path.name + ".new.lock")):
                if not files.is_there(self.path):
                    self._create()
        connection = self._open()
        try:
            version = self._version_in(connection)
            if version == self.version:
                return connection
            # Closing any handle on a file drops this process's lock on it (POSIX), so the copy
            # ends this connection; the next one has the lock again.
            connection.execute("CHECKPOINT")
            shutil.copy2(self.path, self.path.with_name(f"{self.path.name}.v{version}"))
            connection.close()
            connection = self._open()
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> Connection:
        connection = duckdb.connect(str(self.path))
        connection.execute("SET TimeZone = 'UTC'")
        # Else a variable of the caller stands in for a table that is missing.
        connection.execute("SET python_enable_replacements = false")
        return connection

    def _create(self) -> None:
        """Make the file beside its place and move it there, so that half a file is never ours."""
        if self.path.is_symlink():
            raise Stop(
                f"The {self.what} {self.path} leads to {self.path.readlink()}, which is not there",
                "connect the disk that holds it, or remove the link",
            )
        log = log_of(self.path)
        if files.is_there(log):  # DuckDB would replay it into the new file
            raise Stop(
                f"The {self.what} {self.path} is missing, but its log {log.name} is there",
                "put the file back, or move the log away too",
            )
        draft = self.path.with_name(self.path.name + ".new")
        draft.unlink(missing_ok=True)
        with duckdb.connect(str(draft)) as connection:
            connection.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            connection.execute("INSERT INTO schema_version VALUES ($1)", [self.version])
            self._add_tables(connection)
            connection.execute("CHECKPOINT")  # closing does one too, but hides a full disk
        files.move(draft, self.path)

    def _add_tables(self, connection: Connection) -> None:
        for table in self.tables:
            columns = [f"{name} {sql}" for name, sql in sql_types(table).items()]
            if table in self.keys:
                columns.append(f"PRIMARY KEY ({self.keys[table]})")
            made = f"CREATE TABLE IF NOT EXISTS {name_of(table)} ({', '.join(columns)})"
            connection.execute(made)

    def _version_in(self, connection: Connection, place: str = "") -> int:
        """The file's version; refused when newer than ours, or when the file is not ours.

        Args:
            connection: one to the file.
            place: what the file is attached as, with a dot; nothing if it is the connection's own.
        """
        try:
            connection.execute(f"SELECT 1 FROM {place}{name_of(self.tables[0])} LIMIT 0")
            query = f"SELECT version::BIGINT FROM {place}schema_version WHERE version IS NOT NULL"
            [(version,)] = connection.execute(query).fetchall()
        except (duckdb.CatalogException, duckdb.ConversionException, ValueError) as error:
            raise Stop(
                f"The {self.what} {self.path} is a DuckDB file of something else",
                f"name the {self.what} in {self.what.upper()}; if this is where it was, "
                f"{self.when_broken}",
            ) from error
        if version > self.version:
            raise Stop(
                f"The {self.what} {self.path} has version {version}, newer than this program's "
                f"{self.version}",
                "run the newer program, or name another file",
            )
        return int(version)

    def _migrate(self, connection: Connection) -> None:
        """Add the tables and columns that the schemas have and the file has not, all or none."""
        with transaction(connection):
            self._add_tables(connection)
            for table in self.tables:
                for name, sql in sql_types(table).items():
                    column = f"ADD COLUMN IF NOT EXISTS {name} {sql}"
                    connection.execute(f"ALTER TABLE {name_of(table)} {column}")
            connection.execute("UPDATE schema_version SET version = $1", [self.version])

    def _stop(self, error: Exception) -> Stop:
        text = str(error)
        if LEAVING in text:
            return FileBusyError(
                f"The {self.what} {self.path} is open in another thread of this process",
                "run again",
                is_transient=True,
            )
        if LOCKED in text:
            holder = text.partition("Conflicting lock is held in ")[2].partition(". See")[0]
            return FileBusyError(
                f"The {self.what} {self.path} is open in another program ({holder or 'unknown'})",
                "close that program, or wait for it; analysts read the analysis copy instead",
                is_transient=True,
            )
        named = f"{self.what} {self.path}"
        if _is_full(text):
            said = f"The disk that holds the {named} is full"
            fix = "free some space and run again; what was written before is kept"
        elif isinstance(error, duckdb.OutOfMemoryException):
            said = f"Working on the {named} takes more memory than there is"
            fix = "give this machine the memory that docs/setup.md names for that many entries"
        elif isinstance(error, PermissionError) or "Permission denied" in text:
            said, fix = f"The {named} may not be opened", "allow writing to it"
        elif NEWER in text:
            said = f"The {named} was written by a newer DuckDB"
            fix = "run with that DuckDB, or name another file"
        else:
            said, fix = f"The {named} cannot be read: {in_a_line(error)}", self.when_broken
        return Stop(said, fix)


def _is_full(text: str) -> bool:
    return any(said in text for said in FULL)


def in_a_line(error: Exception) -> str:
    """What DuckDB says of an error, as a part of a sentence."""
    return " ".join(str(error).split())[:200]


def log_of(path: Path) -> Path:
    """The file in which DuckDB keeps what is not yet in the database's own."""
    return path.with_name(path.name + ".wal")


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """All or nothing: committed at the end, rolled back on any error."""
    connection.begin()
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextmanager
def read_only(path: Path) -> Iterator[Connection]:
    """A connection that only reads, for files that are published and never written again."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def attach(connection: Connection, path: Path, name: str) -> None:
    """Attach another of our files, to be read beside the open one."""
    connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS {name} (READ_ONLY)")


@contextmanager
def when_free(
    opened: Callable[[], AbstractContextManager[Result]],
    wait_seconds: float,
    on_wait: Callable[[str], object],
) -> Iterator[Result]:
    """Have a file open, waiting for whoever has it open.

    Args:
        opened: opens it until the end; asked anew each time.
        wait_seconds: how long to wait.
        on_wait: told once whom we wait for.

    Raises:
        FileBusyError: still held after `wait_seconds`.
    """
    with ExitStack() as stack:
        for attempt in stamina.retry_context(
            on=FileBusyError,
            attempts=None if wait_seconds else 1,
            timeout=wait_seconds or None,
            wait_max=1.0,
        ):
            with attempt:
                try:
                    result = stack.enter_context(opened())
                except FileBusyError as busy:
                    if attempt.num == 1:
                        on_wait(f"waiting: {busy.what}")
                    raise
        yield result
