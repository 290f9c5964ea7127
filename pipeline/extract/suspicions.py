"""A key that no longer sees all: what it does not see would look deleted, or as if without a rate.

Its owner lost the admin role, say: each read is complete then, of what the key still sees. Nobody
knows whether such a key is told of another's entry by id, or that there is none (Clockify's
reference, 1.2, 8 and 9). A suspicion is tried on days on which earlier reads saw what this one
lacks: where they show it still, it really is gone. Keeps out the reading (`reading`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline.extract.pieces import Piece
from pipeline.stops import Stop
from pipeline.storage import Connection

SAMPLE = 3
"""Entries that must lack what was seen before, until a key that hides it is suspected."""


@dataclass(frozen=True)
class Suspicion:
    """A read that lacks what earlier ones had."""

    seen_on: tuple[date, ...]
    """Other days, on which the most of it was seen."""
    is_refuted: Callable[[pd.DataFrame], bool]
    """Whether such a day, read anew as `ClockifyTimeEntries`, still shows it."""
    stop: Stop
    """What to say if none does, or if there is none."""


def hidden_rates(connection: Connection, frame: pd.DataFrame) -> Suspicion | None:
    """The suspicion that a key sees no rate any more where earlier reads had some.

    Suspected where every billable entry has no rate or 0, and at least three of them are of people
    and projects that had one.
    """
    billable = frame[frame["is_billable"] & frame["end_at"].notna()]
    if billable.empty or _shows_rates(billable):
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
    stop = Stop(
        f"The Clockify key sees no rate on any of {len(billable)} billable entries, though "
        f"{known} of them are of people and projects that had one",
        "use the key of an admin who may see billable rates",
    )
    return Suspicion(tuple(day for (day,) in days), _shows_rates, stop)


def hidden_people(
    connection: Connection, frame: pd.DataFrame, missing: Collection[str], window: Piece
) -> Suspicion | None:
    """The suspicion that a key sees only its owner's time any more.

    Args:
        connection: an open warehouse.
        frame: the entries just read.
        missing: ids of the stored entries that the read lacks.
        window: the days that were read.
    """
    shown = set(frame["user_id"])
    if len(shown) > 1:
        return None
    others = "FROM clockify_time_entries WHERE NOT list_contains(CAST($1 AS VARCHAR[]), user_id)"
    [(lacking,)] = connection.execute(
        f"SELECT count(*) {others} AND entry_id = ANY($2)", [list(shown), list(missing)]
    ).fetchall()
    if lacking < SAMPLE:
        return None
    days = connection.execute(
        f"SELECT work_date {others} AND work_date NOT BETWEEN $2 AND $3 GROUP BY work_date "
        "ORDER BY count(DISTINCT user_id) DESC, work_date DESC LIMIT 3",
        [list(shown), *window],
    ).fetchall()
    stop = Stop(
        f"Incomplete read: the Clockify key shows one person's entries at most, though "
        f"{lacking} entries of others are stored for the same days",
        "use the key of an admin, who sees everybody's time; if the others' entries were really "
        "deleted, first launch another day on which others have time or, if there is none, name "
        "another WAREHOUSE",
    )
    return Suspicion(
        tuple(day for (day,) in days), lambda day: not set(day["user_id"]) <= shown, stop
    )


def _shows_rates(frame: pd.DataFrame) -> bool:
    return bool((frame["hourly_rate_minor"].fillna(0) != 0).any())
