"""Strays: the time activities beside ours that no delivery owns, and which may be one too many.

Asks the ledger what is ours and what a person has said of the rest. Keeps out what is like what
(`drift`, `look`), and what was sent and changed since (`reconciliation`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from pipeline.delivery import drift
from pipeline.delivery.desk import Desk
from pipeline.delivery.drift import Change
from pipeline.delivery.following import BILLED
from pipeline.delivery.look import NEAR_DAYS, told_apart, without
from pipeline.delivery.pairing import Pair
from pipeline.delivery.settling import creation_span
from pipeline.ledger import DELIVERED, Delivery
from pipeline.quickbooks.activities import Body, Facts, facts, stamp


def about(desk: Desk, first: date, last: date, likened: Sequence[str]) -> Iterator[Delivery]:
    """What an activity of these days may be the like of, whatever days are looked at.

    What was sent of a day about them, and what was found to be its like before (`likened`, by entry
    id): else a warning, and a month's block, would come and go with the window.
    """
    yield from desk.ledger.between(first - NEAR_DAYS, last + NEAR_DAYS)
    yield from desk.ledger.deliveries(likened).values()


def rows(
    desk: Desk, sent: Sequence[Delivery], pairs: Sequence[Pair], activities: Mapping[str, Body]
) -> Iterator[dict[str, Any]]:
    """The rows of `drift` about activities that no delivery owns and no person must decide on.

    Args:
        desk: asked whose each activity is, and who that is.
        sent: what they may be the like of (`about`).
        pairs: what was sent with what QuickBooks holds of it.
        activities: all of the days compared, by id.
    """
    owned = desk.ledger.claimed(activities)
    owned |= {each.quickbooks_id or "" for each in desk.ledger.holding(activities, ["doubtful"])}
    unowned = {key: facts(body) for key, body in activities.items() if key not in owned}
    unsettled = [delivery.facts for delivery in desk.ledger.unsettled()]
    free = without(unowned, unsettled)
    ours = {row.entry_id: row.facts for row in sent if row.state in DELIVERED}
    ours |= {pair.delivery.entry_id: pair.delivery.facts for pair in pairs if pair.activity}
    apart = told_apart(desk.ledger.decided_at(ours), activities, desk.quickbooks.http.ahead)
    kinds = drift.strays(
        ours,
        ours | {pair.delivery.entry_id: facts(pair.activity) for pair in pairs if pair.activity},
        free,
        desk.rounding_minutes,
        apart=apart,
    )
    for key, entry_ids in _misdirected(desk, sent, free, activities):
        asked = [entry_id for entry_id in entry_ids if key not in apart.get(entry_id, ())]
        if asked and kinds[key][0] == "not_ours":
            kinds[key] = ("resembling", asked[0])
    for key, (kind, entry_id) in kinds.items():
        change = Change("quickbooks", kind)
        yield drift.row(change, free[key], desk.lists.names, desk.company.now()) | {
            "work_date": free[key].work_date,
            "entry_id": entry_id,
            "quickbooks_id": key,
            "is_billed": activities[key].get("BillableStatus") == BILLED,
            "not_followed": None,
        }


def _misdirected(
    desk: Desk, sent: Sequence[Delivery], free: Mapping[str, Facts], activities: Mapping[str, Body]
) -> Iterator[tuple[str, list[str]]]:
    """What was made while entries were sent, and is like them but for the person; with those.

    QuickBooks may store what it is sent for somebody else (its reference, 1.5). Where its answer
    was never heard, and an equal activity was found in the place of ours, nothing else tells of it.
    """
    tried = {row.entry_id: row for row in sent if row.state in DELIVERED and row.intuit_time}
    facts_of = {entry_id: row.facts for entry_id, row in tried.items()}
    for key, entry_ids in drift.of_another_person(facts_of, free).items():
        made = stamp(activities[key], "CreateTime")
        yield (
            key,
            [entry_id for entry_id in entry_ids if _was_in_flight(desk, tried[entry_id], made)],
        )


def _was_in_flight(desk: Desk, row: Delivery, made: datetime) -> bool:
    at_once = replace(row, updated_at=row.sent_at or row.updated_at)
    begun, ended = creation_span(at_once, desk.company.settings.settle_seconds)
    return begun <= made <= ended
