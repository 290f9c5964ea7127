"""Look before sending: which entries QuickBooks already holds, and which it seems to hold.

Pure. Compares what is about to be sent with the time activities that the ledger does not claim:
equal ones are adopted, resembling ones left for a person, the rest sent. This one comparison
covers the cut-over from the vendor's button, the button pressed again by habit, a ledger restored
from an old copy, and a second warehouse on the same company.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.activities import Facts, differences

NEAR_DAYS = timedelta(days=1)


@dataclass(frozen=True)
class Look:
    """What the comparison found; entries by their id, activities by QuickBooks'."""

    equal: dict[str, str]
    """Entry to the activity that it equals."""
    resembling: dict[str, list[str]]
    """Entry to the activities that it resembles."""


def look(entries: Mapping[str, Facts], stored: Mapping[str, Facts], rounding_minutes: int) -> Look:
    """Compare entries about to be sent with unclaimed activities.

    Multisets, never sets: two honest equal entries are two, so n equal entries and m equal
    activities make min(n, m) pairs.

    Args:
        entries: the entries, by id.
        stored: the unclaimed activities, by QuickBooks' id.
        rounding_minutes: the step within which minutes resemble each other.
    """
    equal = _pairs(entries, stored)
    taken = set(equal.values())
    others = {key: facts for key, facts in entries.items() if key not in equal}
    free = {key: facts for key, facts in stored.items() if key not in taken}
    return Look(equal=equal, resembling=_resembling(others, free, rounding_minutes))


def without(stored: Mapping[str, Facts], unsettled: Iterable[Facts]) -> dict[str, Facts]:
    """The activities less one for each unsettled intent that it may be the outcome of."""
    intents = {str(number): facts for number, facts in enumerate(unsettled)}
    taken = set(_pairs(intents, stored).values())
    return {key: facts for key, facts in stored.items() if key not in taken}


def _pairs(entries: Mapping[str, Facts], stored: Mapping[str, Facts]) -> dict[str, str]:
    """Entry to equal activity, one to one; those with the same rate and item first.

    Rate and item may differ: the bookkeeper prices. Both sides are taken in the order of their
    ids, so that which of several equals are paired does not depend on how they were read.
    """
    free: dict[object, list[str]] = defaultdict(list)
    for key, facts in sorted(stored.items(), key=_by_id):
        free[_without_price(facts)].append(key)
    pairs: dict[str, str] = {}
    for priced_alike in (True, False):
        for entry, facts in sorted(entries.items(), key=_by_id):
            candidates = free[_without_price(facts)] if entry not in pairs else []
            for key in candidates:
                if not priced_alike or not differences(facts, stored[key]):
                    pairs[entry] = key
                    candidates.remove(key)
                    break
    return pairs


def _by_id(item: tuple[str, Facts]) -> tuple[int, str]:
    """QuickBooks' ids are numbers spelled as text."""
    return len(item[0]), item[0]


def _without_price(facts: Facts) -> Facts:
    return facts._replace(rate=facts.rate * 0, item="")


def _resembling(
    entries: Mapping[str, Facts], stored: Mapping[str, Facts], rounding_minutes: int
) -> dict[str, list[str]]:
    """Entry to the activities of the same person that are like it in all but one respect.

    An activity on a far date counts only where it is one to one: people do the same thing for
    the same customer on many days.
    """
    by_person: dict[str, list[str]] = defaultdict(list)
    for key, facts in stored.items():
        by_person[facts.person].append(key)
    near: dict[str, list[str]] = defaultdict(list)
    far: dict[str, list[str]] = defaultdict(list)
    for entry, facts in entries.items():
        for key in by_person[facts.person]:
            likeness = _likeness(facts, stored[key], rounding_minutes)
            if sum(likeness) >= len(likeness) - 1:
                (near if likeness[0] else far)[entry].append(key)
    return near | _one_to_one({e: keys for e, keys in far.items() if e not in near})


def _likeness(entry: Facts, stored: Facts, rounding_minutes: int) -> Sequence[bool]:
    return (
        abs(entry.work_date - stored.work_date) <= NEAR_DAYS,
        abs(entry.minutes - stored.minutes) <= rounding_minutes,
        entry.description == stored.description,
        entry.customer == stored.customer,
    )


def _one_to_one(edges: Mapping[str, list[str]]) -> dict[str, list[str]]:
    wanted = Counter(key for keys in edges.values() for key in keys)
    return {entry: keys for entry, keys in edges.items() if len(keys) == 1 and wanted[keys[0]] == 1}
