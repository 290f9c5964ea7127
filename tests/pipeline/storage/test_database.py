"""How a DuckDB file of ours opens, breaks, waits and closes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline import schemas
from pipeline.schemas import ClockifyProjects, ClockifyUsers, Table
from pipeline.stops import Stop
from pipeline.storage import doors
from pipeline.storage.database import Database, FileBusyError, attach, transaction
from pipeline.storage.ledger_file import database as ledger_database
from pipeline.warehouse import Warehouse
from tests.pipeline.others import holding, is_free, killed_after, small_disk
from tests.pipeline.rows import frame, valid


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse that does not exist yet."""
    return Warehouse(tmp_path / "data" / "warehouse.duckdb")


def test_a_link_to_a_file_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    """The disk that it leads to may come back."""
    path = tmp_path / "warehouse.duckdb"
    path.symlink_to(tmp_path / "disk" / "warehouse.duckdb")
    with pytest.raises(Stop, match="Connect the disk that holds it"), Warehouse(path).connect():
        pass
    assert path.is_symlink()


def test_a_folder_that_is_made_is_for_its_user_alone_and_one_that_is_there_is_left(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """Names, addresses and rates are in its files, also in those that DuckDB makes beside them."""
    with warehouse.connect():
        assert warehouse.path.parent.stat().st_mode & 0o777 == 0o700
    with Warehouse(tmp_path / "data/deeper/warehouse.duckdb").connect():
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o750)
    with Warehouse(theirs / "warehouse.duckdb").connect():
        assert theirs.stat().st_mode & 0o777 == 0o750


def test_the_session_is_in_utc(warehouse: Warehouse) -> None:
    """Whatever the machine's zone is."""
    with warehouse.connect() as connection:
        [(zone,)] = connection.execute("SELECT current_setting('TimeZone')").fetchall()
    assert zone == "UTC"


def interrupted(step: Callable[..., object], *arguments: object) -> None:
    """Do something, and be interrupted right after it."""
    step(*arguments)
    raise KeyboardInterrupt


def test_an_error_rolls_back_the_whole_transaction(warehouse: Warehouse) -> None:
    """Also when the error is not DuckDB's; what follows on the connection works."""
    with warehouse.connect() as connection:
        users = frame(ClockifyUsers, valid(ClockifyUsers))
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            interrupted(doors.insert, connection, ClockifyUsers, users)
        with transaction(connection):
            rows = frame(ClockifyProjects, valid(ClockifyProjects))
            doors.insert(connection, ClockifyProjects, rows)
    assert warehouse.read(ClockifyUsers).empty
    assert len(warehouse.read(ClockifyProjects)) == 1


def test_a_file_open_in_another_process_is_busy_and_names_the_holder(warehouse: Warehouse) -> None:
    """By its process, and the same run may succeed later."""
    assert warehouse.read(ClockifyUsers).empty
    with holding(warehouse.path) as holder:
        with pytest.raises(FileBusyError, match=f"PID {holder.pid}") as busy:
            warehouse.read(ClockifyUsers)
        assert busy.value.is_transient
        assert str(warehouse.path) in busy.value.what
    assert warehouse.read(ClockifyUsers).empty


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, duckdb.Error])
def test_a_file_is_closed_after_any_error(warehouse: Warehouse, error: type[BaseException]) -> None:
    """Another process can open it at once."""
    with pytest.raises(error), warehouse.connect():
        raise error
    assert is_free(warehouse.path)


def test_a_file_is_nobody_elses_while_it_is_open(warehouse: Warehouse) -> None:
    """The counterpart of the tests that find it free."""
    with warehouse.connect():
        assert not is_free(warehouse.path)


def test_a_file_is_closed_after_wrong_sql(warehouse: Warehouse) -> None:
    """A bug is no stop: DuckDB's own error passes."""
    with pytest.raises(duckdb.BinderException), warehouse.connect() as connection:
        connection.execute("SELECT no_such_column FROM clockify_users")
    assert is_free(warehouse.path)


