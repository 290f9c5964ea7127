"""How things stand, from the analysis copy alone: for `status` and for alerts.

Holds the SQL. Counts, minutes and seconds only, so that it may be shown anywhere.
"""

from datetime import date
from functools import partial
from pathlib import Path

from pipeline.reports.analysis import copy_of
from pipeline.storage import Row, queries

TALLY = "count(*) AS entries, coalesce(sum(minutes), 0)::BIGINT AS minutes"
TRACKED = "count(*) AS entries, coalesce(sum(duration_seconds), 0)::BIGINT // 60 AS minutes"
"""Of entries, whose seconds are added up as everywhere, and only then become minutes."""


def situation(analysis: Path, since: date) -> Row:
    """How things stood when the copy was published.

    Args:
        analysis: the copy.
        since: the first work date that concerns us.

    Returns:
        `published_at`; `run_id` and `ended_at` of the last run that was no person's command, none
        if none is known; `read_until`, the last work date read, none before the first; lists of
        how much there is of each `name`: `in_run`, deliveries that this run last changed, by
        state, `deliveries`, all since the cut-over, and `waiting`, entries since then that are
        `rejected` or `held`; `at_risk`, the view `hours_at_risk`, with its oldest day as `name`;
        `fixes`, how many lines the view `fix_list` has.

    Raises:
        Stop: nothing has been published yet.
    """
    states = f"SELECT state AS name, {TALLY} FROM deliveries"
    order = "GROUP BY name ORDER BY entries DESC"
    with copy_of(analysis) as connection:
        rows = partial(queries.rows, connection)
        [published] = rows(
            "SELECT published_at, last_run_id AS run_id, last_run_at AS ended_at FROM published"
        )
        # Where an entry of a wrong year was read, its day was too, long before it comes.
        [read] = rows(
            "SELECT max(work_date) AS read_until FROM days "
            "WHERE work_date <= CAST(extracted_at AS DATE) + 1"
        )
        [at_risk] = rows(
            f"SELECT coalesce(min(work_date)::VARCHAR, '') AS name, {TRACKED} FROM hours_at_risk"
        )
        [open_fixes] = rows("SELECT count(*) AS fixes FROM fix_list")
        return {
            **published,
            **read,
            "in_run": rows(f"{states} WHERE run_id = $1 {order}", [published["run_id"]]),
            "deliveries": rows(f"{states} WHERE work_date >= $1 {order}", [since]),
            "waiting": rows(
                f"SELECT verdict AS name, {TRACKED} FROM rejected_time_entries "
                "WHERE work_date >= $1 AND verdict <> 'excluded' "
                "GROUP BY name ORDER BY name DESC",
                [since],
            ),
            "at_risk": at_risk,
            **open_fixes,
        }
