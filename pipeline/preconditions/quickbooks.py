"""Preconditions in QuickBooks: the connection, the company, and what time is sent on."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from pipeline.fields import Row
from pipeline.preconditions.precondition import Doubt
from pipeline.quickbooks import eligibility
from pipeline.quickbooks.token_service import Pair
from pipeline.quickbooks.tokens import CONNECT
from pipeline.settings import Settings
from pipeline.stops import Stop

SOON = timedelta(days=14)


def _connected(pair: Pair) -> str | Stop:
    """QuickBooks is connected."""
    now = datetime.now(UTC)
    age = now - datetime.fromisoformat(pair.issued_at)
    ends = pair.refresh_expires_at and datetime.fromisoformat(pair.refresh_expires_at)
    if ends and ends - now < SOON:
        return Stop(
            f"The connection to QuickBooks ends on {ends:%Y-%m-%d}",
            f"Connect again with `{CONNECT}`",
        )
    until = f", and good until {ends:%Y-%m-%d}, longer once it is used" if ends else ""
    return f"the token is {age.total_seconds() / 3600:.1f} hours old{until}"


def _realm(company: Row, settings: Settings) -> str | Stop:
    """The company is the right one."""
    said = f"{company['company_name']}, {company['realm_id']}"
    return eligibility.other_realm(company, settings) or said


def _quickbooks_plan(company: Row) -> str | Stop:
    """Its plan takes time activities."""
    return eligibility.refused_plan(company) or str(company["plan"])


def _known_plan(company: Row) -> str | Stop:
    """Its plan is known."""
    found = eligibility.unknown_plan(company)
    return Doubt(found.what, found.fix) if found else "its rules are those of the vendor's manual"


def _payroll(company: Row, settings: Settings) -> str | Stop:
    """QuickBooks Payroll is off."""
    found = eligibility.payroll(company, settings)
    return found or ("allowed by ALLOW_PAYROLL" if company["is_payroll_enabled"] else "off")


def _time_tracking(company: Row) -> str | Stop:
    """Time tracking is on."""
    return eligibility.no_time_tracking(company) or "on"


def _currencies(
    settings: Settings, entries: pd.DataFrame, company: Row, customers: pd.DataFrame
) -> str | Stop:
    """Rates are in its currencies."""
    home = company["home_currency"]
    known = {home, *customers["currency"].dropna()}
    is_rated = entries["is_billable"] & entries["hourly_rate_minor"].notna()
    strange = sorted(set(entries.loc[is_rated, "currency"].dropna()) - known)
    if settings.rate_source == "clockify" and strange:
        return Stop(
            f"Clockify has rates in {', '.join(strange)}, which is neither a customer's currency "
            f"nor the home currency, {home}",
            "Correct the workspace's or the client's currency in Clockify, or the customers' in "
            "QuickBooks",
        )
    return f"home currency {home}"


def _item(settings: Settings, item: Row | None) -> str | Stop:
    """The service item exists."""
    return f"`{settings.service_item}`" if item else "SERVICE_ITEM is not set: QuickBooks chooses"


def _price(settings: Settings, item: Row | None) -> str | Stop:
    """The rate has a source."""
    if settings.rate_source == "clockify":
        return "time is sent at Clockify's rates"
    if not (item and item.get("UnitPrice")):
        return Stop(
            f"The service item `{settings.service_item}` has no price, though RATE_SOURCE takes "
            "every rate from it",
            "Set its sales price per hour in QuickBooks, or RATE_SOURCE=clockify",
        )
    return "time is sent at the item's price"


def _taxable(settings: Settings, item: Row | None) -> str | Stop:
    """Tax agrees with the item's."""
    if item and bool(item.get("Taxable")) != settings.taxable:
        kind = "taxable" if item.get("Taxable") else "not taxable"
        return Doubt(
            f"The service item `{settings.service_item}` is {kind}, but TAXABLE is "
            f"{str(settings.taxable).lower()}",
            "Set TAXABLE as the bookkeeper taxes this service, or correct the item",
        )
    return f"billable time is sent as {'' if settings.taxable else 'not '}taxable"


PRECONDITIONS = (
    _connected,
    _realm,
    _quickbooks_plan,
    _known_plan,
    _payroll,
    _time_tracking,
    _currencies,
    _item,
    _price,
    _taxable,
)
