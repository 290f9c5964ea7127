"""What is wrong outside stops a run with one sentence that holds the fix, and nothing half-done.

One valid day, and one change to it a case. Wrong rows are no bad input: they are verdicts.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import stamina

from pipeline.ledger import Binding, Ledger
from tests.conftest import TODAY, Server
from tests.end_to_end.conftest import House, Kept, building, kept, problems, restored
from tests.end_to_end.stages import DAILY, ENTRIES, LOAD, REFERENCES, REVIEW, UP_TO_LOAD
from tests.pipeline.others import small_disk
from tests.sandbox.seed_rules import work_date

DAY = TODAY - timedelta(days=5)
NOBODY_LISTENS = "http://127.0.0.1:9"
COMPANY = "quickbooks_company"
USERS = "clockify_users"
BY_CLOCKIFY = (USERS, *DAILY)
"""Of everything up to the load, what stops where Clockify cannot be read."""
BY_QUICKBOOKS = (COMPANY, *REVIEW, LOAD)
"""The same of QuickBooks."""


@pytest.fixture(scope="module")
def company_read(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """What `read` begins with."""
    with building(sandbox_server, invented_world, tmp_path_factory.mktemp("read")) as house:
        house.prepare(DAY, DAY, *REFERENCES, ENTRIES)
        return kept(house)


@pytest.fixture
def read(house: House, company_read: Kept) -> House:
    """A pipeline that has read the day and everything that it refers to, and has judged nothing."""
    return restored(house, company_read)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give up at once: how long requests and assets are tried again is not the matter here."""
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda *_: 0)
    with stamina.set_testing(True, attempts=1):
        yield


def sentences(house: House, result: dg.ExecuteInProcessResult) -> set[str]:
    """What a run says is wrong: its failures and failed gates, without Dagster's own text."""
    failed = result.filter_events(lambda event: event.is_step_failure)
    details = [event.step_failure_data.user_failure_data for event in failed]
    logged = [
        entry
        for entry in house.instance.all_logs(result.run_id)
        if not entry.is_dagster_event and not entry.user_message.startswith("Dependencies for step")
    ]
    gates = [each for each in result.get_asset_check_evaluations() if each.blocking]
    return {
        *(str(detail.description) for detail in details if detail),
        *(str(gate.description) for gate in gates if not gate.passed),
        *(entry.user_message for entry in logged if entry.level >= logging.ERROR),
    }


def stored(path: Path, *queries: str) -> list[list[tuple[Any, ...]]]:
    """What a file answers to each query; nothing where there is no file."""
    if not path.exists():
        return [[] for _ in queries]
    with duckdb.connect(str(path), read_only=True) as connection:
        return [connection.execute(query).fetchall() for query in queries]


def books(house: House) -> tuple[int, list[tuple[Any, ...]]]:
    """What was sent: QuickBooks' activities, and the ledger's rows."""
    [sent] = stored(house.settings.ledger, "FROM deliveries ORDER BY entry_id")
    return len(house.activities), sent


def pieces(house: House) -> list[list[tuple[Any, ...]]]:
    """What was read and judged, to compare."""
    tables = ("clockify_time_entries", "days", *REVIEW)
    queries = (f"SELECT * FROM {table} ORDER BY ALL" for table in tables)
    return stored(house.settings.warehouse, *queries)


@dataclass(frozen=True)
class Case:
    """One thing that is wrong."""

    words: tuple[str, ...]
    """What the sentence must name: the thing, and the fix."""
    settings: dict[str, str] | None = None
    change: Callable[[House], object] = lambda _: None
    assets: tuple[str, ...] = BY_QUICKBOOKS
    """What is launched."""
    is_read: bool = False
    """Whether Clockify could be read, before or in this run: then the day is stored, whole."""


