"""The analyst's morning: what each day shows and never shows, and the act that mends what is wrong.

In one file, since all of it looks at one fortnight.
"""

import json
import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster_shared.serdes import serialize_value

from pipeline.extract.pieces import days_of
from pipeline.sandbox.seed.oddities import add_entry, user_of
from pipeline.sandbox.world import World
from tests.end_to_end import books
from tests.end_to_end.conftest import EMPTY, FORTNIGHT, House, check, problems
from tests.end_to_end.stages import DAILY, ENTRIES, REPORT, REVIEW, UP_TO_REVIEW
from tests.sandbox.seed_rules import EXCLUDING, HOLDING, Rules, seconds, work_date

FIRST, LAST = FORTNIGHT
REJECTED = "rejected_time_entries"
BLANK = "Model Home Gardens "
"""A project whose customer has no blank at the end of its name."""


def shown(house: House, asset: str) -> dict[date, dict[str, Any]]:
    """The metadata of each day's last materialization of an asset."""
    records = house.instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
    days = {}
    for record in reversed(records):
        event = record.asset_materialization
        assert event is not None
        days[date.fromisoformat(str(event.partition))] = {
            name: value.records if isinstance(value, dg.TableMetadataValue) else value.value
            for name, value in event.metadata.items()
        }
    return days


def cells(days: dict[date, dict[str, Any]], table: str, column: str) -> dict[date, list[str]]:
    """A column of a table that each day shows."""
    return {
        day: [str(record.data[column]) for record in metadata[table]]
        for day, metadata in days.items()
    }


def waiting(house: House) -> dict[date, set[str]]:
    """The entries of each day that are rejected or held, told from the sandbox alone."""
    world = house.sandbox.world
    rules = Rules(world)
    days: dict[date, set[str]] = {day: set() for day in days_of(FIRST, LAST)}
    excluded = {"not_billable", "before_cutover", "zero_duration", "not_work", "filtered_out"}
    for entry in world.workspace.entries.values():
        reasons = rules.reasons(entry)
        if reasons and not excluded & set(reasons) and work_date(world, entry) in days:
            days[work_date(world, entry)].add(entry.id)
    return days


def metadata(house: House, asset: str) -> dict[str, Any]:
    """What the latest materialization of an asset shows."""
    event = house.instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event
    assert event.asset_materialization
    return dict(event.asset_materialization.metadata)


def day_shown(house: House, day: date) -> dict[str, Any]:
    """All that a day of the rejected entries shows: its materialization's metadata."""
    query = dg.AssetRecordsFilter(dg.AssetKey(REJECTED), [str(day)])
    [record] = house.instance.fetch_materializations(query, limit=1).records
    assert record.asset_materialization
    return dict(record.asset_materialization.metadata)


def lines(house: House) -> dict[str, tuple[int, float]]:
    """The fix list as the UI shows it: each fix with its entries and hours."""
    records = [record.data for record in metadata(house, "fix_list")["fix list"].records]
    return {str(row["fix"]): (int(row["entries"]), float(row["hours"])) for row in records}


def rejected(world: World) -> Counter[str]:
    """The rejected entries of the fortnight by each of their reasons, from the sandbox alone."""
    rules = Rules(world)
    found: Counter[str] = Counter()
    for entry in world.workspace.entries.values():
        reasons = rules.reasons(entry)
        if FIRST <= work_date(world, entry) <= LAST and not reasons & set(EXCLUDING):
            found.update(reasons - set(HOLDING))
    return found


def test_mending_a_name_sends_exactly_its_entries_and_shortens_the_list(
    fortnight: House, after_a_fortnight: House
) -> None:
    """The list shrinks by that line and no other, and QuickBooks grows by those entries."""
    house, world = after_a_fortnight, after_a_fortnight.sandbox.world
    due, before = books.due(world, FIRST, LAST), lines(fortnight)
    held = books.held(world)
    [project] = [each for each in world.workspace.projects.values() if each.name == BLANK]
    project.name = BLANK.strip()
    mended = books.due(world, FIRST, LAST) - due
    assert mended
    house.prepare(FIRST, LAST, "clockify_projects", *DAILY)
    house.run(FIRST, LAST, "fix_list")
    assert books.held(world) - held == mended
    after = lines(house)
    [gone] = before.keys() - after.keys()
    assert f"`{BLANK}`" in gone
    assert before[gone][0] == mended.total()
    assert after == {fix: counted for fix, counted in before.items() if fix != gone}


