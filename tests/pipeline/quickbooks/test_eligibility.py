"""Which QuickBooks companies can take time."""

from typing import Any

import pandas as pd
import pytest

from pipeline.quickbooks.eligibility import refusals, unknown_plan
from pipeline.settings import Settings

COMPANY = {
    "realm_id": "123",
    "company_name": "Studio",
    "plan": "QuickBooks Online Plus",
    "is_payroll_enabled": False,
    "is_time_tracking_enabled": True,
}


def refused(*, allow_payroll: bool = False, **changes: object) -> list[str]:
    """Refusals of the example company with changes."""
    settings = Settings.model_construct(allow_payroll=allow_payroll, quickbooks_realm_id="123")
    return refusals({**COMPANY, **changes}, settings)


@pytest.mark.parametrize("plan", ["Essentials", "Plus", "Advanced"])
def test_the_plans_that_the_manual_names_are_good(plan: str) -> None:
    """Nothing speaks against them."""
    assert refused(plan=f"QuickBooks Online {plan}") == []
    assert unknown_plan({**COMPANY, "plan": plan}) is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"plan": "QuickBooks Online Simple Start"}, "QuickBooks Online Essentials, Plus or Advan"),
        ({"plan": "QuickBooks Desktop Pro"}, "QuickBooks Desktop Pro"),
        ({"is_payroll_enabled": True}, "`ALLOW_PAYROLL=true`"),
        ({"is_time_tracking_enabled": False}, "turn it on"),
        ({"realm_id": "124"}, "`QUICKBOOKS_REALM_ID`"),
    ],
)
def test_a_company_that_cannot_take_time_is_refused(changes: dict[str, Any], named: str) -> None:
    """In one sentence that names the company and the fix."""
    (refusal,) = refused(**changes)
    assert named in refusal
    assert "Studio" in refusal
    assert refusal.endswith(".")


def test_payroll_can_be_allowed() -> None:
    """The bookkeeper may know that nobody is paid by it."""
    assert refused(is_payroll_enabled=True, allow_payroll=True) == []


@pytest.mark.parametrize("plan", ["QuickBooks Online Ultra", "", None, pd.NA])
def test_an_unknown_plan_is_a_warning(plan: object) -> None:
    """Intuit renames its plans; that must not stop a company which pays."""
    assert refused(plan=plan) == []
    warning = unknown_plan({**COMPANY, "plan": plan})
    assert warning
    assert "Studio" in warning.what
    assert "<NA>" not in warning.what


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """One correction at a time would take a day each."""
    found = refused(
        realm_id="124",
        plan="QuickBooks Online Simple Start",
        is_payroll_enabled=True,
        is_time_tracking_enabled=False,
    )
    assert len(found) == 4
