"""The local Clockify's switches: behaviours that the real service leaves unconfirmed.

Holds their names, defaults and how one is read. What each does stands where it acts. A switch whose
value is a number acts that many times, counting down; `True` acts always.
"""

import time
from collections import deque
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from pipeline.sandbox.clockify.refusals import RefusalError
from pipeline.sandbox.world import World


class Holder(Protocol):
    """What the routes need of the world's owner."""

    world: World

    def changing(self) -> AbstractContextManager[World]:
        """Give the world to one request at a time."""

    def touch(self, *path: str) -> None:
        """Say that the value at a path of the world changed."""


class Row(NamedTuple):
    """One switch: its default, its meaning, and the only values allowed, where they are few."""

    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()


def _on_off(meaning: str, *, is_on: bool = False) -> Row:
    return Row(is_on, meaning, (True, False))


SWITCHES: dict[str, Row] = {
    "rates_hidden": Row(
        "",
        "The key may not see rates: they read 0, null, or reports with amounts are refused (403).",
        ("", "zero", "null", "forbidden"),
    ),
    "own_entries_only": _on_off(
        "The key's owner is no admin: reports hold the owner's own entries and no others."
    ),
    "others_by_id": Row(
        "shown",
        "What such a key is told of another's entry by its id: all, that there is none, or 403.",
        ("shown", "unknown", "forbidden"),
    ),
    "thirty_per_hour": Row(
        "",
        "A FREE workspace's 30 requests an hour: a bare 429 after them, or one with Retry-After.",
        ("", "silent", "retry_after"),
    ),
    "hour_seconds": Row(3600, "How long the hour of thirty_per_hour lasts."),
    "error_in_200": Row(0, "Reports to answer with status 200 and an error in the body."),
    "count_lies": Row(0, "Reports whose entriesCount is one too many; True for all."),
    "mutate_between_pages": Row(
        "",
        "Reading a later page of a report first adds or removes an entry on an earlier one.",
        ("", "add_once", "remove_once", "add_always", "remove_always"),
    ),
    "select_by_overlap": _on_off(
        "A report takes the entries that overlap its window, not that start in it."
    ),
    "window_end_exclusive": _on_off(
        "An entry that starts exactly at the window's end is left out."
    ),
    "twice_is_later": _on_off(
        "A bound of a report that comes twice, as clocks fall back, is the later of the two."
    ),
    "rows_key": Row(
        "timeentries", "The report's key for its rows.", ("timeentries", "timeEntries")
    ),
    "running_in_report": Row(
        "zero",
        "A running entry's duration in a report, or that it is left out of it.",
        ("zero", "null", "left_out"),
    ),
    "rounding_moves_times": _on_off("Rounding moves the end, not only the duration."),
    "rounding_ties_down": _on_off("'Round to nearest' takes a tie down."),
    "zoned_fields": _on_off(
        "Report rows carry the person's own zone, local times and offsets.", is_on=True
    ),
    "inactive_users_in_report": _on_off(
        "A report has the entries of former members whether or not `users.status` asks for them.",
        is_on=True,
    ),
    "removed_users_in_report": _on_off(
        "A report has the entries of who was removed, as those of `DeletedUser`.", is_on=True
    ),
    "numeric_core_duration": _on_off("The core gives durations as seconds instead of ISO 8601."),
}

REQUESTS_PER_HOUR = 30


def switch(world: World, name: str) -> Any:  # noqa: ANN401 # a switch's type is its own
    """Return a switch's value, or its default.

    Raises:
        KeyError: If there is no switch of that name.
    """
    return world.switches.get(name, SWITCHES[name].default)


def spend(holder: Holder, name: str) -> bool:
    """Return whether a counting switch acts now, and take one off its count."""
    value = switch(holder.world, name)
    if value is True:
        return True
    if not value:
        return False
    set_switch(holder, name, int(value) - 1)
    return True


def set_switch(holder: Holder, name: str, value: object) -> None:
    """Set a switch, or drop it where that is its default."""
    if value == SWITCHES[name].default:
        holder.world.switches.pop(name, None)
    else:
        holder.world.switches[name] = value
    holder.touch("switches", name)


class HourBudget:
    """Counts requests over a sliding hour, as a newly created FREE workspace is limited."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque()

    def take(self, world: World) -> None:
        """Count one request.

        Raises:
            RefusalError: With status 429 and no body, if the hour's requests are used up.
        """
        mode = switch(world, "thirty_per_hour")
        if not mode:
            return
        now, hour = time.monotonic(), float(switch(world, "hour_seconds"))
        while self._seen and self._seen[0] <= now - hour:
            self._seen.popleft()
        if len(self._seen) >= REQUESTS_PER_HOUR:
            wait = max(1, round(self._seen[0] + hour - now))
            headers = {"Retry-After": str(wait)} if mode == "retry_after" else None
            raise RefusalError(429, None, None, headers)
        self._seen.append(now)
