"""A time activity: how an accepted entry becomes one, and what two of them have in common.

Pure. Holds the payload, the compared fields and their defaults (`delivery.md`, "Equal,
resembling"). Keeps out what follows from a comparison.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

import pandas as pd
import simplejson

from pipeline.fields import unbroken
from pipeline.money import json_number
from pipeline.stops import Stop

Body = Mapping[str, Any]
"""A TimeActivity as parsed JSON, its decimals as `Decimal`."""
UNREADABLE = (ValueError, TypeError, AttributeError, ArithmeticError)
"""What comes of a field of another type or form."""


class Facts(NamedTuple):
    """What is compared of a time activity; absent keys have become their defaults."""

    person: str
    customer: str
    work_date: date
    minutes: int
    is_billable: bool
    description: str
    rate: Decimal
    item: str


def payload(entry: Mapping[str, Any], *, item_id: str | None, is_taxable: bool) -> str:
    """The exact JSON to send for one row of `accepted_time_entries`.

    The rate of billable time is always explicit: without it QuickBooks bills the item's price, or
    nothing (its reference, 1.5).
    """
    body = _body(entry, item_id)
    if entry["is_billable"]:
        body["HourlyRate"] = _rate(entry)
        body["Taxable"] = is_taxable
    return as_json(body)


def as_json(body: Body) -> str:
    """A body as exact JSON, the same bytes for the same values."""
    return simplejson.dumps(body, use_decimal=True, sort_keys=True, separators=(",", ":"))


def parse(text: str) -> dict[str, Any]:
    """A JSON text with its decimals exact."""
    parsed: dict[str, Any] = simplejson.loads(text, use_decimal=True)
    return parsed


def fingerprint(sent: str, *records: Mapping[str, Any]) -> str:
    """Changes when the payload or a record that it refers to does; a refusal may then be retried.

    Args:
        sent: the payload.
        records: what is stored of its employee, its customer and its service item.
    """
    known = [sorted(record.items()) for record in records]
    return sha256(f"{sent}\n{known}".encode()).hexdigest()


def meant(entry: Mapping[str, Any], *, item_id: str | None) -> Facts:
    """What is compared of an entry: the facts of its payload; without a usable rate, rate 0."""
    is_priced = entry["is_billable"] and not pd.isna(entry["sent_rate_minor"])
    return facts(_body(entry, item_id))._replace(rate=_rate(entry) if is_priced else Decimal(0))


def facts(body: Body) -> Facts:
    """What is compared of a time activity, sent or stored."""
    name_of = body.get("NameOf", "Employee")
    person = _reference(body, f"{name_of}Ref" if name_of != "Other" else "OtherNameRef")
    return Facts(
        person=person if name_of == "Employee" else f"{name_of} {person}",
        customer=_reference(body, "CustomerRef"),
        work_date=date.fromisoformat(str(body.get("TxnDate") or date.min)[:10]),
        minutes=_minutes(body),
        is_billable=body.get("BillableStatus") in {"Billable", "HasBeenBilled"},
        description=_folded(body.get("Description") or ""),
        rate=Decimal(body.get("HourlyRate") or 0),
        item=_reference(body, "ItemRef"),
    )


def require_readable(bodies: Iterable[Body]) -> None:
    """Make sure that the facts of time activities as QuickBooks gives them can be compared.

    Another program may have written what we do not understand. Left out, it might be the very one
    that an entry became.

    Raises:
        Stop: those of one cannot.
    """
    for body in bodies:
        try:
            facts(body)
        except UNREADABLE as error:
            raise Stop(
                f"QuickBooks' time activity {body.get('Id')} of {body.get('TxnDate')} cannot be "
                f"read: {error}",
                "Correct its hours, its start and end, its rate or its description in QuickBooks, "
                "then run again; if they look right there, report it to the maintainers with this "
                "line",
            ) from error


def differences(sent: Facts, stored: Facts) -> list[str]:
    """The names of the fields in which what is stored is not what was sent.

    An item counts only if we sent one, and a rate only of billable time: QuickBooks may fill both.
    """
    compared = [name for name in Facts._fields if name not in {"rate", "item"}]
    if sent.is_billable:
        compared.append("rate")
    if sent.item:
        compared.append("item")
    return [name for name in compared if getattr(sent, name) != getattr(stored, name)]


def identity(body: Body) -> dict[str, Any]:
    """What a delivery keeps of its time activity: the id, and the version, at first 0."""
    return {"quickbooks_id": str(body["Id"]), "sync_token": str(body.get("SyncToken", "0"))}


def instant(said: object) -> datetime | None:
    """An instant as Intuit writes it, in UTC; none where it names none that can be compared.

    ISO 8601 with an offset, or milliseconds in the envelope of a 401.
    """
    try:
        if isinstance(said, int):
            return datetime.fromtimestamp(said / 1000, UTC)
        at = datetime.fromisoformat(str(said))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def stamp(body: Body, name: str) -> datetime:
    """When a stored time activity was created or changed last: its `MetaData` of this name.

    Raises:
        Stop: QuickBooks does not say.
    """
    at = instant((body.get("MetaData") or {}).get(name))
    if at is None:
        raise Stop(
            f"QuickBooks' time activity {body.get('Id')} has no instant as `MetaData.{name}`",
            "the API has changed: compare with Intuit's documentation",
        )
    return at


def _body(entry: Mapping[str, Any], item_id: str | None) -> dict[str, Any]:
    """What is sent of an entry, but for its price.

    Always a plain date with whole hours and minutes, never start and end: QuickBooks throws their
    date away and moves their clock (its reference, 1.4).
    """
    body: dict[str, Any] = {
        "TxnDate": entry["work_date"].strftime("%Y-%m-%d"),
        "NameOf": "Employee",
        "EmployeeRef": {"value": entry["quickbooks_employee_id"]},
        "BillableStatus": "Billable" if entry["is_billable"] else "NotBillable",
        "Hours": int(entry["hours"]),
        "Minutes": int(entry["minutes"]),
    }
    if isinstance(entry["quickbooks_customer_id"], str):
        body["CustomerRef"] = {"value": entry["quickbooks_customer_id"]}
    if item_id:
        body["ItemRef"] = {"value": item_id}
    if entry["description"]:
        body["Description"] = entry["description"]
    return body


def _rate(entry: Mapping[str, Any]) -> Decimal:
    return json_number(int(entry["sent_rate_minor"]), entry["currency"])


def _folded(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"its description is no text: {text}")
    return " ".join(unbroken(text).split())


def _reference(body: Body, key: str) -> str:
    return str((body.get(key) or {}).get("value") or "")


def _whole(body: Body, key: str) -> int:
    number = Decimal(str(body.get(key) or 0))
    if number % 1:
        raise ValueError(f"its {key} are no whole number: {number}")
    return int(number)


def _minutes(body: Body) -> int:
    """Those stated, or else from start to end, to the nearest, half up, as an entry's are.

    The vendor's button may have sent seconds, by start and end (the manual, "Important notes").
    """
    stated = _whole(body, "Hours") * 60 + _whole(body, "Minutes")
    if stated or not (body.get("StartTime") and body.get("EndTime")):
        return stated
    start, end = (datetime.fromisoformat(body[key]) for key in ("StartTime", "EndTime"))
    if end <= start:  # past midnight: QuickBooks moves both onto the one date (its reference, 1.4)
        end += timedelta(days=1)
    pause = _whole(body, "BreakHours") * 60 + _whole(body, "BreakMinutes")
    return (int((end - start).total_seconds()) + 30) // 60 - pause
