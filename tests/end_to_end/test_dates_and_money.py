"""Dates at their hardest, and money to the cent, from Clockify's entry to QuickBooks' activity."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pipeline.sandbox.seed import oddities
from pipeline.sandbox.world import Entry
from tests.end_to_end.books import due, held
from tests.end_to_end.conftest import House
from tests.end_to_end.stages import DAILY

LEAP_DAY, SPRING, AUTUMN = date(2024, 2, 29), date(2024, 3, 10), date(2026, 11, 1)
NEW_YEAR = date(2026, 1, 1)
EVE = date(2025, 12, 31)


@pytest.fixture
def years(quiet: House) -> House:
    """A pipeline over several years, on a sandbox where nobody has tracked time."""
    world = quiet.sandbox.world
    world.start_date = world.send_from = date(2024, 1, 1)
    return quiet


def dates(house: House) -> dict[str, str]:
    """The TxnDate of each activity, by its description."""
    return {each["Description"]: each["TxnDate"] for each in house.activities}


def at(house: House, day: date, time: str, name: str, **fields: object) -> Entry:
    """An entry that starts at a local time of New York."""
    return oddities.add_entry(house.sandbox.world, day, time, description=name, **fields)


def test_a_hard_day_keeps_its_date_and_its_elapsed_time(years: House) -> None:
    """The 29th of February, 23 hours, 25 hours: minutes by the clock of UTC, date by ours."""
    world = years.sandbox.world
    oddities.add_leap_day(world, LEAP_DAY)
    oddities.add_spring_forward(world, SPRING)
    oddities.add_fall_back(world, AUTUMN)
    years.prepare(LEAP_DAY, SPRING)
    years.prepare(AUTUMN, AUTUMN, *DAILY)
    sent = held(world)
    assert sent == due(world, LEAP_DAY, AUTUMN)
    days = Counter(each.day for each in sent.elements())
    assert days == {str(LEAP_DAY): 2, str(SPRING): 2, str(AUTUMN): 3}


def test_an_hour_that_comes_twice_before_midnight_is_lost_between_no_two_days(
    years: House,
) -> None:
    """In Santiago 23:59:59.999 comes twice that night, and each day is read alone."""
    years.changes["TIME_ZONE"] = "America/Santiago"
    night = date(2026, 4, 4)
    at(years, night, "22:30", "First time")
    at(years, night, "23:30", "Second time")
    at(years, night + timedelta(days=1), "00:00", "Midnight")
    years.prepare(night)
    years.prepare(night + timedelta(days=1))
    assert dates(years) == {
        "First time": "2026-04-04",
        "Second time": "2026-04-04",
        "Midnight": "2026-04-05",
    }


def test_each_side_of_midnight_lands_on_its_own_day_and_an_odd_rate_arrives_to_the_cent(
    years: House,
) -> None:
    """A second before and a second after, over a year's end, also of somebody in Lisbon.

    100 rates, none of them the same, none of them round: equal as decimals, never as floats.
    """
    rates = {f"Rate {number}": 1_001 + 307 * number for number in range(100)}
    for number, (name, rate) in enumerate(rates.items()):
        minute = f"{number // 60 + 6:02}:{number % 60:02}"
        at(years, EVE, minute, name, seconds=600, rate_minor=rate)
    at(years, EVE, "23:59:59", "Last second")
    at(years, NEW_YEAR, "00:00:00", "First second")
    at(years, EVE, "20:30:00", "Already tomorrow in Lisbon", mailbox="ines")
    years.prepare(EVE, NEW_YEAR)
    assert dates(years) == {
        **dict.fromkeys(rates, "2025-12-31"),
        "Last second": "2025-12-31",
        "First second": "2026-01-01",
        "Already tomorrow in Lisbon": "2025-12-31",
    }
    assert years.rows(
        "SELECT work_date, person_work_date FROM accepted_time_entries WHERE description = $1",
        "Already tomorrow in Lisbon",
    ) == [(EVE, NEW_YEAR)]
    stored = {each["Description"]: Decimal(str(each["HourlyRate"])) for each in years.activities}
    assert {name: stored[name] for name in rates} == {
        name: Decimal(rate) / 100 for name, rate in rates.items()
    }


def test_with_rounding_on_the_rounded_time_is_sent_and_the_tracked_time_kept(years: House) -> None:
    """The manual's own example: 1 h 38 min, rounded up to ten minutes, is 1 h 40 min."""
    workspace = years.sandbox.world.workspace
    workspace.is_rounding_on = True
    workspace.round_mode, workspace.round_minutes = "Round up to", "10"
    at(years, EVE, "09:00", "Manual", seconds=98 * 60)
    at(years, EVE, "00:01", "Too long by rounding only", seconds=(23 * 60 + 52) * 60)
    years.prepare(EVE)
    assert [(each["Hours"], each["Minutes"]) for each in years.activities] == [(1, 40)]
    assert years.rows("SELECT raw_seconds FROM accepted_time_entries") == [(98 * 60,)]
    [(reasons, fixes)] = years.rows("SELECT reasons, fixes FROM rejected_time_entries")
    assert reasons == ["too_long"]
    assert "round" in fixes[0]
