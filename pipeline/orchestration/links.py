"""Web addresses of what an entry is about: the day in Clockify, a record in QuickBooks, a word.

Holds how the two services spell their pages, which neither documents: a link is a help to a person
and nothing relies on it. Keeps out the APIs' addresses (`settings`).
"""

import re
from collections.abc import Iterable
from datetime import date
from urllib.parse import urlsplit

from pipeline.orchestration.metadata import plain
from pipeline.settings import Settings
from pipeline.storage import Row

CLOCKIFY = "https://app.clockify.me"
MARKDOWN, ESCAPED = re.compile(r"[^\w\s]|_"), r"\\\g<0>"
"""What Markdown or HTML could take for its own, and how it is written so that neither does."""
REGIONS = ("api", "euc1", "euw2", "use2", "apse2")
"""Hosts of Clockify's APIs that are no company's own: clockify-api.md, 1.2."""


def clockify_day(settings: Settings, day: date) -> str:
    """Clockify's detailed report of one day."""
    return (
        f"{_clockify(settings)}/reports/detailed?start={day}T00:00:00.000Z&end={day}T23:59:59.999Z"
    )


def quickbooks_lists(settings: Settings) -> str:
    """QuickBooks' lists of customers and employees, as Markdown.

    An employee's own page goes by an id that the API does not give.
    """
    at = _quickbooks(settings)
    return f"[customers]({at}/app/customers), [employees]({at}/app/employees)"


def quickbooks_customers(settings: Settings, rows: Iterable[Row], name: str) -> str:
    """Links to the customers of some rows, under the names in a column of them, as Markdown.

    With `METADATA_NAMES=ids` under their ids; at most `METADATA_ROWS`.
    """
    page = f"{_quickbooks(settings)}/app/customerdetail?nameId="
    label = "customer_id" if settings.metadata_names == "ids" else name
    named = {row["customer_id"]: plain(str(row[label])) for row in rows if row["customer_id"]}
    links = [f"[{MARKDOWN.sub(ESCAPED, named[key])}]({page}{key})" for key in named]
    return ", ".join(links[: settings.metadata_rows])


def quickbooks_activities(settings: Settings, ids: Iterable[str]) -> str:
    """Links to time activities by their ids, as Markdown."""
    page = f"{_quickbooks(settings)}/app/timeactivity?txnId="
    return ", ".join(f"[{key}]({page}{key})" for key in ids)


def _clockify(settings: Settings) -> str:
    """The web application's host: a company's own subdomain, else the one for all regions."""
    first, _, rest = (urlsplit(settings.clockify_api_url).hostname or "").partition(".")
    is_own = rest == "clockify.me" and first not in REGIONS
    return f"https://{first}.{rest}" if is_own else CLOCKIFY


def _quickbooks(settings: Settings) -> str:
    is_sandbox = (urlsplit(settings.quickbooks_api_url).hostname or "").startswith("sandbox")
    return f"https://app.{'sandbox.' if is_sandbox else ''}qbo.intuit.com"
