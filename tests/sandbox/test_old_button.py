"""The vendor's old button: what it sends, once, and what an invented company has of it."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.sandbox.seed import invent, press_old_button
from pipeline.sandbox.seed.oddities import add_entry, add_midnight_crossing, add_twins
from pipeline.sandbox.world import World
from tests.sandbox.seed_rules import Rules, work_date

TODAY = date(2026, 11, 22)
DAY = date(2026, 11, 18)
PRESSED = datetime(2026, 11, 19, 14, 0, 5, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    """A company without time and without activities."""
    world = invent(7, TODAY)
    world.workspace.entries.clear()
    world.company.activities.clear()
    return world


def press(world: World) -> list[dict[str, Any]]:
    """Press the button for the one day, and return what stands in the books."""
    number = press_old_button(world, DAY, DAY, PRESSED)
    activities = list(world.company.activities.values())
    assert len(activities) == number
    return activities


def test_an_activity_says_what_the_entry_said(world: World) -> None:
    """Person, customer, date, minutes half up, rate, billable, and the text as it is."""
    entry = add_entry(world, DAY, seconds=5430, description="  Grading\nplan ")
    (activity,) = press(world)
    assert entry.is_sent
    assert activity.pop("EmployeeRef")["name"] == "Daniel Okafor"
    assert activity.pop("CustomerRef")["name"] == "Harborview Land Trust:Marsh Boardwalk"
    assert activity == {
        "Id": str(world.company.next_id - 1),
        "SyncToken": "0",
        "domain": "QBO",
        "sparse": False,
        "TxnDate": "2026-11-18",
        "NameOf": "Employee",
        "ItemRef": {"value": "2", "name": "Hours"},
        "BillableStatus": "Billable",
        "Taxable": False,
        "HourlyRate": 137.25,
        "Hours": 1,
        "Minutes": 31,
        "Description": "  Grading\nplan ",
        "MetaData": {
            "CreateTime": "2026-11-19T06:00:05-08:00",
            "LastUpdatedTime": "2026-11-19T06:00:05-08:00",
        },
    }


@pytest.mark.parametrize(
    "change",
    [
        {"is_billable": False},
        {"project": None},
        {"project": "Model Home Gardens "},
        {"project": "Bridge Approach"},
        {"project": "Lot 22 Drainage"},
        {"project": "Kettle Pond Restoration"},
        {"project": "Site Survey"},
        {"mailbox": "tom"},
        {"mailbox": "ben"},
        {"mailbox": "wei"},
        {"mailbox": "nadia"},
        {"seconds": None},
        {"seconds": 29},
        {"seconds": -1800},
        {"seconds": 23 * 3600 + 55 * 60 + 30},
        {"type": "BREAK"},
        {"rate_minor": None},
        {"rate_minor": -1},
        {"rate_minor": 13725.5},
        {"is_sent": True},
    ],
    ids=str,
)
def test_what_the_button_leaves_out(world: World, change: dict[str, Any]) -> None:
    """The valid entry beside it is sent."""
    add_entry(world, DAY, "09:00", description="valid")
    add_entry(world, DAY, "12:00", description="changed", **change)
    assert [activity["Description"] for activity in press(world)] == ["valid"]


@pytest.mark.parametrize(
    "change",
    [
        {"project": "Phase II Planting"},
        {"project": "Greenway Connector"},
        {"project": "Brindle Creek Watershed"},
        {"project": "Play Yard"},
        {"mailbox": "oliver"},
        {"mailbox": "ines"},
        {"seconds": 30},
        {"seconds": 23 * 3600 + 55 * 60 + 29},
        {"rate_minor": 0},
    ],
    ids=str,
)
def test_what_the_button_sends(world: World, change: dict[str, Any]) -> None:
    """Middle levels, projects, straight apostrophes, former members, short and long entries."""
    add_entry(world, DAY, "00:01", **change)
    assert len(press(world)) == 1


def test_pressing_twice_sends_once(world: World) -> None:
    """Clockify marks what it has sent; what is new is sent alone."""
    add_twins(world, DAY)
    assert len(press(world)) == 2
    add_entry(world, DAY, "08:00")
    assert press_old_button(world, DAY, DAY, PRESSED) == 1
    assert len(world.company.activities) == 3


def test_a_day_is_the_companys_and_that_of_the_start(world: World) -> None:
    """A late evening belongs to the day on which it began."""
    add_midnight_crossing(world, DAY)
    assert [activity["TxnDate"] for activity in press(world)] == ["2026-11-18"]


def test_the_invented_company_has_three_days_as_sent_and_some_of_a_fourth_reworded() -> None:
    """Each activity of the first days equals one entry; no other day was sent."""
    world = invent(7, TODAY)
    rules = Rules(world)
    days = sorted({activity["TxnDate"] for activity in world.company.activities.values()})
    assert days == ["2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04"]
    for day in days:
        sent = Counter(
            activity.get("Description", "")
            for activity in world.company.activities.values()
            if activity["TxnDate"] == day
        )
        meant = Counter(
            entry.description
            for entry in world.workspace.entries.values()
            if work_date(world, entry).isoformat() == day and not rules.reasons(entry)
        )
        assert (sent - meant).total() == (4 if day == days[-1] else 0)
        assert sent.total() == meant.total()
