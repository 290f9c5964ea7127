"""A delivery's problem in our own words, for Dagster's metadata. Pure.

A fault may repeat a rate or a description, and metadata lives for ever: QuickBooks' own words stay
in the tables, `error_message` of `deliveries`. Keeps out what an answer proves (`classification`).
"""

from collections.abc import Mapping
from typing import Any

MEANINGS = {
    "610": "it names a person, customer or item that is inactive or gone",
    "2020": "a field that QuickBooks requires is missing",
    "2040": "its text has a character that QuickBooks does not accept",
    "2050": "its text is too long",
    "2500": "it names a person, customer or item that is inactive or gone",
    "6000": "a business rule of its own forbids it; its words in the ledger say which",
    "6200": "the books are closed for its date",
    "6210": "the books are closed for its date",
    "6310": "billable time needs a customer",
    "6330": "billable time needs a rate",
}
"""QuickBooks' faults, by code (its reference, 9.2)."""


def problem(row: Mapping[str, Any]) -> str | None:
    """What went wrong or differs, without a word of QuickBooks'.

    Args:
        row: `state`, `error_code` and `error_message` of a delivery.
    """
    state, code, message = row["state"], row["error_code"], row["error_message"]
    is_theirs = state in {"refused", "unknown"} and (not code or code.isdecimal())
    if not message or not is_theirs:
        return str(message) if message else None
    if state == "unknown":
        answered = f"QuickBooks' answer ({code})" if code else "QuickBooks' answer"
        return f"{answered} does not say whether it was stored"
    meaning = f": {MEANINGS[code]}" if code in MEANINGS else ""
    return f"QuickBooks refused it with fault {code}{meaning}"
