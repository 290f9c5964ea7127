"""The ledger's file: one writer, what a killed one leaves, and copies."""

import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer

import duckdb
import pytest

from pipeline.ledger import Ledger
from pipeline.stops import Stop
from pipeline.storage.database import FileBusyError
from pipeline.storage.ledger_file import BACKUPS_KEPT, attached, back_up, backups, copies
from pipeline.warehouse import Warehouse
from tests.pipeline.others import holding, is_free
from tests.pipeline.rows import NOW, delivery

KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.ledger import Ledger
from tests.pipeline.rows import delivery
with Ledger.opened(Path(sys.argv[1]), 1, print) as ledger:
    ledger.record([delivery(7)])
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's ledger lies."""
    return tmp_path / "data" / "ledger.duckdb"


def never(message: str) -> None:
    """Nobody is waited for."""
    raise AssertionError(message)


def test_a_second_loader_waits_with_one_message_and_then_refuses(path: Path) -> None:
    """Both name the holder."""
    messages: list[str] = []
    with Ledger.opened(path, 0, never):
        pass
    with (
        holding(path) as holder,
        pytest.raises(FileBusyError, match=f"PID {holder.pid}"),
        Ledger.opened(path, 0.4, messages.append),
    ):
        pass
    [message] = messages
    assert message.startswith("waiting: The ledger ")
    assert f"PID {holder.pid}" in message


def test_with_no_patience_it_refuses_at_once(path: Path) -> None:
    """`LOCK_SECONDS=0`."""
    with Ledger.opened(path, 0, never):
        pass
    with holding(path), pytest.raises(FileBusyError), Ledger.opened(path, 0, lambda _: None):
        pass


def test_the_ledger_is_nobody_elses_until_it_is_closed(path: Path) -> None:
    """Also after rows were recorded, and after an error."""
    with Ledger.opened(path, 0, never) as ledger:
        ledger.record([delivery()])
        assert not is_free(path)
    assert is_free(path)
    with pytest.raises(Stop), Ledger.opened(path, 0, never):
        raise Stop("stop", "fix")
    assert is_free(path)


def test_a_killed_holder_frees_the_ledger_for_who_waits(path: Path) -> None:
    """A lease that a dead process kept would stop every run after it."""
    with Ledger.opened(path, 0, never):
        pass
    with holding(path) as holder:

        def kill(_: str) -> None:
            os.kill(holder.pid, signal.SIGKILL)

        with Ledger.opened(path, 10, kill) as ledger:
            assert ledger.unsettled() == []


def test_who_reads_it_beside_a_warehouse_waits_as_long(path: Path, tmp_path: Path) -> None:
    """However often it must ask; each time anew."""
    with Ledger.opened(path, 0, never) as ledger:
        ledger.record([delivery()])
    messages: list[str] = []
    with (
        holding(path) as holder,
        Warehouse(tmp_path / "warehouse.duckdb").connect() as connection,
    ):
        freed = Timer(1.5, os.kill, (holder.pid, signal.SIGKILL))
        freed.start()
        with attached(connection, path, 10, messages.append):
            [(count,)] = connection.execute("SELECT count(*) FROM ledger.deliveries").fetchall()
        freed.join()
    assert count == 1
    assert len(messages) == 1


