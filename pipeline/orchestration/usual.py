"""Whether a day is far from usual, by how much was tracked and how much of it was rejected.

Pure, on counts. Keeps out what is done about it: it is worth an alert and stops nothing.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

WEEKS = 8
"""How far back the same weekday is looked at."""
REACH = timedelta(days=7 * (WEEKS + 1))
ENOUGH = 4
"""Days to compare with, below which nothing is usual yet."""
TIMES = 3
"""So many times more, or fewer, is far from usual..."""
ENTRIES = 20
"""...if it is also so many entries more or fewer..."""
FEW = 3
"""...or nothing, where at least so many are usual..."""
REJECTED = 10
"""...or, of the rejected ones, so many at least."""


class Day(NamedTuple):
    """What one work date came to."""

    work_date: date
    entries: int
    rejected: int


def unusual(days: Sequence[Day]) -> list[str]:
    """What is far from usual on the last of some days, each in words with its counts.

    Days off say nothing of the working day before: else a Friday on which nothing came would be
    told of on Saturday alone.

    Args:
        days: every work date read, in order, those without an entry included.
    """
    if not days:
        return []
    *before, last = days
    found = [said for said in (_volume(before, last), _share(before, last)) if said]
    return found if found or last.entries else unusual(before)


def _volume(before: Sequence[Day], last: Day) -> str | None:
    """Against the median of the same weekday: a holiday is far from usual, a Sunday is not."""
    alike = [day.entries for day in before if day.work_date.weekday() == last.work_date.weekday()]
    alike = alike[-WEEKS:]
    if len(alike) < ENOUGH:
        return None
    usual = int(median(alike))
    is_missing = last.entries == 0 and usual >= FEW
    is_far = last.entries > usual * TIMES or last.entries * TIMES < usual
    if not is_missing and (not is_far or abs(last.entries - usual) < ENTRIES):
        return None
    return f"{last.entries} entries on {last.work_date}, where {usual} are usual on that weekday"


def _share(before: Sequence[Day], last: Day) -> str | None:
    """Against the share of the weeks before, all days together."""
    worked = [day for day in before if day.entries][-WEEKS * 7 :]
    if len(worked) < ENOUGH or last.rejected < REJECTED:
        return None
    entries, rejected = sum(day.entries for day in worked), sum(day.rejected for day in worked)
    if last.rejected * entries <= TIMES * rejected * last.entries:
        return None
    usual = round(100 * rejected / entries)
    return (
        f"{last.rejected} of {last.entries} entries on {last.work_date} are rejected, where "
        f"{usual} of 100 are usual"
    )
