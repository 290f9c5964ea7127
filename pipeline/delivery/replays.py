"""Replays: answers that QuickBooks gave before, to a ledger that was lost or to a second one.

A request id is made of the entries' own, so such a ledger asks what was asked before; what was
stored then may be another entry's by now, or edited, or deleted. Keeps out what an answer proves
(`classification`) and recording (`sending`).
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from pipeline.delivery.classification import Outcome, is_replay, of_replay
from pipeline.ledger import Delivery
from pipeline.quickbooks.client import QuickBooks

Told = tuple[Delivery, Outcome]


def each_its_own(told: Sequence[Told], claimed: AbstractSet[str]) -> Iterator[Told]:
    """The outcomes; an activity that another delivery has says nothing of this one.

    An equal entry may have adopted by now what an old answer tells of.

    Args:
        told: what an answer says of each delivery.
        claimed: ids of the time activities that are some delivery's own.
    """
    owned = set(claimed)
    for row, outcome in told:
        if outcome.quickbooks_id in owned:
            said = f"QuickBooks named {outcome.quickbooks_id}, which is another entry's"
            yield row, Outcome("unknown", error_message=said)
        else:
            owned |= {outcome.quickbooks_id} if outcome.quickbooks_id else set()
            yield row, outcome


def read_anew(told: Sequence[Told], quickbooks: QuickBooks) -> dict[str, Told]:
    """What became, by entry id, of those deliveries that an answer is too old for.

    Raises:
        Stop: QuickBooks cannot be read.
    """
    return {
        row.entry_id: (
            row,
            of_replay(outcome, quickbooks.time_activity(str(outcome.quickbooks_id)), row.payload),
        )
        for row, outcome in told
        if is_replay(outcome, row.intuit_time)
    }
