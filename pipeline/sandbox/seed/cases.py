"""The guaranteed cases: whatever the dice say, each lies within the fortnight up to today.

Holds a table of single changes to a valid entry, each with the verdict that it is there for, in the
words of the product's design. How an entry is made stands in `oddities.py`.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pipeline.sandbox.seed.oddities import add_entry, add_midnight_crossing, add_twins
from pipeline.sandbox.seed.words import ODD_TEXTS
from pipeline.sandbox.world import Entry, World

ACCEPTED = "accepted"
HOUR = 3600


@dataclass(frozen=True)
class Case:
    """One change, how many days before today it lies, and what should become of it."""

    expected: str
    days_ago: int
    changes: dict[str, Any] = field(default_factory=dict)


CASES: tuple[Case, ...] = (
    Case("unknown_employee", 2, {"mailbox": "tom"}),
    Case("unknown_employee", 5, {"mailbox": "nadia"}),
    Case("unknown_employee", 6, {"mailbox": "new.hire"}),
    Case("inactive_employee", 3, {"mailbox": "ben"}),
    Case("ambiguous_employee", 2, {"mailbox": "wei"}),
    Case("ambiguous_employee", 4, {"mailbox": "wei.zhang2"}),
    Case("unknown_customer", 1, {"project": "Model Home Gardens "}),
    Case("unknown_customer", 2, {"project": "Courtyard Garden"}),
    Case("unknown_customer", 3, {"project": "Stormwater permit"}),
    Case("unknown_customer", 4, {"project": "Vista P\u0430rk Trails"}),
    Case("unknown_customer", 5, {"project": "Memorial\u00a0Grove"}),
    Case("unknown_customer", 6, {"project": "\U0001f333 Street Tree Census"}),
    Case("unknown_customer", 7, {"project": "Bridge Approach"}),
    Case("unknown_customer", 8, {"project": "Lot 22 Drainage"}),
    Case("unknown_customer", 2, {"project": "Oakline Pergola"}),
    Case("inactive_customer", 3, {"project": "Kettle Pond Restoration"}),
    Case("ambiguous_customer", 4, {"project": "Site Survey"}),
    Case("no_project", 2, {"mailbox": "sofia", "project": None}),
    Case("too_long", 5, {"mailbox": "priya", "at": "17:42:10", "seconds": 26 * HOUR + 1207}),
    Case("too_long", 9, {"mailbox": "marcus", "at": "00:00", "seconds": 24 * HOUR}),
    Case("too_long", 11, {"mailbox": "bettina", "at": "00:02", "seconds": 23 * HOUR + 3330}),
    Case(ACCEPTED, 12, {"mailbox": "bettina", "at": "00:02", "seconds": 23 * HOUR + 3329}),
    Case("bad_duration", 6, {"mailbox": "marcus", "seconds": -1800}),
    Case("bad_duration", 7, {"mailbox": "sofia", "reported_seconds": 999}),
    Case("rounds_to_zero", 2, {"seconds": 17}),
    Case(ACCEPTED, 2, {"at": "18:10", "seconds": 30}),
    Case("no_rate", 3, {"mailbox": "grace", "rate_minor": None}),
    Case("zero_rate", 4, {"mailbox": "bettina", "rate_minor": 0}),
    Case("bad_rate", 5, {"mailbox": "bettina", "rate_minor": -5000}),
    Case("bad_rate", 6, {"mailbox": "ines", "at": "15:05", "rate_minor": 11840.5}),
    Case("bad_rate", 8, {"mailbox": "rui", "at": "15:05", "rate_minor": 93_500_000}),
    Case("wrong_currency", 4, {"mailbox": "ines", "at": "15:30", "currency": "EUR"}),
    Case("wrong_currency", 9, {"project": "Terraced Orchard", "currency": "USD"}),
    Case("unknown_entry_type", 7, {"type": "STANDBY"}),
    Case("running", 1, {"mailbox": "grace", "at": "16:04:33", "seconds": None}),
    Case("running", 0, {"mailbox": "hannah", "at": "09:12:05", "seconds": None}),
    Case("in_future", 0, {"at": "08:31:07", "seconds": 4130}),
    Case("in_future", 0, {"mailbox": "rui", "at": "07:15:44", "seconds": 3985}),
    Case("not_billable", 1, {"is_billable": False, "description": "Re-do after our mistake"}),
    Case("not_billable", 3, {"project": "Studio Admin", "is_billable": False}),
    Case("zero_duration", 4, {"seconds": 0, "description": ""}),
    Case("not_work", 5, {"type": "BREAK", "is_billable": False, "project": None}),
    Case("not_work", 10, {"type": "TIME_OFF", "is_billable": False, "project": None}),
    Case("not_work", 11, {"type": "HOLIDAY", "is_billable": False, "project": None}),
    # Already 1 a.m. for her, still the evening before at the company.
    Case(ACCEPTED, 3, {"mailbox": "ines", "at": "20:10:09", "seconds": 2950}),
)


def add_cases(world: World) -> list[tuple[Entry, str]]:
    """Add every case and every hard text; return each entry with what should become of it."""
    made = [(_add(world, case), case.expected) for case in CASES]
    for number, text in enumerate(ODD_TEXTS):
        day = world.today - timedelta(days=1 + number)
        entry = add_entry(world, day, "19:45:30", seconds=1830 + 61 * number, description=text)
        made.append((entry, ACCEPTED))
    made += [(twin, ACCEPTED) for twin in add_twins(world, world.today - timedelta(days=2))]
    made.append((add_midnight_crossing(world, world.today - timedelta(days=6)), ACCEPTED))
    return made


def _add(world: World, case: Case) -> Entry:
    return add_entry(world, world.today - timedelta(days=case.days_ago), **case.changes)
