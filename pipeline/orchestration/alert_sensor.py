"""The sensor behind alerts: looks at the latest run, every check and the analysis copy.

Remembers in its cursor what each receiver was last told, so that each is told once, and again
when it could not be reached. Keeps out what is said (`alerts`).
"""

import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import dagster as dg
from dagster import AssetCheckKey, AssetKey, DagsterInstance
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from pipeline.files import is_there
from pipeline.orchestration import alerts, failed_runs
from pipeline.reports import situation
from pipeline.settings import Settings
from pipeline.stops import Stop

SENSOR = "alerts"
EVERY_SECONDS = 60
EVALUATED = {
    AssetCheckExecutionRecordStatus.SUCCEEDED,
    AssetCheckExecutionRecordStatus.FAILED,
}
"""One that is only planned, by a run that goes on or died, says nothing yet."""
ERROR = dg.AssetCheckSeverity.ERROR
TOLD_WITH_COUNTS = "the_last_day_is_as_usual"
"""A check of which more is said than that it failed: its words are counts, and name nobody."""
UNMENDED = "unmended"
"""In the cursor, beside the receivers: the ids of the failed runs of which it was told."""


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
        description="Tells Slack or a webhook when a run or check breaks, and when it recovers.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        told: dict[str, dict[str, str]] = json.loads(context.cursor or "{}")
        instance = context.instance
        runs = failed_runs.unmended(instance, everything, told.get(UNMENDED, {}))
        broken = {failed_runs.name_of(run): _failed(run) for run in reversed(runs)}
        failed, unseen = failed_checks(instance, checks)
        broken |= failed_runs.missed_morning(instance, now()) | failed
        try:
            counts = _counts(settings)
        except (Stop, OSError) as error:  # what else is broken must be told all the same
            context.log.error(str(error))  # noqa: TRY400 - the sentence says it all
            broken["copy"], counts = "the analysts' copy cannot be read", {}
        said = []
        for name, address in settings.alert_receivers.items():
            before = told.get(name, {})
            # What cannot be looked at is not mended.
            theirs = broken | {each: before[each] for each in unseen if each in before}
            found = alerts.document(_same(before, theirs), theirs, counts, now())
            if found is None:
                continue
            try:
                alerts.post(address, alerts.in_words(found) if name == "slack" else found)
            except Stop as stop:
                context.log.error(str(stop))  # noqa: TRY400 - the sentence says it all
                said.append(str(stop))
            else:
                told[name] = theirs
                said.append(f"{name} was told")
        reason = dg.SkipReason("; ".join(said) or "nothing has changed")
        told[UNMENDED] = {run.run_id: failed_runs.name_of(run) for run in runs}
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(told))

    return sensor


def _failed(run: dg.DagsterRun) -> str:
    return f"the run {run.run_id[:8]} failed"


def _same(before: alerts.Broken, now: alerts.Broken) -> alerts.Broken:
    """What was told and is not broken otherwise by now: each unusual day is another one."""
    return {
        name: said
        for name, said in before.items()
        if not name.endswith(TOLD_WITH_COUNTS) or now.get(name, said) == said
    }


def failed_checks(
    instance: DagsterInstance, checks: Sequence[AssetCheckKey]
) -> tuple[dict[str, str], list[str]]:
    """Every check whose latest evaluation failed.

    Beside them, the names of those of which Dagster keeps no evaluation, as after its logs were
    wiped.
    """
    found, unseen = {}, []
    history = instance.event_log_storage.get_asset_check_execution_history
    for key in checks:
        asset = key.asset_key.to_user_string()
        name = f"check:{asset}:{key.name}"
        records = history(key, limit=1, status=EVALUATED)
        if not records:
            unseen.append(name)
        for record in records:
            evaluation = record.evaluation
            if evaluation and not evaluation.passed:
                kind = "check" if evaluation.severity == ERROR else "warning"
                more = f": {evaluation.description}" if key.name == TOLD_WITH_COUNTS else ""
                found[name] = f"the {kind} `{key.name}` of `{asset}` failed{more}"
    return found, unseen


def _counts(settings: Settings) -> dict[str, int]:
    """Entries by verdict and by state, since the cut-over; nothing before the first run."""
    if not is_there(settings.analysis):
        return {}
    found = situation.situation(settings.analysis, settings.since)
    return {each["name"]: each["entries"] for each in found["waiting"] + found["deliveries"]}
