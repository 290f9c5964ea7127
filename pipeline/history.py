"""Older months: which of their days to read again, told by what Clockify's report adds up to.

One call a month, two for the month in which the daily range begins, however many entries they
hold. Keeps out the reading itself (`extraction`).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from pipeline.schemas import WatchedMonths, sql_types

Totals = Mapping[str, Any]
TotalsOf = Callable[[date, date], Totals]
"""What Clockify's report adds up to between two days, both included."""
UNTIL = "until"
"""The last day counted, beside the totals."""
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Watched:
    """What is to be read again, and what is to be remembered once it was."""

    again: list[tuple[date, date]]
    months: pd.DataFrame
    """Rows of `watched_months`."""


def watch(
    seen: pd.DataFrame, totals_of: TotalsOf, since: date, before: date, now: datetime
) -> Watched:
    """Compare the days before the daily range with what was remembered of them.

    Like is compared with like: a month is counted again through the day through which it was
    counted last, since its end moves with the range. It is then counted through the first day of
    the range, which will have left it tomorrow: to be taken before the range is read, so that what
    changes after that shows in the next comparison.

    Args:
        seen: rows of `watched_months`.
        totals_of: asks Clockify.
        since: the first work date to watch.
        before: the first work date of the daily range.
        now: when this is.
    """
    known = {month: json.loads(text) for month, text in _texts(seen)}
    again = []
    for first, last in months(since, before - A_DAY):
        until = date.fromisoformat(known.get(first, {}).get(UNTIL, str(first - A_DAY)))
        counted = _counted(totals_of, first, until) if until >= first else None
        if counted is None or counted != known[first]:
            again.append((first, last))
        elif until < last:  # days that left the range uncounted: no run came between
            again.append((until + A_DAY, last))
        end = max(until, min(before, _end_of_month(first)))
        known[first] = counted if counted and end == until else _counted(totals_of, first, end)
    rows = [(month, json.dumps(each, sort_keys=True), now) for month, each in known.items()]
    return Watched(again, pd.DataFrame(rows, columns=list(sql_types(WatchedMonths))))


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """A range cut at the ends of calendar months."""
    while first <= last:
        end = min(last, _end_of_month(first))
        yield first, end
        first = end + A_DAY


def _end_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - A_DAY


def _counted(totals_of: TotalsOf, first: date, until: date) -> dict[str, Any]:
    return {**totals_of(first, until), UNTIL: str(until)}


def _texts(seen: pd.DataFrame) -> Iterator[tuple[date, str]]:
    return zip(pd.to_datetime(seen["month"]).dt.date, seen["totals"], strict=True)
