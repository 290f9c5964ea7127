"""Ranges of days, cut as Clockify answers them: pieces to read, months to compare."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.history import months
from pipeline.extract.pieces import days_of, pieces
from tests.pipeline.rows import DAY

A_DAY = timedelta(days=1)
RANGES = st.tuples(st.dates(date(2019, 1, 1), date(2030, 1, 1)), st.integers(0, 1200)).map(
    lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))
)


@given(RANGES)
def test_pieces_cut_a_range_into_whole_days_of_at_most_31(bounds: tuple[date, date]) -> None:
    """Each day in exactly one piece, in order."""
    cut = list(pieces(*bounds))
    assert [day for piece in cut for day in days_of(*piece)] == days_of(*bounds)
    assert all(1 <= len(days_of(*piece)) <= 31 for piece in cut)
    assert len(cut) == -(-len(days_of(*bounds)) // 31)


@given(RANGES)
def test_months_cut_a_range_at_the_ends_of_months(bounds: tuple[date, date]) -> None:
    """Each day in exactly one part, in order, and no part in two months or beside its own."""
    cut = list(months(*bounds))
    assert [day for part in cut for day in days_of(*part)] == days_of(*bounds)
    assert all((first.year, first.month) == (last.year, last.month) for first, last in cut)
    assert len({(first.year, first.month) for first, _ in cut}) == len(cut)


@pytest.mark.parametrize("cut", [pieces, months, days_of])
def test_a_range_that_ends_before_it_begins_has_no_parts(cut: object) -> None:
    """A first run has no older months."""
    assert callable(cut)
    assert list(cut(DAY, DAY - A_DAY)) == []


@pytest.mark.parametrize(("year", "last"), [(2023, 28), (2024, 29), (2100, 28)])
def test_february_ends_when_it_ends(year: int, last: int) -> None:
    """A leap day is a day."""
    february = (date(year, 2, 1), date(year, 2, last))
    march = (date(year, 3, 1), date(year, 3, 31))
    assert list(months(february[0], march[1])) == [february, march]
