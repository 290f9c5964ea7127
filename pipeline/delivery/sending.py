"""Delivery: how a planned entry becomes exactly one time activity (`delivery.md` is the promise).

Order is everything here: the intent is written before the request, the outcome before the next
request. Any other order loses rows or sends them twice. Keeps out what is to be sent (`planning`),
what an answer proves (`classification`, `replays`), when to stop (`breaker`), and what became of a
request whose outcome is unknown (`settlement`).
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NoReturn
from uuid import NAMESPACE_URL, uuid5

from pipeline.delivery import settlement
from pipeline.delivery.breaker import Tally
from pipeline.delivery.classification import Outcome, classify
from pipeline.delivery.desk import Desk
from pipeline.delivery.planning import Plan
from pipeline.delivery.replays import Told, each_its_own, read_anew
from pipeline.ledger import DECIDED_TO_SEND, NOT_STORED, Delivery, Ledger
from pipeline.quickbooks.answers import Answer
from pipeline.quickbooks.client import BATCH
from pipeline.quickbooks.faults import THROTTLED, stop_of
from pipeline.stops import Stop

ALONE = (NOT_STORED, DECIDED_TO_SEND)


def carry_out(desk: Desk, plan: Plan, tally: Tally, *, is_alone: bool = False) -> set[date]:
    """Record what is adopted or doubtful, and send the rest, or only what is to be sent alone.

    What was settled as not stored, or decided by a person, is sent alone: its outcome then touches
    nothing else.

    Args:
        desk: what the load works with.
        plan: what to do.
        tally: what the run has met so far; this adds to it.
        is_alone: send only what is to be sent alone; otherwise everything but that.

    Returns:
        The work dates of what is still to be sent alone.

    Raises:
        Stop: QuickBooks refuses everything, or the tally says so. What was sent until then is
            recorded.
    """
    desk.ledger.record(plan.adopt)
    desk.ledger.record(plan.doubt)
    alone = _alone(plan.send, desk.ledger)
    intents = [intent for intent in plan.send if (intent.entry_id in alone) == is_alone]
    if is_alone:  # what was tried most often goes last, since it may stop the run
        intents.sort(key=lambda intent: intent.revision)
    size = 1 if is_alone else BATCH
    for done in range(0, len(intents), size):
        batch = intents[done : done + size]
        tally.add(_send(desk, batch, tally))
        desk.log(f"sent {done + len(batch)} of {len(intents)} time activities")
        if stop := tally.stop():
            raise stop
    return {row.work_date for row in plan.send if row.entry_id in alone and not is_alone}


def _alone(intents: Sequence[Delivery], ledger: Ledger) -> set[str]:
    before = ledger.deliveries(intent.entry_id for intent in intents)
    return {key for key, refused in before.items() if refused.error_code in ALONE}


def _send(desk: Desk, batch: Sequence[Delivery], tally: Tally) -> list[Told]:
    """Send a batch until none of its items is throttled; returns the outcomes.

    A throttled item may have been stored all the same: before it is sent again, or given up,
    QuickBooks is read.

    Raises:
        Stop: throttled too long. That refuses it only for the moment: the next run tries again.
    """
    known: list[Told] = []
    waiting = batch
    while waiting:
        answer, told = _attempt(desk, waiting)
        known += [each for each in told if each[1].state != "throttled"]
        waiting = [row for row, outcome in told if outcome.state == "throttled"]
        if not waiting:
            break
        seconds = tally.pause(answer.retry_after, desk.company.settings.http_patience_seconds)
        if seconds is not None:
            desk.log(f"QuickBooks throttles: {len(waiting)} wait {seconds:.0f} s")
            time.sleep(seconds)
        waiting = settlement.stored_after_all(desk, waiting)
        if waiting and seconds is None:
            _give_up(waiting, desk.ledger)
    return known


def _give_up(waiting: Sequence[Delivery], ledger: Ledger) -> NoReturn:
    said = "throttled again and again"
    ledger.record(
        [replace(row, state="refused", error_code=THROTTLED, error_message=said) for row in waiting]
    )
    raise Stop(
        "QuickBooks throttled the same time activities again and again",
        "run again later; what was not sent is tried then",
        is_transient=True,
    )


def _attempt(desk: Desk, batch: Sequence[Delivery]) -> tuple[Answer, list[Told]]:
    """One request: the intents committed before it, the outcomes after it.

    The same rows in the same order make the same request, id and bytes: a batch that was throttled
    whole is replayed, not sent anew. Once one of its items is known, the others make another batch.
    """
    ledger, quickbooks = desk.ledger, desk.quickbooks
    request_id = str(uuid5(NAMESPACE_URL, "|".join(row.request_id for row in batch)))
    # Before the time from which an unanswered request is waited for.
    turn = quickbooks.await_turn()
    if quickbooks.last_time is None:
        raise Stop(
            "None of QuickBooks' answers says when it was given (its `time`). Without that, nobody "
            "could tell what became of an unanswered request, so nothing was sent",
            "report it to the maintainers",
        )
    begun = {"state": "pending", "sent_at": desk.company.now(), "intuit_time": quickbooks.last_time}
    started = [desk.noted(row, attempts=row.attempts + 1, **begun) for row in batch]
    ledger.record(started, request_id)
    answer = quickbooks.create_batch(turn, request_id, [row.payload for row in started])
    told = [(row, _outcome(answer, place, row)) for place, row in enumerate(started)]
    ids = [outcome.quickbooks_id for _, outcome in told if outcome.quickbooks_id]
    told = list(each_its_own(told, ledger.claimed(ids)))
    ledger.record(
        [_concluded(*each, answer, desk) for each in told if each[1].state != "throttled"],
        request_id,
    )
    replayed = read_anew(told, quickbooks)
    ledger.record([_concluded(*each, answer, desk) for each in replayed.values()])
    told = [replayed.get(each[0].entry_id, each) for each in told]
    _stop_if_told(told, answer, desk)
    return answer, told


def _stop_if_told(told: Sequence[Told], answer: Answer, desk: Desk) -> None:
    """Log what an answer came to, and stop if its fault concerns more than one record."""
    counts = Counter(outcome.state for _, outcome in told)
    if set(counts) - {"sent"}:
        told_of = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        desk.log(f"{told_of}: no answer came ({answer.error})" if answer.error else told_of)
    for place, (_, outcome) in enumerate(told):
        fault = answer.fault_of(place)
        if outcome.state != "throttled" and (stop := stop_of(answer.status, fault, answer.tid)):
            raise stop


def _outcome(answer: Answer, place: int, row: Delivery) -> Outcome:
    return classify(
        answer.status, answer.items.get(place), answer.fault_of(place), sent=row.payload
    )


def _concluded(row: Delivery, outcome: Outcome, answer: Answer, desk: Desk) -> Delivery:
    return desk.noted(
        row,
        state=outcome.state,
        quickbooks_id=outcome.quickbooks_id,
        sync_token=outcome.sync_token,
        error_code=outcome.error_code,
        error_message=outcome.error_message,
        intuit_tid=answer.tid,
    )
