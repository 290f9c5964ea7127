"""The invented company: reproducible, quick, believable, and with every case within a fortnight."""

import time
from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from pipeline.sandbox.seed import invent
from pipeline.sandbox.seed.cases import ACCEPTED, add_cases
from pipeline.sandbox.seed.oddities import (
    add_entry,
    add_fall_back,
    add_leap_day,
    add_spring_forward,
    add_twins,
    project_of,
    user_of,
)
from pipeline.sandbox.world import World
from tests.sandbox.seed_rules import EXCLUDING, HOLDING, Rules, count, seconds, work_date

TODAY = date(2026, 11, 22)
FORTNIGHT = timedelta(days=13)
DAYS = [TODAY, date(2026, 11, 20), date(2026, 3, 9), date(2027, 1, 1), date(2028, 2, 29)]
REASONS = (
    "unknown_employee",
    "inactive_employee",
    "ambiguous_employee",
    "unknown_customer",
    "inactive_customer",
    "ambiguous_customer",
    "no_project",
    "too_long",
    "bad_duration",
    "rounds_to_zero",
    "no_rate",
    "zero_rate",
    "bad_rate",
    "wrong_currency",
    "unknown_entry_type",
    "running",
    "in_future",
    "not_billable",
    "zero_duration",
    "not_work",
)


@pytest.fixture(scope="module")
def world() -> World:
    """The company that most tests here look at."""
    return invent(7, TODAY)


def test_the_same_seed_and_day_give_the_same_world(world: World) -> None:
    """To the last id and token."""
    assert invent(7, TODAY) == world


def test_another_seed_gives_other_times_and_ids(world: World) -> None:
    """Of the same kind of company."""
    other = invent(8, TODAY)
    assert other.company.realm_id != world.company.realm_id
    assert not other.workspace.entries.keys() & world.workspace.entries.keys()


def test_inventing_takes_less_than_a_second() -> None:
    """So that a test may have a company of its own."""
    began = time.perf_counter()
    invent(3, TODAY)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_time_runs_from_four_months_back_to_today(today: date) -> None:
    """From the first of a month, with the cut-over two months before this one."""
    world = invent(7, today)
    days = [work_date(world, entry) for entry in world.workspace.entries.values()]
    assert (min(days) - world.start_date).days < 7
    assert max(days) == today
    assert world.start_date.day == world.send_from.day == 1
    assert world.start_date < world.send_from < today - timedelta(days=30)


def test_a_day_in_november_begins_in_july_and_sends_from_september(world: World) -> None:
    """The months are whole."""
    assert (world.start_date, world.send_from) == (date(2026, 7, 1), date(2026, 9, 1))


@cache
def reasons_of_a_fortnight(today: date) -> Counter[str]:
    """Count the reasons of the last days, today among them."""
    world = invent(7, today)
    return count(Rules(world), lambda entry: work_date(world, entry) >= today - FORTNIGHT)


@pytest.mark.parametrize("today", DAYS, ids=str)
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_occurs_within_a_fortnight(today: date, reason: str) -> None:
    """Whatever day it is, and whatever else is wrong with the entry."""
    assert reasons_of_a_fortnight(today)[reason] > 0


def test_the_first_two_months_lie_before_the_cut_over(world: World) -> None:
    """They went through the old button."""
    found = count(Rules(world), lambda entry: work_date(world, entry) < world.send_from)
    assert found["before_cutover"] > 1000
    assert found["accepted"] == 0


def test_each_case_is_wrong_in_the_way_it_says() -> None:
    """A rejected case has its one reason, an accepted one has none."""
    world = invent(7, TODAY)
    world.workspace.entries.clear()
    rules = Rules(world)
    for entry, expected in add_cases(world):
        reasons = rules.reasons(entry)
        if expected in (ACCEPTED, *EXCLUDING, *HOLDING):
            assert (reasons or {ACCEPTED}) >= {expected}, (entry, reasons)
        else:
            assert reasons == {expected}, (entry, reasons)


def test_most_time_that_counts_is_accepted(world: World) -> None:
    """Rejections are few, and excluded time is no part of the sum."""
    rules = Rules(world)
    accepted = rejected = 0
    for entry in world.workspace.entries.values():
        reasons = rules.reasons(entry)
        if not reasons:
            accepted += 1
        elif not reasons & {*EXCLUDING, *HOLDING}:
            rejected += 1
    assert accepted / (accepted + rejected) > 0.85
    assert rejected / (accepted + rejected) > 0.04


