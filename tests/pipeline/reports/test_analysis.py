"""The analysts' copy: whole, moved into place, and never in a run's way."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.ledger import Ledger
from pipeline.reports import analysis
from pipeline.schemas import (
    LEDGER_TABLES,
    WAREHOUSE_TABLES,
    AcceptedTimeEntries,
    Deliveries,
    DeliveryAttempts,
    QuickbooksCompany,
    RejectedTimeEntries,
    name_of,
)
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage.database import FileBusyError, attach, read_only
from pipeline.warehouse import Warehouse
from tests.pipeline.others import holding, is_free, killed_after, small_disk
from tests.pipeline.rows import DAY, NOW, SETTLED, STATES, delivery, frame, valid
from tests.settings import settings_of

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that name three files which do not exist yet."""
    given = {
        "CLOCKIFY_API_KEY": "k",
        "CLOCKIFY_WORKSPACE_ID": "w",
        "QUICKBOOKS_CLIENT_ID": "c",
        "QUICKBOOKS_CLIENT_SECRET": "s",
        "QUICKBOOKS_REALM_ID": "1",
        "TIME_ZONE": "UTC",
        "START_DATE": "2024-01-01",
        "LOCK_SECONDS": "0",
        "WAREHOUSE": str(tmp_path / "data" / "warehouse.duckdb"),
        "LEDGER": str(tmp_path / "books" / "ledger.duckdb"),
        "ANALYSIS": str(tmp_path / "public" / "analysis.duckdb"),
    }
    return settings_of(given)


def publish(settings: Settings, run_id: str = "run") -> None:
    """Publish as a run does at its end."""
    analysis.publish(settings, run_id, NOW, lambda _: None)


def answer(settings: Settings, query: str) -> list[tuple[object, ...]]:
    """What an analyst reads."""
    with read_only(settings.analysis) as connection:
        return connection.execute(query).fetchall()


def judged(settings: Settings) -> None:
    """One accepted entry a day in each state of delivery, then one of each verdict and none."""
    accepted = [
        valid(AcceptedTimeEntries, number, duration_seconds=60) for number in range(len(STATES) + 1)
    ]
    first = len(accepted)
    others = [
        valid(RejectedTimeEntries, first + number, verdict=verdict, reasons=["a", "b"])
        for number, verdict in enumerate(("rejected", "held", "excluded"))
    ]
    warehouse = Warehouse(settings.warehouse)
    warehouse.replace(AcceptedTimeEntries, frame(AcceptedTimeEntries, *accepted))
    warehouse.replace(RejectedTimeEntries, frame(RejectedTimeEntries, *others))
    with Ledger.opened(settings.ledger, 0, print) as ledger:
        ledger.record([delivery(number, state=state) for number, state in enumerate(STATES)])


def day(number: int) -> date:
    """The work date of the entry of this number."""
    return DAY + timedelta(days=number)


def test_the_first_publication_holds_every_table_and_says_when(settings: Settings) -> None:
    """Also before anything was extracted or sent."""
    publish(settings)
    assert answer(settings, "SELECT published_at, run_id FROM published") == [(NOW, "run")]
    for table in (*WAREHOUSE_TABLES, *LEDGER_TABLES):
        assert answer(settings, f"SELECT count(*) FROM {name_of(table)}") == [(0,)]
    assert answer(settings, "FROM open_days") == answer(settings, "FROM verdicts") == []


def test_nothing_is_left_beside_the_copy_and_both_sources_are_free(settings: Settings) -> None:
    """The next run and the next loader wait for nothing."""
    publish(settings)
    assert [each.name for each in settings.analysis.parent.iterdir()] == ["analysis.duckdb"]
    assert is_free(settings.warehouse)
    assert is_free(settings.ledger)


