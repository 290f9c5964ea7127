"""Settlement: reading, waiting and recording around `settling`, which is pure.

An intent is closed as not stored only after two complete reads of QuickBooks that have nothing
like it, the first at least `SETTLE_SECONDS` after its last attempt began, the second a fifth of
that later. Reads that fail leave everything as it is: only these entries wait.
"""

import time
from collections.abc import Sequence

from pipeline.delivery.classification import is_business_rule, is_named
from pipeline.delivery.desk import Desk
from pipeline.delivery.settling import Finding, creation_span, findings
from pipeline.ledger import NOT_STORED, Delivery
from pipeline.quickbooks.activities import differences, facts, identity
from pipeline.stops import Stop

RULED_OUT = 2
"""Times that a rule of QuickBooks' own keeps the same out, until it is taken for a refusal."""
FAULTED = 4
"""The same of any other fault that it names: on three mornings, so that no outage is meant."""
WORDS = frozenset({"description"})
"""In which QuickBooks itself may store otherwise: it keeps not every letter."""


def settle(desk: Desk) -> list[Delivery]:
    """Settle what earlier attempts left pending or unknown.

    Returns:
        The deliveries closed as not stored: their entries may be judged and sent anew.
    """
    waiting = desk.ledger.unsettled()
    if not waiting:
        return []
    desk.log(f"settling {len(waiting)} deliveries whose outcome nobody knows")
    try:
        waiting = _read(desk, waiting)
        _wait_for(desk, waiting)
        waiting = _read(desk, waiting)
        if waiting:
            time.sleep(desk.company.settings.settle_seconds / 5)
        waiting = _read(desk, waiting)
    except Stop as stop:
        desk.log(f"not settled: {stop}")
        return []
    closed = [_closed(intent, desk) for intent in waiting]
    desk.ledger.record(closed)
    return closed


def _read(desk: Desk, waiting: Sequence[Delivery]) -> list[Delivery]:
    """Record what one complete read settles; return what it does not have.

    Raises:
        Stop: QuickBooks cannot be read completely.
    """
    if not waiting:
        return []
    found = _findings(desk, waiting)
    left = [intent for intent in waiting if found[intent.entry_id].state == "not_stored"]
    told = [intent for intent in waiting if found[intent.entry_id].state != "not_stored"]
    desk.ledger.record([_settled(intent, found[intent.entry_id], desk) for intent in told])
    return left


def stored_after_all(desk: Desk, throttled: Sequence[Delivery]) -> list[Delivery]:
    """Record what one complete read has of what was throttled; return what it does not have.

    What is like it was somebody else's, made meanwhile, unless it differs in its words alone:
    nobody but QuickBooks changes those within seconds. That is left to `settle`.

    Raises:
        Stop: QuickBooks cannot be read completely.
    """
    found = _findings(desk, desk.ledger.unsettled())
    known = []
    for row in throttled:
        finding, sent = found[row.entry_id], row.facts
        if finding.state == "sent":
            known.append(_settled(row, finding, desk))
        elif any({*differences(sent, facts(body))} <= WORDS for body in finding.activities):
            said = "throttled, and may be stored in other words"
            known.append(desk.noted(row, state="unknown", error_message=said))
    desk.ledger.record(known)
    if known:
        desk.log(f"{len(known)} of the throttled are in QuickBooks all the same")
    ids = {row.entry_id for row in known}
    return [row for row in throttled if row.entry_id not in ids]


def _findings(desk: Desk, waiting: Sequence[Delivery]) -> dict[str, Finding]:
    """What one complete read says of intents, by entry id.

    It has the activities of their dates and of their times of creation; nobody may own them.
    """
    settle_seconds = desk.company.settings.settle_seconds
    days = [intent.work_date for intent in waiting]
    begun, ended = zip(*(creation_span(intent, settle_seconds) for intent in waiting), strict=True)
    bodies = desk.quickbooks.time_activities_created(min(begun), max(ended))
    bodies |= desk.quickbooks.time_activities(min(days), max(days))
    claimed = desk.ledger.claimed(bodies)
    unclaimed = {key: body for key, body in sorted(bodies.items()) if key not in claimed}
    return findings(waiting, unclaimed, settle_seconds)


def _wait_for(desk: Desk, waiting: Sequence[Delivery]) -> None:
    """Wait until the last attempt is old enough that its silence means something."""
    begun = max((intent.sent_at for intent in waiting if intent.sent_at), default=None)
    if begun is None:
        return
    longest = desk.company.settings.settle_seconds
    seconds = longest - (desk.company.now() - begun).total_seconds()
    if seconds > 0:
        desk.log(f"waiting {seconds:.0f} s before {len(waiting)} deliveries are settled")
        time.sleep(min(seconds, longest))


def _settled(intent: Delivery, finding: Finding, desk: Desk) -> Delivery:
    ids = ", ".join(str(body["Id"]) for body in finding.activities)
    return desk.noted(
        intent,
        state=finding.state,
        error_code=None if finding.state == "sent" else intent.error_code,
        error_message=None
        if finding.state == "sent"
        else f"may be QuickBooks' time activity {ids}, changed since: a person must decide",
        **identity(finding.activities[0]),
    )


def _closed(intent: Delivery, desk: Desk) -> Delivery:
    """Not stored, and sent anew; a fault that has kept it out too often is a refusal."""
    too_often = RULED_OUT if is_business_rule(intent.error_code) else FAULTED
    if is_named(intent.error_code) and desk.ledger.times_faulted(intent) >= too_often:
        return desk.noted(intent, state="refused")
    return desk.noted(
        intent,
        state="refused",
        error_code=NOT_STORED,
        error_message="two complete reads of QuickBooks have nothing like it: it was not stored",
    )
