"""What Dagster is told, and what it does with it: schedule, ranges, gates, locks, the copy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml
from filelock import FileLock

from pipeline.company import opened
from pipeline.definitions import JOB, build_definitions, morning_range
from pipeline.orchestration.windows import RANGE_END, RANGE_START, SCHEDULE
from pipeline.review.reasons import REASON_IDS
from pipeline.sandbox.seed.oddities import add_entry
from tests.conftest import TODAY
from tests.end_to_end.conftest import QUIET, House, check, logged, problems
from tests.end_to_end.processes import PROJECT
from tests.end_to_end.stages import DAILY, ENTRIES, LOAD, REFERENCES, REPORT, REVIEW, UP_TO_REVIEW

DAY = TODAY - timedelta(days=5)
A_DAY = timedelta(days=1)
REPORTS = "reports/detailed"


def definitions(house: House) -> dg.Definitions:
    """What Dagster loads for this house."""
    return build_definitions(house.settings, now=lambda: house.now)


def request(house: House, at: datetime) -> dg.RunRequest:
    """What the schedule asks for at a tick."""
    schedule = definitions(house).resolve_schedule_def(SCHEDULE)
    with dg.build_schedule_context(house.instance, scheduled_execution_time=at) as context:
        [asked] = schedule.evaluate_tick(context).run_requests or []
    return asked


def range_of(asked: dg.RunRequest) -> tuple[str, str]:
    """The first and last day that a request is about."""
    return asked.tags[RANGE_START], asked.tags[RANGE_END]


def morning(house: House, day: date, *assets: str) -> dg.ExecuteInProcessResult:
    """What assets do in the schedule's run of a morning, as the daemon would start it."""
    at = datetime.combine(day, time(6), house.settings.zone)
    asked = request(house, at)
    house.now = max(at.astimezone(UTC), house.now + timedelta(minutes=5))
    return (
        definitions(house)
        .resolve_job_def(JOB)
        .get_subset(
            asset_selection={dg.AssetKey(name) for name in assets}, asset_check_selection=set()
        )
        .execute_in_process(
            instance=house.instance,
            run_config={**QUIET, **asked.run_config},
            tags=dict(asked.tags),
            raise_on_error=False,
        )
    )


def read_now(house: House) -> list[date]:
    """The days that the last run read."""
    query = "SELECT work_date FROM days WHERE extracted_at = $1 ORDER BY work_date"
    return [day for (day,) in house.rows(query, house.now)]


def days(first: date, last: date) -> list[date]:
    """Every day of a range."""
    return [first + A_DAY * number for number in range((last - first).days + 1)]


def open_day(house: House, *open_days: date) -> None:
    """An analysts' copy in which these days are open."""
    with duckdb.connect(str(house.settings.analysis)) as connection:
        connection.execute("CREATE OR REPLACE TABLE open_days (work_date DATE)")
        for day in open_days:
            connection.execute("INSERT INTO open_days VALUES ($1)", [day])


@pytest.mark.parametrize(
    ("zone", "last_by_tick"),
    [
        (
            "America/New_York",
            {
                "2026-03-08T10:00+00:00": "2026-03-07",  # the clock has gone ahead
                "2026-03-09T10:00+00:00": "2026-03-08",  # after the day of 23 hours
                "2026-11-01T11:00+00:00": "2026-10-31",  # the clock has gone back
                "2026-11-02T11:00+00:00": "2026-11-01",  # after the day of 25 hours
            },
        ),
        ("Pacific/Auckland", {"2026-11-21T17:00+00:00": "2026-11-21"}),  # there it is the 22nd
    ],
)
def test_the_schedule_reads_up_to_yesterday_where_the_company_is(
    house: House, zone: str, last_by_tick: dict[str, str]
) -> None:
    """The dates come from the tick, in `TIME_ZONE`, whatever the clock on the wall did."""
    house.changes = {"TIME_ZONE": zone, "START_DATE": "2025-01-01", "SEND_FROM": "2025-01-01"}
    for tick, last in last_by_tick.items():
        asked = request(house, datetime.fromisoformat(tick))
        first = date.fromisoformat(last) - timedelta(days=house.settings.lookback_days)
        assert range_of(asked) == (str(first), last)
        assert asked.run_key == last