def test_open_days_are_those_with_something_to_do(settings: Settings) -> None:
    """Rejected, held, or accepted and not delivered; what somebody deleted is not re-sent."""
    judged(settings)
    publish(settings)
    found = answer(settings, "SELECT * FROM open_days ORDER BY work_date")
    undelivered = [number for number, state in enumerate(STATES) if state not in SETTLED]
    never_meant = len(STATES)
    assert found == [
        *((day(number), "accepted", 1, 60) for number in [*undelivered, never_meant]),
        (day(never_meant + 1), "rejected", 1, 1),
        (day(never_meant + 2), "held", 1, 1),
    ]


def test_every_entry_has_one_verdict_under_its_first_reason(settings: Settings) -> None:
    """The analysts' view of both tables."""
    judged(settings)
    publish(settings)
    query = "SELECT verdict, reason, count(*) FROM verdicts GROUP BY ALL ORDER BY ALL"
    assert answer(settings, query) == [
        ("accepted", None, len(STATES) + 1),
        ("excluded", "a", 1),
        ("held", "a", 1),
        ("rejected", "a", 1),
    ]


@pytest.mark.parametrize(
    ("changes", "currency"),
    [({}, "USD"), ({"rate_source": "service_item", "service_item": "Hours"}, "CAD")],
)
def test_an_items_price_is_in_the_home_currency(
    settings: Settings, changes: dict[str, str], currency: str
) -> None:
    """What is sent is its price, whatever currency the workspace in Clockify has."""
    settings = settings.model_copy(update=changes)
    warehouse = Warehouse(settings.warehouse)
    for model, row in (
        (AcceptedTimeEntries, valid(AcceptedTimeEntries, 1, currency="USD")),
        (QuickbooksCompany, valid(QuickbooksCompany, 1, home_currency="CAD")),
    ):
        warehouse.replace(model, frame(model, row))
    publish(settings)
    assert answer(settings, "SELECT sent_currency FROM verdicts") == [(currency,)]


def test_the_oldest_open_day_is_found_since_a_date(settings: Settings) -> None:
    """None before the first publication, and none after the last open day."""
    assert analysis.oldest_open_day(settings.analysis, DAY) is None
    judged(settings)
    publish(settings)
    assert analysis.oldest_open_day(settings.analysis, DAY) == DAY
    assert analysis.oldest_open_day(settings.analysis, day(1)) == day(STATES.index("refused"))
    assert analysis.oldest_open_day(settings.analysis, day(99)) is None


def test_a_new_copy_takes_the_place_of_the_old_under_its_readers(settings: Settings) -> None:
    """Who reads goes on reading the old one, and no run waits for it."""
    publish(settings, "first")
    with read_only(settings.analysis) as reader:
        judged(settings)
        publish(settings, "second")
        assert reader.execute("SELECT run_id FROM published").fetchall() == [("first",)]
    assert answer(settings, "SELECT run_id FROM published") == [("second",)]
    assert answer(settings, "SELECT count(*) FROM deliveries") == [(len(STATES),)]


