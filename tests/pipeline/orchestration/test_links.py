"""Links: the host that a person's browser knows, made from the address of the API."""

from datetime import date

import pytest

from pipeline.orchestration import links
from pipeline.settings import Settings


def at(**addresses: object) -> Settings:
    """Settings with other addresses of the APIs."""
    usual = {
        "clockify_api_url": "https://api.clockify.me/api/v1",
        "quickbooks_api_url": "https://quickbooks.api.intuit.com",
        "metadata_names": "names",
        "metadata_rows": 2,
    }
    return Settings.model_construct(**(usual | addresses))


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("https://api.clockify.me/api/v1", "app.clockify.me"),
        ("https://euc1.clockify.me/api/v1", "app.clockify.me"),
        ("https://acme.clockify.me/api/v1", "acme.clockify.me"),
        ("http://127.0.0.1:9/api/v1", "app.clockify.me"),
    ],
)
def test_a_day_is_linked_where_the_workspace_lives(api: str, host: str) -> None:
    """A company's own subdomain has pages of its own; a region has not."""
    assert links.clockify_day(at(clockify_api_url=api), date(2026, 11, 20)) == (
        f"https://{host}/reports/detailed"
        "?start=2026-11-20T00:00:00.000Z&end=2026-11-20T23:59:59.999Z"
    )


def test_quickbooks_pages_are_of_the_company_or_of_intuits_sandbox() -> None:
    """Two hosts that never show each other's companies."""
    sandbox = at(quickbooks_api_url="https://sandbox-quickbooks.api.intuit.com")
    assert "(https://app.qbo.intuit.com/app/customers)" in links.quickbooks_lists(at())
    assert links.quickbooks_activities(sandbox, ["7", "8"]) == (
        "[7](https://app.sandbox.qbo.intuit.com/app/timeactivity?txnId=7), "
        "[8](https://app.sandbox.qbo.intuit.com/app/timeactivity?txnId=8)"
    )


CUSTOMERS = [
    {"customer_id": key, "customer": name}
    for key, name in (
        ("7", "A*B [x](http://evil) <b>"),
        ("", "none"),
        ("8", "Ünal & Co"),
        ("9", "-"),
    )
]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ("names", [r"A\*B \[x\]\(http\:\/\/evil\) \<b\>", r"Ünal \& Co"]),
        ("ids", ["7", "8"]),
    ],
)
def test_customers_are_linked_under_names_that_do_nothing(names: str, labels: list[str]) -> None:
    """Whatever is typed is text; without names, ids; no more than the settings allow."""
    settings = at(metadata_names=names)
    page = "https://app.qbo.intuit.com/app/customerdetail?nameId="
    expected = [f"[{label}]({page}{key})" for label, key in zip(labels, ("7", "8"), strict=True)]
    assert links.quickbooks_customers(settings, CUSTOMERS, "customer") == ", ".join(expected)
