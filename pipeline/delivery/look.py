"""Look before sending: which entries QuickBooks already holds, and which it seems to hold.

Pure. Compares what is about to be sent with the time activities that the ledger does not claim:
equal ones are adopted, resembling ones left for a person, the rest sent. This one comparison
covers the cut-over from the vendor's button, the button pressed again by habit, a ledger restored
from an old copy, and a second warehouse on the same company.

The other finished entries take part, whatever their verdict, so that an activity of theirs is not
taken for one that resembles somebody else's entry. Of equal entries, an accepted one is paired
first: each is as good an owner as the other, and this way the fewest are sent. If the activity was
the other entry's, that one has none once it is accepted, and is sent then: never twice, never lost.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pipeline.quickbooks.activities import Body, Facts, differences, stamp

NEAR_DAYS = timedelta(days=1)
STEPS = (1, 6, 12, 15, 30)
"""Minutes to which Clockify can round, by its own texts (clockify-api.md, 10)."""
TO_THE_SECOND = timedelta(seconds=2)
"""Intuit's stamps are in whole seconds, and so is what we know of how far its clock is ahead."""
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Look:
    """What the comparison found; entries by their id, activities by QuickBooks'."""

    equal: dict[str, str]
    """For each such entry, the activity that it equals."""
    resembling: dict[str, list[str]]
    """For each such entry, the activities that it resembles."""


def look(
    entries: Mapping[str, Facts],
    stored: Mapping[str, Facts],
    rounding_minutes: int,
    *,
    others: Mapping[str, Facts] = NONE,
    roundings: Mapping[str, Collection[int]] = NONE,
    apart: Mapping[str, Collection[str]] = NONE,
) -> Look:
    """Compare entries about to be sent with unclaimed activities.

    Multisets, never sets: two honest equal entries are two, so n equal entries and m equal
    activities make min(n, m) pairs.

    Args:
        entries: the entries, by id.
        stored: the unclaimed activities, by QuickBooks' id.
        rounding_minutes: the step within which minutes resemble each other.
        others: entries that are not to be sent; one that equals an activity keeps it.
        roundings: each entry's minutes under other roundings.
        apart: for entries whose look-alikes a person has called other work, the activities meant.
    """
    equal = _pairs([*_in_order(entries), *_in_order(others)], stored)
    taken = set(equal.values())
    left = {key: facts for key, facts in entries.items() if key not in equal}
    free = {key: facts for key, facts in stored.items() if key not in taken}
    resembling = _resembling(left, free, rounding_minutes, roundings, apart)
    return Look(equal=equal, resembling=resembling)


def told_apart(
    decided_at: Mapping[str, datetime], bodies: Mapping[str, Body], ahead: timedelta | None
) -> dict[str, set[str]]:
    """For each decided entry, the activities that were in QuickBooks when a person decided.

    Nobody has seen what was made since, such as by somebody pressing the button once more.

    Args:
        decided_at: when each entry was decided, by our clock.
        bodies: the activities, by QuickBooks' id.
        ahead: by how much Intuit's clock is ahead of ours.
    """
    if not decided_at:
        return {}
    made = {key: stamp(body, "CreateTime") for key, body in bodies.items()}
    reach = (ahead or timedelta()) + TO_THE_SECOND
    return {
        entry_id: {key for key, created in made.items() if created <= at + reach}
        for entry_id, at in decided_at.items()
    }


def without(stored: Mapping[str, Facts], unsettled: Iterable[Facts]) -> dict[str, Facts]:
    """The activities, less one for each unsettled intent whose outcome it may be."""
    intents = [(str(number), facts) for number, facts in enumerate(unsettled)]
    taken = set(_pairs(intents, stored).values())
    return {key: facts for key, facts in stored.items() if key not in taken}


def other_roundings(seconds: int) -> frozenset[int]:
    """The whole minutes that Clockify may make of a duration, rounding up, down or to nearest."""
    spans = [60 * step for step in STEPS]
    return frozenset(
        minutes
        for step, span in zip(STEPS, spans, strict=True)
        for minutes in (seconds // span * step, -(-seconds // span) * step)
    )


def _pairs(entries: Sequence[tuple[str, Facts]], stored: Mapping[str, Facts]) -> dict[str, str]:
    """Each entry with an equal activity, one to one; those with the same rate and item first.

    Rate and item may differ: the bookkeeper sets prices. Activities are taken in the order of their
    ids, so that which of several equals are paired does not depend on how they were read.
    """
    free: dict[object, list[str]] = defaultdict(list)
    for key, facts in _in_order(stored):
        free[without_price(facts)].append(key)
    pairs: dict[str, str] = {}
    for priced_alike in (True, False):
        for entry, facts in entries:
            candidates = free[without_price(facts)] if entry not in pairs else []
            for key in candidates:
                if not priced_alike or not differences(facts, stored[key]):
                    pairs[entry] = key
                    candidates.remove(key)
                    break
    return pairs


def _in_order(facts: Mapping[str, Facts]) -> list[tuple[str, Facts]]:
    """By id; QuickBooks' are numbers spelled as text."""
    return sorted(facts.items(), key=lambda item: (len(item[0]), item[0]))


def without_price(facts: Facts) -> Facts:
    """The facts without rate and item, which the bookkeeper may change: they say whose it is."""
    return facts._replace(rate=facts.rate * 0, item="")


def _alike(
    facts: Facts, stored: Facts, rounding_minutes: int, roundings: Collection[int]
) -> tuple[bool, ...]:
    """Whether an entry and an activity of the same person share day, minutes, words, customer."""
    is_near = abs(facts.minutes - stored.minutes) <= rounding_minutes
    return (
        abs(facts.work_date - stored.work_date) <= NEAR_DAYS,
        is_near or stored.minutes in roundings,
        facts.description == stored.description,
        facts.customer == stored.customer,
    )


def _resembling(
    entries: Mapping[str, Facts],
    stored: Mapping[str, Facts],
    rounding_minutes: int,
    roundings: Mapping[str, Collection[int]],
    apart: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """For each entry, the same person's activities that are like it in all but one respect.

    An activity on a distant date counts only if just one entry and one activity are alike: people
    do the same thing for the same customer on many days.
    """
    by_person: dict[str, list[str]] = defaultdict(list)
    for key, facts in stored.items():
        by_person[facts.person].append(key)
    near: dict[str, list[str]] = defaultdict(list)
    far: dict[str, list[str]] = defaultdict(list)
    for entry, facts in entries.items():
        for key in by_person[facts.person]:
            if key in apart.get(entry, ()):
                continue
            alike = _alike(facts, stored[key], rounding_minutes, roundings.get(entry, ()))
            if sum(alike) >= len(alike) - 1:
                (near if alike[0] else far)[entry].append(key)
    return near | one_to_one({e: keys for e, keys in far.items() if e not in near})


def one_to_one(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Those with one activity that no other has; of edges from entries to activities."""
    wanted = Counter(key for keys in edges.values() for key in keys)
    return {entry: keys for entry, keys in edges.items() if len(keys) == 1 and wanted[keys[0]] == 1}