def test_the_list_has_every_rejected_entry_under_each_of_its_reasons(fortnight: House) -> None:
    """Told from the sandbox alone; what only waits is in no line."""
    listed = fortnight.rows("SELECT reason, sum(entries)::BIGINT FROM fix_list GROUP BY reason")
    assert Counter(dict(listed)) == rejected(fortnight.sandbox.world)
    assert sum(entries for entries, _ in lines(fortnight).values()) == sum(
        entries for _, entries in listed
    )


def test_each_day_begins_with_its_own_fixes(fortnight: House) -> None:
    """At most ten lines, before the entries, and the run's picture on its last day."""
    for day in days_of(FIRST, LAST):
        shown = day_shown(fortnight, day)
        assert next(iter(shown)) == "fix list"
        assert len(shown["fix list"].records) <= 10
        assert str(day) in str(shown["in Clockify"].value)
        assert ("hours by day" in shown) == (day == LAST)


def test_hours_at_risk_are_the_billable_ones_that_wait_for_a_person(fortnight: House) -> None:
    """To the second; the check says the same, and both are compared from run to run."""
    world = fortnight.sandbox.world
    rules = Rules(world)
    entries = [
        entry
        for entry in world.workspace.entries.values()
        if FIRST <= work_date(world, entry) <= LAST
        and not rules.reasons(entry) & set(EXCLUDING)
        and rules.reasons(entry) - set(HOLDING)
    ]
    [(count, took)] = fortnight.rows("SELECT count(*), sum(duration_seconds) FROM hours_at_risk")
    assert (count, took) == (len(entries), sum(map(seconds, entries)))
    shown = metadata(fortnight, "hours_at_risk")
    assert shown["hours at risk"].value == pytest.approx(took / 3600, abs=0.01)
    assert sum(
        value.value for name, value in shown.items() if name.startswith("hours: ")
    ) == pytest.approx(took / 3600, abs=0.03)


def test_the_report_comes_last_and_also_on_a_red_morning(quiet: House) -> None:
    """The list is needed most when the load has stopped; the warning ends when nothing is left."""
    entry = add_entry(quiet.sandbox.world, LAST, "08:00")
    waiting = add_entry(quiet.sandbox.world, LAST, project=None)
    quiet.sandbox.fail("batch", "status", status=503, times=None)
    result = quiet.run(LAST)
    steps = [event.step_key for event in result.all_events if event.is_step_success]
    assert not result.success
    assert set(REPORT) <= set(steps)
    assert metadata(quiet, "fix_list")["dagster/row_count"].value > 0
    said = check(result, "no_billable_hours_are_at_risk")
    assert not said.passed
    assert said.severity == dg.AssetCheckSeverity.WARN
    assert "will not get there by waiting" in str(said.description)
    quiet.sandbox.admin("DELETE", "faults")
    waiting.project_id = entry.project_id
    quiet.prepare(LAST, LAST, *DAILY)
    result = quiet.run(LAST, LAST, "hours_at_risk")
    assert check(result, "no_billable_hours_are_at_risk").passed


def test_a_day_of_hostile_names_opens_at_once(quiet: House) -> None:
    """Thousands of rejected entries, each with a name of 4,000 characters of whatever is typed."""
    world = quiet.sandbox.world
    user_of(world, "tom").name = "|<b>=1+1</b>`[x](javascript:1)\u202e" + "x" * 4000
    for number in range(2000):
        add_entry(world, LAST, "08:00", seconds=60 + number, mailbox="tom")
    quiet.changes["METADATA_ROWS"] = "100000"
    assert problems(quiet.run(LAST, LAST, *UP_TO_REVIEW)) == []
    shown = day_shown(quiet, LAST)
    assert len(serialize_value(shown)) < 250_000
    [line] = shown["fix list"].records
    assert line.data["entries"] == 2000
    assert "<U+202E>" in str(line.data["concerns"])
    assert json_of("\u202e") not in serialize_value(shown)


