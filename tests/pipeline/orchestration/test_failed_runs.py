"""Which failed runs are not mended, by the runs that Dagster keeps."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from pipeline.orchestration.failed_runs import LOAD, RUNS_LOOKED_AT, missed_morning, name_of
from pipeline.orchestration.failed_runs import unmended as unmended_of
from pipeline.orchestration.windows import (
    DRY_RUN,
    RANGE_END,
    RANGE_START,
    SCHEDULE,
    SCHEDULE_NAME,
)

DAY = date(2026, 11, 17)
ENTRIES = dg.AssetKey("clockify_time_entries")
EVERYTHING = {ENTRIES, LOAD}
BY_SCHEDULE = {SCHEDULE_NAME: SCHEDULE}
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """One without a run."""
    with dg.DagsterInstance.ephemeral() as empty:
        yield empty


def ended(
    instance: dg.DagsterInstance,
    status: dg.DagsterRunStatus,
    day: date = DAY,
    **others: Any,  # noqa: ANN401 - Dagster's own
) -> str:
    """A run that has ended, of the 36 days up to one; returns its id."""
    span = {RANGE_START: str(day - timedelta(days=35)), RANGE_END: str(day)}
    tags = span | others.pop("tags", BY_SCHEDULE)
    return instance.add_run(dg.DagsterRun("job", status=status, tags=tags, **others)).run_id


def unmended(instance: dg.DagsterInstance, *known: str) -> list[str]:
    """The ids of the failed runs that are not mended."""
    return [run.run_id for run in unmended_of(instance, EVERYTHING, known)]


def test_a_failed_run_is_mended_by_one_that_reaches_its_last_day(
    instance: dg.DagsterInstance,
) -> None:
    """Such as the next morning's; not by one of older days."""
    failed = ended(instance, FAILURE)
    ended(instance, SUCCESS, DAY - timedelta(days=1))
    assert unmended(instance) == [failed]
    ended(instance, SUCCESS, DAY + timedelta(days=1))
    assert unmended(instance) == []


@pytest.mark.parametrize(
    "success",
    [
        {"asset_selection": {ENTRIES}},
        {"step_keys_to_execute": ["fix_list"]},
        {"tags": {**BY_SCHEDULE, DRY_RUN: "true"}},
    ],
    ids=["another asset", "another step", "dry"],
)
def test_what_did_not_do_the_work_mends_nothing(
    instance: dg.DagsterInstance, success: dict[str, Any]
) -> None:
    """A step that is executed again in the UI succeeds for its whole run's selection."""
    failed = ended(instance, FAILURE)
    ended(instance, SUCCESS, **success)
    assert unmended(instance) == [failed]


def test_a_load_that_was_dry_before_it_was_executed_again_mends(
    instance: dg.DagsterInstance,
) -> None:
    """It begins with the tags of the run before."""
    ended(instance, FAILURE)
    ended(instance, SUCCESS, tags={**BY_SCHEDULE, DRY_RUN: "false"})
    assert unmended(instance) == []


def test_a_failed_check_is_mended_by_its_step_alone(instance: dg.DagsterInstance) -> None:
    """As Dagster executes a run again from its failure; a check's step materializes nothing."""
    failed = ended(instance, FAILURE, asset_selection={LOAD})
    assert unmended(instance) == [failed]
    ended(instance, SUCCESS, step_keys_to_execute=["quickbooks_time_activities_checks"])
    assert unmended(instance) == []


def test_a_run_of_checks_alone_is_mended_by_any_good_run(instance: dg.DagsterInstance) -> None:
    """It owed nothing, and did fail."""
    checks = {dg.AssetCheckKey(LOAD, "nothing_has_drifted")}
    failed = ended(instance, FAILURE, asset_selection=set(), asset_check_selection=checks)
    assert unmended(instance) == [failed]
    ended(instance, SUCCESS)
    assert unmended(instance) == []


def test_a_run_by_hand_keeps_silent_about_no_morning(instance: dg.DagsterInstance) -> None:
    """A backfill that failed in spring, and that nobody needs, is never mended."""
    by_hand = ended(instance, FAILURE, date(2026, 3, 1), tags={})
    ended(instance, SUCCESS)
    morning = ended(instance, FAILURE, DAY + timedelta(days=1))
    runs = unmended_of(instance, EVERYTHING, ())
    assert {run.run_id: name_of(run) for run in runs} == {morning: "run", by_hand: "run by hand"}


def test_what_failed_long_ago_is_not_mended_by_being_forgotten(
    instance: dg.DagsterInstance,
) -> None:
    """What was known to be unmended is looked at again, however many runs came after it."""
    failed = ended(instance, FAILURE, date(2026, 3, 1))
    for number in range(RUNS_LOOKED_AT):
        ended(instance, SUCCESS, DAY + timedelta(days=number))
    assert unmended(instance) == []
    assert unmended(instance, failed) == [failed]
    ended(instance, SUCCESS, date(2026, 3, 1))
    assert unmended(instance, failed) == []
    assert unmended(instance, "deleted since") == []


def test_no_run_is_read_that_can_mend_nothing(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of `dg launch` names its steps, its log has megabytes, and it is asked each minute."""
    read = []
    logs = instance.all_logs

    def all_logs(run_id: str, **others: Any) -> Any:  # noqa: ANN401 - Dagster's own
        read.append(run_id)
        return logs(run_id, **others)

    monkeypatch.setattr(instance, "all_logs", all_logs)
    whole = {"step_keys_to_execute": [f"{key.to_python_identifier()}_checks" for key in EVERYTHING]}
    ended(instance, SUCCESS, **whole)
    assert unmended(instance) == []
    assert read == [], "nothing failed"
    later = [DAY + timedelta(days=100 + number) for number in range(4)]
    ended(instance, FAILURE, later[0], **whole)
    mended = ended(instance, SUCCESS, later[1], **whole)
    ended(instance, SUCCESS, later[2], **whole)
    ended(instance, SUCCESS, **whole)
    assert unmended(instance) == []
    assert read == [mended], "neither what came after, nor what does not reach its day"


@pytest.mark.parametrize(("hours", "is_missed"), [(35, False), (37, True)])
def test_a_morning_that_never_came_is_missed(
    instance: dg.DagsterInstance, hours: int, *, is_missed: bool
) -> None:
    """The schedule was switched off, or its daemon died: no run fails, no check is evaluated."""
    now = datetime.now(UTC)
    ended(instance, SUCCESS, tags={})
    assert missed_morning(instance, now + timedelta(days=99)) == {}
    ended(instance, SUCCESS)
    found = missed_morning(instance, now + timedelta(hours=hours))
    assert list(found) == (["morning"] if is_missed else [])
    assert not is_missed or f"`{SCHEDULE}` has succeeded since {now:%Y-%m-%d}" in found["morning"]
