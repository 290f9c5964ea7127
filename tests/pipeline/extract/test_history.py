"""Older months: what Clockify counts otherwise is read again, and one in turn; nothing else."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.extract.history import MOST, Span, watch
from pipeline.schemas import WatchedMonths
from pipeline.warehouse import Warehouse

NOW = datetime(2024, 5, 15, tzinfo=UTC)
A_DAY = timedelta(days=1)
SINCE = date(2024, 3, 10)


def on(month: int, day: int) -> date:
    """A day of the year."""
    return date(2024, month, day)


MARCH, APRIL = (SINCE, on(3, 31)), (on(4, 1), on(4, 30))


class Clockify:
    """What is tracked, and which days were asked for."""

    def __init__(self) -> None:
        self.entries: Counter[date] = Counter()
        self.asked: list[Span] = []
        self.seen: pd.DataFrame = WatchedMonths.empty()
        self.sudden: date | None = None
        """A day on which something is tracked as soon as its month was counted."""
        self.now = NOW
        self.since = SINCE

    def totals(self, first: date, last: date) -> dict[str, int]:
        """What the report adds up to."""
        self.asked.append((first, last))
        days = (day for day in self.entries if first <= day <= last)
        found = {"entries": sum(self.entries[day] for day in days)}
        if self.sudden and first <= self.sudden <= last:
            self.entries[self.sudden], self.sudden = 1, None
        return found

    def read(self, before: date) -> list[Span]:
        """What a morning whose range begins on this day reads again; it remembers."""
        self.asked.clear()
        self.now += A_DAY
        found = watch(self.seen, self.totals, self.since, before, self.now)
        self.seen = found[-1].months
        return [each.again for each in found if each.again]

    def morning(self, before: date, turn: date = SINCE) -> list[Span]:
        """The same beside the month that begins on `turn`, which is made the one in turn."""
        months = pd.to_datetime(self.seen["month"]).dt.date
        self.seen["read_at"] = [NOW - A_DAY * (month == turn) for month in months]
        return [span for span in self.read(before) if span[0] != turn]


@pytest.fixture
def clockify() -> Clockify:
    """A company that was watched since March, with a range from 8 May."""
    found = Clockify()
    assert sorted(found.read(on(5, 8))) == [MARCH, APRIL, (on(5, 1), on(5, 7))]
    return found


def test_a_month_whose_end_moves_with_the_range_is_not_read_again(clockify: Clockify) -> None:
    """Each morning a day leaves the range; one call a month, two for that one."""
    for number in range(9, 31):
        assert clockify.morning(on(5, number)) == []
        assert len(clockify.asked) == 4
    assert clockify.morning(on(5, 31)) == []
    assert clockify.morning(on(6, 1)) == []
    assert len(clockify.asked) == 3


@pytest.mark.parametrize("day", [SINCE, on(3, 31), on(4, 15), on(5, 1), on(5, 7)])
def test_a_change_before_the_range_is_read_with_its_month(clockify: Clockify, day: date) -> None:
    """Once: it is then remembered."""
    clockify.entries[day] += 1
    turn = APRIL[0] if day <= MARCH[1] else SINCE
    [(first, last)] = clockify.morning(on(5, 9), turn)
    assert first <= day <= last
    assert first.month == last.month
    assert clockify.morning(on(5, 9), turn) == []


def test_a_change_on_the_day_that_leaves_the_range_is_seen(clockify: Clockify) -> None:
    """After yesterday's read, before today's, which no longer reads that day."""
    clockify.entries[on(5, 8)] += 1
    assert clockify.morning(on(5, 9)) == [(on(5, 1), on(5, 8))]


def test_a_change_within_the_range_is_the_ranges_own(clockify: Clockify) -> None:
    """It is read anyway."""
    clockify.entries[on(5, 9)] += 1
    assert clockify.morning(on(5, 9)) == []
    assert clockify.morning(on(5, 9)) == []


def test_days_that_left_the_range_between_two_runs_are_read(clockify: Clockify) -> None:
    """Nobody ran it for three days, so what they had when they left is not known."""
    clockify.entries[on(5, 10)] += 1
    assert clockify.morning(on(5, 12)) == [(on(5, 9), on(5, 11))]
    assert clockify.morning(on(5, 13)) == []


def test_a_range_that_reaches_back_for_a_morning_forgets_nothing(clockify: Clockify) -> None:
    """An older open day begins it earlier, and tomorrow it is settled."""
    assert clockify.morning(on(4, 20)) == []
    assert clockify.morning(on(5, 9)) == []
    clockify.entries[on(4, 30)] += 1
    assert clockify.morning(on(5, 10)) == [APRIL]


def test_a_change_while_a_month_is_counted_is_read(clockify: Clockify) -> None:
    """Between the count that is compared and the one that is remembered, in either order."""
    clockify.sudden = on(5, 3)
    clockify.morning(on(5, 9))
    assert clockify.sudden is None
    assert clockify.morning(on(5, 9)) == [(on(5, 1), on(5, 8))]


def test_each_month_is_read_in_its_turn_whatever_its_totals(clockify: Clockify) -> None:
    """Another project at the same rate leaves them as they were; one month a morning."""
    may = (on(5, 1), on(5, 8))
    turns = [clockify.read(on(5, 9)) for _ in range(6)]
    assert turns == [[MARCH], [APRIL], [may], [MARCH], [APRIL], [may]]


def test_years_of_months_are_compared_some_a_morning(clockify: Clockify) -> None:
    """A free plan has 30 requests an hour: all within a few mornings, the newest each time."""
    clockify.since, clockify.seen = date(2021, 3, 10), WatchedMonths.empty()
    reads = [set(clockify.read(on(5, 8))) for _ in range(13)]
    assert [len(each) for each in reads] == [4, *[3] * 11, 2]
    assert len(set.union(*reads)) == len(clockify.seen) == 39
    mornings = -(-39 // (MOST - 1))
    for _ in range(2):
        compared = []
        for _ in range(mornings):
            assert len(clockify.read(on(5, 8))) == 1
            assert (on(5, 1), on(5, 8)) in clockify.asked
            assert len(clockify.asked) == MOST
            compared += clockify.asked
        assert len(set(compared)) == 39


@pytest.mark.parametrize("said", ['{"entries": 0}', '{"entries": 0, "until": "2024-05-07"}'])
def test_what_an_earlier_version_remembered_is_read_once(clockify: Clockify, said: str) -> None:
    """It lacks what is compared now."""
    clockify.seen["totals"] = said
    assert len(clockify.morning(on(5, 8))) == 2
    assert clockify.morning(on(5, 8)) == []


def test_a_month_is_remembered_as_soon_as_it_was_read(clockify: Clockify) -> None:
    """Not with the last one: a free plan's hour may end before."""
    clockify.entries.update([SINCE, on(4, 1)])
    found = watch(clockify.seen, clockify.totals, SINCE, on(5, 8), NOW)
    first = next(each for each in found if each.again)
    clockify.seen = first.months
    assert clockify.morning(on(5, 8), on(5, 1)) == [{MARCH: APRIL, APRIL: MARCH}[first.again]]


def test_what_is_remembered_comes_back_from_the_warehouse(
    clockify: Clockify, tmp_path: Path
) -> None:
    """In the types of its table."""
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.replace(WatchedMonths, clockify.seen)
    clockify.seen = warehouse.read(WatchedMonths)
    assert clockify.morning(on(5, 9)) == []
