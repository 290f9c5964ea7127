"""What QuickBooks must hold and what it holds, both told from the sandbox's world alone.

A plain restatement, written apart from the product: it knows neither its tables nor its code.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pipeline.sandbox.world import Entry, World
from tests.sandbox.seed_rules import Rules, seconds, work_date

BATCHES = "POST /v3/company/{id}/batch"
"""The name under which a sandbox counts the requests that can write."""


class Activity(NamedTuple):
    """What matters of a time activity."""

    employee: str
    customer: str | None
    day: str
    minutes: int
    rate: Decimal
    description: str
    status: str


def due(world: World, first: date, last: date) -> Counter[Activity]:
    """The activities that the entries of some days must become, each as often as it must."""
    rules = Rules(world)
    return Counter(
        of_entry(rules, entry)
        for entry in world.workspace.entries.values()
        if first <= work_date(world, entry) <= last and not rules.reasons(entry)
    )


def of_entry(rules: Rules, entry: Entry) -> Activity:
    """The activity that an acceptable entry must become."""
    world = rules.world
    assert isinstance(entry.rate_minor, int)
    project = world.workspace.projects[entry.project_id] if entry.project_id else None
    return Activity(
        employee=_active(rules.employees[str(world.workspace.users[entry.user_id].name)]),
        customer=project and _active(rules.customers[project.client_name, project.name]),
        day=work_date(world, entry).isoformat(),
        minutes=(seconds(entry) + 30) // 60,
        rate=Decimal(entry.rate_minor) / 100,
        description=entry.description,
        status="Billable",
    )


def held(world: World, first: date = date.min, last: date = date.max) -> Counter[Activity]:
    """The activities that QuickBooks holds on some days."""
    rows = world.company.activities.values()
    return Counter(as_stored(row) for row in rows if str(first) <= row["TxnDate"] <= str(last))


def move(entry: Entry, days: int) -> None:
    """Move an entry to another day, as a person does who corrects the date."""
    assert entry.end is not None
    entry.start += timedelta(days=days)
    entry.end += timedelta(days=days)


def as_stored(row: dict[str, Any]) -> Activity:
    """The same of a time activity as QuickBooks holds it."""
    return Activity(
        employee=row.get("EmployeeRef", {}).get("value", "nobody"),
        customer=row.get("CustomerRef", {}).get("value"),
        day=row["TxnDate"],
        minutes=row["Hours"] * 60 + row["Minutes"],
        rate=Decimal(str(row.get("HourlyRate", 0))),
        description=row.get("Description", ""),
        status=row["BillableStatus"],
    )


def _active(records: Iterable[dict[str, Any]]) -> str:
    (record,) = (record for record in records if record["Active"])
    return str(record["Id"])
