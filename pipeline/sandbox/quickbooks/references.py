"""What a TimeActivity refers to: its person, its customer, its item.

Holds: the matrix of `NameOf` and its references, and how a reference is looked up and named.
Keeps out: everything else about an activity.
"""

from typing import Any

from pipeline.sandbox.quickbooks.books import Books, Record, missing
from pipeline.sandbox.quickbooks.faults import FaultError, inactive
from pipeline.sandbox.switches import setting

DEFAULT_ITEM = "Hours"
"""The item that the service picks where none is sent."""
_PEOPLE = {"Employee": "EmployeeRef", "Vendor": "VendorRef"}
_NAMED_BY = {
    "EmployeeRef": ("Employee",),
    "VendorRef": ("Vendor",),
    "CustomerRef": ("Customer",),
    "ItemRef": ("Item",),
    "OtherNameRef": ("Customer", "Vendor", "Employee"),
}


def person(sent: Record, books: Books) -> Record:
    """Return whose time it is, as it is stored.

    Raises:
        FaultError: 2020, 6290 or 6300 for what is missing or contradictory, 2500 or 610 for the id.
    """
    name_of = sent.get("NameOf")
    if name_of is None:
        raise missing("NameOf")
    if name_of == "Other" and "OtherNameRef" in sent:
        return {"NameOf": "Other", "OtherNameRef": {"value": _value(sent["OtherNameRef"])}}
    if name_of not in _PEOPLE:
        raise FaultError("6300", f"{name_of!r} must be Employee or Vendor", "NameOf")
    given = [name for name in _PEOPLE.values() if name in sent]
    if len(given) != 1:
        raise FaultError("6290", "Specify either an employee or a vendor, and only one of them")
    if given != [_PEOPLE[name_of]]:
        raise missing(_PEOPLE[name_of])
    return _person(name_of, given[0], _value(sent[given[0]]), books)


def _person(name_of: str, ref: str, record_id: str, books: Books) -> Record:
    if record_id in books.records(name_of):
        _active(name_of, record_id, ref, books)
        return {"NameOf": name_of, ref: {"value": record_id}}
    is_other = any(record_id in books.records(entity) for entity in _NAMED_BY["OtherNameRef"])
    if not is_other or setting(books.world, "wrong_person") == "refuse":
        raise _unknown(ref)
    return {"NameOf": "Other", "OtherNameRef": {"value": record_id}}


def customer(sent: Record, books: Books) -> Record:
    """Return the customer, as it is stored; nothing where none is sent.

    Raises:
        FaultError: 2500 or 610 for an unknown or inactive one.
    """
    return _reference("CustomerRef", "Customer", sent, books) if "CustomerRef" in sent else {}


def item(sent: Record, books: Books) -> Record:
    """Return the item, as it is stored: the one called Hours where none is sent.

    Raises:
        FaultError: 2500 or 610 for an unknown, inactive or unfit one, 2020 for none at all.
    """
    if "ItemRef" not in sent:
        return {"ItemRef": {"value": _default_item(books)}}
    found = _reference("ItemRef", "Item", sent, books)
    if books.find("Item", found["ItemRef"]["value"]).get("Type") == "Category":
        raise _unknown("ItemRef")
    return found


def unchecked(sent: Record) -> Record:
    """Return the references into lists that this company does not keep: none is known.

    Raises:
        FaultError: 2500 for a class or a department.
    """
    for name in ("ClassRef", "DepartmentRef"):
        if name in sent:
            raise _unknown(name)
    return {name: sent[name] for name in ("ProjectRef", "PayrollItemRef") if name in sent}


def with_names(record: Record, books: Books) -> Record:
    """Return an activity with each reference named as its record is called now."""
    named = dict(record)
    for ref, entities in _NAMED_BY.items():
        if ref in record:
            named[ref] = _named(record[ref]["value"], entities, books)
    return named


def _named(record_id: str, entities: tuple[str, ...], books: Books) -> Record:
    for entity in entities:
        found = books.records(entity).get(record_id)
        if found is not None:
            name = found.get("FullyQualifiedName") or found.get("DisplayName") or found.get("Name")
            return {"value": record_id, "name": name}
    return {"value": record_id}


def _reference(ref: str, entity: str, sent: Record, books: Books) -> Record:
    record_id = _value(sent[ref])
    if record_id not in books.records(entity):
        raise _unknown(ref)
    _active(entity, record_id, ref, books)
    return {ref: {"value": record_id}}


def _active(entity: str, record_id: str, ref: str, books: Books) -> None:
    if not books.records(entity)[record_id].get("Active", True):
        raise inactive(setting(books.world, "inactive_reference"), ref)


def _value(ref: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    return str(ref["value"])


def _unknown(ref: str) -> FaultError:
    return FaultError("2500", f"Invalid Reference Id : {ref}", ref)


def _default_item(books: Books) -> str:
    services = [row for row in books.records("Item").values() if row.get("Type") == "Service"]
    for row in sorted(services, key=lambda row: row["Name"] != DEFAULT_ITEM):
        return str(row["Id"])
    raise missing("ItemRef")