CASES = {
    "wrong API key": Case(
        ("Clockify", "CLOCKIFY_API_KEY"), {"CLOCKIFY_API_KEY": "wrong"}, assets=BY_CLOCKIFY
    ),
    "wrong workspace": Case(
        ("Clockify workspace", "CLOCKIFY_WORKSPACE_ID"),
        {"CLOCKIFY_WORKSPACE_ID": "5f" * 12},
        assets=BY_CLOCKIFY,
    ),
    "revoked token": Case(
        ("QuickBooks", "Connect the company again", "python -m pipeline connect"),
        change=lambda house: setattr(house.sandbox.world.tokens, "is_revoked", True),
        assets=UP_TO_LOAD,
        is_read=True,
    ),
    "unknown realm": Case(
        ("QuickBooks", "QUICKBOOKS_REALM_ID"),
        {"QUICKBOOKS_REALM_ID": "123"},
    ),
    "Simple Start": Case(
        ("Simple Start", "move it to QuickBooks Online Essentials, Plus or Advanced"),
        change=lambda house: house.sandbox.admin(
            "PATCH", "company", plan="QuickBooks Online Simple Start"
        ),
        is_read=True,
    ),
    "payroll on": Case(
        ("Payroll is on", "turn it off", "ALLOW_PAYROLL=true"),
        change=lambda house: house.sandbox.admin("PATCH", "company", is_payroll_on=True),
        is_read=True,
    ),
    "no time tracking": Case(
        ("Time tracking is off", "turn it on in QuickBooks"),
        change=lambda house: house.sandbox.admin("PATCH", "company", is_time_tracking_on=False),
        is_read=True,
    ),
    "approval on a plan without it": Case(
        ("the Clockify plan, BASIC_2021, has no approval", "REQUIRE_APPROVAL=false"),
        {"REQUIRE_APPROVAL": "true"},
        change=lambda house: setattr(house.sandbox.world.workspace, "plan", "BASIC_2021"),
        assets=(ENTRIES,),
    ),
    "closed port of Clockify": Case(
        ("Clockify cannot be reached at 127.0.0.1:9", "Check the port in its URL"),
        {"CLOCKIFY_API_URL": f"{NOBODY_LISTENS}/api/v1"},
        assets=BY_CLOCKIFY,
    ),
    "closed port of the reports": Case(
        ("Clockify cannot be reached at 127.0.0.1:9", "Check the port in its URL"),
        {"CLOCKIFY_REPORTS_URL": f"{NOBODY_LISTENS}/report/v1"},
        assets=BY_CLOCKIFY,
    ),
    "closed port of QuickBooks": Case(
        ("QuickBooks cannot be reached at 127.0.0.1:9", "Check the port in its URL"),
        {"QUICKBOOKS_API_URL": NOBODY_LISTENS},
    ),
    "closed port of the token service": Case(
        ("Intuit's token service cannot be reached", "Check the port in its URL"),
        {"QUICKBOOKS_TOKEN_URL": f"{NOBODY_LISTENS}/token"},
    ),
    "no such host": Case(
        ("clockify.invalid: no such host", "Check the spelling of its URL in the settings"),
        {"CLOCKIFY_API_URL": "https://clockify.invalid/api/v1"},
        assets=BY_CLOCKIFY,
    ),
    "count that does not fit": Case(
        ("ncomplete read", "counts [26] entries and gave 25", "Run again"),
        change=lambda house: house.sandbox.switch(count_lies=True),
        assets=BY_CLOCKIFY,
    ),
    "unknown service item": Case(
        ("service item", "`Nonsense` (SERVICE_ITEM)", "Set one of: Hours"),
        {"SERVICE_ITEM": "Nonsense"},
        is_read=True,
    ),
    "corrupt ledger": Case(
        ("ledger", "cannot be read", "put the newest copy from"),
        change=lambda house: house.settings.ledger.write_bytes(b"no database" * 999),
        is_read=True,
    ),
    "ledger of something else": Case(
        ("ledger", "is a DuckDB file of something else", "put the newest copy from"),
        change=lambda house: _make_anew(house.settings.ledger),
        is_read=True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_stops_with_one_sentence_and_leaves_nothing_half_done(
    house: House, company_read: Kept, name: str
) -> None:
    """The run is red, says one thing, has sent nothing, and stored whole days or nothing."""
    case = CASES[name]
    if case.is_read and ENTRIES not in case.assets:
        restored(house, company_read)
    house.changes |= case.settings or {}
    case.change(house)
    ledger = house.settings.ledger
    before = ledger.read_bytes() if ledger.exists() else None
    activities = len(house.activities)

    result = house.run(DAY, DAY, *case.assets)

    assert not result.success
    [said] = sentences(house, result)
    assert [word for word in case.words if word not in said] == []
    assert said.count("\n") == 0
    assert len(house.activities) == activities
    entries, days, *verdicts = pieces(house)
    assert verdicts == [[], []]
    assert (len(entries), len(days)) == ((25, 1) if case.is_read else (0, 0))
    if before is None:
        assert stored(ledger, "FROM deliveries") == [[]]
    else:
        assert ledger.read_bytes() == before


def test_payroll_that_the_bookkeeper_has_agreed_to_is_no_obstacle(read: House) -> None:
    """`ALLOW_PAYROLL=true` lets the same company through; so the day itself is valid."""
    read.sandbox.admin("PATCH", "company", is_payroll_on=True)
    read.changes["ALLOW_PAYROLL"] = "true"
    result = read.run(DAY, DAY, *BY_QUICKBOOKS)
    assert (result.success, sentences(read, result)) == (True, set())
    assert len(books(read)[1]) > 10


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b"no database" * 999), ("cannot be read", "Move it away")),
        (
            lambda path: _execute(path, "UPDATE schema_version SET version = 99"),
            ("has version 99, newer than", "Run the newer program"),
        ),
    ],
    ids=["corrupt", "newer"],
)
def test_a_warehouse_that_is_not_ours_is_left_as_it_is(
    house: House, spoil: Callable[[Path], object], words: tuple[str, ...]
) -> None:
    """Refused by name, its bytes untouched; moved away, the next run makes a new one."""
    house.prepare(DAY, DAY, USERS)
    path = house.settings.warehouse
    spoil(path)
    before = path.read_bytes()
    result = house.run(DAY)
    assert not result.success
    [said] = sentences(house, result)
    assert [word for word in ("warehouse", str(path), *words) if word not in said] == []
    assert path.read_bytes() == before
    assert books(house)[1] == []
    path.rename(path.with_suffix(".away"))
    house.prepare(DAY, DAY, USERS)


