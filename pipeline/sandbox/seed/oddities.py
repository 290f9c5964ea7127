"""Entries that are wrong, or hard, on purpose: one at a time, on any date.

Holds the one valid entry that others are changes of, and the hard dates. Which of them an invented
company gets stands in `cases.py`.
"""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.seed.jobs import JOBS
from pipeline.sandbox.seed.months import rate_for
from pipeline.sandbox.seed.people import address, by_mailbox
from pipeline.sandbox.world import Entry, Project, User, World

SPRING_FORWARD = date(2026, 3, 8)
FALL_BACK = date(2026, 11, 1)
LEAP_DAY = date(2024, 2, 29)


def user_of(world: World, mailbox: str) -> User:
    """Return a member by the first part of the e-mail address.

    Raises:
        LookupError: If nobody has it.
    """
    wanted = address(by_mailbox(mailbox))
    for user in world.workspace.users.values():
        if user.email == wanted:
            return user
    raise LookupError(f"nobody has the address {wanted}")


def project_of(world: World, name: str) -> Project:
    """Return a project by its name, character for character.

    Raises:
        LookupError: If there is none.
    """
    for project in world.workspace.projects.values():
        if project.name == name:
            return project
    raise LookupError(f"there is no project {name!r}")


def add_entry(  # the words of one entry
    world: World,
    day: date,
    at: str = "18:30",
    *,
    seconds: int | None = 5400,
    mailbox: str = "daniel",
    project: str | None = "Marsh Boardwalk",
    fold: int = 0,
    **changes: Any,  # noqa: ANN401 # any field of an entry
) -> Entry:
    """Add an entry that is right in every way, or one that differs in what is named.

    Args:
        world: Where it is added.
        day: The local date of its start, in the company's zone.
        at: The local time of its start, `HH:MM` or `HH:MM:SS`.
        seconds: How long it took by the clock on the wall of UTC; None leaves it running.
        mailbox: Whose it is.
        project: The project's name, or None for none.
        fold: 1 for the second of two equal local times.
        changes: Fields of the entry to set outright.
    """
    local = datetime.combine(day, time.fromisoformat(at), ZoneInfo(world.time_zone))
    start = local.replace(fold=fold).astimezone(UTC)
    job = next((job for job in JOBS if job.name == project), None)
    fields: dict[str, Any] = {
        "id": _entry_id(world, start),
        "user_id": user_of(world, mailbox).id,
        "start": start,
        "end": None if seconds is None else start + timedelta(seconds=seconds),
        "project_id": None if project is None else project_of(world, project).id,
        "description": "Grading plan revisions",
        "rate_minor": rate_for(by_mailbox(mailbox), job),
        "currency": job.currency if job else "USD",
    }
    entry = Entry(**(fields | changes))
    world.workspace.entries[entry.id] = entry
    return entry


def add_twins(world: World, day: date) -> list[Entry]:
    """Add two honest entries that are equal in all but their id."""
    words: dict[str, Any] = {
        "at": "19:02:11",
        "seconds": 1500,
        "description": "Redlines \u2013 50% set",
    }
    return [add_entry(world, day, **words) for _ in range(2)]


def add_midnight_crossing(world: World, day: date) -> Entry:
    """Add an entry that starts late on a day and ends early on the next."""
    return add_entry(world, day, "22:50:20", seconds=6630, description="Bid set, last night")


def add_spring_forward(world: World, day: date = SPRING_FORWARD) -> list[Entry]:
    """Add entries around the hour that New York skips.

    One runs over the gap, by the wall clock an hour longer than it was; one starts right after it.
    """
    return [
        add_entry(world, day, "01:30", seconds=3600, description="Over the gap"),
        add_entry(world, day, "03:00", seconds=2700, description="After the gap"),
    ]


def add_fall_back(world: World, day: date = FALL_BACK) -> list[Entry]:
    """Add entries around the hour that New York has twice.

    Two start at 01:30, an hour apart; one runs from 00:30 to 02:30 and takes three hours.
    """
    return [
        add_entry(world, day, "01:30", seconds=1800, description="First half past one"),
        add_entry(world, day, "01:30", seconds=1800, fold=1, description="Second half past one"),
        add_entry(world, day, "00:30", seconds=10800, mailbox="priya", description="Over both"),
    ]


def add_leap_day(world: World, day: date = LEAP_DAY) -> list[Entry]:
    """Add an entry on the leap day, and one that runs from it into March."""
    return [
        add_entry(world, day, "10:15", seconds=4980, description="On the leap day"),
        add_entry(world, day, "23:30", seconds=3600, description="Into March"),
    ]


def _entry_id(world: World, start: datetime) -> str:
    """Return an id that is the same each time a world is built the same way."""
    noise = hashlib.sha256(f"{world.seed}:{len(world.workspace.entries)}".encode()).hexdigest()
    return f"{int(start.timestamp()):08x}{noise[:16]}"