def test_the_range_begins_at_the_oldest_open_day_within_reach(house: House) -> None:
    """The lookback, or the oldest open day, at most 100 days back."""
    house.changes = {"START_DATE": "2026-01-01", "SEND_FROM": "2026-01-01"}
    begins = {
        (): 36,  # yesterday and LOOKBACK_DAYS before it
        (10,): 36,  # within the lookback
        (50, 40): 50,
        (100, 70): 100,  # as far as it reaches
        (101, 70): 70,  # older ones are launched by hand
    }
    for open_days, first in begins.items():
        open_day(house, *(TODAY - timedelta(days=ago) for ago in open_days))
        asked = request(house, datetime.combine(TODAY, time(6), house.settings.zone))
        assert range_of(asked) == (str(TODAY - timedelta(days=first)), str(TODAY - A_DAY))


@pytest.mark.parametrize(
    ("is_database", "why", "fix"),
    [
        (True, "was published by another version", "Launch a run"),
        (False, "cannot be read", "Close the program that has it open; or delete it"),
    ],
    ids=["without tables", "broken"],
)
def test_a_copy_that_cannot_be_read_costs_the_older_open_days_and_not_the_morning(
    house: House, why: str, fix: str, *, is_database: bool
) -> None:
    """The tick asks for the lookback all the same, and its log says what is left out and why."""
    house.changes = {"START_DATE": "2026-01-01", "SEND_FROM": "2026-01-01"}
    if is_database:
        duckdb.connect(str(house.settings.analysis)).close()
    else:
        house.settings.analysis.write_bytes(b"a text")
    said: list[str] = []
    first, last = morning_range(house.settings, TODAY, said.append)
    assert (first, last) == (TODAY - timedelta(days=36), TODAY - A_DAY)
    assert f"{house.settings.analysis} {why}" in said[0]
    assert fix in said[0]
    asked = request(house, datetime.combine(TODAY, time(6), house.settings.zone))
    assert range_of(asked) == (str(first), str(last))


def test_copies_that_could_not_be_made_are_said_until_they_are(reviewed: House) -> None:
    """The run that failed to is green, since its work is done; the next ones warn."""
    name = "the_run_before_left_its_copies"
    published = reviewed.settings.analysis.read_bytes()
    reviewed.settings.analysis.unlink()
    reviewed.settings.analysis.mkdir()
    assert problems(reviewed.run(DAY, DAY, LOAD)) == []
    reviewed.settings.analysis.rmdir()
    reviewed.settings.analysis.write_bytes(published)
    told = check(reviewed.run(DAY, DAY, LOAD), name)
    assert not told.passed
    assert told.severity == dg.AssetCheckSeverity.WARN
    assert "the analysts read a copy of 2026-11-22 17:05 UTC" in str(told.description)
    assert check(reviewed.run(DAY, DAY, LOAD), name).passed


def test_what_stops_a_run_is_told_though_it_could_not_be_copied_either(reviewed: House) -> None:
    """The copies' own trouble is in the log."""
    reviewed.settings.analysis.unlink()
    reviewed.settings.analysis.mkdir()
    said: list[str] = []
    with (
        pytest.raises(ValueError, match="of the run"),
        opened(reviewed.settings, "broken", said.append),
    ):
        raise ValueError("of the run")
    [told] = [line for line in said if line.startswith("not copied: ")]
    assert str(reviewed.settings.analysis) in told


def test_the_range_never_begins_before_the_first_partition(house: House) -> None:
    """A pipeline that began last week has nothing older to read."""
    start = TODAY - timedelta(days=7)
    house.changes = {"START_DATE": str(start), "SEND_FROM": str(start)}
    asked = request(house, datetime.combine(TODAY, time(6), house.settings.zone))
    assert range_of(asked) == (str(start), str(TODAY - A_DAY))


