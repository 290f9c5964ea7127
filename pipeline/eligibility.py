"""Whether a QuickBooks company can take time from this pipeline at all.

Pure sentences about one row of `quickbooks_company`; keeps out reading it and stopping the run.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

GOOD_PLANS = ("Essentials", "Plus", "Advanced")
REFUSED_PLANS = ("Simple Start", "Desktop")
"""The manual, "Before you begin"."""


def company_problems(
    company: Mapping[str, Any], *, allow_payroll: bool, realm_id: str
) -> tuple[list[str], list[str]]:
    """What speaks against sending to a company.

    Args:
        company: A row of `QuickbooksCompany`.
        allow_payroll: `ALLOW_PAYROLL`.
        realm_id: `QUICKBOOKS_REALM_ID`.

    Returns:
        Refusals and warnings, each a sentence with its fix.

    Source: the manual, "Before you begin"; quickbooks-api.md, 3.1 and 3.2.
    """
    name, plan = company["company_name"], company["plan"]
    plan = "" if pd.isna(plan) else str(plan)
    refusals = []
    if company["realm_id"] != realm_id:
        refusals.append(
            f"The data read are of the QuickBooks company {company['realm_id']} ({name}), not of "
            f"{realm_id}: correct `QUICKBOOKS_REALM_ID`, or read the company again."
        )
    if _is_one_of(REFUSED_PLANS, plan):
        refusals.append(
            f"The plan of {name}, {plan}, takes no time activities: move it to QuickBooks Online "
            f"{', '.join(GOOD_PLANS[:-1])} or {GOOD_PLANS[-1]}."
        )
    if not company["is_time_tracking_enabled"]:
        refusals.append(
            f"Time tracking is off in {name}: turn it on in QuickBooks under Account and "
            "settings > Time."
        )
    if company["is_payroll_enabled"] and not allow_payroll:
        refusals.append(
            f"QuickBooks Payroll is on in {name}, where time may be paid out as well: turn it "
            "off, or set `ALLOW_PAYROLL=true` once the bookkeeper agrees."
        )
    warnings = []
    if not _is_one_of(GOOD_PLANS + REFUSED_PLANS, plan):
        warnings.append(
            f"The plan of {name}, {plan or 'which QuickBooks does not name'}, is not known to take "
            "time activities: look in QuickBooks under Account and settings > Billing, and tell "
            "the data engineer what it turns out to be."
        )
    return refusals, warnings


def _is_one_of(plans: tuple[str, ...], plan: str) -> bool:
    return any(each.casefold() in plan.casefold() for each in plans)
