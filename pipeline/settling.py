"""Settling: what became of an intent whose outcome nobody knows. Pure.

Not finding an equal activity does not prove that nothing was stored: a bookkeeper may have fixed a
typo, the charset may have changed a letter, a customer may have been merged. People edit everything
but the creation time, so an activity created about when the intent was sent may stop a re-send;
it never allows one. Keeps out reading, waiting and writing (`delivery`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pipeline.activities import Facts, differences, facts, parse, stamp
from pipeline.ledger import Delivery

CLOCK_SLACK = timedelta(minutes=5)
"""About the creation time: Intuit's machines need not agree to the second."""
LONGEST_REQUEST = timedelta(minutes=3)
"""Intuit ends a request after 120 s (QuickBooks' reference, 7.1); one in flight may outlive us."""
SHARED_FIELDS = 2
"""Compared fields that an activity of the right time must share to be taken for the intent's."""


@dataclass(frozen=True)
class Stored:
    """An unclaimed activity in QuickBooks."""

    quickbooks_id: str
    sync_token: str
    created_at: datetime
    facts: Facts


@dataclass(frozen=True)
class Finding:
    """What the reads say of one intent."""

    state: Literal["sent", "doubtful", "not_stored"]
    activities: tuple[Stored, ...] = ()
    """The one that it became, or those that it may have become."""


def stored(body: Mapping[str, Any]) -> Stored:
    """An activity as QuickBooks gives it."""
    return Stored(
        quickbooks_id=str(body["Id"]),
        sync_token=str(body.get("SyncToken", "0")),
        created_at=stamp(body, "CreateTime"),
        facts=facts(body),
    )


def creation_span(intent: Delivery, settle_seconds: int) -> tuple[datetime, datetime]:
    """When, by Intuit's clock, the intent's activity can have been created.

    Our clock only measures how long the attempt took; it is never compared with Intuit's.
    """
    assert intent.intuit_time is not None
    assert intent.sent_at is not None
    took = max(intent.updated_at - intent.sent_at, LONGEST_REQUEST)
    ended = intent.intuit_time + took + timedelta(seconds=settle_seconds)
    return intent.intuit_time - CLOCK_SLACK, ended + CLOCK_SLACK


def findings(
    intents: Sequence[Delivery], unclaimed: Sequence[Stored], settle_seconds: int
) -> dict[str, Finding]:
    """What the reads say of each intent, by entry id.

    Multisets, never sets: an activity settles one intent. An intent is `not_stored` only as far as
    these reads go; it takes two of them to close it.

    Args:
        intents: deliveries `pending` or `unknown`.
        unclaimed: every activity that no delivery owns, of the intents' work dates and of the
            times at which they can have been created.
        settle_seconds: `SETTLE_SECONDS`.
    """
    spans = {intent.entry_id: creation_span(intent, settle_seconds) for intent in intents}
    sent = {intent.entry_id: facts(parse(intent.payload)) for intent in intents}
    free = {activity.quickbooks_id: activity for activity in unclaimed}
    found: dict[str, Finding] = {}
    for entry_id, wanted in sent.items():
        begun, ended = spans[entry_id]
        for key, activity in free.items():
            if begun <= activity.created_at <= ended and not differences(wanted, activity.facts):
                found[entry_id] = Finding("sent", (free.pop(key),))
                break
    for entry_id, wanted in sent.items():
        if entry_id not in found:
            like = [each for each in free.values() if _may_be(wanted, each, spans[entry_id])]
            found[entry_id] = Finding("doubtful" if like else "not_stored", tuple(like))
    return found


def _may_be(wanted: Facts, activity: Stored, span: tuple[datetime, datetime]) -> bool:
    """Created in time and alike in two respects, or equal and created at another time."""
    if not span[0] <= activity.created_at <= span[1]:
        return not differences(wanted, activity.facts)
    names = ("person", "customer", "work_date", "minutes", "description")
    same = [name for name in names if getattr(wanted, name) == getattr(activity.facts, name)]
    return len(same) >= SHARED_FIELDS
