"""From QuickBooks' JSON to the rows of the reference tables and of time activities. Pure.

"Server responses only return attributes with values" (quickbooks-api.md, 1.6), so an absent key
means its default; only ids and names are required.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from rapidfuzz import process

from pipeline.fields import Row, rows_of, value, values
from pipeline.money import OTHER_EXPONENTS, amount_minor, minor_units
from pipeline.quickbooks.activities import facts, stamp
from pipeline.stops import Stop

_EMPLOYEE, _CUSTOMER, _ITEM = "QuickBooks' employee", "QuickBooks' customer", "QuickBooks' item"
_COMPANY, _PREFERENCES = "QuickBooks' company info", "QuickBooks' preferences"
_ACTIVITY = "QuickBooks' time activity"
_PEOPLE = ("EmployeeRef", "VendorRef", "OtherNameRef")
NEAR_NAMES = 3
NOT_WHOLE = -1
"""In the place of a price with parts of a cent: it is there, and none that may be sent."""


def employee_rows(found: Sequence[Row]) -> list[Row]:
    """Rows of `quickbooks_employees`."""
    return rows_of(
        quickbooks_employee_id=values(found, "Id", str, of=_EMPLOYEE),
        display_name=values(found, "DisplayName", str, of=_EMPLOYEE),
        is_active=values(found, "Active", bool, of=_EMPLOYEE, default=True),
        email=values(found, "PrimaryEmailAddr.Address", str, of=_EMPLOYEE, is_optional=True),
        sync_token=values(found, "SyncToken", str, of=_EMPLOYEE, is_optional=True),
    )


def customer_rows(found: Sequence[Row]) -> list[Row]:
    """Rows of `quickbooks_customers`."""
    names = values(found, "DisplayName", str, of=_CUSTOMER)
    paths = values(found, "FullyQualifiedName", str, of=_CUSTOMER, is_optional=True)
    return rows_of(
        quickbooks_customer_id=values(found, "Id", str, of=_CUSTOMER),
        display_name=names,
        fully_qualified_name=[path or name for path, name in zip(paths, names, strict=True)],
        parent_id=values(found, "ParentRef.value", str, of=_CUSTOMER, is_optional=True),
        level=values(found, "Level", int, of=_CUSTOMER, default=0),
        is_active=values(found, "Active", bool, of=_CUSTOMER, default=True),
        is_project=values(found, "IsProject", bool, of=_CUSTOMER, default=False),
        currency=values(found, "CurrencyRef.value", str, of=_CUSTOMER, is_optional=True),
        sync_token=values(found, "SyncToken", str, of=_CUSTOMER, is_optional=True),
    )


def activity_row(body: Row, *, currency: str, entry_id: str | None, read_at: datetime) -> Row:
    """A row of `quickbooks_activities`.

    Args:
        body: The time activity.
        currency: Of its customer.
        entry_id: The entry whose delivery owns it, if one does.
        read_at: When it was read.
    """
    found = facts(body)
    person: Row = next((body[key] for key in _PEOPLE if body.get(key)), {})
    is_priced = found.is_billable and currency not in OTHER_EXPONENTS
    return {
        "quickbooks_id": value(body, "Id", str, of=_ACTIVITY),
        "work_date": found.work_date,
        "person_id": found.person,
        "person_name": value(person, "name", str, of=_ACTIVITY, is_optional=True),
        "customer_id": found.customer,
        "customer_name": value(body, "CustomerRef.name", str, of=_ACTIVITY, is_optional=True),
        "item_id": found.item,
        "item_name": value(body, "ItemRef.name", str, of=_ACTIVITY, is_optional=True),
        "minutes": found.minutes,
        "rate_minor": minor_units(found.rate, currency) if is_priced else None,
        # A rate of parts of a cent is none of whole cents, and has an amount all the same.
        "amount_minor": amount_minor(found.minutes, found.rate) if is_priced else None,
        "currency": currency,
        "is_billable": found.is_billable,
        "is_billed": body.get("BillableStatus") == "HasBeenBilled",
        "description": value(body, "Description", str, of=_ACTIVITY, default=""),
        "created_at": stamp(body, "CreateTime"),
        "updated_at": stamp(body, "LastUpdatedTime"),
        "entry_id": entry_id,
        "read_at": read_at,
    }


def company_row(realm_id: str, info: Row, preferences: Row, item: Row | None) -> Row:
    """The row of `quickbooks_company`, but for when it was read.

    Args:
        realm_id: The company's id.
        info: `CompanyInfo`.
        preferences: `Preferences`.
        item: The service item that entries are sent on, if one is set.
    """
    facts = _pairs(info, "NameValue", _COMPANY)
    others = _pairs(preferences, "OtherPrefs.NameValue", _PREFERENCES)
    currency = value(preferences, "CurrencyPrefs.HomeCurrency.value", str, of=_PREFERENCES)
    return {
        "realm_id": realm_id,
        "company_name": value(info, "CompanyName", str, of=_COMPANY),
        "plan": facts.get("OfferingSku"),
        "is_payroll_enabled": facts.get("PayrollFeature") == "true",
        "is_time_tracking_enabled": others.get("TimeTrackingFeatureEnabled", "true") == "true",
        "home_currency": currency,
        "service_item_id": item and value(item, "Id", str, of=_ITEM),
        "service_item_name": item and _path(item),
        "service_item_rate_minor": item and _price(item, currency),
        "service_item_sync_token": item
        and value(item, "SyncToken", str, of=_ITEM, is_optional=True),
    }


def _path(item: Row) -> str:
    """The item's name with its categories before it."""
    path = value(item, "FullyQualifiedName", str, of=_ITEM, is_optional=True)
    return str(path or value(item, "Name", str, of=_ITEM))


def service_item(name: str, items: Sequence[Row]) -> Row:
    """Return the item of exactly this name: its full path first, then its own name.

    Args:
        name: `SERVICE_ITEM`.
        items: The active items of type Service.

    Raises:
        Stop: there is none, or more than one.
    """
    bearers = [item for item in items if item.get("FullyQualifiedName") == name]
    bearers = bearers or [item for item in items if item.get("Name") == name]
    if len(bearers) == 1:
        return bearers[0]
    paths = [str(item.get("FullyQualifiedName") or item.get("Name")) for item in bearers or items]
    near = ", ".join(found for found, *_ in process.extract(name, paths, limit=NEAR_NAMES))
    raise Stop(
        f"QuickBooks has {'more than one' if bearers else 'no'} active service item named exactly "
        f"`{name}` (SERVICE_ITEM)",
        f"Set one of: {near}" if near else "Create the service item in QuickBooks",
    )


def _price(item: Row, currency: str) -> int | None:
    """The item's price in minor units, `NOT_WHOLE` if it is not; none if it has none."""
    price = value(item, "UnitPrice", int, Decimal, of=_ITEM, is_optional=True)
    if price is None:
        return None
    whole = minor_units(Decimal(price), currency)
    return NOT_WHOLE if whole is None else whole


def _pairs(page: Row, path: str, of: str) -> dict[str, str]:
    named = value(page, path, list, of=of, is_optional=True) or []
    return {str(pair.get("Name")): str(pair.get("Value")) for pair in named}
