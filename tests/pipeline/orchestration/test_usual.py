"""What is far from usual: a day against the same weekdays, and its share of rejected entries."""

from datetime import date, timedelta

import pytest

from pipeline.orchestration.usual import Day, unusual

LAST = date(2026, 11, 18)
"""A Wednesday."""


def weeks(number: int, *, entries: int = 60, rejected: int = 3) -> list[Day]:
    """So many weeks before `LAST`, the same each day but at weekends, when nobody works."""
    days = [LAST - timedelta(days=ago) for ago in range(7 * number, 0, -1)]
    return [Day(day, *((0, 0) if day.weekday() >= 5 else (entries, rejected))) for day in days]


def test_a_day_like_the_others_is_usual() -> None:
    """Also one that is somewhat busier, and one with no entry at a weekend."""
    assert unusual([*weeks(8), Day(LAST, 90, 5)]) == []
    assert unusual(weeks(8)[:-3]) == []


@pytest.mark.parametrize(
    ("entries", "rejected", "says"),
    [
        (181, 4, "181 entries on 2026-11-18, where 60 are usual on that weekday"),
        (19, 0, "19 entries on 2026-11-18, where 60 are usual on that weekday"),
        (60, 10, "10 of 60 entries on 2026-11-18 are rejected, where 5 of 100"),
    ],
)
def test_a_day_far_from_usual_says_its_counts(entries: int, rejected: int, says: str) -> None:
    """Three times more or fewer, or three times the share."""
    [said] = unusual([*weeks(8), Day(LAST, entries, rejected)])
    assert says in said


@pytest.mark.parametrize(("usually", "is_told"), [(2, False), (3, True), (15, True)])
def test_a_weekday_with_nothing_is_far_from_usual_in_a_small_company_too(
    usually: int, *, is_told: bool
) -> None:
    """Below twenty a day nobody was told that nothing at all had come."""
    found = unusual([*weeks(8, entries=usually, rejected=0), Day(LAST, 0, 0)])
    said = f"0 entries on 2026-11-18, where {usually} are usual on that weekday"
    assert found == ([said] if is_told else [])


def test_a_weekend_does_not_end_what_is_told_of_a_friday() -> None:
    """On Monday morning somebody looks."""
    friday, saturday, sunday = (LAST + timedelta(days=days) for days in (2, 3, 4))
    week = [*weeks(8), Day(LAST, 60, 3), Day(friday - timedelta(days=1), 60, 3)]
    [said] = unusual([*week, Day(friday, 0, 0), Day(saturday, 0, 0), Day(sunday, 0, 0)])
    assert "0 entries on 2026-11-20, where 60 are usual" in said


@pytest.mark.parametrize(
    ("before", "last"),
    [
        (weeks(3), Day(LAST, 500, 0)),  # too short a time to know what is usual
        (weeks(8, entries=6, rejected=0), Day(LAST, 20, 0)),  # a small company's busy day
        (weeks(8), Day(LAST, 60, 9)),  # too few to be worth an alert
        ([], Day(LAST, 5, 5)),
    ],
)
def test_little_is_not_far(before: list[Day], last: Day) -> None:
    """Few days, few entries, few rejections."""
    assert unusual([*before, last]) == []


def test_no_day_is_not_unusual() -> None:
    """Before the first run."""
    assert unusual([]) == []
