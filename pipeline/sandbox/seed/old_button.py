"""The vendor's own button: what it would put into QuickBooks for a range of days.

Pure on a world. It is the predecessor that the product replaces, so its rules are written out here
a second time on purpose: exact names, billable time on a project, no second time.
"""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.seed.records import intuit_time, take_id
from pipeline.sandbox.world import Entry, World

LONGEST_MINUTES = 23 * 60 + 55
SERVICE = {"value": "2", "name": "Hours"}

Names = dict[object, dict[str, Any]]
"""Records that are the only active ones of their name."""


def press_old_button(
    world: World, first: date, last: date, pressed_at: datetime | None = None
) -> int:
    """Send what Clockify's integration would send of a range of days, and mark it as sent.

    An entry that the button sent before is never sent again; one that this product sent is, since
    the button knows nothing of it. Left out are: running and non-billable time, anything without a
    project, with a name that is not exactly that of one active record, longer than 23 h 55 min,
    under half a minute, or without a rate that QuickBooks takes.

    Args:
        world: Its activities and the entries' marks change.
        first: The first day in the company's zone.
        last: The last one.
        pressed_at: When; now, if not given. It becomes the activities' creation time.

    Returns:
        How many activities were made.
    """
    employees, customers = _employees(world), _customers(world)
    made = intuit_time(pressed_at or datetime.now(UTC))
    sent = 0
    for entry in sorted(world.workspace.entries.values(), key=lambda entry: entry.start):
        day = entry.start.astimezone(ZoneInfo(world.time_zone)).date()
        if not first <= day <= last or not _is_sendable(entry):
            continue
        employee = employees.get(world.workspace.users[entry.user_id].name)
        customer = customers.get(_customer_key(world, entry))
        if employee is None or customer is None:
            continue
        number = take_id(world.company)
        frame = {"Id": number, "MetaData": {"CreateTime": made, "LastUpdatedTime": made}}
        world.company.activities[number] = frame | _activity(entry, day, employee, customer)
        entry.is_sent = True
        sent += 1
    return sent


def _is_sendable(entry: Entry) -> bool:
    """Return whether the button takes an entry; its names are looked at elsewhere."""
    is_candidate = entry.is_billable and entry.project_id is not None and not entry.is_sent
    if not is_candidate or entry.end is None or entry.type != "REGULAR":
        return False
    has_rate = isinstance(entry.rate_minor, int) and entry.rate_minor >= 0
    return has_rate and 0 < _minutes(entry) <= LONGEST_MINUTES


def _minutes(entry: Entry) -> int:
    """Return whole minutes, half up, of an entry that has ended."""
    assert entry.end is not None
    seconds = entry.reported_seconds
    if seconds is None:
        seconds = int((entry.end - entry.start).total_seconds())
    return (seconds + 30) // 60


def _employees(world: World) -> Names:
    """Return active employees by name, without names that two Clockify members share."""
    records = [record for record in world.company.employees.values() if record["Active"]]
    members = Counter(user.name for user in world.workspace.users.values())
    unique = _only_ones([(record["DisplayName"], record) for record in records])
    return {name: record for name, record in unique.items() if members[str(name)] == 1}


def _customers(world: World) -> Names:
    """Return active customers by their parent's name and their own.

    A top-level customer, or a QuickBooks project wherever it lies, stands without a parent too.
    """
    everyone = world.company.customers
    keyed: list[tuple[object, dict[str, Any]]] = []
    for record in everyone.values():
        if not record["Active"]:
            continue
        parent = everyone.get(record.get("ParentRef", {}).get("value", ""))
        if parent is not None:
            keyed.append(((parent["DisplayName"], record["DisplayName"]), record))
        if parent is None or record.get("IsProject"):
            keyed.append(((None, record["DisplayName"]), record))
    return _only_ones(keyed)


def _only_ones(keyed: list[tuple[object, dict[str, Any]]]) -> Names:
    counts = Counter(key for key, _ in keyed)
    return {key: record for key, record in keyed if counts[key] == 1}


def _customer_key(world: World, entry: Entry) -> tuple[str | None, str]:
    project = world.workspace.projects[entry.project_id or ""]
    return project.client_name, project.name


def _activity(
    entry: Entry, day: date, employee: dict[str, Any], customer: dict[str, Any]
) -> dict[str, Any]:
    """Return a time activity as QuickBooks stores what the button sends."""
    hours, minutes = divmod(_minutes(entry), 60)
    assert entry.rate_minor is not None
    described = {"Description": entry.description} if entry.description else {}
    return {
        "SyncToken": "0",
        "domain": "QBO",
        "sparse": False,
        "TxnDate": day.isoformat(),
        "NameOf": "Employee",
        "EmployeeRef": {"value": employee["Id"], "name": employee["DisplayName"]},
        "CustomerRef": {"value": customer["Id"], "name": customer["FullyQualifiedName"]},
        "ItemRef": SERVICE,
        "BillableStatus": "Billable",
        "Taxable": False,
        "HourlyRate": _decimal(entry.rate_minor),
        "Hours": hours,
        "Minutes": minutes,
        **described,
    }


def _decimal(minor: float) -> float:
    """Return minor units as the JSON number of the API: 13725 becomes 137.25."""
    return minor / 100
