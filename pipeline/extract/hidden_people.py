"""A key that no longer sees everybody's time: what it does not see would look deleted.

Its owner lost the admin role, say: each read is complete then, of the owner's own time. Nobody
knows whether such a key is told of another's entry by id, or that there is none (Clockify's
reference, 1.2 and 9). Keeps out the reading (`reading`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline.extract.pieces import Piece
from pipeline.stops import Stop
from pipeline.storage.database import Connection

SAMPLE = 3
"""Entries of others that a read must lack before a key that hides them is suspected."""


@dataclass(frozen=True)
class HiddenPeople:
    """A read of one person's entries at most, where there were others' before."""

    lacking: int
    """Entries of others that were stored there."""
    shown: frozenset[str]
    """Ids of whom the read does show."""
    seen_on: tuple[date, ...]
    """Other days, on which the most others had entries."""


def hidden_people(
    connection: Connection, frame: pd.DataFrame, missing: Collection[str], window: Piece
) -> HiddenPeople | None:
    """The suspicion that a key sees only its owner's time any more.

    Args:
        connection: an open warehouse.
        frame: the entries just read.
        missing: ids of the stored entries that the read lacks.
        window: the days that were read.
    """
    shown = frozenset(frame["user_id"])
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
    return HiddenPeople(lacking, shown, tuple(day for (day,) in days))


def refuse_hidden_people(hidden: HiddenPeople, read_day: Callable[[date], pd.DataFrame]) -> None:
    """Stop unless the key still sees others' time on a day on which it saw it.

    If it does, what the read lacks really is gone: somebody moved or deleted it.

    Args:
        hidden: the suspicion.
        read_day: reads one day anew, as `ClockifyTimeEntries`.

    Raises:
        Stop: it does not on any of three, or nobody else had time on another day.
    """
    if any({*read_day(day)["user_id"]} - hidden.shown for day in hidden.seen_on):
        return
    raise Stop(
        f"Incomplete read: the Clockify key shows one person's entries at most, though "
        f"{hidden.lacking} of others are stored of the same days",
        "use the key of an admin, who sees everybody's time; if the others' were really deleted, "
        "launch another day first on which others have time, or, if there is none, name another "
        "WAREHOUSE",
    )
