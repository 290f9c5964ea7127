"""What the Dagster UI shows of each day, and what it never shows: read from the event log."""

import re
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster_shared.serdes import serialize_value

from pipeline.extraction import days_of
from tests.end_to_end.conftest import EMPTY, FORTNIGHT, House
from tests.end_to_end.stages import ENTRIES, REVIEW
from tests.sandbox.seed_rules import Rules, work_date

FIRST, LAST = FORTNIGHT
REJECTED = "rejected_time_entries"


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
    assert [word for word in sorted(secrets | private) if word in log] == []
    rates = {str(entry.rate_minor) for entry in entries if entry.rate_minor}
    rates |= {f"{int(rate) / 100:.2f}" for rate in rates if rate.isdecimal()}
    numbers = set(re.findall(r"(?<![\w.-])[0-9.]+(?![\w-])", log))
    assert sorted(rate for rate in rates & numbers if len(rate) > 4) == []


def test_names_can_be_kept_out(house: House) -> None:
    """With `METADATA_NAMES=ids`, no person's, project's, client's or customer's name is shown."""
    house.changes["METADATA_NAMES"] = "ids"
    house.run(LAST - timedelta(days=4), LAST)
    workspace, log = house.sandbox.world.workspace, everything(house)
    names = {user.name for user in workspace.users.values() if user.name}
    names |= {project.name for project in workspace.projects.values()}
    names |= {project.client_name for project in workspace.projects.values() if project.client_name}
    assert [name for name in sorted(names) if name in log] == []