def test_the_ledger_of_another_company_is_not_written(read: House) -> None:
    """A ledger bound to another realm stops the load before anything is sent."""
    with Ledger.opened(read.settings.ledger, 0, print) as ledger:
        ledger.bind(Binding("999", "another workspace", "UTC", "off"))
    before = books(read)
    result = read.run(DAY, DAY, *REVIEW, LOAD)
    assert not result.success
    [said] = sentences(read, result)
    realm = read.settings.quickbooks_realm_id
    for word in ("ledger is bound to", "999", realm, "LEDGER", "`rebind: true`"):
        assert word in said
    assert books(read) == before


def test_a_key_that_may_no_longer_see_rates_stops_the_run(read: House) -> None:
    """The day's stored entries keep their rates, and nothing more is sent."""
    read.prepare(DAY, DAY, *REVIEW, LOAD)
    before = books(read), pieces(read)
    read.sandbox.switch(rates_hidden="zero")
    result = read.run(DAY, DAY, *DAILY)
    assert not result.success
    [said] = sentences(read, result)
    assert "sees no rate" in said
    assert "Use the key of an admin who may see billable rates" in said
    assert (books(read), pieces(read)) == before


@pytest.mark.parametrize("mode", ["zero", "null", "forbidden"])
def test_a_key_without_rates_stops_nothing_where_the_service_item_has_the_price(
    read: House, mode: str
) -> None:
    """Clockify's rates are then in nobody's way, there or not: what is billable is sent, priced."""
    read.changes |= {"RATE_SOURCE": "service_item", "SERVICE_ITEM": "Site Visit"}
    read.sandbox.switch(rates_hidden=mode)
    read.prepare(DAY, DAY)
    query = "SELECT DISTINCT amount_minor > 0, state FROM deliveries"
    assert read.rows(f"{query} WHERE payload->>'$.BillableStatus' = 'Billable'") == [(True, "sent")]
    read.prepare(DAY, DAY, *DAILY)
    assert read.rows("SELECT * FROM drift") == []