def test_a_stopped_holder_keeps_the_ledger(path: Path) -> None:
    """A lease that expired under a paused process would let two send at once."""
    with Ledger.opened(path, 0, never):
        pass
    with holding(path) as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        with pytest.raises(FileBusyError), Ledger.opened(path, 0.3, lambda _: None):
            pass
        os.kill(holder.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a loader that recorded entry 7 and was killed before it closed the ledger."""
    path = tmp_path_factory.mktemp("killed") / "ledger.duckdb"
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(path)]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("ledger.duckdb.wal").exists()
    return path.parent


def test_what_a_killed_loader_recorded_is_there(killed: Path, path: Path) -> None:
    """An intent that was written before a request must outlive a crash."""
    shutil.copytree(killed, path.parent)
    with Ledger.opened(path, 0, never) as ledger:
        assert ledger.unsettled() == [delivery(7)]


def copied(path: Path) -> list[str]:
    """The names of the copies of a ledger, oldest first."""
    return sorted(copy.name for copy in backups(path).iterdir())


def test_the_newest_copies_are_kept_and_no_more(path: Path) -> None:
    """Those of a ledger whose name begins alike are left alone."""
    other = path.with_name("ledger-b.duckdb")
    for each in (path, other):
        with Ledger.opened(each, 0, never):
            pass
    back_up(other, NOW - timedelta(days=99), 0, never)
    for day in range(BACKUPS_KEPT + 3):
        back_up(path, NOW + timedelta(days=day), 0, never)
    names = copied(path)
    assert f"ledger-b-{NOW - timedelta(days=99):%Y%m%d}" in names[-1]
    assert len(names) == BACKUPS_KEPT + 1
    assert names[0] == f"ledger-{NOW + timedelta(days=3):%Y%m%dT%H%M%S%f}.duckdb"
    assert names[-2] == f"ledger-{NOW + timedelta(days=BACKUPS_KEPT + 2):%Y%m%dT%H%M%S%f}.duckdb"


def test_the_newest_copy_is_the_last_though_the_clock_was_ahead(path: Path) -> None:
    """It is the one that a person puts back, and must not be dropped as the oldest."""
    with Ledger.opened(path, 0, never):
        pass
    for _ in range(BACKUPS_KEPT):
        back_up(path, NOW + timedelta(days=40), 0, never)
    with Ledger.opened(path, 0, never) as ledger:
        ledger.record([delivery(7)])
    back_up(path, NOW, 0, never)
    assert len(copied(path)) == BACKUPS_KEPT
    with Ledger.opened(copies(path)[-1], 0, never) as ledger:
        assert ledger.unsettled() == [delivery(7)]


def test_a_lost_ledger_is_not_replaced_by_an_empty_one(path: Path, tmp_path: Path) -> None:
    """A disk that is not there, or another folder: until its copies are moved away too."""
    with Ledger.opened(path, 0, never):
        pass
    back_up(path, NOW, 0, never)
    [copy] = copies(path)
    path.unlink()
    for _ in range(2):
        with (
            pytest.raises(Stop, match=f"is missing, though {re.escape(str(copy))}"),
            Ledger.opened(path, 0, never),
        ):
            pass
        with (
            Warehouse(tmp_path / "warehouse.duckdb").connect() as connection,
            pytest.raises(Stop, match="to start afresh, move its copies away"),
            attached(connection, path, 0, never),
        ):
            pass
    copy.unlink()
    with Ledger.opened(path, 0, never) as ledger:
        assert ledger.unsettled() == []


def test_a_copy_is_a_ledger_with_all_that_a_killed_loader_recorded(
    killed: Path, path: Path
) -> None:
    """What DuckDB has only in the log beside the file is in the copy too."""
    shutil.copytree(killed, path.parent)
    back_up(path, NOW, 0, never)
    [copy] = backups(path).iterdir()
    with Ledger.opened(copy, 0, never) as ledger:
        assert ledger.unsettled() == [delivery(7)]
    assert is_free(path)


def test_no_copy_is_made_while_another_writes(path: Path) -> None:
    """Half of two states is worse than an older whole one."""
    with Ledger.opened(path, 0, never):
        pass
    with holding(path), pytest.raises(FileBusyError):
        back_up(path, NOW, 0, lambda _: None)
    assert copied(path) == []


def test_nothing_is_copied_before_there_is_a_ledger(path: Path) -> None:
    """A run that stopped before its first load."""
    back_up(path, datetime(2024, 5, 14, tzinfo=UTC), 0, never)
    assert not path.parent.exists()


def test_a_ledger_of_the_first_version_gets_what_a_new_one_has(tmp_path: Path) -> None:
    """Column by column, and its deliveries stay."""
    new, old = tmp_path / "new.duckdb", tmp_path / "old.duckdb"
    for path in (new, old):
        with Ledger.opened(path, 0, never) as ledger:
            ledger.record([delivery()])
    with duckdb.connect(str(old)) as connection:
        connection.execute("DROP TABLE cutover_confirmations")
        connection.execute("ALTER TABLE deliveries DROP is_sent_approved")
        connection.execute("UPDATE schema_version SET version = 1")
    with Ledger.opened(old, 0, never) as ledger:
        assert ledger.deliveries([delivery().entry_id]) == {delivery().entry_id: delivery()}
    columns = "SELECT table_name, column_name, data_type FROM duckdb_columns() ORDER BY ALL"
    found = []
    for path in (new, old):
        with duckdb.connect(str(path), read_only=True) as connection:
            found.append(connection.execute(columns).fetchall())
    assert found[0] == found[1]
