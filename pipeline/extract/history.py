"""Older months: which of their days to read again, told by what Clockify's report adds up to.

One call a month, two for the month in which the daily range begins, however many entries they
hold. Equal totals hide another person, description or project of the same rate, so each morning
one month is read again whatever its totals. Keeps out the reading itself (`reading`).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

import pandas as pd

from pipeline.schemas import WatchedMonths, sql_types

TotalsOf = Callable[[date, date], Mapping[str, Any]]
"""What Clockify's report adds up to between two days, both included."""
Span = tuple[date, date]
"""First and last day."""
MOST = 12
"""Months compared a morning: a free plan has 30 requests an hour, and a company has years."""
NEW = 3
"""As how many of these counts one yet to be read: its totals, its report, and former members'."""
A_DAY = timedelta(days=1)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Watched:
    """A month that was compared."""

    again: Span | None
    """Its days to be read again; none if it is as it was."""
    months: pd.DataFrame
    """Rows of `watched_months`, to be remembered once those days are read."""


class _Month(NamedTuple):
    """What is remembered of a month."""

    said: Mapping[str, Any]
    """Its totals, the last day counted, and when."""
    read_at: datetime


def watch(
    seen: pd.DataFrame, totals_of: TotalsOf, since: date, before: date, now: datetime
) -> list[Watched]:
    """Compare the days before the daily range with what was remembered of them.

    To be done before the range is read, so that what changes after that shows in the next
    comparison. Of many months the newest is always compared, and the one that was read longest
    ago, which is read again; then those that were compared longest ago. Where nothing is
    remembered, as after a warehouse was lost, it takes some mornings until each month was read.

    Args:
        seen: rows of `watched_months`.
        totals_of: asks Clockify.
        since: the first work date to watch.
        before: the first work date of the daily range.
        now: when this is.
    """
    known = {month: _Month(json.loads(said), at) for month, said, at in _rows(seen)}
    spans = list(months(since, before - A_DAY))
    if not spans:
        return []

    def of(span: Span) -> _Month:
        return known.get(span[0], _Month({}, NEVER))

    oldest = min(spans, key=lambda span: of(span).read_at)
    firsts = (oldest, spans[-1])
    spans.sort(key=lambda span: (span not in firsts, of(span).said.get("compared_at", "")))
    spent = accumulate(1 if "until" in of(span).said else NEW for span in spans)
    found = []
    for span in [span for span, cost in zip(spans, spent, strict=True) if cost <= MOST]:
        again, counted = _compared(of(span).said, totals_of, span, before)
        again = span if span == oldest else again
        said = {**counted, "compared_at": str(now)}
        known[span[0]] = _Month(said, now if again == span else of(span).read_at)
        found.append(Watched(again, _table(known)))
    return found


def _compared(
    said: Mapping[str, Any], totals_of: TotalsOf, span: Span, before: date
) -> tuple[Span | None, dict[str, Any]]:
    """The days of a month to be read again, and what is to be remembered of it.

    Like is compared with like: it is counted again through the day through which it was counted
    last, since its end moves with the range. What is remembered is counted through the first day
    of the range, which will have left it tomorrow; and counted first, so that a change between the
    two counts is seen now or tomorrow.
    """
    first, last = span
    until = date.fromisoformat(said.get("until", str(first - A_DAY)))
    end = max(until, min(before, _end_of_month(first)))
    counted = totals_of(first, end)
    remembered = {"totals": counted, "until": str(end)}
    if until < first:
        return span, remembered
    if said.get("totals") != (counted if end == until else totals_of(first, until)):
        return span, remembered
    # Days that left the range uncounted, since no run came between, are read too.
    return ((until + A_DAY, last) if until < last else None), remembered


def months(first: date, last: date) -> Iterator[Span]:
    """A range cut at the ends of calendar months."""
    while first <= last:
        end = min(last, _end_of_month(first))
        yield first, end
        first = end + A_DAY


def _end_of_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - A_DAY


def _rows(seen: pd.DataFrame) -> Iterator[tuple[date, str, datetime]]:
    return zip(pd.to_datetime(seen["month"]).dt.date, seen["totals"], seen["read_at"], strict=True)


def _table(known: Mapping[date, _Month]) -> pd.DataFrame:
    rows = [(first, json.dumps(said, sort_keys=True), at) for first, (said, at) in known.items()]
    return pd.DataFrame(rows, columns=list(sql_types(WatchedMonths)))