def test_a_day_that_really_is_without_rates_is_read(house: House) -> None:
    """The key still sees the rates of another day, so somebody has set these to nothing."""
    before = DAY - timedelta(days=1)
    house.prepare(before, DAY + timedelta(days=1), USERS, ENTRIES)
    world = house.sandbox.world
    for entry in world.workspace.entries.values():
        if work_date(world, entry) == DAY:
            entry.rate_minor = 0
    house.prepare(DAY, DAY, ENTRIES)
    query = "SELECT DISTINCT hourly_rate_minor FROM clockify_time_entries WHERE work_date = $1"
    assert house.rows(query + " AND is_billable", DAY) == [(0,)]
    house.sandbox.switch(rates_hidden="zero")
    [said] = sentences(house, house.run(before, before, ENTRIES))
    assert "sees no rate" in said


def test_rates_that_add_up_to_more_than_a_table_holds_stop_nobody_elses_time(read: House) -> None:
    """The sum would not be a number of the database, which quotes it: amounts are not Dagster's."""
    world = read.sandbox.world
    found = world.workspace.entries.values()
    priced = [each for each in found if work_date(world, each) == DAY and each.rate_minor]
    for entry in priced[: len(priced) // 2]:
        entry.rate_minor = 4 * 10**18
    result = read.run(DAY, DAY)
    assert problems(result) == []
    assert ("bad_rate",) in read.rows("SELECT DISTINCT reasons[1] FROM rejected_time_entries")


def test_two_users_of_one_name_are_billed_as_neither(read: House) -> None:
    """Their entries are rejected, naming both; a standing check says so; others are accepted."""
    workspace = read.sandbox.world.workspace
    on_the_day = [each for each in workspace.entries.values() if each.start.date() == DAY]
    first, second, *_ = sorted({each.user_id for each in on_the_day})
    workspace.users[first].name = workspace.users[second].name = "Same Name"
    read.prepare(DAY, DAY, USERS, ENTRIES)
    result = read.run(DAY, DAY, *REVIEW)
    assert result.success
    query = "SELECT fixes[list_position(reasons, 'ambiguous_employee')] FROM rejected_time_entries"
    fixes = [fix for (fix,) in read.rows(f"{query} WHERE user_name = 'Same Name'") if fix]
    assert fixes
    assert all(first in fix and second in fix for fix in fixes)
    names = read.rows("SELECT DISTINCT user_name FROM accepted_time_entries")
    assert ("Same Name",) not in names
    assert len(names) > 1
    checks = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert not checks["every_user_matches_an_employee"].passed


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    with small_disk(tmp_path / "disk", 24 * 1024) as place:
        yield place


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("WAREHOUSE", ("No space left", "Free disk space")),
        ("LEDGER", ("The disk that holds the ledger", "is full", "Free some space")),
    ],
)
def test_a_full_disk_stops_the_run_and_space_heals_it(
    read: House, disk: Path, file: str, words: tuple[str, ...]
) -> None:
    """The sentence names the file; what stood stays; with space, the same run goes through."""
    place, after_it = disk / "file.duckdb", DAY + timedelta(days=1)
    if file == "WAREHOUSE":
        shutil.move(read.settings.warehouse, place)
    read.changes[file] = str(place)
    read.prepare(DAY, DAY, *REVIEW, LOAD)
    before = books(read), pieces(read)
    filler = disk / "filler"
    _fill(filler)
    result = read.run(after_it, after_it, *DAILY)
    assert not result.success
    [said] = sentences(read, result)
    assert [word for word in (file.lower(), str(disk), *words) if word not in said] == []
    filler.unlink()
    assert books(read) == before[0]
    if file == "WAREHOUSE":
        assert pieces(read) == before[1]
    read.prepare(after_it, after_it, *DAILY)
    assert _days_sent(read) == [DAY, after_it]


def _execute(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def _make_anew(path: Path) -> None:
    """An empty DuckDB file in the place of another."""
    path.unlink(missing_ok=True)
    duckdb.connect(str(path)).close()


def _fill(path: Path) -> None:
    """Take the disk's last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def _days_sent(house: House) -> list[date]:
    query = "SELECT DISTINCT work_date FROM deliveries ORDER BY work_date"
    [days] = stored(house.settings.ledger, query)
    return [day for (day,) in days]
