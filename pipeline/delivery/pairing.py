"""Pairing: each delivery with its entry and its time activity as they are now.

Holds the reading that this takes, from the warehouse, and by id from Clockify and QuickBooks for
what a complete read did not have. Keeps out what has changed (`drift`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from pipeline.delivery import drift
from pipeline.delivery.candidates import candidates
from pipeline.delivery.desk import Desk
from pipeline.delivery.drift import Said
from pipeline.ledger import DELIVERED, Delivery
from pipeline.quickbooks.activities import Body
from pipeline.review.lists import by_id

COMPARED = (*DELIVERED, "gone")
"""States of deliveries that QuickBooks holds, or held."""


@dataclass(frozen=True)
class Pair:
    """A delivery and its two sides."""

    delivery: Delivery
    activity: Body | None
    """None: deleted."""
    said: Said | None
    """What the entry says; none if it was deleted."""
    entry: Mapping[str, Any] | None = None
    """Its row of `verdicts.of_today`; none if it is not stored."""
    today: Delivery | None = None
    """The intent that the entry would be sent by now; none if it would not be accepted."""
    not_followed: str | None = None


def deliveries(
    desk: Desk, first: date, last: date, activities: Mapping[str, Body]
) -> list[Delivery]:
    """The deliveries of some days, and those whose activity was moved there."""
    found = (*desk.ledger.between(first, last), *desk.ledger.holding(activities))
    return list({each.entry_id: each for each in found if each.state in COMPARED}.values())


def elsewhere(
    desk: Desk, known: Sequence[Delivery], activities: Mapping[str, Body]
) -> dict[str, Body]:
    """The activities that a complete read of their days does not have and that still exist."""
    found: dict[str, Body] = {}
    for delivery in known:
        key = delivery.quickbooks_id
        if key and key not in activities and delivery.state in DELIVERED:
            body = desk.quickbooks.time_activity(key)
            found |= {key: body} if body else {}
    return found


def pairs(desk: Desk, known: Sequence[Delivery], activities: Mapping[str, Body]) -> list[Pair]:
    """Each delivery with its two sides.

    Raises:
        Stop: Clockify cannot be asked about an entry that is not stored.
    """
    frame = desk.of_today(each.entry_id for each in known)
    values = frame.astype(object).where(frame.notna(), None)
    entries = by_id(values, "entry_id")
    intents = intents_of(desk, frame)
    missing = _missing(desk, [each for each in known if each.entry_id not in entries])
    is_client_used = desk.rules.settings.customer_matching != "project"
    return [
        Pair(
            delivery,
            activities.get(delivery.quickbooks_id or ""),
            drift.spoken_entry(
                entry,
                delivery.facts,
                desk.lists.names,
                is_client_used=is_client_used and not _is_its_project(delivery, entry),
            )
            if (entry := entries.get(delivery.entry_id))
            else missing[delivery.entry_id],
            entry,
            intents.get(delivery.entry_id),
        )
        for delivery in known
    ]


def intents_of(desk: Desk, today: pd.DataFrame) -> dict[str, Delivery]:
    """What each entry would be sent by now, by its id; of those that would be accepted.

    Args:
        desk: what all deliveries share.
        today: rows of `verdicts.of_today`.
    """
    accepted = today[today["verdict"] == "accepted"].assign(is_sendable=True)
    found = candidates(accepted, desk, (date.min, date.max))
    return {each.entry_id: each.intent for each in found if each.intent}


def _is_its_project(delivery: Delivery, entry: Mapping[str, Any]) -> bool:
    """Whether the entry is of the project that it was sent for, whatever that is called now."""
    project_id: str | None = entry["project_id"]
    return (delivery.sent_for or "").partition("/")[2] == project_id


def _missing(desk: Desk, known: Sequence[Delivery]) -> dict[str, Said | None]:
    """What is known of entries that the reads of their days do not have: Clockify is asked.

    None is known to be deleted before Clockify says so. Another is running again, or on a day
    that was not read since.
    """
    found: dict[str, Said | None] = {}
    with desk.company.clockify(desk.log) as clockify:
        for delivery in known:
            now = clockify.whereabouts(delivery.entry_id)
            found[delivery.entry_id] = None
            if now is not None:
                said = drift.spoken(delivery.facts)
                day = now.start.astimezone(desk.company.settings.zone).date()
                said |= {"minutes": None} if now.is_running else {}
                found[delivery.entry_id] = said | {"work_date": day.isoformat()}
    return found
