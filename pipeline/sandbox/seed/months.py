"""The ordinary time: months of working days of odd minutes and seconds, holidays and absences.

Holds what a day of a person looks like. Time that is wrong on purpose stands in `oddities.py`; a
few rejected projects and people are ordinary too, and come in with their weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from pipeline.sandbox.seed.jobs import JOBS, Job
from pipeline.sandbox.seed.people import LISBON, PEOPLE, Person, address
from pipeline.sandbox.seed.words import WORK
from pipeline.sandbox.world import Entry, World

EURO_SHARE = 0.92
PIECES = (2, 3, 4, 5)
PIECE_WEIGHTS = (20, 45, 27, 8)
TASKS = (None, None, None, "Design", "Drawings", "Permitting", "Site visit")
TAGS = ((), (), (), (), ("on site",), ("remote",), ("on site", "rush"))
LATE_EVENINGS = 0.08
STRAY_NON_BILLABLE = 0.015
ABSENT_WEEKS = 1
APPROVED_DAYS = 14
SUBMITTED_DAYS = 7


@dataclass(frozen=True)
class Desk:
    """One person with everything that days are made of."""

    rng: Random
    person: Person
    user_id: str
    projects: dict[Job, str]
    absence: tuple[date, date]


def rate_for(person: Person, job: Job | None) -> int:
    """Return a person's hourly rate for a job in minor units of the job's currency."""
    if job is None or job.currency == "USD":
        return person.rate_minor
    return round(person.rate_minor * EURO_SHARE / 5) * 5


def is_holiday(day: date) -> bool:
    """Return whether the studio is closed on a day, though it may be a weekday."""
    if (day.month, day.day) in {(1, 1), (7, 4), (12, 25)}:
        return True
    nth = (day.day - 1) // 7 + 1
    return (day.month, day.weekday(), nth) in {(9, 0, 1), (11, 3, 4)}


def is_working_day(day: date) -> bool:
    """Return whether people work on a day."""
    return day.weekday() < 5 and not is_holiday(day)  # noqa: PLR2004 # Saturday


def add_months(world: World, rng: Random) -> None:
    """Add everybody's ordinary time from the start date up to and including today."""
    length = (world.today - world.start_date).days
    days = [world.start_date + timedelta(days=number) for number in range(length + 1)]
    for desk in _desks(world, rng, days):
        for day in days:
            for entry in _day(desk, day, world.today):
                world.workspace.entries[entry.id] = entry


def _desks(world: World, rng: Random, days: list[date]) -> Iterator[Desk]:
    ids = {user.email: user.id for user in world.workspace.users.values()}
    projects = dict(zip(JOBS, world.workspace.projects, strict=True))
    for person in PEOPLE:
        first = rng.choice(days)
        absence = (first, first + timedelta(weeks=ABSENT_WEEKS))
        yield Desk(rng, person, ids[address(person)], projects, absence)


def _day(desk: Desk, day: date, today: date) -> Iterator[Entry]:
    person = desk.person
    is_staff = person.share > 0.5  # noqa: PLR2004 # those who come and go have no days off
    if today - timedelta(days=person.days_since_leaving) < day:
        return
    if is_staff and day.weekday() < 5 and is_holiday(day):  # noqa: PLR2004 # Saturday
        yield _away(desk, day, "HOLIDAY")
    elif is_working_day(day):
        if is_staff and desk.absence[0] <= day < desk.absence[1]:
            yield _away(desk, day, "TIME_OFF")
        elif desk.rng.random() < person.share:
            yield from _worked(desk, day, today)


def _away(desk: Desk, day: date, kind: str) -> Entry:
    """Return a day off: no project, not billable, eight hours by the person's own clock."""
    start = _instant(desk.person, day, time(9))
    end = start + timedelta(hours=8)
    return Entry(_entry_id(desk.rng, start), desk.user_id, start, end, type=kind, is_billable=False)


def _worked(desk: Desk, day: date, today: date) -> Iterator[Entry]:
    rng = desk.rng
    start = _instant(desk.person, day, time(8, 20)) + timedelta(seconds=rng.randrange(4200))
    for seconds in _pieces(desk):
        yield _piece(desk, start, seconds, (today - day).days)
        start += timedelta(seconds=seconds + rng.choice((0, 0, 41, 380, 1260, 2710)))
    if desk.person.zone == LISBON and rng.random() < LATE_EVENINGS:
        # After midnight there, still the evening before in New York.
        late = _instant(desk.person, day, time(23, 40)) + timedelta(seconds=rng.randrange(4200))
        yield _piece(desk, late, rng.randrange(2400, 6600), (today - day).days)


def _pieces(desk: Desk) -> list[int]:
    """Return a day's worth of durations in seconds; short days have one or two."""
    rng, (least, most) = desk.rng, desk.person.hours
    total = rng.uniform(least, most) * 3600
    is_short = most <= 3  # noqa: PLR2004 # hours
    count = rng.choice((1, 1, 2)) if is_short else rng.choices(PIECES, PIECE_WEIGHTS)[0]
    parts = [rng.uniform(0.5, 1.5) for _ in range(count)]
    return [int(total * part / sum(parts)) for part in parts]


def _piece(desk: Desk, start: datetime, seconds: int, age: int) -> Entry:
    rng, person = desk.rng, desk.person
    job = rng.choices(JOBS, [job.weight for job in JOBS])[0]
    is_billable = job.is_billable and rng.random() >= STRAY_NON_BILLABLE
    end = start + timedelta(seconds=seconds)
    return Entry(
        id=_entry_id(rng, end),
        user_id=desk.user_id,
        start=start,
        end=end,
        project_id=desk.projects[job],
        task_name=rng.choice(TASKS),
        tag_names=list(rng.choice(TAGS)),
        description=rng.choice(WORK),
        is_billable=is_billable,
        rate_minor=rate_for(person, job),
        currency=job.currency,
        is_locked=age > APPROVED_DAYS,
        is_approved=age > APPROVED_DAYS,
        approval_request_id=_request_id(desk, start) if age > SUBMITTED_DAYS else None,
    )


def _request_id(desk: Desk, start: datetime) -> str:
    """Return the id of the person's approval request for the week."""
    monday = start.date() - timedelta(days=start.weekday())
    return f"{int(_instant(desk.person, monday, time(18)).timestamp()):08x}{desk.user_id[8:]}"


def _instant(person: Person, day: date, clock: time) -> datetime:
    zone = ZoneInfo(person.zone or "UTC")
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _entry_id(rng: Random, made: datetime) -> str:
    """Return an id like the real ones: the second of its making, then noise."""
    return f"{int(made.timestamp()):08x}{rng.getrandbits(64):016x}"
