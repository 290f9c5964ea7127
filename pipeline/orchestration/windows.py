"""What a Dagster run is about: the work dates in its tags, and a stop as Dagster's failure.

Holds what assets and checks share of Dagster. Keeps out what they do.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

import dagster as dg

from pipeline.stops import Stop

PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
SCHEDULE = "every_morning"
DRY_RUN = "clockify_to_quickbooks/dry_run"
"""In the tags of a run: `true` if its load only planned. Who executes it again has its tags too."""
SCHEDULE_NAME = "dagster/schedule_name"
"""In the tags of a run that a schedule launched: nobody chose its range."""

Days = tuple[date, date] | None
"""The first and last work date that a run is about; none if it is about no days."""


def window(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """The first and last work date that the run is to materialize.

    Raises:
        Stop: it was launched without any, as the Launchpad and `dg launch --job` allow.
    """
    days = window_of(context.run.tags)
    if days is None:
        raise Stop(
            "This run was launched for no days",
            "launch it again with `--partition D` or `--partition-range A...B`, or choose days in "
            "the Launchpad",
        )
    return days


def window_of(tags: Mapping[str, str]) -> Days:
    """The first and last work date in a run's tags; none if it is about no days."""
    first = tags.get(RANGE_START) or tags.get(PARTITION)
    last = tags.get(RANGE_END) or tags.get(PARTITION)
    if not first or not last:
        return None
    return date.fromisoformat(first), date.fromisoformat(last)


@contextmanager
def stops_the_run() -> Iterator[None]:
    """Turn a stop into Dagster's failure: its one sentence, retried only if it may heal alone.

    Serves as a decorator too: `@stops_the_run()`.
    """
    try:
        yield
    except Stop as stop:
        raise dg.Failure(str(stop), allow_retries=stop.is_transient) from stop