@pytest.mark.parametrize(
    ("taken", "asked", "said"),
    [
        ("DROP TABLE days", "SELECT work_date FROM days", "days"),
        ("DROP TABLE days", "INSERT INTO days (work_date) VALUES ('2026-01-01')", "days"),
        ("ALTER TABLE days DROP COLUMN judged_by", "UPDATE days SET judged_by = ''", "judged_by"),
    ],
)
def test_what_was_taken_out_of_a_file_is_named_whoever_asks(
    warehouse: Warehouse, taken: str, asked: str, said: str
) -> None:
    """With the file and what to do: a hand in the file is no bug."""
    with warehouse.connect() as connection:
        connection.execute(taken)
    expected = rf"{warehouse.path} is not as this .* table days: .*{said}.* Move it away: "
    with pytest.raises(Stop, match=expected), warehouse.connect() as connection:
        connection.execute(asked)
    assert is_free(warehouse.path)


def test_what_was_taken_out_of_a_ledger_is_named_also_where_it_is_attached(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """The ledger's fix, not the warehouse's."""
    ledger = ledger_database(tmp_path / "ledger.duckdb")
    with ledger.connect() as connection:
        connection.execute("ALTER TABLE deliveries DROP COLUMN payload")
    expected = rf"{ledger.path} is not as this .* table deliveries: .*payload.*newest copy"
    with (
        pytest.raises(Stop, match=expected),
        warehouse.connect() as connection,
        ledger.attached(connection, "ledger"),
    ):
        connection.execute("SELECT payload FROM ledger.deliveries")


def broken(content: bytes | None, path: Path) -> None:
    """Make the file at the path unreadable in one of several ways."""
    if content is None:
        path.mkdir(parents=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    "content", [b"", b"not a database " * 999, None], ids=["empty", "garbage", "folder"]
)
def test_a_corrupt_file_stops_with_what_to_do(warehouse: Warehouse, content: bytes | None) -> None:
    """And is left as it is."""
    broken(content, warehouse.path)
    with pytest.raises(Stop, match=r"cannot be read: .* Move it away: the next run") as stop:
        warehouse.read(ClockifyUsers)
    assert not stop.value.is_transient


def test_a_file_cut_short_stops(warehouse: Warehouse) -> None:
    """As a full disk or a broken copy leaves it."""
    assert warehouse.read(ClockifyUsers).empty
    path = warehouse.path
    path.write_bytes(path.read_bytes()[:13000])
    with pytest.raises(Stop, match="cannot be read"):
        warehouse.read(ClockifyUsers)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE schema_version AS SELECT 'two' AS version",
        "CREATE TABLE schema_version AS SELECT NULL::BIGINT AS version",
        "CREATE TABLE schema_version AS SELECT 1::BIGINT AS version",
        "CREATE TABLE deliveries AS SELECT ''; CREATE TABLE schema_version AS SELECT 2 AS version",
    ],
    ids=["no number", "nothing", "our version without our tables", "the ledger"],
)
def test_a_version_alone_makes_no_file_ours(warehouse: Warehouse, made: str) -> None:
    """Nor is another of our own files: the fix names the setting before anything is moved away."""
    path = warehouse.path
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute(made)
    said = "a DuckDB file of something else. Name the warehouse in WAREHOUSE; if"
    with pytest.raises(Stop, match=said):
        warehouse.read(ClockifyUsers)


def test_a_duckdb_file_of_something_else_is_refused_and_untouched(warehouse: Warehouse) -> None:
    """An analyst's own file, say."""
    path = warehouse.path
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS one")
    with pytest.raises(Stop, match="a DuckDB file of something else"):
        warehouse.read(ClockifyUsers)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [
            ("theirs",)
        ]


def test_a_broken_ledger_names_its_copies_and_its_log(tmp_path: Path) -> None:
    """DuckDB would replay a log that was left beside into the copy put in place."""
    broken(b"garbage", tmp_path / "ledger.duckdb")
    with (
        pytest.raises(Stop, match=r"ledger\.duckdb\.wal away .* newest copy from .*backups"),
        ledger_database(tmp_path / "ledger.duckdb").connect(),
    ):
        pass


def test_a_log_without_its_file_is_refused(warehouse: Warehouse) -> None:
    """The file was moved away and its log was not: it would be replayed into a new file."""
    path = warehouse.path
    path.parent.mkdir()
    log = path.with_name(path.name + ".wal")
    log.write_bytes(b"what was not yet in the file")
    with pytest.raises(Stop, match=r"is missing, but its log warehouse\.duckdb\.wal is there"):
        warehouse.read(ClockifyUsers)
    assert log.read_bytes() == b"what was not yet in the file"
    assert not path.exists()