def reports(house: House) -> int:
    """How many pages of reports were asked for."""
    return sum(count for name, count in house.sandbox.holder.calls.items() if REPORTS in name)


def test_older_months_are_read_again_in_their_turn_or_when_their_totals_change(
    quiet: House,
) -> None:
    """One call a month, and one month read; an old entry that was changed is judged again."""
    quiet.changes = {"LOOKBACK_DAYS": "2", "SEND_FROM": "2026-08-30"}
    for user in quiet.sandbox.world.workspace.users.values():
        user.status = "ACTIVE"
    august, september, october = (
        days(date(2026, 8, 30), date(2026, 8, 31)),
        days(date(2026, 9, 1), date(2026, 9, 30)),
        days(date(2026, 10, 1), date(2026, 10, 31)),
    )
    old = add_entry(quiet.sandbox.world, date(2026, 10, 20), is_billable=False)
    lately = days(date(2026, 11, 1), date(2026, 11, 3))
    a_morning = lately[-1] + A_DAY

    assert problems(morning(quiet, a_morning, *REFERENCES, ENTRIES)) == []
    assert read_now(quiet) == august + september + october + lately

    before = reports(quiet)
    assert problems(morning(quiet, a_morning, ENTRIES)) == []
    assert read_now(quiet) == august + lately
    assert reports(quiet) - before == 5  # the range, three months' totals, August

    assert old.end
    quiet.sandbox.admin("PATCH", f"entries/{old.id}", end=str(old.end + timedelta(minutes=30)))
    assert problems(morning(quiet, a_morning, ENTRIES, *REVIEW)) == []
    assert read_now(quiet) == september + october + lately
    query = "SELECT duration_seconds FROM rejected_time_entries WHERE entry_id = $1"
    assert quiet.rows(query, old.id) == [(5400 + 1800,)]


def test_the_month_in_which_the_range_begins_is_not_read_again_for_that(quiet: House) -> None:
    """A day that has left the range was read yesterday; its month is as it was, another in turn."""
    quiet.changes = {"LOOKBACK_DAYS": "2", "SEND_FROM": "2026-10-01"}
    for day in days(date(2026, 11, 3), date(2026, 11, 10)):
        add_entry(quiet.sandbox.world, day, is_billable=False)
    morning(quiet, date(2026, 11, 10), ENTRIES)
    morning(quiet, date(2026, 11, 11), ENTRIES)
    october = days(date(2026, 10, 1), date(2026, 10, 31))
    assert read_now(quiet) == october + days(date(2026, 11, 8), date(2026, 11, 10))


def test_the_older_months_that_were_read_before_a_stop_are_remembered(quiet: House) -> None:
    """A free plan's hour ends among them: the next morning goes on where this one stopped."""
    quiet.changes = {"LOOKBACK_DAYS": "2", "SEND_FROM": "2026-08-30"}
    for user in quiet.sandbox.world.workspace.users.values():
        user.status = "ACTIVE"
    quiet.sandbox.fail(REPORTS, "status", status=403, body={"code": 501}, skip=5)
    lately = days(date(2026, 11, 1), date(2026, 11, 3))
    assert not morning(quiet, date(2026, 11, 4), ENTRIES).success
    assert read_now(quiet) == days(date(2026, 8, 30), date(2026, 8, 31)) + lately
    assert problems(morning(quiet, date(2026, 11, 4), ENTRIES)) == []
    assert read_now(quiet) == days(date(2026, 9, 1), lately[-1])


