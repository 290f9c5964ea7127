"""Settlement: reading, waiting and recording around `settling`, which is pure.

An intent is closed as not stored only after two complete reads of QuickBooks that have nothing
like it, the first at least `SETTLE_SECONDS` after its last attempt began, the second a fifth of
that later. Reads that fail leave everything as it is: only these entries wait.
"""

import time
from collections.abc import Sequence

from pipeline.candidates import Terms
from pipeline.ledger import NOT_STORED, Delivery, Ledger
from pipeline.quickbooks import QuickBooks
from pipeline.settling import Finding, Stored, creation_span, findings, stored
from pipeline.stops import Stop


def settle(ledger: Ledger, quickbooks: QuickBooks, terms: Terms) -> list[Delivery]:
    """Settle what earlier attempts left pending or unknown.

    Returns:
        The deliveries closed as not stored: their entries may be judged and sent anew.
    """
    waiting = ledger.unsettled()
    if not waiting:
        return []
    terms.log(f"settling {len(waiting)} deliveries whose outcome nobody knows")
    try:
        waiting = _read(waiting, ledger, quickbooks, terms)
        _wait_for(waiting, terms)
        waiting = _read(waiting, ledger, quickbooks, terms)
        if waiting:
            time.sleep(terms.settle_seconds / 5)
        waiting = _read(waiting, ledger, quickbooks, terms)
    except Stop as stop:
        terms.log(f"not settled: {stop}")
        return []
    closed = [_closed(intent, terms) for intent in waiting]
    ledger.record(closed)
    return closed


def _read(
    waiting: Sequence[Delivery], ledger: Ledger, quickbooks: QuickBooks, terms: Terms
) -> list[Delivery]:
    """Record what one complete read settles; return what it does not have."""
    if not waiting:
        return []
    unclaimed = _unclaimed(waiting, ledger, quickbooks, terms.settle_seconds)
    found = findings(waiting, unclaimed, terms.settle_seconds)
    settled = [
        _settled(intent, found[intent.entry_id], terms)
        for intent in waiting
        if found[intent.entry_id].state != "not_stored"
    ]
    ledger.record(settled)
    return [intent for intent in waiting if found[intent.entry_id].state == "not_stored"]


def _unclaimed(
    waiting: Sequence[Delivery], ledger: Ledger, quickbooks: QuickBooks, settle_seconds: int
) -> list[Stored]:
    """Activities of the intents' dates and of their times of creation that nobody owns."""
    days = [intent.work_date for intent in waiting]
    spans = [creation_span(intent, settle_seconds) for intent in waiting]
    bodies = quickbooks.time_activities_created(
        min(span[0] for span in spans), max(span[1] for span in spans)
    )
    bodies |= quickbooks.time_activities(min(days), max(days))
    claimed = ledger.claimed(bodies)
    return [stored(body) for key, body in sorted(bodies.items()) if key not in claimed]


def _wait_for(waiting: Sequence[Delivery], terms: Terms) -> None:
    """Wait until the last attempt is old enough that its silence means something."""
    begun = max((intent.sent_at for intent in waiting if intent.sent_at), default=None)
    if begun is None:
        return
    seconds = terms.settle_seconds - (terms.now() - begun).total_seconds()
    if seconds > 0:
        terms.log(f"waiting {seconds:.0f} s before {len(waiting)} deliveries are settled")
        time.sleep(min(seconds, terms.settle_seconds))


def _settled(intent: Delivery, finding: Finding, terms: Terms) -> Delivery:
    first = finding.activities[0]
    ids = ", ".join(activity.quickbooks_id for activity in finding.activities)
    return terms.noted(
        intent,
        state=finding.state,
        quickbooks_id=first.quickbooks_id,
        sync_token=first.sync_token,
        error_code=None if finding.state == "sent" else intent.error_code,
        error_message=None
        if finding.state == "sent"
        else f"may be QuickBooks' time activity {ids}, changed since: a person must decide",
    )


def _closed(intent: Delivery, terms: Terms) -> Delivery:
    return terms.noted(
        intent,
        state="refused",
        error_code=NOT_STORED,
        error_message="two complete reads of QuickBooks have nothing like it: it was not stored",
    )
