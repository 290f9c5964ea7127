"""The only assembler: one `Settings` object becomes Dagster's definitions.

Assets are declared without partitions; here the daily ones get theirs. The module-level `defs` is
the only place that reads the settings.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

import dagster as dg

import assets
import checks
from pipeline.company import Company, opened, utc_now
from pipeline.orchestration.alert_sensor import alert_sensor
from pipeline.orchestration.windows import RANGE_END, RANGE_START, SCHEDULE
from pipeline.reports import analysis
from pipeline.review.reasons import REASON_IDS
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.warehouse import Warehouse

JOB = "clockify_to_quickbooks"
OWNERS = {
    "extract": "team:data",
    "review": "team:analysis",
    "load": "team:bookkeeping",
    "report": "team:analysis",
}
"""Whom to ask about an asset, by its group, as the UI shows it."""


def build_definitions(
    settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> dg.Definitions:
    """Everything Dagster needs, for one company.

    Args:
        settings: what differs between companies and machines.
        now: the clock, in UTC.
    """
    daily = dg.DailyPartitionsDefinition(
        start_date=settings.start_date.isoformat(), timezone=settings.time_zone, end_offset=1
    )

    claims = list(dg.load_asset_checks_from_package_module(checks))
    keys = [key for claim in claims for key in claim.check_keys]

    def placed(spec: dg.AssetSpec) -> dg.AssetSpec:
        about = [key.name for key in keys if key.asset_key == spec.key]
        return spec.replace_attributes(
            owners=[OWNERS[spec.group_name or ""]],
            description=explained(spec.description or "", about, settings.readme_url),
            partitions_def=daily if spec.tags.get("grain") == "work_date" else None,
        )

    loaded = dg.load_assets_from_package_module(assets)
    made = [each for each in loaded if isinstance(each, dg.AssetsDefinition)]
    everything = {key for each in made for key in each.keys}
    sensor = alert_sensor(settings, everything, keys, now)
    job = dg.define_asset_job(JOB, selection="*")
    return dg.Definitions(
        assets=loaded,
        asset_checks=claims,
        jobs=[job],
        schedules=[_schedule(settings)],
        sensors=[sensor] if settings.alert_receivers else [],
        resources={"company": _company(settings, now)},
        executor=dg.in_process_executor,
    ).map_asset_specs(func=placed)


def _company(settings: Settings, now: Callable[[], datetime]) -> dg.ResourceDefinition:
    def company(context: dg.InitResourceContext) -> Iterator[Company]:
        assert context.log, "the company is opened by runs only"
        assert context.run
        run = context.instance.get_run_by_id(context.run.run_id) if context.instance else None
        if run and run.is_finished:  # `dg launch --job` opens it once more, after the run's end
            yield Company(settings, Warehouse(settings.warehouse), now, run.run_id)
            return
        try:
            with opened(settings, context.run.run_id, context.log.info, now) as company:
                yield company
        except Stop as stop:  # Dagster itself would show "Error executing resource_fn"
            context.log.error(str(stop))  # noqa: TRY400 - the traceback follows
            raise

    return dg.ResourceDefinition(
        company, description="The company's settings, files and services; one run at a time."
    )


def _schedule(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=SCHEDULE,
        cron_schedule="0 6 * * *",
        execution_timezone=settings.time_zone,
        job_name=JOB,
        description="Yesterday, the days before that people may still edit, and every open day.",
    )
    def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        today = context.scheduled_execution_time.astimezone(settings.zone).date()
        if today <= settings.start_date:
            return dg.SkipReason(f"START_DATE, {settings.start_date}, has not passed yet")
        first, last = morning_range(settings, today, context.log.warning)
        return dg.RunRequest(
            run_key=last.isoformat(),
            tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
            run_config={"ops": {"clockify_time_entries": {"config": {"watch_history": True}}}},
        )

    return every_morning


def morning_range(
    settings: Settings, today: date, warn: Callable[[str], object]
) -> tuple[date, date]:
    """The work dates of a morning's run: from the lookback or the oldest open day to yesterday.

    Args:
        settings: holds the lookback, the cut-over and the first partition.
        today: the calendar date of the schedule's tick in `TIME_ZONE`.
        warn: told why open days before the lookback are left out, if they cannot be found out.
    """
    yesterday = today - timedelta(days=1)
    first = yesterday - timedelta(days=settings.lookback_days)
    since = max(settings.since, today - analysis.REACH)
    try:
        first = min(first, analysis.oldest_open_day(settings.analysis, since) or first)
    except Stop as stop:  # a morning without its oldest days is better than none
        warn(f"Open days before {first} are not read this time: {stop}")
    return min(max(first, settings.start_date), yesterday), yesterday


def explained(description: str, checks_about: Iterable[str], readme_url: str | None) -> str:
    """An asset's description, with links to what the README says of its checks and reasons.

    Args:
        description: what the asset's own docstring says, as Markdown.
        checks_about: the names of its checks.
        readme_url: where the README is read; without it there is nothing to link to.
    """
    if readme_url is None:
        return description
    reasons = REASON_IDS if "reasons" in description else ()
    for kind, names in (("Checks", sorted(checks_about)), ("Reasons", reasons)):
        if names:
            linked = ", ".join(f"[{name}]({readme_url}#{name})" for name in names)
            description += f"\n\n{kind}: {linked}"
    return description


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads: the definitions for the settings of this machine."""
    return build_definitions(Settings.load())
