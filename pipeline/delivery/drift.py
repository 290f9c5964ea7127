"""Drift: what of an entry, or of its time activity, is no longer what was sent. Pure.

Everything is compared as text, so that before and after can be shown as they were compared. Keeps
out reading, following (`following`) and storing (`books`).

What a bookkeeper is warned of: an entry that changed, and an activity that changed, moved, was
deleted, or stands twice. That an activity was billed is what should happen, and one that is not
ours may be anybody's honest work: both are facts, found in the table and warned of by nobody.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pipeline.delivery.look import NONE, look, without_price
from pipeline.quickbooks.activities import Facts, differences
from pipeline.review.lists import Names, Record

FACTS_ONLY = frozenset({"billed", "not_ours"})
"""Kinds that nobody needs to look at."""
Said = Mapping[str, str | None]
"""Fields as text; none where there is no value."""


class Change(NamedTuple):
    """One thing that is not as it was sent; `schemas.Drift` says what each field is."""

    side: Literal["clockify", "quickbooks"]
    kind: str
    field: str | None = None
    before: str | None = None
    after: str | None = None


UNAPPROVED = Change("clockify", "unapproved", "is_approved", "approved", "not approved")
"""Of an entry whose approval was withdrawn after it was sent."""


def spoken(found: Facts) -> dict[str, str | None]:
    """The compared fields of a time activity, as text."""
    return {
        **found._asdict(),
        "work_date": found.work_date.isoformat(),
        "minutes": str(found.minutes),
        "is_billable": _billing(is_billable=found.is_billable),
        "rate": f"{found.rate.normalize():f}",
    }


def spoken_entry(
    entry: Record, sent: Facts, names: Names, *, is_client_used: bool = True
) -> dict[str, str | None]:
    """The same of an entry as it stands today.

    Args:
        entry: a row of `verdicts.of_today`, judged as if it had not been sent.
        sent: what was sent of it.
        names: of those who are in QuickBooks now.
        is_client_used: whether a project is another's where its client is (`CUSTOMER_MATCHING`).
    """
    seconds, rate = entry["duration_seconds"], entry["sent_rate_minor"]
    return {
        "person": _still(
            entry["quickbooks_employee_id"], entry["user_name"], sent.person, names.people
        ),
        "customer": _still_customer(entry, sent.customer, names, is_client_used=is_client_used),
        "work_date": entry["work_date"].date().isoformat(),
        "minutes": None if seconds is None else str((seconds + 30) // 60),
        "is_billable": _billing(is_billable=entry["is_billable"]),
        "description": " ".join(entry["description"].split()),
        "rate": None if rate is None else f"{Decimal(rate).scaleb(-2).normalize():f}",
    }


def _still(found: str | None, name: str | None, sent: str, names: Mapping[str, str]) -> str:
    """The id that the entry's name leads to, or the name.

    A name that leads to nobody means the one who was sent if that one bears it: who was made
    inactive since, or got a namesake, has not changed.
    """
    return found or (sent if name == names.get(sent, "") else name or "")


def _still_customer(entry: Record, sent: str, names: Names, *, is_client_used: bool) -> str:
    """The same of the customer: of another client's project of that name it is another's time."""
    found, client, project = (
        entry[name] for name in ("quickbooks_customer_id", "client_name", "project_name")
    )
    above = names.parents.get(sent)
    if is_client_used and not found and client and above and client != above:
        return f"{client} / {project}"
    return _still(found, project, sent, names.customers)


def of_entry(sent: Facts, said: Said | None, *, is_priced_by_item: bool = False) -> list[Change]:
    """What has changed in Clockify since the entry was sent.

    Args:
        sent: what was sent.
        said: what the entry says today; none if it was deleted.
        is_priced_by_item: whether rates are the service item's (`RATE_SOURCE`): a new price is
            then no change of the entry.
    """
    if said is None:
        return [Change("clockify", "deleted")]
    before = spoken(sent)
    fields = ["person", "customer", "work_date", "minutes", "is_billable", "description"]
    is_priced = sent.is_billable and said["is_billable"] == before["is_billable"]
    if is_priced and not is_priced_by_item:
        fields.append("rate")
    differing = [name for name in fields if before[name] != said[name]]
    return [_changed("clockify", name, before, said) for name in differing]


def of_activity(sent: Facts, stored: Facts | None, *, is_billed: bool = False) -> list[Change]:
    """What has changed in QuickBooks since the activity was sent.

    Args:
        sent: what was sent.
        stored: what QuickBooks holds; none if it was deleted.
        is_billed: whether an invoice holds it.
    """
    if stored is None:
        return [Change("quickbooks", "deleted")]
    before, after = spoken(sent), spoken(stored)
    found = [_changed("quickbooks", name, before, after) for name in differences(sent, stored)]
    if is_billed:
        found.append(Change("quickbooks", "billed", "is_billed", "not billed", "billed"))
    return found


def strays(
    sent: Mapping[str, Facts],
    stored: Mapping[str, Facts],
    free: Mapping[str, Facts],
    rounding_minutes: int,
    *,
    apart: Mapping[str, Collection[str]] = NONE,
) -> dict[str, tuple[str, str | None]]:
    """The activities that no delivery owns: their kind, and the entry that they look like.

    Args:
        sent: what was sent and is still in QuickBooks, by entry id.
        stored: what QuickBooks holds of it, by entry id.
        free: the activities that nobody owns, by QuickBooks' id.
        rounding_minutes: the step within which minutes resemble each other.
        apart: as for `look`.
    """
    ours = {
        without_price(each): entry_id
        for known in (sent, stored)
        for entry_id, each in known.items()
    }
    twice = {key: ours[like] for key in free if (like := without_price(free[key])) in ours}
    others = {key: each for key, each in free.items() if key not in twice}
    found = look(sent, others, rounding_minutes, apart=apart)
    alike = {key: entry_id for entry_id, keys in found.resembling.items() for key in keys}
    return {
        key: ("duplicated", twice[key])
        if key in twice
        else ("resembling", alike[key])
        if key in alike
        else ("not_ours", None)
        for key in free
    }


def of_another_person(sent: Mapping[str, Facts], free: Mapping[str, Facts]) -> dict[str, list[str]]:
    """The activities that nobody owns and that equal what was sent but for person and price.

    Args:
        sent: what was sent, by entry id.
        free: the activities, by QuickBooks' id.

    Returns:
        For each such activity, all the entries that it is like: those of one meeting, say.
    """
    ours: dict[Facts, list[str]] = defaultdict(list)
    for entry_id in sorted(sent):
        ours[_without_person(sent[entry_id])].append(entry_id)
    like = {
        key: [id_ for id_ in ours.get(_without_person(each), ()) if sent[id_].person != each.person]
        for key, each in free.items()
    }
    return {key: entries for key, entries in like.items() if entries}


def _without_person(each: Facts) -> Facts:
    return without_price(each)._replace(person="")


def named(change: Change, names: Names) -> Change:
    """The change with names in the place of people's and customers' ids."""
    known = {"person": names.people, "customer": names.paths}.get(change.field or "", {})
    return change._replace(
        before=known.get(change.before or "", change.before),
        after=known.get(change.after or "", change.after),
    )


def row(change: Change, found: Facts, names: Names, now: datetime) -> dict[str, Any]:
    """What the table `drift` has of a change, without whose it is.

    Args:
        change: what has changed.
        found: who and what it is about.
        names: of their ids.
        now: when it was found.
    """
    return {
        **named(change, names)._asdict(),
        "person_id": found.person,
        "person": names.people.get(found.person),
        "customer_id": found.customer,
        "customer": names.paths.get(found.customer),
        "minutes": found.minutes,
        "is_warning": change.kind not in FACTS_ONLY,
        "found_at": now,
    }


def _changed(
    side: Literal["clockify", "quickbooks"], name: str, before: Said, after: Said
) -> Change:
    kind = "moved" if name == "work_date" else "edited"
    return Change(side, kind, name, before[name], after[name])


def _billing(*, is_billable: bool) -> str:
    return "billable" if is_billable else "not billable"
