"""An entry as one report sees it: its duration after rounding, its rate as far as it may be seen.

Pure functions on plain values. Durations are seconds; money is minor units, as a float, since that
is what the wire carries: amounts may be fractional. How a row is written: see `report_rows.py`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.sandbox.clockify.switches import switch
from pipeline.sandbox.world import Entry, World


class Reading(NamedTuple):
    """What a report makes of an entry. A tuple, since a big report makes many."""

    entry: Entry
    seconds: int | None
    end: datetime | None
    rate: float | None
    amount: float | None


def elapsed(entry: Entry) -> int | None:
    """Return the whole seconds that an entry claims, or nothing while it runs."""
    if entry.reported_seconds is not None:
        return entry.reported_seconds
    if entry.end is None:
        return None
    return int((entry.end - entry.start).total_seconds())


def round_seconds(seconds: int, mode: str, minutes: int, *, tie_down: bool = False) -> int:
    """Round a duration to whole steps, as the workspace's rounding says.

    Args:
        seconds: The duration.
        mode: `Round to nearest`, `Round up to` or `Round down to`.
        minutes: The step.
        tie_down: Whether half a step goes down; the vendor's texts leave the tie open.

    Raises:
        ValueError: If the mode is none of the three.
    """
    step = minutes * 60
    halves = (step - 1) // 2 if tie_down else step // 2
    added = {"round down to": 0, "round to nearest": halves, "round up to": step - 1}
    if mode.lower() not in added:
        raise ValueError(f"unknown rounding mode {mode!r}")
    return (seconds + added[mode.lower()]) // step * step


def reader(world: World, *, is_rounded: bool) -> Callable[[Entry], Reading]:
    """Return the function that reads entries as a report does, with the switches as they are."""
    running_seconds = 0 if switch(world, "running_in_report") == "zero" else None
    moves_end = is_rounded and switch(world, "rounding_moves_times")
    rounded, visible_rate = _rounding(world), _rates(world)

    def read(entry: Entry) -> Reading:
        seconds, end = elapsed(entry), entry.end
        if seconds is None:
            seconds = running_seconds
        elif is_rounded:
            seconds = rounded(seconds)
        if moves_end and end is not None:
            end = entry.start + timedelta(seconds=seconds or 0)
        rate = visible_rate(entry)
        amount = None if rate is None else rate * (seconds or 0) / 3600
        return Reading(entry, seconds, end, rate, amount)

    return read


def _rounding(world: World) -> Callable[[int], int]:
    mode, minutes = world.workspace.round_mode, int(world.workspace.round_minutes)
    tie_down = switch(world, "rounding_ties_down")
    return lambda seconds: round_seconds(seconds, mode, minutes, tie_down=tie_down)


def _rates(world: World) -> Callable[[Entry], float | None]:
    """Return what a report gives as the rate: 0 for time that is not billable."""
    hidden = switch(world, "rates_hidden")
    if hidden == "null":
        return lambda _: None
    if hidden == "zero":
        return lambda _: 0.0

    def rate(entry: Entry) -> float | None:
        if not entry.is_billable:
            return 0.0
        return None if entry.rate_minor is None else float(entry.rate_minor)

    return rate
