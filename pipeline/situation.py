"""How things stand, from the analysis copy alone: for `status` and for alerts.

Holds the SQL. Counts, minutes and seconds only, so that it may be shown anywhere.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.figures import Row, rows
from pipeline.stops import Stop
from pipeline.warehouse import Connection, read_only

OPEN = ("refused", "unknown", "pending", "doubtful")
DELIVERED = ("sent", "adopted", "gone")


@dataclass(frozen=True)
class Situation:
    """What the last publication knew."""

    published_at: datetime
    run_id: str
    """The run at whose end it was published."""
    read_until: date | None
    """The last work date that was read; none before the first."""
    in_run: list[Row]
    """Deliveries that this run last changed: `state`, `entries`, `minutes`."""
    deliveries: list[Row]
    """All deliveries since the cut-over: `state`, `entries`, `minutes`."""
    waiting: list[Row]
    """Entries rejected or held since the cut-over: `verdict`, `entries`, `seconds`."""
    at_risk: Row
    """Billable time since the cut-over that is not in QuickBooks: `entries`, `seconds`, `since`."""


def situation(analysis: Path, since: date) -> Situation:
    """How things stood when the copy was published.

    Args:
        analysis: the copy.
        since: the first work date that concerns us.

    Raises:
        Stop: nothing has been published yet.
    """
    if not analysis.exists():
        raise Stop(
            f"There is no analysis copy at {analysis} yet",
            "launch a first run, which publishes it at its end",
        )
    with read_only(analysis) as connection:
        return _situation(connection, since)


def _situation(connection: Connection, since: date) -> Situation:
    [published] = rows(connection, "SELECT published_at, run_id FROM published")
    [read] = rows(connection, "SELECT max(work_date) AS until FROM days")
    states = "SELECT state, count(*) AS entries, sum(minutes)::BIGINT AS minutes FROM deliveries"
    [at_risk] = rows(
        connection,
        "SELECT count(*) AS entries, coalesce(sum(duration_seconds), 0)::BIGINT AS seconds, "
        "min(work_date) AS since FROM verdicts WHERE work_date >= $1 AND is_billable AND "
        "verdict <> 'excluded' AND entry_id NOT IN "
        "(SELECT entry_id FROM deliveries WHERE list_contains($2, state))",
        [since, list(DELIVERED)],
    )
    return Situation(
        published_at=published["published_at"],
        run_id=published["run_id"],
        read_until=read["until"],
        in_run=rows(
            connection,
            f"{states} WHERE run_id = $1 GROUP BY state ORDER BY entries DESC",
            [published["run_id"]],
        ),
        deliveries=rows(
            connection,
            f"{states} WHERE work_date >= $1 GROUP BY state ORDER BY entries DESC",
            [since],
        ),
        waiting=rows(
            connection,
            "SELECT verdict, count(*) AS entries, coalesce(sum(duration_seconds), 0)::BIGINT AS "
            "seconds FROM rejected_time_entries WHERE work_date >= $1 AND verdict <> 'excluded' "
            "GROUP BY verdict ORDER BY verdict DESC",
            [since],
        ),
        at_risk=at_risk,
    )
