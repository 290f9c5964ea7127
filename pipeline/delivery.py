"""Delivery: how an accepted entry becomes exactly one time activity (`delivery.md` is the promise).

Order is everything here: look before sending, write the intent before the request, write the
outcome before the next one. Any other order loses rows or sends them twice. Keeps out what an
answer proves (`classification`) and what equals what (`look`).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pandas as pd

from pipeline.activities import Facts, differences, facts, fingerprint, parse, payload
from pipeline.classification import Outcome, classify
from pipeline.faults import stop_of
from pipeline.ledger import CLOSED_PERIOD, NEVER_CLAIMED_AGAIN, Delivery, Ledger
from pipeline.look import Look, look, without
from pipeline.quickbooks import QuickBooks
from pipeline.quickbooks_answers import BatchAnswer
from pipeline.stops import Stop

BATCH = 30
"""Items a batch: Intuit's recommended maximum (QuickBooks' reference, 5)."""
MAY_DIFFER = 3
"""Activities stored otherwise than sent, after which we misunderstand the other side."""
MAY_BE_SILENT = 2
"""Batches in a row of which nothing is known, after which QuickBooks is down."""
THROTTLED_ROUNDS = 5
"""Times that one batch waits when throttled."""
THROTTLED = "3001"
HARMLESS = frozenset({"description", "item"})
"""Differences that bill the right person and customer the right amount."""

Records = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Terms:
    """What all deliveries of a run share."""

    realm_id: str
    item_id: str | None
    is_taxable: bool
    currency: str | None
    """The currency of the rates, if it is not each entry's own."""
    rounding_minutes: int
    run_id: str
    now: Callable[[], datetime]
    log: Callable[[str], object]
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


def carry_out(plan: Plan, ledger: Ledger, quickbooks: QuickBooks, terms: Terms) -> None:
    """Record what is adopted or doubtful, and send the rest in batches.

    Raises:
        Stop: QuickBooks refuses everything, does not answer twice running, or stores otherwise
            than sent three times. What was sent until then is recorded.
    """
    ledger.record(plan.adopt)
    ledger.record(plan.doubt)
    differing = silent = 0
    total = len(plan.send)
    for start in range(0, total, BATCH):
        outcomes = _send(plan.send[start : start + BATCH], ledger, quickbooks, terms)
        terms.log(f"sent {min(start + BATCH, total)} of {total} time activities")
        differing += sum(bool(set(outcome.differs) - HARMLESS) for outcome in outcomes)
        if differing >= MAY_DIFFER:
            raise Stop(
                f"QuickBooks stored {differing} time activities otherwise than they were sent",
                "compare them in the table `deliveries` (error_message) with QuickBooks before "
                "loading again",
            )
        is_silent = all(outcome.state == "unknown" for outcome in outcomes)
        silent = silent + 1 if is_silent else 0
        if silent >= MAY_BE_SILENT:
            raise Stop(
                f"QuickBooks did not say what became of {silent} batches in a row: "
                f"{outcomes[-1].error_message}",
                "run again when it is well; these are not sent again before it is known",
                is_transient=True,
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
    """A refusal is tried again if what was refused has changed, or if it was for the moment only.

    Of closed books, the review lets nothing through but a probe.
    """
    is_passing = before.error_code in {*CLOSED_PERIOD, THROTTLED}
    return is_passing or before.fingerprint != intent.fingerprint


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


def _send(
    batch: Sequence[Delivery], ledger: Ledger, quickbooks: QuickBooks, terms: Terms
) -> list[Outcome]:
    """Send a batch until no item of it is throttled; the outcomes.

    Raises:
        Stop: throttled too often. That is a refusal for the moment, which the next run tries again.
    """
    known: list[Outcome] = []
    waiting = batch
    for _ in range(THROTTLED_ROUNDS):
        attempted = _attempt(waiting, ledger, quickbooks, terms)
        known += [outcome for _, outcome in attempted if outcome.state != "throttled"]
        waiting = [row for row, outcome in attempted if outcome.state == "throttled"]
        if not waiting:
            return known
        terms.log(f"QuickBooks throttles: {len(waiting)} wait {terms.throttled_seconds:.0f} s")
        time.sleep(terms.throttled_seconds)
    said = {"error_code": THROTTLED, "error_message": "throttled again and again"}
    ledger.record([replace(row, state="refused", **said) for row in waiting])
    raise Stop(
        "QuickBooks throttled the same time activities again and again",
        "run again later; what was not sent is tried then",
        is_transient=True,
    )


def _attempt(
    batch: Sequence[Delivery], ledger: Ledger, quickbooks: QuickBooks, terms: Terms
) -> list[tuple[Delivery, Outcome]]:
    """One request: the intents committed before it, the outcomes after it.

    The same rows in the same order make the same request, id and bytes: a throttled batch is
    replayed, not sent anew.
    """
    request_id = str(uuid5(NAMESPACE_URL, "|".join(row.request_id for row in batch)))
    started = [_started(row, quickbooks.last_time, terms) for row in batch]
    ledger.record(started, request_id)
    answer = quickbooks.create_batch(request_id, [row.payload for row in started])
    outcomes = [(row, _outcome(answer, place, row)) for place, row in enumerate(started)]
    ledger.record(
        [_concluded(*known, answer, terms) for known in outcomes if known[1].state != "throttled"],
        request_id,
    )
    counts = Counter(outcome.state for _, outcome in outcomes)
    if set(counts) - {"sent"}:
        terms.log(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    for place, (_, outcome) in enumerate(outcomes):
        fault = answer.fault_of(place)
        if outcome.state != "throttled" and (stop := stop_of(answer.status, fault, answer.tid)):
            raise stop
    return outcomes


def _started(row: Delivery, intuit_time: datetime | None, terms: Terms) -> Delivery:
    now = terms.now()
    return replace(
        row,
        state="pending",
        attempts=row.attempts + 1,
        sent_at=now,
        updated_at=now,
        intuit_time=intuit_time,
    )


def _outcome(answer: BatchAnswer, place: int, row: Delivery) -> Outcome:
    item = answer.items.get(place)
    return classify(
        answer.status,
        item,
        answer.fault_of(place),
        sent=row.payload,
        # A throttled attempt never reached the books, so the next one is still the first.
        is_first_attempt=True,
    )


def _concluded(row: Delivery, outcome: Outcome, answer: BatchAnswer, terms: Terms) -> Delivery:
    return replace(
        row,
        state=outcome.state,
        quickbooks_id=outcome.quickbooks_id,
        sync_token=outcome.sync_token,
        error_code=outcome.error_code,
        error_message=outcome.error_message,
        intuit_tid=answer.tid,
        updated_at=terms.now(),
    )


def _request_id(realm_id: str, entry_id: str, part: int, revision: int) -> str:
    """At most 36 characters, from the intent's identity, never from what it says."""
    return str(uuid5(NAMESPACE_URL, f"{realm_id}/{entry_id}/{part}/{revision}"))
