"""Planning a load: what to send, what QuickBooks already holds, what a person must decide.

Writes nothing, so that a dry run is the same code as a load. Keeps out what equals what (`look`)
and everything that changes the ledger or QuickBooks (`delivery`, `settlement`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pandas as pd

from pipeline.activities import Facts, differences, facts, fingerprint, parse, payload
from pipeline.ledger import NEVER_CLAIMED_AGAIN, PASSING, Delivery, Ledger
from pipeline.look import Look, look, without
from pipeline.quickbooks import QuickBooks

Records = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Terms:
    """What all deliveries of a run share."""

    realm_id: str
    item_id: str | None
    is_taxable: bool
    currency: str | None
    """The currency of the rates, if it is not each entry's own."""
    rounding: str
    rounding_minutes: int
    run_id: str
    now: Callable[[], datetime]
    log: Callable[[str], object]
    settle_seconds: int = 300
    throttled_seconds: float = 60.0
    """Intuit asks for 60 s after a 429 (QuickBooks' reference, 7.1)."""


@dataclass(frozen=True)
class Plan:
    """What a load is about to do; a dry run ends here."""

    send: tuple[Delivery, ...]
    adopt: tuple[Delivery, ...]
    doubt: tuple[Delivery, ...]


def intents(
    entries: pd.DataFrame, employees: Records, customers: Records, terms: Terms
) -> Iterator[Delivery]:
    """An intent for each sendable entry, in the order in which the work was done.

    Args:
        entries: rows of `accepted_time_entries`.
        employees: rows of `quickbooks_employees` by id.
        customers: rows of `quickbooks_customers` by id.
        terms: what all deliveries share.
    """
    for row in entries.sort_values(["start_at", "entry_id"]).to_dict("records"):
        entry = {str(key): value for key, value in row.items()}
        entry["currency"] = terms.currency or entry["currency"]
        sent = payload(entry, item_id=terms.item_id, is_taxable=terms.is_taxable)
        yield Delivery(
            entry_id=entry["entry_id"],
            realm_id=terms.realm_id,
            work_date=entry["work_date"].date(),
            request_id=_request_id(terms.realm_id, entry["entry_id"], 0, 0),
            payload=sent,
            fingerprint=fingerprint(
                sent,
                employees[entry["quickbooks_employee_id"]],
                customers.get(entry["quickbooks_customer_id"], {}),
            ),
            minutes=int(entry["hours"]) * 60 + int(entry["minutes"]),
            amount_minor=None
            if pd.isna(entry["sent_amount_minor"])
            else int(entry["sent_amount_minor"]),
            currency=entry["currency"] if entry["is_billable"] else None,
            updated_at=terms.now(),
            run_id=terms.run_id,
        )


def plan(ledger: Ledger, quickbooks: QuickBooks, wanted: Iterable[Delivery], terms: Terms) -> Plan:
    """Decide what to send, adopt and leave for a person. Writes nothing.

    Raises:
        Stop: QuickBooks' activities cannot be read completely.
    """
    new = _claimable(ledger, list(wanted))
    if not new:
        return Plan((), (), ())
    entries = {intent.entry_id: facts(parse(intent.payload)) for intent in new}
    bodies = _unclaimed(ledger, quickbooks, entries.values())
    stored = {key: facts(body) for key, body in bodies.items()}
    unsettled = [facts(parse(delivery.payload)) for delivery in ledger.unsettled()]
    found = look(entries, without(stored, unsettled), terms.rounding_minutes)
    return Plan(
        send=tuple(
            intent
            for intent in new
            if intent.entry_id not in found.equal and intent.entry_id not in found.resembling
        ),
        adopt=tuple(_adopted(new, found, bodies)),
        doubt=tuple(_doubtful(new, found)),
    )


def _claimable(ledger: Ledger, wanted: Sequence[Delivery]) -> list[Delivery]:
    """Those that the ledger does not know, or knows as refused for a reason that may be gone."""
    known = ledger.deliveries(intent.entry_id for intent in wanted)
    claimable = []
    for intent in wanted:
        before = known.get(intent.entry_id)
        if before is None:
            claimable.append(intent)
        elif before.state not in NEVER_CLAIMED_AGAIN and _may_retry(before, intent):
            revision = before.revision + 1
            claimable.append(
                replace(
                    intent,
                    revision=revision,
                    request_id=_request_id(intent.realm_id, intent.entry_id, intent.part, revision),
                )
            )
    return claimable


def _may_retry(before: Delivery, intent: Delivery) -> bool:
    """A refusal is tried again if what was refused has changed, or was for the moment only."""
    return before.error_code in PASSING or before.fingerprint != intent.fingerprint


def _unclaimed(
    ledger: Ledger, quickbooks: QuickBooks, entries: Iterable[Facts]
) -> dict[str, Mapping[str, Any]]:
    """QuickBooks' activities about the entries' dates that no delivery owns, by id."""
    days = [entry.work_date for entry in entries]
    a_day = timedelta(days=1)
    rows = quickbooks.time_activities(min(days) - a_day, max(days) + a_day)
    bodies = {str(row["Id"]): row for row in rows}
    claimed = ledger.claimed(bodies)
    return {key: body for key, body in bodies.items() if key not in claimed}


def _adopted(
    new: Sequence[Delivery], found: Look, bodies: Mapping[str, Mapping[str, Any]]
) -> Iterator[Delivery]:
    for intent in new:
        if key := found.equal.get(intent.entry_id):
            differing = differences(facts(parse(intent.payload)), facts(bodies[key]))
            yield replace(
                intent,
                state="adopted",
                quickbooks_id=key,
                sync_token=str(bodies[key].get("SyncToken", "0")),
                error_message=f"drift: {', '.join(differing)}" if differing else None,
            )


def _doubtful(new: Sequence[Delivery], found: Look) -> Iterator[Delivery]:
    for intent in new:
        if keys := found.resembling.get(intent.entry_id):
            yield replace(
                intent,
                state="doubtful",
                quickbooks_id=keys[0],
                error_message="looks like QuickBooks' time activity "
                f"{', '.join(keys)}: a person must decide",
            )


def _request_id(realm_id: str, entry_id: str, part: int, revision: int) -> str:
    """At most 36 characters, from the intent's identity, never from what it says."""
    return str(uuid5(NAMESPACE_URL, f"{realm_id}/{entry_id}/{part}/{revision}"))