def test_the_copy_cannot_be_written(settings: Settings) -> None:
    """A change there would be lost with the next run."""
    publish(settings)
    with (
        read_only(settings.analysis) as connection,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        connection.execute("DELETE FROM deliveries")


def test_what_a_killed_run_wrote_into_the_warehouse_is_in_the_copy(settings: Settings) -> None:
    """Until somebody opens the file it stands only in the log beside it."""
    judged(settings)
    killed_after(settings.warehouse, "DELETE FROM rejected_time_entries WHERE verdict = 'held'")
    publish(settings)
    assert answer(settings, "SELECT count(*) FROM rejected_time_entries") == [(2,)]


def test_a_publication_that_was_killed_does_not_spoil_the_next(settings: Settings) -> None:
    """Its log lies beside the draft, and DuckDB would replay it into the new one."""
    publish(settings)
    draft = settings.analysis.with_name("analysis.duckdb.new")
    shutil.copy2(settings.warehouse, draft)
    killed_after(draft, "CREATE TABLE published AS SELECT 'half a run' AS run_id")
    publish(settings, "next")
    assert answer(settings, "SELECT run_id FROM published") == [("next",)]


@pytest.mark.parametrize("more", [64, -64])
def test_a_full_disk_stops_it_and_leaves_no_half_copy(
    settings: Settings, tmp_path: Path, more: int
) -> None:
    """Room for the warehouse's copy and not for the ledger's tables; or not even for the copy."""
    judged(settings)
    room = settings.warehouse.stat().st_size // 1024 + more
    with small_disk(tmp_path / "small", room) as place:
        small = settings.model_copy(update={"analysis": place / "analysis.duckdb"})
        with pytest.raises(Stop, match=r"The disk that holds .*analysis.* is full"):
            publish(small)
        assert not small.analysis.exists()


@pytest.mark.parametrize(
    ("file", "table", "column", "fix"),
    [
        ("ledger", "delivery_attempts", "intuit_tid", "newest copy"),
        ("warehouse", "rejected_time_entries", "reasons", "Move it away"),
    ],
)
def test_what_was_taken_out_of_either_file_is_named(
    settings: Settings, file: str, table: str, column: str, fix: str
) -> None:
    """The file that has lost it, not the draft."""
    publish(settings, "first")
    path = {"ledger": settings.ledger, "warehouse": settings.warehouse}[file]
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    expected = rf"The {file} {path} is not as .* {table}: .*{column}.* {fix}"
    with pytest.raises(Stop, match=expected):
        publish(settings, "second")
    assert answer(settings, "SELECT run_id FROM published") == [("first",)]


def test_a_ledger_that_another_holds_stops_it_and_the_old_copy_stays(settings: Settings) -> None:
    """Half of a load is not published."""
    publish(settings, "first")
    with holding(settings.ledger), pytest.raises(FileBusyError, match="The ledger"):
        publish(settings, "second")
    assert answer(settings, "SELECT run_id FROM published") == [("first",)]


def test_what_was_judged_and_sent_is_copied_exactly(settings: Settings) -> None:
    """Every column of every row, of both files."""
    judged(settings)
    publish(settings)
    sources = {
        AcceptedTimeEntries: "warehouse",
        RejectedTimeEntries: "warehouse",
        Deliveries: "ledger",
        DeliveryAttempts: "ledger",
    }
    with Warehouse(settings.warehouse).connect() as connection:
        attach(connection, settings.ledger, "ledger")
        attach(connection, settings.analysis, "copy")
        for table, file in sources.items():
            there, copied = (
                connection.execute(f"FROM {place}.{name_of(table)} ORDER BY ALL").fetchall()
                for place in (file, "copy")
            )
            assert there == copied != []


def test_a_copy_of_another_version_is_named_with_the_run_that_renews_it(tmp_path: Path) -> None:
    """Between an upgrade and the first run after it, commands read what the old version left."""
    path = tmp_path / "analysis.duckdb"
    duckdb.connect(path).close()
    with pytest.raises(Stop, match="by another version"), analysis.copy_of(path) as connection:
        connection.execute("FROM statement")


def test_a_folder_in_its_place_is_not_to_be_deleted(tmp_path: Path) -> None:
    """It may hold anything."""
    with pytest.raises(Stop, match=r"Is a directory.*ANALYSIS") as stopped:
        analysis.copy_of(tmp_path).__enter__()
    assert "delete" not in str(stopped.value)


def test_a_broken_copy_is_named_with_the_run_that_renews_it(tmp_path: Path) -> None:
    """A disk that failed, or somebody's other file under that name."""
    path = tmp_path / "analysis.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(Stop) as stopped, analysis.copy_of(path):
        pass
    assert f"The analysis copy {path} cannot be read" in str(stopped.value)
    assert "delete it, and the next run of any asset publishes it again" in str(stopped.value)


def test_what_a_stranger_left_in_the_copys_log_is_in_no_later_copy(settings: Settings) -> None:
    """A program that opened the copy to write, and died, leaves a log that DuckDB would replay."""
    judged(settings)
    publish(settings)
    killed_after(settings.analysis, "CREATE TABLE mine (a BIGINT)")
    publish(settings)
    with analysis.copy_of(settings.analysis) as connection:
        names = {row[2] for row in connection.execute("SHOW ALL TABLES").fetchall()}
    assert "mine" not in names
