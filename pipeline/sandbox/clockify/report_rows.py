"""One row of a detailed report: how an entry is written down.

Pure functions on plain values. Which duration and which money stand in it is decided in
`readings.py`.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.clockify.readings import Reading
from pipeline.sandbox.clockify.switches import switch
from pipeline.sandbox.world import Entry, World

PROJECT_COLOR = "#03A9F4"


def derived_id(kind: str, name: str) -> str:
    """Return the stable 24-hex id of a task or a tag, which the world knows by name only."""
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()[:24]


def row_writer(world: World, zone: ZoneInfo, shown: str) -> Callable[[Reading], dict[str, Any]]:
    """Return the function that writes rows with times in a zone and the amounts asked for."""

    def write(reading: Reading) -> dict[str, Any]:
        money = {} if shown == "HIDE_AMOUNT" else _money_fields(reading, shown)
        return {
            **_own_fields(reading.entry),
            **_person_fields(world, reading.entry),
            **_project_fields(world, reading.entry),
            "timeInterval": _interval(world, reading, zone),
            **money,
        }

    return write


def _own_fields(entry: Entry) -> dict[str, Any]:
    invoiced = {"invoicingInfo": {"manuallyInvoiced": True}} if entry.is_invoiced else {}
    return {
        "_id": entry.id,
        "description": entry.description,
        "billable": entry.is_billable,
        "type": entry.type,
        "taskId": derived_id("task", entry.task_name) if entry.task_name else None,
        "taskName": entry.task_name,
        "tagIds": [derived_id("tag", name) for name in entry.tag_names],
        "tags": [{"_id": derived_id("tag", name), "name": name} for name in entry.tag_names],
        "approvalRequestId": entry.approval_request_id,
        "isLocked": entry.is_locked,
        "customFields": [],
        "isPreviewOfThings": False,  # a key that no specification names
        **invoiced,
    }


def _person_fields(world: World, entry: Entry) -> dict[str, Any]:
    user = world.workspace.users.get(entry.user_id)
    return {
        "userId": entry.user_id,
        "userName": user.name if user else "DeletedUser",
        "userEmail": user.email if user else None,
    }


def _project_fields(world: World, entry: Entry) -> dict[str, Any]:
    project = world.workspace.projects.get(entry.project_id or "")
    return {
        "projectId": entry.project_id,
        "projectName": project.name if project else None,
        "projectColor": PROJECT_COLOR if project else None,
        "clientId": project.client_id if project else None,
        "clientName": project.client_name if project else None,
    }


def _money_fields(reading: Reading, shown: str) -> dict[str, Any]:
    """Return what was earned and what it cost, which is nothing: nobody here has a cost rate."""
    is_cost = shown == "COST"
    return {
        "rate": 0.0 if is_cost else reading.rate,
        "earnedRate": reading.rate,
        "amount": 0.0 if is_cost else reading.amount,
        "earnedAmount": reading.amount,
        "costRate": 0.0,
        "costAmount": 0.0,
        "currency": reading.entry.currency,
    }


def _interval(world: World, reading: Reading, zone: ZoneInfo) -> dict[str, Any]:
    interval: dict[str, Any] = {
        "start": in_zone(reading.entry.start, zone),
        "end": in_zone(reading.end, zone),
        "duration": reading.seconds,
    }
    if switch(world, "zoned_fields"):
        interval |= _zoned_fields(reading, person_zone(world, reading.entry))
    return interval


def _zoned_fields(reading: Reading, name: str) -> dict[str, Any]:
    zone = ZoneInfo(name)
    start = reading.entry.start.astimezone(zone)
    end = reading.end.astimezone(zone) if reading.end else None
    return {
        "timeZone": name,
        "zonedStart": _local(start),
        "zonedEnd": _local(end) if end else None,
        "offStart": _offset_seconds(start),
        "offEnd": _offset_seconds(end) if end else None,
    }


def person_zone(world: World, entry: Entry) -> str:
    """Return the name of the entry's own zone: its person's, else the company's."""
    user = world.workspace.users.get(entry.user_id)
    return (user.time_zone if user else None) or world.time_zone


def in_zone(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """Write an instant in a zone, with `Z` for UTC and the offset otherwise."""
    if instant is None:
        return None
    return instant.astimezone(zone).isoformat(timespec="seconds").replace("+00:00", "Z")


def in_utc(instant: datetime | None) -> str | None:
    """Write an instant as the core does: always with `Z`."""
    return in_zone(instant, ZoneInfo("UTC")) if instant else None


def _local(instant: datetime) -> str:
    return instant.replace(tzinfo=None).isoformat(timespec="seconds")


def _offset_seconds(instant: datetime) -> int:
    offset = instant.utcoffset()
    return int(offset.total_seconds()) if offset else 0
