"""Settling: what became of an intent whose outcome nobody knows. Pure.

Not finding an equal activity does not prove that nothing was stored: a bookkeeper may have fixed a
typo, the charset may have changed a letter, a customer may have been merged. People edit everything
but the creation time, so an activity created about when the intent was sent may stop a re-send;
it never allows one. Keeps out reading, waiting and writing (`settlement`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import Body, Facts, differences, facts, stamp

CLOCK_SLACK = timedelta(minutes=5)
"""On both sides of the creation time: Intuit's machines need not agree to the second."""
LONGEST_REQUEST = timedelta(minutes=3)
"""Intuit ends a request after 120 s (QuickBooks' reference, 7.1); one in flight may outlive us."""
SHARED_FIELDS = 2
"""Compared fields that an activity created in time must share to be taken for the intent's."""


@dataclass(frozen=True)
class Finding:
    """What the reads say of one intent."""

    state: Literal["sent", "doubtful", "not_stored"]
    activities: tuple[Body, ...] = ()
    """The activity that it became, or those that it may have become."""


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
    intents: Sequence[Delivery], unclaimed: Mapping[str, Body], settle_seconds: int
) -> dict[str, Finding]:
    """What the reads say of each intent, by entry id.

    Multisets, never sets: one activity settles one intent. `not_stored` says only what these reads
    found; it takes two of them to close an intent.

    Args:
        intents: deliveries `pending` or `unknown`.
        unclaimed: every activity that no delivery owns, by id, of the intents' work dates and of
            the times at which they can have been created.
        settle_seconds: `SETTLE_SECONDS`.
    """
    spans = {intent.entry_id: creation_span(intent, settle_seconds) for intent in intents}
    sent = {intent.entry_id: intent.facts for intent in intents}
    free = {key: (stamp(body, "CreateTime"), facts(body)) for key, body in unclaimed.items()}
    found: dict[str, Finding] = {}
    for entry_id, wanted in sent.items():
        begun, ended = spans[entry_id]
        for key, (created_at, stored) in free.items():
            if begun <= created_at <= ended and not differences(wanted, stored):
                found[entry_id] = Finding("sent", (unclaimed[key],))
                del free[key]
                break
    for entry_id, wanted in sent.items():
        if entry_id not in found:
            begun, ended = spans[entry_id]
            like = [
                unclaimed[key]
                for key, (created_at, stored) in free.items()
                if _may_be(wanted, stored, is_in_time=begun <= created_at <= ended)
            ]
            found[entry_id] = Finding("doubtful" if like else "not_stored", tuple(like))
    return found


def _may_be(wanted: Facts, stored: Facts, *, is_in_time: bool) -> bool:
    """Whether it was created in time and is alike in two respects, or is equal in all."""
    if not is_in_time:
        return not differences(wanted, stored)
    names = ("person", "customer", "work_date", "minutes", "description")
    same = [name for name in names if getattr(wanted, name) == getattr(stored, name)]
    return len(same) >= SHARED_FIELDS
