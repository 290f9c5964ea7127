"""Changes to entries through the core API: created, replaced, deleted, marked as invoiced.

Holds what a written body means and which writes are refused. No HTTP.
"""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.sandbox.clockify.refusals import (
    RefusalError,
    broken_rule,
    missing,
    not_in_workspace,
    unreadable,
)
from pipeline.sandbox.world import Entry, World

MAX_DESCRIPTION = 3000
WRITABLE_TYPES = ("REGULAR", "BREAK")
APPROVED = 4005


def find_entry(world: World, entry_id: str) -> Entry:
    """Return an entry.

    Raises:
        RefusalError: With status 400 and code 501, if it is unknown or deleted.
    """
    entry = world.workspace.entries.get(entry_id)
    if entry is None:
        raise not_in_workspace("Time entry")
    return entry


def create_entry(world: World, user_id: str, body: object) -> Entry:
    """Add an entry for a person, priced as that person's latest one was.

    Raises:
        RefusalError: If the body or the person is refused.
    """
    if user_id not in world.workspace.users:
        raise not_in_workspace("User")
    rate = _latest_rate(world, user_id)
    entry = Entry(new_id(), user_id, datetime.now(UTC), None, rate_minor=rate)
    _apply(world, entry, body)
    world.workspace.entries[entry.id] = entry
    return entry


def replace_entry(world: World, entry_id: str, body: object) -> Entry:
    """Replace an entry: what the body leaves out is cleared, the end included.

    Raises:
        RefusalError: If the body is refused or the entry is approved.
    """
    entry = _changeable(world, entry_id)
    _apply(world, entry, body)
    return entry


def delete_entry(world: World, entry_id: str) -> None:
    """Delete an entry.

    Raises:
        RefusalError: If it is unknown or approved.
    """
    del world.workspace.entries[_changeable(world, entry_id).id]


def mark_invoiced(world: World, body: object) -> list[str]:
    """Set the mark that only the detailed report shows, and return the entries' ids.

    Raises:
        RefusalError: If a key is missing or an id is unknown.
    """
    fields = _fields(body)
    for name in ("timeEntryIds", "invoiced"):
        if name not in fields:
            raise missing(name)
    entries = [find_entry(world, entry_id) for entry_id in fields["timeEntryIds"]]
    for entry in entries:
        entry.is_invoiced = bool(fields["invoiced"])
    return [entry.id for entry in entries]


def new_id() -> str:
    """Return a fresh id: like the real ones it starts with the second of its creation."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def _changeable(world: World, entry_id: str) -> Entry:
    """Return an entry that an administrator may change: a locked one, but no approved one."""
    entry = find_entry(world, entry_id)
    if entry.is_approved:
        raise RefusalError(403, APPROVED, "Can't edit approved time entry.")
    return entry


def _apply(world: World, entry: Entry, body: object) -> None:
    """Write a body onto an entry, after everything in it is found right."""
    fields = _fields(body)
    start, end = _instant(fields, "start"), _instant(fields, "end")
    if start is None:
        raise missing("start")
    description, project_id = fields.get("description") or "", fields.get("projectId")
    _check(world, description, project_id, fields.get("type", "REGULAR"))
    entry.start, entry.end = start, end
    entry.description, entry.project_id = description, project_id
    entry.is_billable = bool(fields.get("billable", False))
    entry.type = fields.get("type", "REGULAR")
    entry.tag_names, entry.task_name = [], None
    entry.reported_seconds = None


def _check(world: World, description: str, project_id: str | None, kind: str) -> None:
    if len(description) > MAX_DESCRIPTION:
        raise broken_rule(f"Description must be at most {MAX_DESCRIPTION} characters long")
    if "<" in description or ">" in description:
        raise broken_rule("Don't use < and > characters")
    if project_id is not None and project_id not in world.workspace.projects:
        raise not_in_workspace("Project")
    if kind not in WRITABLE_TYPES:
        raise unreadable("type", kind)


def _fields(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise unreadable("body", type(body).__name__)
    return body


def _instant(fields: Mapping[str, Any], name: str) -> datetime | None:
    text = fields.get(name)
    if not text:
        return None
    try:
        written = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise unreadable(name, text) from error
    return written.astimezone(UTC) if written.tzinfo else written.replace(tzinfo=UTC)


def _latest_rate(world: World, user_id: str) -> int | float | None:
    entries = [entry for entry in world.workspace.entries.values() if entry.user_id == user_id]
    return max(entries, key=lambda entry: entry.start).rate_minor if entries else None
