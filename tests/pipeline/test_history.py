"""Older months: only what Clockify counts otherwise is read again, and never for the calendar."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.history import watch
from pipeline.schemas import WatchedMonths, empty
from pipeline.warehouse import Warehouse

NOW = datetime(2024, 5, 15, tzinfo=UTC)
A_DAY = timedelta(days=1)
SINCE = date(2024, 3, 10)


def on(month: int, day: int) -> date:
    """A day of the year."""
    return date(2024, month, day)


class Clockify:
    """What is tracked, and which days were asked for."""

    def __init__(self) -> None:
        self.entries: Counter[date] = Counter()
        self.asked: list[tuple[date, date]] = []
        self.seen: pd.DataFrame = empty(WatchedMonths)

    def totals(self, first: date, last: date) -> dict[str, int]:
        """What the report adds up to."""
        self.asked.append((first, last))
        days = (day for day in self.entries if first <= day <= last)
        return {"entries": sum(self.entries[day] for day in days)}

    def morning(self, before: date) -> list[tuple[date, date]]:
        """What a morning whose range begins on this day reads again; it remembers."""
        self.asked.clear()
        watched = watch(self.seen, self.totals, SINCE, before, NOW)
        self.seen = watched.months
        return watched.again


@pytest.fixture
def clockify() -> Clockify:
    """A company that was watched since March, with a range from 8 May."""
    found = Clockify()
    march, april = (SINCE, on(3, 31)), (on(4, 1), on(4, 30))
    assert found.morning(on(5, 8)) == [march, april, (on(5, 1), on(5, 7))]
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
    [(first, last)] = clockify.morning(on(5, 9))
    assert first <= day <= last
    assert first.month == last.month
    assert clockify.morning(on(5, 9)) == []


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
    assert clockify.morning(on(5, 10)) == [(on(4, 1), on(4, 30))]


def test_what_was_remembered_without_its_last_day_is_read_once(clockify: Clockify) -> None:
    """As an earlier version kept it."""
    clockify.seen["totals"] = '{"entries": 0}'
    assert len(clockify.morning(on(5, 8))) == 3
    assert clockify.morning(on(5, 8)) == []


def test_what_is_remembered_comes_back_from_the_warehouse(
    clockify: Clockify, tmp_path: Path
) -> None:
    """In the types of its table."""
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.replace(WatchedMonths, clockify.seen)
    clockify.seen = warehouse.read(WatchedMonths)
    assert clockify.morning(on(5, 9)) == []