def of_version(
    path: Path, version: int, tables: tuple[type[Table], ...] = (ClockifyUsers,)
) -> Database:
    """A file of users, of one of the program's versions."""
    return Database(
        path=path,
        what="ledger",
        when_broken="mend it",
        tables=tables,
        version=version,
    )


def test_a_file_of_a_newer_program_is_refused_by_name(tmp_path: Path) -> None:
    """It is left as it is."""
    path = tmp_path / "ledger.duckdb"
    with of_version(path, 3).connect():
        pass
    before = path.read_bytes()
    with (
        pytest.raises(Stop, match="has version 3, newer than this program's 2") as stop,
        of_version(path, 2).connect(),
    ):
        pass
    assert is_free(path)  # though the error, which may be kept and logged, is still there
    assert stop.value.fix
    assert path.read_bytes() == before


def later_users() -> type[Table]:
    """The users as a later version knows them."""

    class ClockifyUsers(schemas.ClockifyUsers):
        nickname: schemas.Text = schemas.column("Nickname", nullable=True)

    return ClockifyUsers


NEWER = (later_users(), ClockifyProjects)


def old_file(path: Path) -> Path:
    """A file of version 1 with one user."""
    with of_version(path, 1).connect() as connection:
        doors.insert(connection, ClockifyUsers, frame(ClockifyUsers, valid(ClockifyUsers)))
    return path


def test_an_older_file_is_given_what_the_schemas_have_gained_after_a_copy(tmp_path: Path) -> None:
    """The copy is the file as it was; the next opening migrates nothing."""
    path = old_file(tmp_path / "ledger.duckdb")
    newer = of_version(path, 3, NEWER)
    for _ in range(2):
        with newer.connect() as connection:
            found = connection.execute(
                "SELECT user_id, nickname, version FROM clockify_users, schema_version"
            )
            assert found.fetchall() == [("user_id 0", None, 3)]
            assert doors.read(connection, ClockifyProjects).empty
    assert [copy.name for copy in tmp_path.glob("*.v*")] == ["ledger.duckdb.v1"]
    with of_version(tmp_path / "ledger.duckdb.v1", 1).connect() as connection:
        assert len(doors.read(connection, ClockifyUsers)) == 1


def test_the_copy_before_a_migration_holds_what_a_killed_run_wrote(tmp_path: Path) -> None:
    """It may be all that is left if the migration proves wrong."""
    path = old_file(tmp_path / "ledger.duckdb")
    killed_after(path, "UPDATE clockify_users SET user_name = 'Zoe'")
    with of_version(path, 3, NEWER).connect():
        pass
    with of_version(tmp_path / "ledger.duckdb.v1", 1).connect() as connection:
        assert doors.read(connection, ClockifyUsers)["user_name"].tolist() == ["Zoe"]


def test_the_lock_outlasts_a_migration(tmp_path: Path) -> None:
    """Closing the handle with which a file was copied drops the process's lock on the file.

    Two loaders would then send at once.
    """
    path = old_file(tmp_path / "ledger.duckdb")
    with of_version(path, 3, NEWER).connect():
        assert not is_free(path)
    assert is_free(path)


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    """All that was gained, or nothing: here somebody's own view stands in a table's place."""
    path = old_file(tmp_path / "ledger.duckdb")
    with of_version(path, 1).connect() as connection:
        connection.execute("CREATE VIEW clockify_projects AS FROM clockify_users")
    with pytest.raises(Stop, match="cannot be read"), of_version(path, 3, NEWER).connect():
        pass
    assert is_free(path)
    with of_version(path, 1).connect() as connection:
        columns = connection.execute("SELECT * FROM clockify_users").description
    assert "nickname" not in [column[0] for column in columns]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    with small_disk(tmp_path / "tiny", 2048) as place:
        yield place


