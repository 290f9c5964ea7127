"""Changes that the admin routes make: to a part of the world, one of its records, or what fails.

A part is `users`, `projects`, `entries`, `employees`, `vendors`, `customers`, `items`,
`activities`, `workspace`, `company`, `tokens` or `switches`. Keeps out: addresses.
"""

import json
import secrets
from dataclasses import is_dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from pipeline.sandbox.edge import Fault
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.books import LISTS, open_books
from pipeline.sandbox.quickbooks.names import settle_paths
from pipeline.sandbox.seed import press_old_button
from pipeline.sandbox.switches import SWITCHES, refusal, setting
from pipeline.sandbox.world import Entry, Project, User

Path = dict[str, str]
Sent = dict[str, Any]

CLOCKIFY_PARTS: dict[str, type] = {"users": User, "projects": Project, "entries": Entry}
QUICKBOOKS_PARTS = {place: entity for entity, place in LISTS.items()}
BILLED = "HasBeenBilled"
WHOLE_PARTS = ("workspace", "company", "tokens")


class AdminError(Exception):
    """An admin request that makes no sense, with the sentence that says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def part(holder: Holder, path: Path, _: object) -> object:
    """Return a whole part of the world, as it is."""
    name = path["part"]
    if name == "switches":
        return {switch: setting(holder.world, switch) for switch in SWITCHES}
    if name in WHOLE_PARTS:
        return getattr(holder.world, name)
    return _records(holder, name)


def one(holder: Holder, path: Path, _: object) -> object:
    """Return one record."""
    records = _records(holder, path["part"])
    if path["id"] not in records:
        raise AdminError(f"{path['part']} has no {path['id']!r}", 404)
    return records[path["id"]]


def patch_part(holder: Holder, path: Path, sent: Sent) -> object:
    """Set switches, or fields of the workspace, the company or the tokens."""
    name = path["part"]
    if name == "switches":
        return _set_switches(holder, sent)
    if name not in WHOLE_PARTS:
        raise AdminError(f"{name!r} can only be changed a record at a time")
    target = getattr(holder.world, name)
    changed = _changed(target, sent)
    for field in sent:
        setattr(target, field, getattr(changed, field))
        holder.touch(name, field)
    return {field: getattr(target, field) for field in sent}


def patch_one(holder: Holder, path: Path, sent: Sent) -> object:
    """Change fields of one record, as a person would in the service's own pages."""
    record = one(holder, path, None)
    name, record_id = path["part"], path["id"]
    if is_dataclass(record):
        changed = _changed(record, sent)
        for field in sent:
            setattr(record, field, getattr(changed, field))
        holder.touch("workspace", name, record_id)
        return record
    assert isinstance(record, dict)
    books, entity = open_books(holder), QUICKBOOKS_PARTS[name]
    changed = books.replace(entity, record, {**record, **sent})
    return changed if name == "activities" else settle_paths(entity, changed, books)


def add(holder: Holder, path: Path, sent: Sent) -> object:
    """Add a record; in QuickBooks unchecked, as if it had always been there."""
    name = path["part"]
    if name in CLOCKIFY_PARTS:
        record_id = sent.setdefault("id", secrets.token_hex(12))
        record: object = TypeAdapter(CLOCKIFY_PARTS[name]).validate_json(json.dumps(sent))
        _records(holder, name)[record_id] = record
        holder.touch("workspace", name, record_id)
        return record
    if name not in QUICKBOOKS_PARTS:
        raise AdminError(f"nothing can be added to {name!r}")
    books, entity = open_books(holder), QUICKBOOKS_PARTS[name]
    added = books.add(entity, sent)
    return added if name == "activities" else settle_paths(entity, added, books)


def remove(holder: Holder, path: Path, _: object) -> object:
    """Remove a record."""
    record = one(holder, path, None)
    del _records(holder, path["part"])[path["id"]]
    side = "workspace" if path["part"] in CLOCKIFY_PARTS else "company"
    holder.touch(side, path["part"], path["id"])
    return record


def bill(holder: Holder, path: Path, _: object) -> object:
    """Put an activity on an invoice: it is billed from now on, its sync token stays."""
    activity = one(holder, {"part": "activities", "id": path["id"]}, None)
    assert isinstance(activity, dict)
    books = open_books(holder)
    changed = books.replace("TimeActivity", activity, {**activity, "BillableStatus": BILLED})
    return books.keep("TimeActivity", {**changed, "SyncToken": activity["SyncToken"]})


def press_button(holder: Holder, _: Path, sent: Sent) -> object:
    """Press the vendor's button for the days `from` to `to`."""
    first, last = date.fromisoformat(sent["from"]), date.fromisoformat(sent["to"])
    company, before = holder.world.company, set(holder.world.company.activities)
    press_old_button(holder.world, first, last, holder.now())
    made = [row for key, row in company.activities.items() if key not in before]
    holder.touch("company", "next_id")
    for row in made:
        holder.touch("company", "activities", row["Id"])
    for entry in holder.world.workspace.entries.values():
        if entry.is_sent:
            holder.touch("workspace", "entries", entry.id)
    return made


def add_fault(holder: Holder, _: Path, sent: Sent) -> object:
    """Make requests to a route fail from now on; a body that is not text is sent as JSON."""
    body = sent.get("body")
    if body is not None and not isinstance(body, str):
        sent = {**sent, "body": json.dumps(body)}
    unknown = sorted(sent.keys() - Fault.__dataclass_fields__.keys())
    if unknown:
        raise AdminError(f"a fault has no {unknown[0]!r}")
    fault = TypeAdapter(Fault).validate_python(sent)
    holder.faults.append(fault)
    return fault


def clear_faults(holder: Holder, _: Path, __: object) -> object:
    """Let all requests through again."""
    holder.faults.clear()
    return []


def _set_switches(holder: Holder, sent: Sent) -> object:
    for name, value in sent.items():
        wrong = refusal(name, value)
        if wrong:
            raise AdminError(wrong)
    for name, value in sent.items():
        holder.world.switches[name] = value
        holder.touch("switches", name)
    return {name: setting(holder.world, name) for name in sent}


def _records(holder: Holder, name: str) -> dict[str, Any]:
    if name not in CLOCKIFY_PARTS and name not in QUICKBOOKS_PARTS:
        raise AdminError(f"there is no {name!r}", 404)
    side = holder.world.workspace if name in CLOCKIFY_PARTS else holder.world.company
    found: dict[str, Any] = getattr(side, name)
    return found


def _changed(record: Any, sent: Sent) -> Any:  # noqa: ANN401  # one of the world's own classes
    """Return a record with some fields changed, read from JSON into their own types."""
    fields = type(record).__dataclass_fields__
    unknown = sorted(sent.keys() - fields.keys())
    if unknown:
        raise AdminError(f"there is no {unknown[0]!r}; there are: {', '.join(fields)}")
    merged = {**to_jsonable_python(record), **sent}
    return TypeAdapter(type(record)).validate_json(json.dumps(merged))
