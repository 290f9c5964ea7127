"""Delivery: how a planned entry becomes exactly one time activity (`delivery.md` is the promise).

Order is everything here: the intent is written before the request, the outcome before the next
request. Any other order loses rows or sends them twice. Keeps out what is to be sent (`planning`),
what an answer proves (`classification`), and what became of the unknown (`settlement`).
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from pipeline.candidates import Terms
from pipeline.classification import Outcome, classify
from pipeline.faults import stop_of
from pipeline.ledger import DECIDED_TO_SEND, NOT_STORED, THROTTLED, Delivery, Ledger
from pipeline.planning import Plan
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
ALONE = (NOT_STORED, DECIDED_TO_SEND)
HARMLESS = frozenset({"description", "item"})
"""Differences that bill the right person and customer the right amount."""


def carry_out(plan: Plan, ledger: Ledger, quickbooks: QuickBooks, terms: Terms) -> None:
    """Record what is adopted or doubtful, and send the rest in batches.

    Raises:
        Stop: QuickBooks refuses everything, does not answer twice running, or stores otherwise
            than sent three times. What was sent until then is recorded.
    """
    ledger.record(plan.adopt)
    ledger.record(plan.doubt)
    differing = silent = 0
    done = 0
    for batch in _batches(plan.send, ledger):
        outcomes = _send(batch, ledger, quickbooks, terms)
        done += len(batch)
        terms.log(f"sent {done} of {len(plan.send)} time activities")
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


def _batches(intents: Sequence[Delivery], ledger: Ledger) -> Iterator[Sequence[Delivery]]:
    """By thirty; what was settled as not stored, or decided, alone: its fate is its own."""
    before = ledger.deliveries(intent.entry_id for intent in intents if intent.revision > 0)
    alone = {key for key, refused in before.items() if refused.error_code in ALONE}
    others = [intent for intent in intents if intent.entry_id not in alone]
    yield from (others[start : start + BATCH] for start in range(0, len(others), BATCH))
    yield from ([intent] for intent in intents if intent.entry_id in alone)


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
    said = "throttled again and again"
    ledger.record(
        [replace(row, state="refused", error_code=THROTTLED, error_message=said) for row in waiting]
    )
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
