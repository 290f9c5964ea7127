"""Whether a QuickBooks company can take time from this pipeline at all.

Pure, over one row of `quickbooks_company`; keeps out reading it and what a stop stops.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.settings import Settings
from pipeline.stops import Stop

GOOD_PLANS = ("Essentials", "Plus", "Advanced")
REFUSED_PLANS = ("Simple Start", "Desktop")
"""The manual, "Before you begin"."""


def refusals(company: Mapping[str, Any], settings: Settings) -> list[str]:
    """What forbids to send to a company, each a sentence with its fix.

    Args:
        company: A row of `QuickbooksCompany`.
        settings: Which company it must be, and whether it may have payroll.

    Source: the manual, "Before you begin"; quickbooks-api.md, 3.1 and 3.2.
    """
    found = (
        other_realm(company, settings),
        refused_plan(company),
        no_time_tracking(company),
        payroll(company, settings),
    )
    return [f"{each.what}: {each.fix}." for each in found if each]


def other_realm(company: Mapping[str, Any], settings: Settings) -> Stop | None:
    """The company read is not the one in the settings."""
    realm_id = settings.quickbooks_realm_id
    if company["realm_id"] == realm_id:
        return None
    return Stop(
        f"What was read is from the QuickBooks company {company['realm_id']} "
        f"({company['company_name']}), not from {realm_id}",
        "correct `QUICKBOOKS_REALM_ID`, or read the company again",
    )


def refused_plan(company: Mapping[str, Any]) -> Stop | None:
    """The plan takes no time activities."""
    if not _is_one_of(REFUSED_PLANS, _plan(company)):
        return None
    return Stop(
        f"The plan of {company['company_name']}, {_plan(company)}, takes no time activities",
        f"move it to QuickBooks Online {', '.join(GOOD_PLANS[:-1])} or {GOOD_PLANS[-1]}",
    )


def unknown_plan(company: Mapping[str, Any]) -> Stop | None:
    """Nobody can say whether the plan takes time activities."""
    plan = _plan(company)
    if _is_one_of(GOOD_PLANS + REFUSED_PLANS, plan):
        return None
    return Stop(
        f"The plan of {company['company_name']}, {plan or 'which QuickBooks does not name'}, is "
        "not known to take time activities",
        "look in QuickBooks under Account and settings > Billing, and tell the data engineer which "
        "plan it is",
    )


def no_time_tracking(company: Mapping[str, Any]) -> Stop | None:
    """The company's preferences have time tracking off."""
    if company["is_time_tracking_enabled"]:
        return None
    return Stop(
        f"Time tracking is off in {company['company_name']}",
        "turn it on in QuickBooks under Account and settings > Time",
    )


def payroll(company: Mapping[str, Any], settings: Settings) -> Stop | None:
    """Time sent might be paid out as well."""
    if settings.allow_payroll or not company["is_payroll_enabled"]:
        return None
    return Stop(
        f"QuickBooks Payroll is on in {company['company_name']}, where time may be paid out as "
        "well",
        "turn it off, or set `ALLOW_PAYROLL=true` once the bookkeeper agrees",
    )


def _plan(company: Mapping[str, Any]) -> str:
    return "" if pd.isna(company["plan"]) else str(company["plan"])


def _is_one_of(plans: tuple[str, ...], plan: str) -> bool:
    return any(each.casefold() in plan.casefold() for each in plans)
