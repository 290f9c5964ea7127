"""How things stand, from the analysis copy alone: for `status` and for alerts.

Holds the SQL. Counts, minutes and seconds only, so that it may be shown anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from pipeline.reports.analysis import copy_of
from pipeline.storage.database import Connection
from pipeline.storage.queries import rows

TALLY = "count(*) AS entries, coalesce(sum(minutes), 0)::BIGINT AS minutes"
TRACKED = "count(*) AS entries, coalesce(sum(duration_seconds), 0)::BIGINT // 60 AS minutes"
"""Of entries, whose seconds are added up as everywhere, and only then become minutes."""


@dataclass(frozen=True)
class Tally:
    """How much there is of something."""

    name: str
    entries: int
    minutes: int


@dataclass(frozen=True)
class Situation:
    """What the last publication knew."""

    published_at: datetime
    run_id: str | None
    """The last run that was no person's command; none if none is known."""
    ended_at: datetime | None
    """Its end."""
    read_until: date | None
    """The last work date that was read; none before the first."""
    in_run: list[Tally]
    """Deliveries that this run last changed, by state."""
    deliveries: list[Tally]
    """All deliveries since the cut-over, by state."""
    waiting: list[Tally]
    """Entries since the cut-over that are `rejected` or `held`."""
    at_risk: Tally
    """The view `hours_at_risk`, with its oldest day as name."""
    fixes: int
    """Lines of the view `fix_list`: what nobody but a person can do."""


def situation(analysis: Path, since: date) -> Situation:
    """How things stood when the copy was published.

    Args:
        analysis: the copy.
        since: the first work date that concerns us.

    Raises:
        Stop: nothing has been published yet.
    """
    states = f"SELECT state AS name, {TALLY} FROM deliveries"
    order = "GROUP BY name ORDER BY entries DESC"
    with copy_of(analysis) as connection:
        tallies = partial(_tallies, connection)
        [published] = rows(
            connection,
            "SELECT published_at, last_run_id AS run_id, last_run_at AS ended_at FROM published",
        )
        # Where an entry of a wrong year was read, its day was too, long before it comes.
        [read] = rows(
            connection,
            "SELECT max(work_date) AS read_until FROM days "
            "WHERE work_date <= CAST(extracted_at AS DATE) + 1",
        )
        [at_risk] = tallies(
            f"SELECT coalesce(min(work_date)::VARCHAR, '') AS name, {TRACKED} FROM hours_at_risk"
        )
        [open_fixes] = rows(connection, "SELECT count(*) AS fixes FROM fix_list")
        return Situation(
            **published,
            **read,
            **open_fixes,
            in_run=tallies(f"{states} WHERE run_id = $1 {order}", [published["run_id"]]),
            deliveries=tallies(f"{states} WHERE work_date >= $1 {order}", [since]),
            waiting=tallies(
                f"SELECT verdict AS name, {TRACKED} FROM rejected_time_entries "
                "WHERE work_date >= $1 AND verdict <> 'excluded' "
                "GROUP BY name ORDER BY name DESC",
                [since],
            ),
            at_risk=at_risk,
        )


def _tallies(connection: Connection, query: str, parameters: Sequence[object] = ()) -> list[Tally]:
    return [Tally(**row) for row in rows(connection, query, parameters)]