def test_a_company_is_of_the_size_of_a_studio(world: World) -> None:
    """About three thousand entries of a dozen people on two dozen projects."""
    assert 2500 < len(world.workspace.entries) < 3500
    assert len(world.workspace.users) == 16
    assert len(world.workspace.projects) == 23
    assert world.company.items["2"]["Name"] == "Hours"


def test_full_days_have_seven_to_nine_hours(world: World) -> None:
    """In two to five entries, a late evening apart."""
    daniel = user_of(world, "daniel").id
    hours: Counter[date] = Counter()
    for entry in world.workspace.entries.values():
        day = work_date(world, entry)
        if entry.user_id == daniel and day < TODAY - FORTNIGHT and entry.project_id:
            hours[day] += seconds(entry)
    assert len(hours) > 70
    assert all(6.9 < total / 3600 < 9.1 for total in hours.values())


def test_minutes_and_seconds_are_odd(world: World) -> None:
    """Hardly any entry is a whole number of minutes."""
    whole = [entry for entry in world.workspace.entries.values() if seconds(entry) % 60 == 0]
    assert len(whole) < 0.1 * len(world.workspace.entries)


def test_a_person_in_lisbon_has_another_date_at_times(world: World) -> None:
    """After midnight there it is still the evening before at the company."""
    zone = ZoneInfo("Europe/Lisbon")
    people = {user_of(world, name).id for name in ("ines", "rui")}
    differing = [
        entry
        for entry in world.workspace.entries.values()
        if entry.user_id in people
        and entry.start.astimezone(zone).date() != work_date(world, entry)
    ]
    assert len(differing) > 5


def test_names_in_the_books_are_unique_but_for_two_projects(world: World) -> None:
    """Customers, vendors and employees share one list of names."""
    company = world.company
    lists = (company.employees, company.vendors, company.customers)
    names = Counter(record["DisplayName"] for records in lists for record in records.values())
    assert {name for name, number in names.items() if number > 1} == {"Site Survey"}


def test_every_id_in_the_books_is_used_once_and_below_the_next(world: World) -> None:
    """Names and transactions share one number space."""
    company = world.company
    lists = (
        company.employees,
        company.vendors,
        company.customers,
        company.items,
        company.activities,
    )
    numbers = [int(number) for records in lists for number in records]
    assert sorted(numbers) == list(range(1, company.next_id))


def test_descriptions_hold_what_trips_programs_up_but_no_angle_brackets(world: World) -> None:
    """Clockify refuses those two, and texts over 3,000 characters."""
    texts = [entry.description for entry in world.workspace.entries.values()]
    assert not [text for text in texts if "<" in text or ">" in text]
    assert max(map(len, texts)) == 3000
    for part in ("\n", "|", "\U0001f331", "\u200f", '"', "**"):
        assert any(part in text for text in texts), part
    for start in "=+-@ ":
        assert any(text.startswith(start) for text in texts), start


def test_twins_are_equal_in_all_but_their_id() -> None:
    """And both are honest."""
    first, second = (vars(twin) | {"id": ""} for twin in add_twins(invent(7, TODAY), TODAY))
    assert first == second
    assert first["end"] > first["start"]


def test_hard_dates_have_the_time_that_passed() -> None:
    """An hour over the gap, three over the double hour, and a 29th of February."""
    world = invent(7, TODAY)
    over_gap, after_gap = add_spring_forward(world)
    assert local(world, over_gap.end) == "2026-03-08T03:30:00-04:00"
    assert local(world, after_gap.start) == "2026-03-08T03:00:00-04:00"
    first, second, both = add_fall_back(world)
    assert second.start - first.start == timedelta(hours=1)
    assert local(world, both.end) == "2026-11-01T02:30:00-05:00"
    assert {work_date(world, entry) for entry in add_leap_day(world)} == {date(2024, 2, 29)}


def local(world: World, instant: datetime | None) -> str:
    """Write an instant in the company's zone."""
    assert instant is not None
    return instant.astimezone(ZoneInfo(world.time_zone)).isoformat()


def test_the_one_valid_entry_is_accepted() -> None:
    """The one that all cases are changes of."""
    fresh = invent(7, TODAY)
    assert Rules(fresh).reasons(add_entry(fresh, TODAY - timedelta(days=1))) == set()


def test_somebody_or_something_unknown_is_named() -> None:
    """Character for character: a trailing blank is part of a name."""
    world = invent(7, TODAY)
    assert project_of(world, "Model Home Gardens ").client_name == "Copperleaf Homes"
    with pytest.raises(LookupError, match="'Model Home Gardens'"):
        project_of(world, "Model Home Gardens")