def test_a_range_that_stops_keeps_the_pieces_it_has_finished(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two pieces the second is refused: the first stays, and again all goes through."""
    monkeypatch.setattr("pipeline.extract.pieces.PIECE", 2 * A_DAY)
    first, last = TODAY - 3 * A_DAY, TODAY - A_DAY
    entry = add_entry(quiet.sandbox.world, first)
    quiet.sandbox.fail(REPORTS, "status", status=403, body={"code": 501}, skip=2)  # and of who left
    stopped = quiet.run(first, last, REFERENCES[0], *DAILY)  # with the users
    assert not stopped.success
    finished = days(first, first + A_DAY)
    assert quiet.rows("SELECT work_date FROM days ORDER BY ALL") == [(day,) for day in finished]
    assert quiet.rows("SELECT entry_id FROM clockify_time_entries") == [(entry.id,)]
    assert quiet.activities == []
    quiet.prepare(first, last)
    assert len(quiet.rows("FROM days")) == 3
    assert len(quiet.activities) == 1


def test_a_day_never_read_is_named_with_the_command_that_reads_it(quiet: House) -> None:
    """Each gap since the cut-over, the first of them in the message."""
    quiet.changes = {"SEND_FROM": str(DAY - timedelta(days=3))}
    quiet.prepare(DAY, DAY, ENTRIES)
    gaps = check(quiet.run(DAY - timedelta(days=2), None, ENTRIES), "every_day_is_loaded")
    assert not gaps.passed
    for first, last in ((3, 3), (1, 1), (-1, -4)):
        command = f"{DAY - timedelta(days=first)}...{DAY - timedelta(days=last)}"
        assert f"`.venv/bin/dg launch --assets '*' --partition-range {command}`" in str(
            gaps.description
        )
    since = DAY - timedelta(days=3)
    assert f"Days since {since} never read after they were over: 6." in str(gaps.description)
    full = check(quiet.run(DAY - timedelta(days=3), TODAY, ENTRIES), "every_day_is_loaded")
    assert full.passed


def test_an_open_day_out_of_reach_is_named(quiet: House) -> None:
    """The schedule will not come to it, so the check says what to launch."""
    old = TODAY - timedelta(days=101)
    quiet.changes = {"SEND_FROM": str(old)}
    add_entry(quiet.sandbox.world, old, project=None)
    add_entry(quiet.sandbox.world, old + A_DAY, project=None)
    quiet.prepare(old, old + A_DAY, *UP_TO_REVIEW)
    found = check(quiet.run(old, old + A_DAY, LOAD), "open_days_are_within_reach")
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert "reaches: 1. Launch those days with `.venv/bin/dg launch" in str(found.description)
    assert f"{old}...{old}`" in str(found.description)


def test_a_failed_gate_stops_what_is_behind_it(reviewed: House) -> None:
    """An entry stored twice: nothing is judged, nothing sent, and the gate says what to do."""
    verdicts = reviewed.rows("SELECT entry_id FROM accepted_time_entries ORDER BY ALL")
    with duckdb.connect(str(reviewed.settings.warehouse)) as connection:
        connection.execute(
            "INSERT INTO clockify_time_entries "
            "FROM clockify_time_entries WHERE work_date = $1 LIMIT 1",
            [DAY],
        )
    result = reviewed.run(DAY + A_DAY, None, *DAILY, *REPORT)
    assert not result.success
    gate = check(result, "entry_ids_are_unique")
    assert (gate.passed, gate.blocking) == (False, True)
    assert f"{DAY + A_DAY}: Entries stored more than once: 1. Extract" in str(gate.description)
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert made == {ENTRIES}
    assert reviewed.rows("SELECT entry_id FROM accepted_time_entries ORDER BY ALL") == verdicts
    assert verdicts
    assert reviewed.activities == []


def test_a_range_over_everything_makes_each_day_and_each_snapshot_once_and_its_checks_warn(
    house: House,
) -> None:
    """Daily assets a day at a time, in one run; the others once.

    Days with rejected entries are green, and their standing checks say so in warnings.
    """
    result = house.run(DAY, DAY + A_DAY)
    assert result.success
    events = result.get_asset_materialization_events()
    made = sorted((str(event.asset_key.to_user_string()), event.partition) for event in events)
    daily = [(name, str(day)) for name in DAILY for day in days(DAY, DAY + A_DAY)]
    assert made == sorted([*daily, *((name, None) for name in (*REFERENCES, *REPORT))], key=str)
    failed = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert {each.check_name for each in failed} >= {
        "no_entry_waits_for_a_person",
        "every_project_with_entries_matches_a_customer",
        "every_day_is_loaded",
    }
    assert {(each.severity, each.blocking) for each in failed} == {
        (dg.AssetCheckSeverity.WARN, False)
    }


def test_the_analysts_copy_is_new_after_every_run_and_the_old_one_stays_readable(
    quiet: House,
) -> None:
    """Red or green, a fresh copy stands in the place; who reads the old one goes on reading it."""
    count = "SELECT count(*) FROM clockify_time_entries"
    add_entry(quiet.sandbox.world, DAY)
    green = quiet.run(DAY, DAY, ENTRIES)
    assert quiet.rows("SELECT run_id FROM published") == [(green.run_id,)]
    with duckdb.connect(str(quiet.settings.analysis), read_only=True) as reader:
        assert reader.execute(count).fetchall() == [(1,)]
        add_entry(quiet.sandbox.world, DAY + A_DAY)
        quiet.sandbox.admin("PATCH", "company", is_payroll_on=True)
        red = quiet.run(DAY + A_DAY, None, "quickbooks_company", ENTRIES)
        assert not red.success
        assert reader.execute(count).fetchall() == [(1,)]
    assert quiet.rows("SELECT run_id FROM published") == [(red.run_id,)]
    assert quiet.rows(count) == [(2,)]


@contextmanager
def held(house: House, seconds: float) -> Iterator[None]:
    """Another run that holds the warehouse for so long, or until we are done."""
    house.settings.warehouse.with_suffix(".holder").write_text("run 5eed (process 77)")
    lock = FileLock(house.settings.warehouse.with_suffix(".lock"), thread_local=False)
    lock.acquire()
    release = threading.Timer(seconds, lock.release)
    release.start()
    try:
        yield
    finally:
        release.cancel()
        lock.release()


def test_a_run_waits_for_another_and_says_for_whom(quiet: House) -> None:
    """`dg launch` passes no queue: the lock is what keeps two runs apart."""
    quiet.changes["LOCK_SECONDS"] = "60"
    with held(quiet, 2):
        result = quiet.run(DAY, DAY, REFERENCES[0])
    assert result.success
    assert "is held by run 5eed (process 77)" in logged(quiet, result)


def test_a_run_that_waits_too_long_names_who_holds_the_warehouse(quiet: House) -> None:
    """It is red with one sentence, and has touched nothing."""
    quiet.changes["LOCK_SECONDS"] = "1"
    with held(quiet, 60):
        result = quiet.run(DAY)
    assert not result.success
    said = logged(quiet, result)
    assert "is held by run 5eed (process 77). Wait until that run has ended, then" in said
    assert not quiet.settings.warehouse.exists()


def test_today_can_be_launched_and_its_entries_wait(quiet: House) -> None:
    """Today has a partition; what is tracked today is held until the day has passed."""
    daily = definitions(quiet).resolve_asset_graph().get(dg.AssetKey(ENTRIES)).partitions_def
    assert daily
    keys = daily.get_partition_keys(current_time=quiet.now)
    assert keys[-1] == str(TODAY)
    entry = add_entry(quiet.sandbox.world, TODAY, "08:00")
    quiet.prepare(TODAY)
    query = "SELECT verdict, reasons FROM rejected_time_entries WHERE entry_id = $1"
    assert quiet.rows(query, entry.id) == [("held", ["in_future"])]
    assert quiet.activities == []


def test_the_ui_says_what_each_thing_is_and_whom_to_ask(house: House) -> None:
    """Every asset has group, owner, kind and description, every check a description."""
    loaded = definitions(house)
    specs = loaded.resolve_all_asset_specs()
    assert {spec.key.to_user_string() for spec in specs} == {*REFERENCES, *DAILY, *REPORT}
    owners = {
        "extract": "team:data",
        "review": "team:analysis",
        "load": "team:bookkeeping",
        "report": "team:analysis",
    }
    for spec in specs:
        assert list(spec.owners) == [owners[str(spec.group_name)]], spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key
        assert "dagster/column_schema" in spec.metadata, spec.key
    [load] = [spec for spec in specs if spec.key == dg.AssetKey(LOAD)]
    assert load.freshness_policy
    checks = [
        spec
        for each in loaded.asset_checks or []
        for spec in each.check_specs_by_output_name.values()
    ]
    assert len(checks) > 15
    assert [spec.key for spec in checks if not spec.description] == []


def test_the_ui_links_each_check_and_reason_to_the_readme(house: House) -> None:
    """If it is said where people read it; else nothing is linked to nowhere."""
    url = "https://git.example/README.md"
    plain = {spec.key: spec for spec in definitions(house).resolve_all_asset_specs()}
    assert not any("](" in str(spec.description) for spec in plain.values())
    house.changes["README_URL"] = url
    loaded = definitions(house)
    specs = {spec.key: str(spec.description) for spec in loaded.resolve_all_asset_specs()}
    keys = [key for each in loaded.asset_checks or [] for key in each.check_keys]
    assert [
        key for key in keys if f"[{key.name}]({url}#{key.name})" not in specs[key.asset_key]
    ] == []
    linked = specs[dg.AssetKey("rejected_time_entries")]
    assert [name for name in REASON_IDS if f"[{name}]({url}#{name})" not in linked] == []


def test_a_run_says_that_a_service_is_asked_again(house: House, tmp_path: Path) -> None:
    """By the loggers that the committed `dagster.yaml` names: it may go on for minutes."""
    logs = yaml.safe_load((PROJECT / "dagster_home/dagster.yaml").read_text())["python_logs"]
    house.sandbox.fail("query", "status", status=503, body="")
    with dg.DagsterInstance.local_temp(str(tmp_path), {"python_logs": logs}) as instance:
        waiting = replace(house, instance=instance)
        said = logged(waiting, waiting.run(DAY, DAY, "quickbooks_employees"))
    assert "127.0.0.1: it answers 503; asked again in" in said


def test_the_schedule_ticks_at_six_where_the_company_is(house: House) -> None:
    """Not where the machine is."""
    schedule = definitions(house).resolve_schedule_def(SCHEDULE)
    assert schedule.cron_schedule == "0 6 * * *"
    assert schedule.execution_timezone == house.settings.time_zone


def test_a_schedule_that_begins_today_waits_until_a_day_has_passed(house: House) -> None:
    """Yesterday has no partition yet."""
    house.changes = {"START_DATE": str(TODAY), "SEND_FROM": str(TODAY)}
    schedule = definitions(house).resolve_schedule_def(SCHEDULE)
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    with dg.build_schedule_context(house.instance, scheduled_execution_time=at) as context:
        asked = schedule.evaluate_tick(context)
    assert not asked.run_requests
    assert str(asked.skip_message) == f"START_DATE, {TODAY}, has not passed yet"


def test_every_extract_is_tried_again_by_itself(house: House) -> None:
    """A service that is away for a minute is nobody's morning."""
    assets = {key: each for each in definitions(house).assets or [] for key in each.keys}
    for name in (*REFERENCES, ENTRIES):
        policy = assets[dg.AssetKey(name)].op.retry_policy
        assert policy, name
        assert policy.max_retries == 2, name


def test_a_run_that_is_launched_for_no_days_says_how_to_name_them(quiet: House) -> None:
    """The Launchpad and `dg launch --job` allow it."""
    result = (
        definitions(quiet)
        .resolve_job_def(JOB)
        .execute_in_process(
            instance=quiet.instance,
            asset_selection=[dg.AssetKey(ENTRIES)],
            run_config=QUIET,
            raise_on_error=False,
        )
    )
    assert "launched for no days. Launch it again with `--partition D`" in problems(result)[0]


def test_a_copy_that_can_never_be_published_stops_the_run_at_its_start(quiet: House) -> None:
    """Else every run would be green, and the ledger never copied."""
    (quiet.folder / "file").touch()
    quiet.changes["ANALYSIS"] = str(quiet.folder / "file" / "analysis.duckdb")
    result = quiet.run(DAY, DAY, REFERENCES[0])
    assert not result.success
    assert "The folder of the analysis copy" in logged(quiet, result)
