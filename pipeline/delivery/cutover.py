"""The cut-over's list: what QuickBooks holds of some days, seems to hold, and does not.

Pure, from plans and the ledger's rows to rows that can be shown. Money is minor units by currency,
time is minutes. Keeps out the comparison (`look`) and how rows are shown (`commands.cutover`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pipeline.delivery.look import look, one_to_one
from pipeline.delivery.planning import Plan
from pipeline.fields import Row
from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import Facts
from pipeline.review.lists import Names

GROUPS = ("certain", "likely", "ambiguous", "none")
"""Adopted; like one activity that nothing else is like; like several, or not alone; to be sent."""


def cutover(
    plans: Sequence[Plan],
    ledger: Sequence[Delivery],
    names: Names,
    rounding_minutes: int,
    window: tuple[date, date],
) -> Row:
    """The list over some days.

    Args:
        plans: what a load would do, piece by piece, read completely.
        ledger: the deliveries of these days.
        names: of people and customers.
        rounding_minutes: the step within which minutes resemble each other.
        window: the first and last work date.

    Returns:
        `groups`, with the entries, minutes and money of each group by ISO week, customer and
        currency; `undecided`, each doubtful entry with the activities that it resembles beside
        it; `only_in_quickbooks`, the activities that are nobody's; `beside`, how many entries
        would be sent about days of which somebody else made activities.
    """
    free = {key: each for plan in plans for key, each in plan.free.items()}
    ledger = sorted(ledger, key=lambda row: (row.work_date, row.entry_id))
    standing = [row for row in ledger if row.state == "doubtful"]
    alike = _alike(standing, free, rounding_minutes)
    alike |= {entry: list(keys) for plan in plans for entry, keys in plan.alike.items()}
    doubtful = [*standing, *(row for plan in plans for row in plan.doubt)]
    certain = [row for row in ledger if row.state == "adopted"]
    certain += [row for plan in plans for row in plan.adopt]
    likely = one_to_one(alike)
    wanted = {key for keys in alike.values() for key in keys}
    grouped = [(row, "certain") for row in certain]
    grouped += [(row, "likely" if row.entry_id in likely else "ambiguous") for row in doubtful]
    grouped += [(row, "none") for plan in plans for row in plan.send]
    keyed = ((_keyed(row, group, names), row) for row, group in grouped)
    groups = summed(("group", "week", "customer"), keyed)
    return {
        "groups": sorted(groups, key=lambda row: GROUPS.index(row["group"])),
        "undecided": [
            _undecided(row, group, alike.get(row.entry_id, []), free, names)
            for row, group in grouped
            if group in {"likely", "ambiguous"}
        ],
        "only_in_quickbooks": [
            {"quickbooks_id": key, **names.row(each)}
            for key, each in sorted(free.items(), key=lambda item: (item[1].work_date, item[0]))
            if key not in wanted and window[0] <= each.work_date <= window[1]
        ],
        "beside": sum(len(plan.send) for plan in plans if plan.foreign),
    }


def _alike(
    standing: Iterable[Delivery], free: Mapping[str, Facts], rounding_minutes: int
) -> dict[str, list[str]]:
    """What is like the entries that an earlier load left to a person, as QuickBooks is now.

    Or, where nothing is like one any more, the activity for which it was left to them.
    """
    waiting = {row.entry_id: row.facts for row in standing}
    found = look(waiting, free, rounding_minutes)
    named = {row.entry_id: row.quickbooks_id or "" for row in standing}
    known = {entry_id: [key] for entry_id, key in named.items() if key in free}
    return known | found.resembling | {entry: [key] for entry, key in found.equal.items()}


def summed(names: Sequence[str], rows: Iterable[tuple[tuple[str, ...], Delivery]]) -> list[Row]:
    """Entries, minutes and money of deliveries by some values of each; never across currencies.

    Args:
        names: what the values are called.
        rows: each delivery with its values.
    """
    sums: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for values, row in rows:
        total = sums[(*values, row.currency or "")]
        total.update(entries=1, minutes=row.minutes, amount_minor=row.amount_minor or 0)
    return [
        {
            **dict(zip(names, values, strict=True)),
            **total,
            "amount_minor": total["amount_minor"] if currency else None,
            "currency": currency or None,
        }
        for (*values, currency), total in sorted(sums.items())
    ]


def _keyed(row: Delivery, group: str, names: Names) -> tuple[str, str, str]:
    year, week, _ = row.work_date.isocalendar()
    return group, f"{year}-W{week:02}", names.row(row.facts)["customer"]


def _undecided(
    row: Delivery, group: str, keys: Sequence[str], free: Mapping[str, Facts], names: Names
) -> Row:
    return {
        "entry_id": row.entry_id,
        "group": group,
        "entry": names.row(row.facts),
        "activities": [
            {"quickbooks_id": key, **names.row(free[key])} for key in keys if key in free
        ],
    }
