"""QuickBooks records as the API writes them: employees, vendors, customers, items.

Pure functions from values to JSON objects. Which records there are stands elsewhere. An inactive
record carries ` (deleted)` after its name, as the real service has it.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.world import Company

ENTERED = "2023-02-14T09:41:07-08:00"
"""When the name lists were entered."""
INTUIT_ZONE = ZoneInfo("America/Los_Angeles")
CURRENCY_NAMES = {"USD": "United States Dollar", "EUR": "Euro"}


def take_id(company: Company) -> str:
    """Return the next id; names and transactions draw from one number space."""
    number = str(company.next_id)
    company.next_id += 1
    return number


def intuit_time(instant: datetime) -> str:
    """Write an instant as Intuit does, with the offset of its own zone."""
    return instant.astimezone(INTUIT_ZONE).isoformat(timespec="seconds")


def employee_record(number: str, name: str, email: str, *, is_active: bool) -> dict[str, Any]:
    """Return an employee."""
    given, _, family = name.partition(" ")
    return {
        **_frame(number, is_active=is_active),
        "GivenName": given,
        "FamilyName": family,
        "DisplayName": _shown(name, is_active=is_active),
        "PrintOnCheckName": name,
        "BillableTime": True,
        "PrimaryEmailAddr": {"Address": email},
    }


def vendor_record(number: str, name: str, email: str | None) -> dict[str, Any]:
    """Return a vendor; one with an address is a contractor."""
    contractor = {"PrimaryEmailAddr": {"Address": email}} if email else {}
    return {
        **_frame(number, is_active=True),
        "DisplayName": name,
        "PrintOnCheckName": name,
        "Balance": 0,
        "Vendor1099": bool(email),
        "CurrencyRef": currency_reference("USD"),
        **contractor,
    }


def customer_record(
    number: str, path: tuple[str, ...], parent_id: str | None, **facts: bool | str
) -> dict[str, Any]:
    """Return a customer, a sub-customer or a QuickBooks project.

    Args:
        number: Its id.
        path: The display names from the top-level customer down to it.
        parent_id: The id of the one above, or None at the top.
        facts: `is_active`, `is_project` and `currency`, where they are not the usual ones.
    """
    is_active = bool(facts.get("is_active", True))
    name = {
        "DisplayName": _shown(path[-1], is_active=is_active),
        "FullyQualifiedName": _shown(":".join(path), is_active=is_active),
        "PrintOnCheckName": path[-1],
    }
    place: dict[str, Any] = {"Job": False, "BillWithParent": False}
    if parent_id is not None:
        place = {"Job": True, "BillWithParent": True, "ParentRef": {"value": parent_id}}
        place["Level"] = len(path) - 1
    return {
        **_frame(number, is_active=is_active),
        **name,
        **place,
        "IsProject": bool(facts.get("is_project", False)),
        "Taxable": False,
        "Balance": 0,
        "BalanceWithJobs": 0,
        "CurrencyRef": currency_reference(str(facts.get("currency", "USD"))),
    }


def item_record(
    number: str, name: str, unit_price: float, *, kind: str = "Service", is_active: bool = True
) -> dict[str, Any]:
    """Return a product or service; a category is one by kind only, and has no price."""
    priced = {"UnitPrice": unit_price, "IncomeAccountRef": {"value": "1", "name": "Services"}}
    return {
        **_frame(number, is_active=is_active),
        "Name": _shown(name, is_active=is_active),
        "FullyQualifiedName": _shown(name, is_active=is_active),
        "Type": kind,
        "Taxable": False,
        **({} if kind == "Category" else priced),
    }


def currency_reference(code: str) -> dict[str, str]:
    """Return a reference to a currency."""
    return {"value": code, "name": CURRENCY_NAMES[code]}


def _frame(number: str, *, is_active: bool) -> dict[str, Any]:
    return {
        "Id": number,
        "SyncToken": "0" if is_active else "1",
        "domain": "QBO",
        "sparse": False,
        "MetaData": {"CreateTime": ENTERED, "LastUpdatedTime": ENTERED},
        "Active": is_active,
    }


def _shown(name: str, *, is_active: bool) -> str:
    return name if is_active else f"{name} (deleted)"
