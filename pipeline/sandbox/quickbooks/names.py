"""Employees, vendors, customers and items: how they are created, changed and deactivated.

Holds: names and their uniqueness, the ` (deleted)` suffix, the paths of sub-customers. Keeps out:
HTTP, and anything about time.
"""

from pipeline.sandbox.quickbooks.books import Books, Record, missing
from pipeline.sandbox.quickbooks.faults import FaultError
from pipeline.sandbox.quickbooks.properties import check_properties

LISTED = ("Employee", "Vendor", "Customer", "Item")
PEOPLE = ("Employee", "Vendor", "Customer")
"""The three lists that share one set of display names."""
DELETED = " (deleted)"
MAX_NAME = {"Item": 100}
_READ_ONLY = {"Id", "SyncToken", "MetaData", "domain", "sparse", "status", "FullyQualifiedName"}
_PARTS = ("GivenName", "MiddleName", "FamilyName")


def create(entity: str, body: Record, books: Books) -> Record:
    """Store a new name and return it.

    Raises:
        FaultError: 2010, 2040, 2050, 2500, 6080 or 6240.
    """
    check_properties(entity, body)
    record = books.add(entity, _checked(entity, _filled(body), books, own_id=None))
    return settle_paths(entity, record, books)


def update(entity: str, stored: Record, body: Record, books: Books) -> Record:
    """Change a name and return it; a sparse body keeps what it does not mention.

    Raises:
        FaultError: as for `create`.
    """
    kept = stored if body.get("sparse") is True else {}
    base = {key: value for key, value in kept.items() if key not in _READ_ONLY}
    for key in ("DisplayName", "Name"):
        if key in base:
            base[key] = base[key].removesuffix(DELETED)
    record = _checked(entity, {**base, **_filled(body)}, books, own_id=stored["Id"])
    return settle_paths(entity, books.replace(entity, stored, record), books)


def settle_paths(entity: str, record: Record, books: Books) -> Record:
    """Give a record and those below it their full names, and an inactive one its suffix."""
    key = "Name" if entity == "Item" else "DisplayName"
    plain = str(record[key]).removesuffix(DELETED)
    suffix = "" if record.get("Active", True) else DELETED
    record[key] = plain + suffix
    if entity in ("Customer", "Item"):
        parent = books.records(entity).get(record.get("ParentRef", {}).get("value", ""))
        above = "" if parent is None else _path(parent).removesuffix(DELETED) + ":"
        record["FullyQualifiedName"] = above + plain + suffix
        for child in list(books.records(entity).values()):
            if child.get("ParentRef", {}).get("value") == record["Id"]:
                settle_paths(entity, child, books)
    return books.keep(entity, record)


def _path(record: Record) -> str:
    return str(record.get("FullyQualifiedName") or record.get("DisplayName") or record["Name"])


def _filled(body: Record) -> Record:
    """Drop what is read-only, null or empty: answers only show properties with values."""
    return {
        key: value
        for key, value in body.items()
        if key not in _READ_ONLY and value is not None and value not in ("", [], {})
    }


def _checked(entity: str, record: Record, books: Books, own_id: str | None) -> Record:
    record = {"Active": True, **record}
    if entity == "Item":
        if not record.get("Name"):
            raise missing("Name")
        _check_name(entity, str(record["Name"]))
        return {"Type": "Service", "UnitPrice": 0, **_placed(entity, record, books)}
    if entity == "Employee" and not (record.get("GivenName") or record.get("FamilyName")):
        raise FaultError("6080", "One of GivenName or FamilyName must be non-empty", "GivenName")
    composed = " ".join(str(record[part]) for part in _PARTS if record.get(part))
    record.setdefault("DisplayName", composed)
    if not record["DisplayName"]:
        raise FaultError("6080", "One of the names must be non-empty", "DisplayName")
    _check_name(entity, str(record["DisplayName"]))
    _check_free(str(record["DisplayName"]), books, own_id)
    record.setdefault("PrintOnCheckName", record["DisplayName"])
    return _placed(entity, record, books) if entity == "Customer" else record


def _check_name(entity: str, name: str) -> None:
    if any(character in name for character in ":\t\n"):
        raise FaultError("2040", f"Invalid String : {name}", "DisplayName")
    if len(name) > MAX_NAME.get(entity, 500):
        raise FaultError("2050", f"Supplied length:{len(name)}", "DisplayName")


def _check_free(name: str, books: Books, own_id: str | None) -> None:
    """Names are unique over customers, vendors and employees together, whatever their case."""
    wanted = name.casefold()
    for entity in PEOPLE:
        for other in books.records(entity).values():
            if other["Id"] != own_id and str(other["DisplayName"]).casefold() == wanted:
                detail = f"The name supplied already exists. : Id={other['Id']}"
                raise FaultError("6240", detail)


def _placed(entity: str, record: Record, books: Books) -> Record:
    """Set what follows from having a parent, or from having none."""
    parent_ref = record.get("ParentRef")
    if parent_ref is None:
        top = {"Job": False, "BillWithParent": False} if entity == "Customer" else {}
        return {**{key: value for key, value in record.items() if key != "Level"}, **top}
    parent = books.records(entity).get(str(parent_ref["value"]))
    if parent is None:
        raise FaultError("2500", "Invalid Reference Id : ParentRef", "ParentRef")
    child = {"ParentRef": {"value": parent["Id"]}, "Level": int(parent.get("Level", 0)) + 1}
    return {**record, **child, **({"Job": True} if entity == "Customer" else {"SubItem": True})}
