"""Pieces: how a range of work dates is cut, for a read, a judgement and a load alike. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

Piece = tuple[date, date]
"""First and last day."""
PIECE = timedelta(days=31)
"""Clockify's free plan gives no longer report (its reference, 2.6)."""


def pieces(first: date, last: date) -> Iterator[Piece]:
    """Cut a range into whole days, at most 31 together."""
    while first <= last:
        end = min(last, first + PIECE - timedelta(days=1))
        yield first, end
        first = end + timedelta(days=1)


def pieces_of(days: list[date]) -> Iterator[Piece]:
    """Days in order as pieces, neighbours together: a piece costs as much as a day."""
    for _, numbered in groupby(enumerate(days), lambda each: each[1].toordinal() - each[0]):
        neighbours = [day for _, day in numbered]
        yield from pieces(neighbours[0], neighbours[-1])


def days_of(first: date, last: date) -> list[date]:
    """Every day of a range, both ends included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
