"""What people do between runs: in Clockify, in QuickBooks, and to the files.

Each change is one single thing that a person does in one of the two services' own pages. A change
of a description leaves the number by which the oracle knows an entry.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from pipeline.sandbox.seed.oddities import add_entry, project_of, user_of
from pipeline.sandbox.world import Entry, World
from tests.end_to_end.books import move
from tests.sandbox.seed_rules import DELETED

FIRST = date(2026, 11, 17)
DAYS = 3
LAST = FIRST + timedelta(days=DAYS - 1)
MAILBOXES = ("daniel", "priya", "marcus")
PROJECTS = ("Marsh Boardwalk", "Play Yard", "Brindle Creek Watershed")
NAMES = ("Daniel Okafor", "Priya Raman", "Marcus Lindqvist")
CUSTOMERS = ("25", "43", "54")
"""What the projects are in QuickBooks."""

Change = Callable[[Any], None]
"""Changes an entry, or an activity as QuickBooks stores it."""


def track(world: World, number: int, day: int, person: int, project: int, minutes: int) -> Entry:
    """Somebody tracks time."""
    return add_entry(
        world,
        FIRST + timedelta(days=day),
        f"{8 + number % 10:02}:00",
        seconds=minutes * 60,
        mailbox=MAILBOXES[person],
        project=PROJECTS[project],
        description=f"#{number} as planned",
        is_approved=number % 3 > 0,
    )


def _set(**fields: object) -> Change:
    def change(entry: Entry) -> None:
        for name, value in fields.items():
            setattr(entry, name, value)

    return change


def _reworded(text: str) -> Change:
    def change(entry: Entry) -> None:
        entry.description = f"{entry.description.split()[0]} {text}"

    return change


def _longer(minutes: int) -> Change:
    def change(entry: Entry) -> None:
        entry.end = (entry.end or entry.start) + timedelta(minutes=minutes)

    return change


def _moved(days: int) -> Change:
    """To another of the days that the history is about."""

    def change(entry: Entry) -> None:
        day = entry.start.date() + timedelta(days=days)
        if entry.end is not None and FIRST <= day <= LAST:
            move(entry, days)

    return change


ENTRY_CHANGES: dict[str, Change] = {
    "reworded": _reworded("as agreed"),
    "worded outside ISO-8859-1": _reworded("\u017ee hotovo"),
    "a minute longer": _longer(1),
    "much longer": _longer(75),
    "another rate": _set(rate_minor=5001),
    "rate forgotten": _set(rate_minor=0),
    "not billable": _set(is_billable=False),
    "billable": _set(is_billable=True),
    "approved": _set(is_approved=True),
    "approval withdrawn": _set(is_approved=False),
    "without a project": _set(project_id=None),
    "timer runs again": _set(end=None),
    "next day": _moved(1),
    "day before": _moved(-1),
    "two days later": _moved(2),
}


def to_project(world: World, entry: Entry, name: str) -> None:
    """Somebody had chosen the wrong project."""
    entry.project_id = project_of(world, name).id


def rename(world: World, what: str) -> None:
    """Somebody renames a person or project on either side, or puts the name right again."""
    side, _, kind = what.partition(" ")
    user, project = user_of(world, "priya"), project_of(world, "Play Yard")
    if side == "Clockify" and kind == "person":
        user.name = "Priya R." if user.name == NAMES[1] else NAMES[1]
    elif side == "Clockify" and kind == "namesake":
        user.name = NAMES[0] if user.name == NAMES[1] else NAMES[1]
    elif side == "Clockify":
        client = "St. Brendan's School"
        project.client_name = "St Brendan's" if project.client_name == client else client
    elif kind == "person":
        _toggle(world.company.employees["11"])
    else:
        _toggle(world.company.customers["25"])


def exchange_names(world: World) -> None:
    """Somebody gives two employees each other's name in QuickBooks, unless one is inactive."""
    active = {row["DisplayName"]: row for row in world.company.employees.values() if row["Active"]}
    if active.keys() >= {*NAMES[1:]}:
        one, other = (active[name] for name in NAMES[1:])
        one["DisplayName"], other["DisplayName"] = other["DisplayName"], one["DisplayName"]


def _toggle(record: dict[str, Any]) -> None:
    """Make a record inactive, as QuickBooks shows it then, or active again."""
    record["Active"] = not record["Active"]
    name = record["DisplayName"].removesuffix(DELETED)
    record["DisplayName"] = name if record["Active"] else f"{name}{DELETED}"


RENAMES = (
    "Clockify person",
    "Clockify namesake",
    "Clockify project",
    "QuickBooks person",
    "QuickBooks customer",
)


def _stored(**fields: object) -> Change:
    def change(row: dict[str, Any]) -> None:
        row.update(fields)

    return change


def _redated(days: int) -> Change:
    def change(row: dict[str, Any]) -> None:
        row["TxnDate"] = str(date.fromisoformat(row["TxnDate"]) + timedelta(days=days))

    return change


def _redescribed(row: dict[str, Any]) -> None:
    row["Description"] = f"{row['Description']} (checked)"


ACTIVITY_CHANGES: dict[str, Change] = {
    "redescribed": _redescribed,
    "of the next day": _redated(1),
    "of another week": _redated(9),
    "much shorter": _stored(Hours=0, Minutes=12),
    "billed": _stored(BillableStatus="HasBeenBilled"),
    "repriced": _stored(HourlyRate=99),
    "for another customer": _stored(CustomerRef={"value": CUSTOMERS[2], "name": PROJECTS[2]}),
}