def test_each_day_of_a_range_has_its_own_rejected_table_and_counts(fortnight: House) -> None:
    """The day's entries and no other's, also on the day with nothing."""
    days = shown(fortnight, REJECTED)
    assert list(days) == days_of(FIRST, LAST)
    ids = cells(days, "entries not accepted", "entry_id")
    assert {day: set(found) for day, found in ids.items()} == waiting(fortnight)
    assert sum(map(len, ids.values())) > 20
    for day, metadata in days.items():
        groups = [record.data for record in metadata["by reason"]]
        assert metadata["dagster/partition_row_count"] == sum(each["entries"] for each in groups)
        for each in groups:
            assert metadata[f"entries: {each['reason']}"] == each["entries"], day


def test_the_empty_day_shows_that_it_was_read(fortnight: House) -> None:
    """Nothing is shown as nothing, not as a day never loaded."""
    read, judged = shown(fortnight, ENTRIES)[EMPTY], shown(fortnight, REJECTED)[EMPTY]
    assert (read["dagster/partition_row_count"], read["hours"]) == (0, 0)
    assert judged["dagster/partition_row_count"] == 0
    assert list(judged["entries not accepted"]) == []


def test_a_table_shows_at_most_the_rows_set(after_a_fortnight: House) -> None:
    """`METADATA_ROWS` caps each day's tables; the counts stay whole."""
    after_a_fortnight.changes["METADATA_ROWS"] = "1"
    after_a_fortnight.run(LAST - timedelta(days=2), LAST, *REVIEW)
    days = shown(after_a_fortnight, REJECTED)
    assert max(len(found) for found in cells(days, "entries not accepted", "reason").values()) == 1
    assert max(metadata["dagster/partition_row_count"] for metadata in days.values()) > 1


def json_of(text: str) -> str:
    """A text as it stands in the event log: letters beyond ASCII, quotes and line ends escaped."""
    return json.dumps(text)[1:-1]


def everything(house: House) -> str:
    """The whole event log, as it is stored."""
    runs = house.instance.get_runs()
    logs = [house.instance.all_logs(run.run_id) for run in runs]
    return "\n".join(serialize_value(entry) for log in logs for entry in log)


def test_the_event_log_holds_no_secret_rate_description_or_address(fortnight: House) -> None:
    """Metadata lives for ever and may be seen by many."""
    world, log = fortnight.sandbox.world, everything(fortnight)
    settings = fortnight.settings
    secrets = {
        settings.clockify_api_key.get_secret_value(),
        settings.quickbooks_client_secret.get_secret_value(),
        world.tokens.refresh_token,
        *world.tokens.access_tokens,
    }
    entries = world.workspace.entries.values()
    private = {entry.description for entry in entries if len(entry.description) > 12}
    private |= {user.email for user in world.workspace.users.values()}
    assert [word for word in sorted(secrets | private) if json_of(word) in log] == []
    rates = {str(entry.rate_minor) for entry in entries if entry.rate_minor}
    rates |= {f"{int(rate) / 100:.2f}" for rate in rates if rate.isdecimal()}
    numbers = set(re.findall(r"(?<![\w.-])[0-9.]+(?![\w-])", log))
    assert sorted(rate for rate in rates & numbers if len(rate) > 4) == []


def test_names_can_be_kept_out(house: House) -> None:
    """With `METADATA_NAMES=ids`, no person's, project's, client's or customer's name is shown."""
    house.changes["METADATA_NAMES"] = "ids"
    assert problems(house.run(LAST - timedelta(days=4), LAST)) == []
    workspace, log = house.sandbox.world.workspace, everything(house)
    names = {user.name for user in workspace.users.values() if user.name}
    names |= {project.name for project in workspace.projects.values()}
    names |= {project.client_name for project in workspace.projects.values() if project.client_name}
    assert [name for name in sorted(names) if json_of(name) in log] == []
