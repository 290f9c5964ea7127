"""Create, read, update and delete: what one call, or one item of a batch, does to the books.

Keeps out: the rules of each entity, request ids, HTTP.
"""

from datetime import date

from pipeline.sandbox.quickbooks import names
from pipeline.sandbox.quickbooks.activities import WRITABLE, activity, check_open
from pipeline.sandbox.quickbooks.books import Books, Record, check_token, missing
from pipeline.sandbox.quickbooks.faults import FaultError
from pipeline.sandbox.quickbooks.properties import check_id, check_properties
from pipeline.sandbox.quickbooks.references import with_names
from pipeline.sandbox.switches import setting

ENTITIES = {name.lower(): name for name in ("TimeActivity", *names.LISTED)}
"""Entities that can be read by id and written, by the word that stands for them in an address."""
_PEOPLE = ("EmployeeRef", "VendorRef", "OtherNameRef")


def perform(operation: str, entity: str, body: Record, books: Books) -> Record:
    """Do one write and return the object to answer with.

    Args:
        operation: `create`, `update` or `delete`.
        entity: Its name as the API spells it.
        body: The request's object.
        books: The company.

    Raises:
        FaultError: what the service answers instead.
    """
    if operation == "delete":
        return _delete(entity, body, books)
    if operation == "update":
        return shown(entity, _update(entity, body, books), books)
    if operation == "create":
        return shown(entity, _create(entity, body, books), books)
    raise FaultError("500", f"Operation {operation} is not supported.", kind="SystemFault")


def read(entity: str, record_id: str, books: Books) -> Record:
    """Return one object, inactive ones too.

    Raises:
        FaultError: 2030 or 610.
    """
    return shown(entity, books.find(entity, check_id(record_id, "Id")), books)


def shown(entity: str, record: Record, books: Books) -> Record:
    """Return a record as answers show it."""
    if entity == "TimeActivity":
        record = with_names(record, books)
        if setting(books.world, "omit_zeros"):
            record = {key: value for key, value in record.items() if not _is_zero(key, value)}
    if setting(books.world, "extra_keys"):
        record = {**record, "SourceSystem": "QBO", "Insights": {"score": 1}}
    return record


def _is_zero(key: str, value: object) -> bool:
    return key in ("Hours", "Minutes", "HourlyRate") and value == 0


def _create(entity: str, body: Record, books: Books) -> Record:
    if entity != "TimeActivity":
        return names.create(entity, body, books)
    if not books.company.is_time_tracking_on:
        raise FaultError("5020", "You do not have permission to access this feature")
    return books.add(entity, activity(body, books))


def _update(entity: str, body: Record, books: Books) -> Record:
    check_properties(entity, body)
    stored = _stored(entity, body, books)
    if entity != "TimeActivity":
        return names.update(entity, stored, body, books)
    _check_free(stored, books)
    whole = body
    if body.get("sparse") is True:
        kept = {key: stored[key] for key in WRITABLE if key in stored}
        whole = _merged(kept, {key: body[key] for key in WRITABLE if key in body})
    return books.replace(entity, stored, activity(whole, books))


def _merged(kept: Record, sent: Record) -> Record:
    """Lay a sparse update over what is stored; a new kind of person or time drops the old kind."""
    if sent.keys() & {"NameOf", "EmployeeRef", "VendorRef"}:
        person = f"{sent.get('NameOf', kept.get('NameOf'))}Ref"
        kept = {key: kept[key] for key in kept if key == person or key not in _PEOPLE}
    if sent.keys() & {"Hours", "Minutes"}:
        kept = {key: kept[key] for key in kept if key not in ("StartTime", "EndTime")}
    if sent.keys() & {"StartTime", "EndTime"}:
        kept = {key: kept[key] for key in kept if key not in ("Hours", "Minutes")}
    return {**kept, **sent}


def _delete(entity: str, body: Record, books: Books) -> Record:
    if entity != "TimeActivity":
        raise FaultError("500", f"Operation delete is not supported for {entity}.")
    stored = _stored(entity, body, books)
    _check_free(stored, books)
    books.remove(entity, stored["Id"])
    return {"status": "Deleted", "domain": "QBO", "Id": stored["Id"]}


def _stored(entity: str, body: Record, books: Books) -> Record:
    if body.get("Id") is None:
        raise missing("Id")
    stored = books.find(entity, check_id(body["Id"], "Id"))
    check_token(stored, body)
    return stored


def _check_free(stored: Record, books: Books) -> None:
    """Refuse a change of what stands on an invoice, or lies in the closed period."""
    if stored["BillableStatus"] == "HasBeenBilled":
        raise FaultError(
            "6000",
            "Business Validation Error: This time activity has been billed and cannot be changed.",
        )
    check_open(date.fromisoformat(stored["TxnDate"]), books)
