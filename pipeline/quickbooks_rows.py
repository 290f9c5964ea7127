"""From QuickBooks' JSON to the rows of the reference tables. Pure.

"Server responses only return attributes with values" (quickbooks-api.md, 1.6), so an absent key
means its default; only ids and names are required.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rapidfuzz import process

from pipeline.fields import rows_of, value, values
from pipeline.money import minor_units
from pipeline.stops import Stop

Row = dict[str, Any]
_EMPLOYEE, _CUSTOMER, _ITEM = "QuickBooks' employee", "QuickBooks' customer", "QuickBooks' item"
_COMPANY, _PREFERENCES = "QuickBooks' company info", "QuickBooks' preferences"
NEAR_NAMES = 3


def employee_rows(found: Sequence[Row]) -> list[Row]:
    """Rows of `quickbooks_employees`."""
    email = "PrimaryEmailAddr.Address"
    return rows_of(
        quickbooks_employee_id=values(found, "Id", str, of=_EMPLOYEE),
        display_name=values(found, "DisplayName", str, of=_EMPLOYEE),
        is_active=_flags(found, "Active", _EMPLOYEE, default=True),
        email=values(found, email, str, of=_EMPLOYEE, is_optional=True),
    )


def customer_rows(found: Sequence[Row]) -> list[Row]:
    """Rows of `quickbooks_customers`."""
    names = values(found, "DisplayName", str, of=_CUSTOMER)
    paths = values(found, "FullyQualifiedName", str, of=_CUSTOMER, is_optional=True)
    levels = values(found, "Level", int, of=_CUSTOMER, is_optional=True)
    return rows_of(
        quickbooks_customer_id=values(found, "Id", str, of=_CUSTOMER),
        display_name=names,
        fully_qualified_name=[path or name for path, name in zip(paths, names, strict=True)],
        parent_id=values(found, "ParentRef.value", str, of=_CUSTOMER, is_optional=True),
        level=[level or 0 for level in levels],
        is_active=_flags(found, "Active", _CUSTOMER, default=True),
        is_project=_flags(found, "IsProject", _CUSTOMER, default=False),
        currency=values(found, "CurrencyRef.value", str, of=_CUSTOMER, is_optional=True),
    )


def company_row(
    realm_id: str, info: Row, preferences: Row, item: Row | None, read_at: datetime
) -> Row:
    """The row of `quickbooks_company`.

    Args:
        realm_id: The company's id.
        info: `CompanyInfo`.
        preferences: `Preferences`.
        item: The service item that entries are sent on, if one is set.
        read_at: When all this was read.
    """
    facts = _pairs(value(info, "NameValue", list, of=_COMPANY, is_optional=True))
    others = _pairs(
        value(preferences, "OtherPrefs.NameValue", list, of=_PREFERENCES, is_optional=True)
    )
    currency = value(preferences, "CurrencyPrefs.HomeCurrency.value", str, of=_PREFERENCES)
    return {
        "realm_id": realm_id,
        "company_name": value(info, "CompanyName", str, of=_COMPANY),
        "plan": facts.get("OfferingSku"),
        "is_payroll_enabled": facts.get("PayrollFeature") == "true",
        "is_time_tracking_enabled": others.get("TimeTrackingFeatureEnabled", "true") == "true",
        "home_currency": currency,
        "service_item_id": item and value(item, "Id", str, of=_ITEM),
        "service_item_name": item and value(item, "Name", str, of=_ITEM),
        "service_item_rate_minor": item and _price(item, currency),
        "read_at": read_at,
    }


def service_item(name: str, items: Sequence[Row]) -> Row:
    """Return the item of exactly this name: its full path first, then its own name.

    Args:
        name: `SERVICE_ITEM`.
        items: The active items of type Service.

    Raises:
        Stop: there is none, or more than one.
    """
    by_path = [item for item in items if item.get("FullyQualifiedName") == name]
    named = by_path or [item for item in items if item.get("Name") == name]
    if len(named) == 1:
        return named[0]
    paths = [item.get("FullyQualifiedName") or item.get("Name") or "" for item in named or items]
    near = [found for found, *_ in process.extract(name, paths, limit=NEAR_NAMES)]
    problem = "more than one" if named else "no"
    raise Stop(
        f"QuickBooks has {problem} active service item named exactly `{name}` (SERVICE_ITEM)",
        f"Set one of: {', '.join(near)}" if near else "Create the service item in QuickBooks",
    )


def _price(item: Row, currency: str) -> int | None:
    """The item's price in minor units; none if it has none or it is not whole."""
    price = value(item, "UnitPrice", int, Decimal, of=_ITEM, is_optional=True)
    if price is None:
        return None
    try:
        return minor_units(price, currency)
    except ValueError:
        return None


def _pairs(named: Sequence[Row] | None) -> dict[str, str]:
    return {str(pair.get("Name")): str(pair.get("Value")) for pair in named or ()}


def _flags(found: Sequence[Row], key: str, of: str, *, default: bool) -> list[bool]:
    flags = values(found, key, bool, of=of, is_optional=True)
    return [default if flag is None else flag for flag in flags]
