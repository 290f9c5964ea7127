"""The sensor behind alerts: looks at the latest run, every check and the analysis copy.

Remembers in its cursor what each receiver was last told, so that each is told once, and again
when it could not be reached. Keeps out what is said (`alerts`).
"""

import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta

import dagster as dg
from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    RunsFilter,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from pipeline.orchestration import alerts, usual
from pipeline.orchestration.windows import window_of
from pipeline.reports import situation
from pipeline.reports.analysis import copy_of
from pipeline.reports.figures import OVER_AND_JUDGED
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage.queries import rows

Days = tuple[date, date] | None
"""The first and last work date that a run is about; none if it is about no days."""
SENSOR = "alerts"
EVERY_SECONDS = 60
REACH = timedelta(days=7 * (usual.WEEKS + 1))
EVALUATED = {
    AssetCheckExecutionRecordStatus.SUCCEEDED,
    AssetCheckExecutionRecordStatus.FAILED,
}
"""One that is only planned, by a run that goes on or died, says nothing yet."""
ERROR = dg.AssetCheckSeverity.ERROR
RUNS_LOOKED_AT = 50
ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]


def alert_sensor(
    settings: Settings,
    everything: AbstractSet[AssetKey],
    checks: Sequence[AssetCheckKey],
    now: Callable[[], datetime],
) -> dg.SensorDefinition:
    """A sensor that posts once per change to every receiver of the settings; on by itself.

    Args:
        settings: name the receivers and the analysis copy.
        everything: all assets, which a run that selects none is about.
        checks: all checks.
        now: the clock, in UTC.
    """

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells Slack or a webhook when a run or check breaks and when it is mended.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        told: dict[str, dict[str, str]] = json.loads(context.cursor or "{}")
        today = now().astimezone(settings.zone).date()
        broken = failed_run(context.instance, everything) | failed_checks(context.instance, checks)
        try:
            broken |= unusual_day(settings, today)
            counts = _counts(settings)
        except Stop as stop:  # what else is broken must be told all the same
            context.log.error(str(stop))  # noqa: TRY400 - the sentence says it all
            broken, counts = broken | {"copy": "the analysts' copy cannot be read"}, {}
        said = []
        for name, address in settings.alert_receivers.items():
            found = alerts.message(told.get(name, {}), broken, counts, now())
            if found is None:
                continue
            try:
                alerts.post(address, found.document(name))
            except Stop as stop:
                context.log.error(str(stop))  # noqa: TRY400 - the sentence says it all
                said.append(str(stop))
            else:
                told[name] = dict(broken)
                said.append(f"{name} was told")
        reason = dg.SkipReason("; ".join(said) or "nothing has changed")
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(told))

    return sensor


def failed_run(instance: DagsterInstance, everything: AbstractSet[AssetKey]) -> dict[str, str]:
    """The latest run that failed and of which what it owed has not all succeeded since.

    Of days, a success counts that reaches the last of those that the failed run was about.
    """
    good: list[tuple[Days, AbstractSet[AssetKey]]] = []
    for run in instance.get_runs(RunsFilter(statuses=ENDED), limit=RUNS_LOOKED_AT):
        checked = set() if run.asset_check_selection else everything
        assets = run.asset_selection or checked
        days = window_of(run.tags)
        if run.status == DagsterRunStatus.SUCCESS:
            good.append((days, assets))
            continue
        mended = {key for span, made in good if _reaches(span, days) for key in made}
        is_mended = assets <= mended or _owed(instance, run.run_id, assets) <= mended
        if not (mended and is_mended):
            return {"run": f"the run {run.run_id[:8]} failed"}
    return {}


def _reaches(span: Days, days: Days) -> bool:
    return span is None or days is None or span[0] <= days[1] <= span[1]


def _owed(
    instance: DagsterInstance, run_id: str, assets: AbstractSet[AssetKey]
) -> AbstractSet[AssetKey]:
    """What a failed run did not make, or whose checks failed in it; none of checks alone."""
    kinds = {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.STEP_FAILURE}
    made: set[AssetKey | None] = set()
    failed: set[str] = set()
    for entry in instance.all_logs(run_id, of_type=kinds):
        event = entry.dagster_event
        if event and event.is_step_failure:
            failed.add(str(event.step_key).removesuffix("_checks"))
        elif event:
            made.add(event.asset_key)
    return {key for key in assets if key not in made or key.to_python_identifier() in failed}


def failed_checks(instance: DagsterInstance, checks: Sequence[AssetCheckKey]) -> dict[str, str]:
    """Every check whose latest evaluation failed."""
    found = {}
    history = instance.event_log_storage.get_asset_check_execution_history
    for key in checks:
        for record in history(key, limit=1, status=EVALUATED):
            evaluation = record.evaluation
            if evaluation and not evaluation.passed:
                kind = "check" if evaluation.severity == ERROR else "warning"
                asset = key.asset_key.to_user_string()
                said = f"the {kind} `{key.name}` of `{asset}` failed"
                found[f"check:{asset}:{key.name}"] = said
    return found


def unusual_day(settings: Settings, today: date) -> dict[str, str]:
    """What is far from usual on the last work date that has passed and was judged."""
    if not settings.analysis.exists():
        return {}
    with copy_of(settings.analysis) as connection:
        found = rows(
            connection,
            OVER_AND_JUDGED,
            [today - REACH, today - timedelta(days=1), settings.time_zone],
        )
    return usual.unusual([usual.Day(**row) for row in found])


def _counts(settings: Settings) -> dict[str, int]:
    """Entries by verdict and by state, since the cut-over; nothing before the first run."""
    if not settings.analysis.exists():
        return {}
    found = situation.situation(settings.analysis, settings.since)
    return {tally.name: tally.entries for tally in (*found.waiting, *found.deliveries)}
