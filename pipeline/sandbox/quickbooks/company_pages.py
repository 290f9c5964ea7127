"""CompanyInfo and Preferences: what the API tells about the company itself.

Keeps out: name lists and activities.
"""

from collections.abc import Callable

from pipeline.sandbox.quickbooks.books import Books, Record, instant_text
from pipeline.sandbox.switches import setting

_PLANS_WITH_PROJECTS = ("Plus", "Advanced")


def company_info(books: Books) -> Record:
    """Return the CompanyInfo object; its own id is 1, whatever the realm."""
    company = books.company
    facts = {
        "NeoEnabled": "true",
        "IndustryType": "Professional services",
        "CompanyType": "Other",
        "SubscriptionStatus": _subscription(books),
        "OfferingSku": company.plan,
        "PayrollFeature": _word(is_on=company.is_payroll_on),
        "AccountantFeature": "false",
    }
    return {
        "CompanyName": company.name,
        "LegalName": company.name,
        "CompanyAddr": {"Id": "1", "Country": "USA"},
        "FiscalYearStartMonth": "January",
        "Country": "US",
        "SupportedLanguages": "en",
        "NameValue": [{"Name": name, "Value": value} for name, value in facts.items()],
        **_head("1", books),
    }


def preferences(books: Books) -> Record:
    """Return the Preferences object."""
    company, is_timed = books.company, books.company.is_time_tracking_on
    has_projects = any(plan in company.plan for plan in _PLANS_WITH_PROJECTS)
    other = {
        "TimeTrackingFeatureEnabled": _word(is_on=is_timed),
        "ProjectsEnabled": _word(is_on=has_projects),
    }
    closed = company.books_closed_through
    return {
        "TimeTrackingPrefs": {
            "WorkWeekStartDate": "Monday",
            "MarkTimeEntriesBillable": True,
            "ShowBillRateToAll": False,
            "UseServices": is_timed,
            "BillCustomers": is_timed,
        },
        "AccountingInfoPrefs": {
            "TrackDepartments": False,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": False,
            "CustomerTerminology": "Customers",
            **({} if closed is None else {"BookCloseDate": closed.isoformat()}),
        },
        "CurrencyPrefs": {
            "HomeCurrency": {"value": company.home_currency},
            "MultiCurrencyEnabled": _has_currencies(books),
        },
        "OtherPrefs": {"NameValue": [{"Name": name, "Value": other[name]} for name in other]},
        **_head("1", books),
    }


PAGES: dict[str, tuple[str, Callable[[Books], Record]]] = {
    "companyinfo": ("CompanyInfo", company_info),
    "preferences": ("Preferences", preferences),
}
"""The word in an address or a query, the object's name, and what makes it."""


def _has_currencies(books: Books) -> bool:
    home = books.company.home_currency
    customers = books.records("Customer").values()
    return any(row.get("CurrencyRef", {}).get("value", home) != home for row in customers)


def _subscription(books: Books) -> str:
    return "PAID" if setting(books.world, "subscription") == "active" else "EXPIRED"


def _word(*, is_on: bool) -> str:
    return "true" if is_on else "false"


def _head(record_id: str, books: Books) -> Record:
    instant = instant_text(books.now)
    meta = {"CreateTime": instant, "LastUpdatedTime": instant}
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": record_id,
        "SyncToken": "0",
        "MetaData": meta,
    }
