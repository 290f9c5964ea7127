"""The tables that a person would read after a run, as plain values."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

Delivery = Mapping[str, Any]
"""A row of `deliveries`, by column."""
Steps = Mapping[str, list[tuple[str, int, bool]]]
"""Entry id to the states that its delivery went through, each with its revision, and whether it was
a person who changed it."""
UNLIKE = """
WITH judged AS (
    SELECT entry_id FROM accepted_time_entries UNION ALL
    SELECT entry_id FROM rejected_time_entries
)
SELECT entry_id, count(judged.entry_id) FROM clockify_time_entries AS entry
FULL JOIN judged USING (entry_id)
GROUP BY entry_id HAVING count(judged.entry_id) <> 1 OR count(entry.read_at) <> 1
"""
SUMS = """
SELECT currency, sum(entries), sum(seconds), sum(amount) FROM (
    SELECT currency, 1 AS entries, duration_seconds AS seconds, amount_minor AS amount
    FROM clockify_time_entries
    UNION ALL
    SELECT currency, -1, -duration_seconds, -amount_minor FROM accepted_time_entries
    UNION ALL
    SELECT currency, -1, -duration_seconds, -amount_minor FROM rejected_time_entries
)
GROUP BY currency HAVING sum(entries) <> 0 OR sum(seconds) <> 0 OR sum(amount) <> 0
"""


def deliveries(ledger: Path) -> list[Delivery]:
    """Every delivery as it stands."""
    if not ledger.exists():
        return []
    with duckdb.connect(str(ledger), read_only=True) as connection:
        found = connection.execute("SELECT * FROM deliveries")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def history(ledger: Path) -> Steps:
    """Every state of every delivery, in the order in which they were written."""
    steps: dict[str, list[tuple[str, int, bool]]] = defaultdict(list)
    if ledger.exists():
        with duckdb.connect(str(ledger), read_only=True) as connection:
            rows = connection.execute(
                "SELECT entry_id, state, revision, contains(run_id, ' by ') "
                "FROM delivery_attempts ORDER BY rowid"
            )
            for entry_id, *step in rows.fetchall():
                steps[entry_id].append(tuple(step))
    return steps


def likened(warehouse: Path) -> list[tuple[str, str]]:
    """Entries that were sent, each with an activity of nobody's that resembles it."""
    if not warehouse.exists():
        return []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(
            "SELECT entry_id, quickbooks_id FROM drift WHERE kind = 'resembling' ORDER BY ALL"
        ).fetchall()


def states(ledger: Path, entry_id: str) -> set[str]:
    """Every state that a delivery ever was in."""
    return {state for state, *_ in history(ledger)[entry_id]}


def check_verdicts(warehouse: Path) -> None:
    """Each entry has one verdict, and the verdicts have all its seconds and money."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert connection.execute(UNLIKE).fetchall() == []
        assert connection.execute(SUMS).fetchall() == []
