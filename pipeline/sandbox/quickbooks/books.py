"""The company's books as one request sees them: records found, stored, removed and named.

Keeps out: what makes a record valid, and HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.faults import FaultError, stamp
from pipeline.sandbox.world import Company, World

Record = dict[str, Any]
"""One object as the API spells it."""

LISTS = {
    "Employee": "employees",
    "Vendor": "vendors",
    "Customer": "customers",
    "Item": "items",
    "TimeActivity": "activities",
}
"""Entities to the places where a company keeps them."""


@dataclass
class Books:
    """One request's view of a company."""

    world: World
    now: datetime
    touch: Callable[..., None]

    @property
    def company(self) -> Company:
        """The company whose books these are."""
        return self.world.company

    def records(self, entity: str) -> dict[str, Record]:
        """Return an entity's records by id."""
        found: dict[str, Record] = getattr(self.company, LISTS[entity])
        return found

    def find(self, entity: str, record_id: str) -> Record:
        """Return one record.

        Raises:
            FaultError: 610, no record has this id.
        """
        try:
            return self.records(entity)[record_id]
        except KeyError:
            detail = "Object Not Found : Another user has deleted this transaction."
            raise FaultError("610", detail) from None

    def new_id(self) -> str:
        """Return the next id of the number space that all records share."""
        number = self.company.next_id
        self.company.next_id = number + 1
        self.touch("company", "next_id")
        return str(number)

    def add(self, entity: str, record: Record) -> Record:
        """Store a new record under its own id and the present instant."""
        instant = instant_text(self.now)
        head = {"domain": "QBO", "sparse": False, "Id": self.new_id(), "SyncToken": "0"}
        meta = {"MetaData": {"CreateTime": instant, "LastUpdatedTime": instant}}
        return self.keep(entity, {**record, **head, **meta})

    def replace(self, entity: str, old: Record, record: Record) -> Record:
        """Store a record in place of another: same id, next sync token, new time of change."""
        head = {"domain": "QBO", "sparse": False, "Id": old["Id"]}
        token = {"SyncToken": str(int(old["SyncToken"]) + 1)}
        meta = {"MetaData": {**old["MetaData"], "LastUpdatedTime": instant_text(self.now)}}
        return self.keep(entity, {**record, **head, **token, **meta})

    def keep(self, entity: str, record: Record) -> Record:
        """Store a record as it is."""
        self.records(entity)[record["Id"]] = record
        self.touch("company", LISTS[entity], record["Id"])
        return record

    def remove(self, entity: str, record_id: str) -> None:
        """Remove a record."""
        del self.records(entity)[record_id]
        self.touch("company", LISTS[entity], record_id)


def open_books(holder: Holder) -> Books:
    """Return the books for one request."""
    return Books(holder.world, holder.now(), holder.touch)


def instant_text(instant: datetime) -> str:
    """Return an instant as `MetaData` shows it: to the second, with Pacific's offset."""
    text = stamp(instant)
    return text[:19] + text[23:]


def check_token(stored: Record, sent: Record) -> None:
    """Refuse a write that was made from an outdated copy.

    Raises:
        FaultError: 2020 without a sync token, 5010 with another one than the stored.
    """
    token = sent.get("SyncToken")
    if token is None:
        raise missing("SyncToken")
    if str(token) != stored["SyncToken"]:
        raise FaultError(
            "5010",
            "Stale Object Error : You and another user were working on this at the same time. "
            "The other user finished before you did, so your work was not saved.",
        )


def missing(name: str) -> FaultError:
    """Return the refusal of a request that leaves out a property."""
    return FaultError("2020", f"Required parameter {name} is missing in the request", name)
