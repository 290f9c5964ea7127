"""Candidates: the finished work entries that a load compares with QuickBooks.

From a judged row to what may be sent or recorded of it; nothing is read or written. Every finished
entry is compared, whatever its verdict: an activity that is a rejected entry's must not be taken
for an accepted one's. Keeps out the comparison (`look`) and what follows from it (`planning`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pandas as pd

from pipeline.delivery.desk import Desk
from pipeline.delivery.look import other_roundings
from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import Facts, fingerprint, meant, payload


@dataclass(frozen=True)
class Candidate:
    """A finished work entry that QuickBooks may hold."""

    entry_id: str
    facts: Facts
    roundings: frozenset[int]
    """Its minutes under other roundings."""
    intent: Delivery | None
    """None if nothing of it may be recorded: it is not ours, of another window, or unpriced; or
    its project's customer is unknown, and what has none is not its own."""
    is_sendable: bool


def candidates(entries: pd.DataFrame, desk: Desk, window: tuple[date, date]) -> Iterator[Candidate]:
    """The candidates among judged entries, in the order in which the work was done.

    Args:
        entries: rows of `accepted_time_entries` with `verdict` and `is_sendable`.
        desk: what all deliveries share.
        window: the first and last work date of which anything may be recorded.
    """
    for row in entries.sort_values(["start_at", "entry_id"]).to_dict("records"):
        entry = {str(key): value for key, value in row.items()}
        if desk.company.settings.rate_source == "service_item":
            entry["currency"] = desk.rules.home_currency
        is_ours = entry["verdict"] != "excluded" and _is_priced(entry) and _has_its_customer(entry)
        is_ours = is_ours and window[0] <= entry["work_date"].date() <= window[1]
        seconds = entry["duration_seconds" if pd.isna(entry["raw_seconds"]) else "raw_seconds"]
        yield Candidate(
            entry_id=entry["entry_id"],
            facts=meant(entry, item_id=desk.item["service_item_id"]),
            roundings=other_roundings(int(seconds)),
            intent=_intent(entry, desk) if is_ours else None,
            is_sendable=bool(entry["is_sendable"]),
        )


def request_id(realm_id: str, entry_id: str, part: int, revision: int) -> str:
    """At most 36 characters, from the intent's identity, never from what it says."""
    return str(uuid5(NAMESPACE_URL, f"{realm_id}/{entry_id}/{part}/{revision}"))


def _is_priced(entry: Mapping[str, Any]) -> bool:
    return not entry["is_billable"] or not pd.isna(entry["sent_rate_minor"])


def _has_its_customer(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry["quickbooks_customer_id"], str) or pd.isna(entry["project_id"])


def _intent(entry: Mapping[str, Any], desk: Desk) -> Delivery:
    settings, item_id = desk.company.settings, desk.item["service_item_id"]
    sent = payload(entry, item_id=item_id, is_taxable=settings.taxable)
    amount = entry["sent_amount_minor"]
    project_id = "" if pd.isna(entry["project_id"]) else entry["project_id"]
    return Delivery(
        entry_id=entry["entry_id"],
        realm_id=settings.quickbooks_realm_id,
        work_date=entry["work_date"].date(),
        request_id=request_id(settings.quickbooks_realm_id, entry["entry_id"], 0, 0),
        payload=sent,
        fingerprint=fingerprint(
            sent,
            desk.lists.employee[entry["quickbooks_employee_id"]],
            desk.lists.customer.get(entry["quickbooks_customer_id"], {}),
            desk.item,
        ),
        minutes=int(entry["hours"]) * 60 + int(entry["minutes"]),
        amount_minor=None if pd.isna(amount) else int(amount),
        currency=entry["currency"] if entry["is_billable"] else None,
        is_sent_approved=not pd.isna(entry["is_approved"]) and bool(entry["is_approved"]),
        sent_for=f"{entry['user_id']}/{project_id}",
        updated_at=desk.company.now(),
        run_id=desk.company.run_id,
    )