def test_a_full_disk_stops_and_keeps_what_was_written_before(tiny_disk: Path) -> None:
    """The next run, with space, goes on."""
    warehouse = Warehouse(tiny_disk / "warehouse.duckdb")
    warehouse.replace(ClockifyUsers, frame(ClockifyUsers, valid(ClockifyUsers, 1)))
    ballast = tiny_disk / "ballast"
    with ballast.open("wb") as file:
        free = os.statvfs(tiny_disk)
        file.write(b"0" * (free.f_bavail * free.f_frsize - 8192))
    rows = [valid(ClockifyUsers, n, user_name=os.urandom(500).hex()) for n in range(1500)]
    with pytest.raises(Stop, match=r"The disk that holds the warehouse .* is full"):
        warehouse.replace(ClockifyUsers, frame(ClockifyUsers, *rows))
    ballast.unlink()
    assert warehouse.read(ClockifyUsers)["user_id"].tolist() == ["user_id 1"]


def test_a_full_disk_stops_the_making_of_a_file(tiny_disk: Path) -> None:
    """Half a file is not taken for one later."""
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"0" * 2_000_000)
    warehouse = Warehouse(tiny_disk / "warehouse.duckdb")
    with pytest.raises(Stop, match=r"The disk that holds the warehouse .* is full"):
        warehouse.read(ClockifyUsers)
    ballast.unlink()
    assert warehouse.read(ClockifyUsers).empty


WITHOUT_POWERS = """
import sys, warnings
from pathlib import Path
from pipeline.schemas import ClockifyUsers
from pipeline.stops import Stop
from pipeline.warehouse import Warehouse
for path in sys.argv[1:]:
    try:
        Warehouse(Path(path)).read(ClockifyUsers)
    except Stop as stop:
        print(stop)
"""


def test_a_file_or_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    """As an ordinary user meets it, whoever runs the tests."""
    file, folder = tmp_path / "file" / "warehouse.duckdb", tmp_path / "folder"
    assert Warehouse(file).read(ClockifyUsers).empty
    file.chmod(0o000)
    folder.mkdir(0o500)
    powers = "-dac_override,-dac_read_search"
    prefix = [] if os.geteuid() else ["setpriv", f"--bounding-set={powers}"]
    if prefix and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv is not there to make it ordinary")
    paths = [str(file), str(folder / "warehouse.duckdb")]
    done = subprocess.run(
        [*prefix, sys.executable, "-c", WITHOUT_POWERS, *paths],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.splitlines() == [
        f"The warehouse {path} may not be opened. Allow writing to it." for path in paths
    ], done.stderr


def test_a_variable_is_no_table(warehouse: Warehouse) -> None:
    """DuckDB would take a frame of the caller's for a table that is missing."""
    missing = frame(ClockifyUsers, valid(ClockifyUsers))
    assert len(missing) == 1
    with warehouse.connect() as connection, pytest.raises(duckdb.CatalogException, match="missing"):
        connection.execute("SELECT * FROM missing")


def test_two_companies_open_side_by_side(tmp_path: Path) -> None:
    """Nothing of a file is kept outside of it."""
    first, second = (Warehouse(tmp_path / name / "w.duckdb") for name in ("a", "b"))
    first.replace(ClockifyUsers, frame(ClockifyUsers, valid(ClockifyUsers, 1)))
    with first.connect() as one, second.connect() as two:
        assert len(doors.read(one, ClockifyUsers)) == 1
        assert doors.read(two, ClockifyUsers).empty
    assert vars(first) | {"path": second.path} == vars(second)


def test_another_file_can_be_read_beside_whatever_its_name(tmp_path: Path) -> None:
    """A quote in a folder's name is no SQL."""
    other = Warehouse(tmp_path / "it's" / "w.duckdb")
    other.replace(ClockifyUsers, frame(ClockifyUsers, valid(ClockifyUsers, 1)))
    with Warehouse(tmp_path / "w.duckdb").connect() as connection:
        attach(connection, other.path, "other")
        assert connection.execute("SELECT count(*) FROM other.clockify_users").fetchall() == [(1,)]


def test_what_takes_more_memory_than_there_is_stops(warehouse: Warehouse) -> None:
    """Not the file is at fault, as a message about its being broken would say."""

    def list_many() -> None:
        with warehouse.connect() as connection:
            connection.execute("SET memory_limit = '5MB'")
            connection.execute("SELECT list(range) FROM range(10_000_000)")

    with pytest.raises(Stop, match=r"Working on the warehouse .* takes more memory") as raised:
        list_many()
    assert "docs/setup.md" in raised.value.fix
    assert warehouse.read(ClockifyUsers).empty
