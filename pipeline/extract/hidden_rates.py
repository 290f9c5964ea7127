"""A key that no longer sees rates: all that it reads would look as if it had none.

Its owner lost the admin role, say. Keeps out the reading (`reading`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline.stops import Stop
from pipeline.storage.database import Connection

SAMPLE = 3
"""Entries that must have lost their rate before a key without rates is suspected."""


@dataclass(frozen=True)
class HiddenRates:
    """A read without any rate, where there were rates before."""

    billable: int
    """Billable entries read."""
    known: int
    """Those of people and projects that had a rate."""
    seen_on: date | None
    """Another day, on which the most rates were seen; none if there is no other."""


def hidden_rates(connection: Connection, frame: pd.DataFrame) -> HiddenRates | None:
    """The suspicion that a key sees no rate any more where earlier reads had some.

    Such a key may no longer see rates: its owner lost the admin role (Clockify's reference, 8).
    Suspected where every billable entry has no rate or 0, and at least three of them are of people
    and projects that had one.
    """
    billable = frame[frame["is_billable"] & frame["end_at"].notna()]
    if (billable["hourly_rate_minor"].fillna(0) != 0).any() or billable.empty:
        return None
    connection.register("billable_rows", billable[["user_id", "project_id", "work_date"]])
    [(known,)] = connection.execute(
        "SELECT count(*) FROM billable_rows WHERE (user_id, project_id) IN (SELECT user_id, "
        "project_id FROM clockify_time_entries WHERE is_billable AND hourly_rate_minor > 0)"
    ).fetchall()
    days = connection.execute(
        "SELECT work_date FROM clockify_time_entries WHERE is_billable AND hourly_rate_minor > 0 "
        "AND work_date NOT IN (SELECT CAST(work_date AS DATE) FROM billable_rows) "
        "GROUP BY work_date ORDER BY count(*) DESC, work_date DESC LIMIT 1"
    ).fetchall()
    connection.unregister("billable_rows")
    if known < SAMPLE:
        return None
    return HiddenRates(len(billable), known, days[0][0] if days else None)


def refuse_hidden_rates(hidden: HiddenRates, read_day: Callable[[date], pd.DataFrame]) -> None:
    """Stop unless the key still sees the rates of a day on which it saw them.

    If it does, those read now really are without: somebody set them to nothing.

    Args:
        hidden: the suspicion.
        read_day: reads one day anew, as `ClockifyTimeEntries`.

    Raises:
        Stop: it does not, or no other day had any.
    """
    if hidden.seen_on:
        frame = read_day(hidden.seen_on)
        if (frame["hourly_rate_minor"].fillna(0) != 0).any():
            return
    raise Stop(
        f"The Clockify key sees no rate on any of {hidden.billable} billable entries, though "
        f"{hidden.known} of them are of people and projects that had one",
        "use the key of an admin who may see billable rates",
    )
