"""Reading Clockify into the warehouse: piece by piece, and nothing half.

Holds how an entry that has left a complete read is followed to where it went. Keeps out what a
read is (`reading`) and how it is kept (`stored`).
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipeline.extract.pieces import Piece, pieces, pieces_of
from pipeline.extract.reading import Reading, read
from pipeline.extract.stored import drop, gone_from, people, store
from pipeline.extract.suspicions import hidden_people, hidden_rates
from pipeline.stops import Stop
from pipeline.warehouse import Warehouse

OLDEST_YEAR, LAST_YEAR = 1900, 2200
"""Between which a mistyped date can be stored like any other."""


@dataclass
class Extracted:
    """What an extraction found out about entries that a read did not have."""

    left: dict[str, tuple[date, str]] = field(default_factory=dict)
    """Those that have left the day on which they were stored: the day, and what became of them."""
    followed: dict[str, date] = field(default_factory=dict)
    """Those that exist and are yet to be read, with the day on which they start now."""


def extract(
    warehouse: Warehouse, reading: Reading, first: date, last: date, others: Sequence[date] = ()
) -> Extracted:
    """Read a range of work dates, and others; finished pieces stay if a later one stops.

    Raises:
        Stop: a read is incomplete, or the key sees no rates, or nobody's time but its owner's,
            where it saw some; nothing of that piece is written.
    """
    found = Extracted()
    users = people(warehouse)
    apart = [day for day in others if not first <= day <= last]
    queue = deque([*pieces(first, last), *pieces_of(apart)])
    while queue:
        start, end = queue.popleft()
        reading.log(f"reading Clockify from {start} to {end}")
        begun = reading.now()  # what is added while it is read may not be in it
        frame = read(reading, users, start, end)
        ids = set(frame["entry_id"])
        _refuse_a_gap(ids, found, start, end)
        with warehouse.connect() as connection:
            # Where rates are the service item's, a key that sees none does no harm.
            needs_rates = reading.settings.rate_source == "clockify"
            unpriced = hidden_rates(connection, frame) if needs_rates else None
            missing = gone_from(connection, ids | found.followed.keys(), start, end)
            unseen = hidden_people(connection, frame, missing, (start, end))
        for suspicion in filter(None, (unpriced, unseen)):
            days_anew = (read(reading, users, day, day) for day in suspicion.seen_on)
            if not any(map(suspicion.is_refuted, days_anew)):
                raise suspicion.stop
        goals = _follow(warehouse, reading, missing, found)
        if any(start <= day <= end for day in goals):
            queue.appendleft((start, end))  # half a read is written nowhere
        else:
            with warehouse.connect() as connection:
                store(connection, frame, (start, end), begun, reading.rounding, found.followed)
            reading.log(f"stored {len(frame)} entries from {start} to {end}")
            found.followed = {key: day for key, day in found.followed.items() if key not in ids}
        queue.extend(_apart(goals, queue))
    return found


def _apart(days: Iterable[date], queue: Collection[Piece]) -> list[Piece]:
    """The days that are in no piece of the queue, each a piece."""
    return [(day, day) for day in days if not any(start <= day <= end for start, end in queue)]


def _refuse_a_gap(ids: Collection[str], found: Extracted, first: date, last: date) -> None:
    """Stop if an entry was followed to these days and the read does not have it.

    A key that no longer sees everybody's time gives complete reads of the time that it does see.
    Nor may a report have the time of who was removed (clockify-api.md, 10).
    """
    for entry_id, day in found.followed.items():
        if first <= day <= last and entry_id not in ids:
            raise Stop(
                f"Incomplete read: the entry {entry_id} starts on {day}, but Clockify's report of "
                "that day does not have it",
                "run again, clockify_users included; if it stays, use the key of an admin, who "
                "sees everybody's time; if its owner was removed from Clockify, name another "
                "WAREHOUSE, and bill by hand what of their time was not sent",
                is_transient=True,
            )


def _follow(
    warehouse: Warehouse, reading: Reading, missing: Mapping[str, date], found: Extracted
) -> list[date]:
    """Ask for each missing entry by id; the days to read for those that still exist.

    One that is no more is dropped at once: where few requests are allowed, the next run must not
    have to ask for it again.

    Raises:
        Stop: Clockify does not say, or one starts on a day of no calendar of ours.
    """
    goals = set()
    for entry_id, day in missing.items():
        now = reading.clockify.whereabouts(entry_id)
        if now is None or now.is_running:
            what = "deleted in Clockify" if now is None else "running again"
            found.left[entry_id] = day, what  # a running one is read when it has stopped
            if now is None:
                with warehouse.connect() as connection:
                    drop(connection, entry_id, day)
            continue
        goal = now.start.astimezone(reading.settings.zone).date()
        if not OLDEST_YEAR <= goal.year <= LAST_YEAR:
            raise Stop(
                f"The entry {entry_id}, stored on {day}, now starts on {goal} in Clockify",
                "correct its date there",
            )
        if goal != day:
            found.left[entry_id] = day, "moved to another day"
        found.followed[entry_id] = goal
        goals.add(goal)
    return sorted(goals)
