"""Failed runs that nothing has mended since, and mornings that never came.

Holds what a run owed, what counts as making it, and how far back it is looked. Keeps out who is
told (`alert_sensor`).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from dagster import AssetKey, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster import RunsFilter as Runs

from pipeline.orchestration.windows import DRY_RUN, SCHEDULE, SCHEDULE_NAME, Days, window_of

RUNS_LOOKED_AT = 50
ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
MISSED_AFTER = timedelta(hours=36)
"""A morning's run may take hours; a day without one is worth a look by the evening."""
A_MOMENT = timedelta(seconds=1)
BY_HAND = "run by hand"
LOAD = AssetKey("quickbooks_time_activities")
Good = tuple[Days, Callable[[], AbstractSet[AssetKey]]]
"""The days of a run that succeeded, and what it has made good, which its log may have to tell."""


def unmended(
    instance: DagsterInstance, everything: AbstractSet[AssetKey], known: Collection[str]
) -> list[DagsterRun]:
    """Failed runs, the newest first, of which what they owed has not all been made since.

    Of days, a success counts that reaches the last of those that the failed run was about.

    Args:
        instance: asked.
        everything: all assets, which a run that selects none is about.
        known: the ids of those that were so at the last look: however long ago they failed.
    """
    good: list[Good] = []
    found = []
    for run in _ended(instance, known):
        days = window_of(run.tags)
        if run.status == DagsterRunStatus.SUCCESS:
            good.append((days, cache(partial(_made, instance, run, everything))))
            continue
        assets = _about(run, everything)
        since = _since(good, days, assets)
        is_mended = assets <= since or _owed(instance, run.run_id, assets) <= since
        if not (since and is_mended):
            found.append(run)
    return found


def name_of(run: DagsterRun) -> str:
    """What a failed run is told as: one launched by hand must not keep silent about mornings."""
    return "run" if SCHEDULE_NAME in run.tags else BY_HAND


def missed_morning(instance: DagsterInstance, now: datetime) -> dict[str, str]:
    """That the schedule has not succeeded for long; nothing if it never did, or has lately."""
    records = instance.get_run_records(
        Runs(statuses=[DagsterRunStatus.SUCCESS], tags={SCHEDULE_NAME: SCHEDULE}), limit=1
    )
    for record in records:
        ended = datetime.fromtimestamp(record.end_time or record.create_timestamp.timestamp(), UTC)
        if now - ended > MISSED_AFTER:
            return {"morning": f"no run of `{SCHEDULE}` has succeeded since {ended:%Y-%m-%d}"}
    return {}


def _ended(instance: DagsterInstance, known: Collection[str]) -> Iterator[DagsterRun]:
    """The newest runs that have ended, and all since the oldest of the known ones."""
    records = instance.get_run_records(Runs(statuses=ENDED), limit=RUNS_LOOKED_AT)
    if older := set(known) - {record.dagster_run.run_id for record in records}:
        first = instance.get_run_records(Runs(run_ids=[*older]))  # fewer if some were deleted
        since = min((record.create_timestamp for record in first), default=None)
        if since:
            records = instance.get_run_records(Runs(statuses=ENDED, created_after=since - A_MOMENT))
    return (record.dagster_run for record in records)


def _since(good: Sequence[Good], days: Days, wanted: AbstractSet[AssetKey]) -> set[AssetKey]:
    """What the oldest of these runs, of which the newest come first, made of some days.

    A log has megabytes, and this is asked each minute: none is read once all is made.
    """
    since: set[AssetKey] = set()
    for span, made in reversed(good):
        if since and wanted <= since:
            break
        if _reaches(span, days):
            since |= made()
    return since


def _about(run: DagsterRun, everything: AbstractSet[AssetKey]) -> AbstractSet[AssetKey]:
    return run.asset_selection or (set() if run.asset_check_selection else everything)


def _made(
    instance: DagsterInstance, run: DagsterRun, everything: AbstractSet[AssetKey]
) -> AbstractSet[AssetKey]:
    """What a run that succeeded has made good: of some steps theirs only, and no dry run a load."""
    assets = _about(run, everything)
    if steps := run.step_keys_to_execute:
        made = _materialized(instance, run.run_id)
        assets = {
            key for key in assets if key in made or f"{key.to_python_identifier()}_checks" in steps
        }
    return assets - {LOAD} if run.tags.get(DRY_RUN) == "true" else assets


def _reaches(span: Days, days: Days) -> bool:
    return span is None or days is None or span[0] <= days[1] <= span[1]


def _owed(
    instance: DagsterInstance, run_id: str, assets: AbstractSet[AssetKey]
) -> AbstractSet[AssetKey]:
    """What a failed run did not make, or whose checks failed in it; none of checks alone."""
    events = instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE)
    steps = {str(event.get_dagster_event().step_key) for event in events}
    failed = {step.removesuffix("_checks") for step in steps}
    made = _materialized(instance, run_id)
    return {key for key in assets if key not in made or key.to_python_identifier() in failed}


def _materialized(instance: DagsterInstance, run_id: str) -> AbstractSet[AssetKey]:
    events = instance.all_logs(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    keys = (event.get_dagster_event().asset_key for event in events)
    return {key for key in keys if key}
