"""A window that the vendor's own button had sent, wholly or partly: nothing doubled, nothing lost.

Whatever the button's settings were and a bookkeeper has done to its activities since.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry
from tests.conftest import TODAY
from tests.end_to_end.books import BATCHES, due, held, move
from tests.end_to_end.conftest import DAY, House, check, problems
from tests.end_to_end.stages import CONFIRMED, LOAD

NEXT = DAY + timedelta(days=1)
ALL = 32
"""Entries of `reviewed`."""
Activity = dict[str, Any]


def press(house: House, first: date, last: date) -> list[Activity]:
    """Press the vendor's button for some days, as a person does in Clockify."""
    span = {"from": str(first), "to": str(last)}
    made: list[Activity] = house.sandbox.admin("POST", "vendor-button", **span)
    return made


def press_for(house: House, entries: list[Entry], first: date, last: date) -> list[Activity]:
    """Press the button while it has only these entries of the days to send."""
    all_entries = house.sandbox.world.workspace.entries.values()
    others = [each for each in all_entries if each not in entries and not each.is_sent]
    for entry in others:
        entry.is_sent = True
    made = press(house, first, last)
    for entry in others:
        entry.is_sent = False
    return made


def change(house: House, activity: Activity, **fields: object) -> None:
    """Change an activity as a bookkeeper does in QuickBooks."""
    house.sandbox.admin("PATCH", f"activities/{activity['Id']}", **fields)


def untouched(_: House, __: Activity) -> None:
    """As the button sent it."""


def billed(house: House, activity: Activity) -> None:
    """Put on an invoice."""
    house.sandbox.admin("POST", f"activities/{activity['Id']}/bill")


def repriced(house: House, activity: Activity) -> None:
    """With another rate and another item."""
    item = {"value": "8", "name": "Design"}
    change(house, activity, HourlyRate=activity["HourlyRate"] + 7.5, ItemRef=item)


def a_day_earlier(house: House, activity: Activity) -> None:
    """By another rule of which day work belongs to."""
    day = date.fromisoformat(activity["TxnDate"]) - timedelta(days=1)
    change(house, activity, TxnDate=str(day))


def a_day_later(house: House, activity: Activity) -> None:
    """The same, the other way."""
    day = date.fromisoformat(activity["TxnDate"]) + timedelta(days=1)
    change(house, activity, TxnDate=str(day))


def rounded_up(house: House, activity: Activity) -> None:
    """With rounding up to quarters of an hour switched on."""
    minutes = -(-(activity["Hours"] * 60 + activity["Minutes"]) // 15) * 15
    change(house, activity, Hours=minutes // 60, Minutes=minutes % 60)


def reworded(house: House, activity: Activity) -> None:
    """With another description."""
    change(house, activity, Description=activity["Description"] + " (as agreed)")


def rounded_and_reworded(house: House, activity: Activity) -> None:
    """Both."""
    rounded_up(house, activity)
    reworded(house, activity)


def rounded_and_a_day_later(house: House, activity: Activity) -> None:
    """Both, and billed."""
    rounded_up(house, activity)
    a_day_later(house, activity)
    billed(house, activity)


def for_another_customer(house: House, activity: Activity) -> None:
    """Moved to the parent customer."""
    change(house, activity, CustomerRef={"value": "1", "name": "Somebody"})


CERTAIN = (untouched, billed, repriced)
LIKELY = (
    a_day_earlier,
    a_day_later,
    rounded_up,
    reworded,
    rounded_and_reworded,
    rounded_and_a_day_later,
    for_another_customer,
)
Deed = Callable[[House, Activity], None]


def states(house: House) -> dict[str, int]:
    """How many deliveries the ledger has in each state."""
    return dict(house.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))


@pytest.mark.parametrize("deed", CERTAIN)
def test_what_the_button_sent_is_adopted_whatever_its_price_and_invoice(
    reviewed: House, deed: Deed
) -> None:
    """0 new activities, and nothing for a person to decide."""
    for activity in press(reviewed, DAY, NEXT):
        deed(reviewed, activity)
    before = held(reviewed.sandbox.world)
    assert problems(reviewed.run(DAY, NEXT, LOAD)) == []
    assert held(reviewed.sandbox.world) == before
    assert states(reviewed) == {"adopted": ALL}
    assert reviewed.sandbox.calls(BATCHES) == 0
    drift = reviewed.rows("SELECT count(error_message) FROM deliveries")
    assert drift == [(ALL if deed is repriced else 0,)]


@pytest.mark.parametrize("deed", LIKELY)
def test_what_the_button_sent_otherwise_is_left_to_a_person(reviewed: House, deed: Deed) -> None:
    """0 new activities: other days, minutes, words or customers than ours would have."""
    for activity in press(reviewed, DAY, NEXT):
        deed(reviewed, activity)
    before = held(reviewed.sandbox.world)
    result = reviewed.run(DAY, NEXT, LOAD)
    assert held(reviewed.sandbox.world) == before
    found = states(reviewed)
    assert sum(found.values()) == ALL
    assert found["doubtful"] > ALL // 2, "some minutes are the same under either rounding"
    assert f" {found['doubtful']}." in str(
        check(result, "no_delivery_refused_or_unknown").description
    )


@pytest.mark.parametrize("deed", CERTAIN)
def test_of_what_the_button_had_half_sent_exactly_the_other_half_is_sent(
    reviewed: House, deed: Deed
) -> None:
    """Every second entry stands in QuickBooks; the books then hold each once."""
    world = reviewed.sandbox.world
    entries = sorted(world.workspace.entries.values(), key=lambda entry: entry.start)
    for activity in press_for(reviewed, entries[::2], DAY, NEXT):
        deed(reviewed, activity)
    before = held(world)
    assert problems(reviewed.run(DAY, NEXT, LOAD, **CONFIRMED)) == []
    assert states(reviewed) == {"adopted": ALL // 2, "sent": ALL // 2}
    new = held(world) - before
    assert new < due(world, DAY, NEXT)
    assert new.total() == ALL // 2
    if deed is untouched:
        assert held(world) == due(world, DAY, NEXT)


@pytest.mark.parametrize("deed", LIKELY)
def test_of_what_the_button_had_half_sent_otherwise_nothing_is_doubled_and_nothing_lost(
    reviewed: House, deed: Deed
) -> None:
    """What was sent by either is there once; what cannot be told waits for a person."""
    world = reviewed.sandbox.world
    entries = sorted(world.workspace.entries.values(), key=lambda entry: entry.start)
    for activity in press_for(reviewed, entries[::2], DAY, NEXT):
        deed(reviewed, activity)
    reviewed.run(DAY, NEXT, LOAD, **CONFIRMED)
    found = reviewed.rows("SELECT entry_id, state FROM deliveries")
    assert len(found) == ALL
    by_button = {entry.id for entry in entries[::2]}
    assert not by_button & {entry_id for entry_id, state in found if state == "sent"}
    assert len(reviewed.activities) == ALL // 2 + states(reviewed).get("sent", 0)


def test_over_a_fortnight_that_the_button_sent_completely_nothing_is_new(house: House) -> None:
    """Also when 80 % of it is billed: the invented company with its twins and oddities."""
    first, last = TODAY - timedelta(days=14), TODAY - timedelta(days=1)
    made = press(house, first, last)
    for number, activity in enumerate(made):
        if number % 5:
            billed(house, activity)
    before = held(house.sandbox.world)
    assert problems(house.run(first, last)) == []
    assert held(house.sandbox.world) == before
    assert set(states(house)) == {"adopted"}
    assert states(house)["adopted"] >= due(house.sandbox.world, first, last).total() > 100


def test_over_a_fortnight_that_the_button_half_sent_the_missing_half_is_sent(
    house: House,
) -> None:
    """One of each pair of twins included: the books then hold each entry once."""
    world = house.sandbox.world
    first, last = TODAY - timedelta(days=14), TODAY - timedelta(days=1)
    entries = sorted(world.workspace.entries.values(), key=lambda entry: entry.start)
    press_for(house, entries[::2], first, last)
    before, wanted = held(world, first, last), due(world, first, last)
    assert problems(house.run(first, last, **CONFIRMED)) == []
    assert held(world, first, last) - before == wanted - before
    assert len(wanted - before) > len(wanted) // 3
    assert max(held(world, first, last).values()) == 2, "the twins, and nothing else twice"


def test_an_activity_of_a_rejected_entry_is_not_taken_for_an_accepted_ones(quiet: House) -> None:
    """The same work on two days, of which the button sent the first, rejected since.

    Without the rejected entry in the comparison, the second would be in doubt.
    """
    world = quiet.sandbox.world
    rejected = add_entry(world, DAY, description="Standup")
    press(quiet, DAY, DAY)
    rejected.rate_minor = 0
    add_entry(world, NEXT, description="Standup")
    assert problems(quiet.run(DAY, NEXT, **CONFIRMED)) == []
    assert states(quiet) == {"adopted": 1, "sent": 1}
    assert quiet.rows("SELECT count(*) FROM rejected_time_entries") == [(1,)]
    assert problems(quiet.run(DAY, NEXT)) == []
    assert quiet.rows("SELECT count(*) FROM rejected_time_entries") == [(0,)]
    assert len(quiet.activities) == 2


def test_an_entry_whose_customer_is_not_known_takes_over_nothing_without_one(
    quiet: House,
) -> None:
    """Its project was renamed: unbilled time that stands for nobody is not told to be its own."""
    world = quiet.sandbox.world
    quiet.changes["SEND_NON_BILLABLE"] = "true"
    entry = add_entry(world, DAY, description="Meeting")
    add_entry(world, DAY, at="10:00", project="Play Yard")
    [made] = press_for(quiet, [entry], DAY, DAY)
    activity = world.company.activities[made["Id"]]
    del activity["CustomerRef"]
    activity |= {"BillableStatus": "NotBillable", "HourlyRate": 0}
    entry.is_billable = False
    world.workspace.projects[entry.project_id or ""].name = "Renamed"
    assert problems(quiet.run(DAY, **CONFIRMED)) == []
    assert quiet.rows("SELECT entry_id, reasons FROM rejected_time_entries") == [
        (entry.id, ["unknown_customer"])
    ]
    assert states(quiet) == {"sent": 1}


def test_an_entry_of_the_day_before_keeps_its_activity(quiet: House) -> None:
    """A day launched alone: the standup before it, sent by the button, puts it in no doubt."""
    world = quiet.sandbox.world
    add_entry(world, DAY, description="Standup")
    press(quiet, DAY, DAY)
    add_entry(world, NEXT, description="Standup")
    quiet.run(DAY, DAY, "clockify_time_entries")
    assert problems(quiet.run(NEXT, **CONFIRMED)) == []
    assert states(quiet) == {"sent": 1}
    assert problems(quiet.run(DAY)) == []
    assert states(quiet) == {"sent": 1, "adopted": 1}


def test_of_equal_twins_the_accepted_one_gets_the_activity(quiet: House) -> None:
    """The other is sent once it is accepted: two entries, two activities, whoever was first."""
    world = quiet.sandbox.world
    first, second = (add_entry(world, DAY, at, description="Twin") for at in ("09:00", "14:00"))
    press_for(quiet, [first], DAY, DAY)
    first.is_approved, second.is_approved = False, True
    second.is_approved = True
    quiet.changes["REQUIRE_APPROVAL"] = "true"
    assert problems(quiet.run(DAY)) == []
    assert quiet.rows("SELECT entry_id, state FROM deliveries") == [(second.id, "adopted")]
    first.is_approved = True
    assert problems(quiet.run(DAY, **CONFIRMED)) == []
    assert states(quiet) == {"adopted": 1, "sent": 1}
    assert held(world) == due(world, DAY, DAY)


def test_an_adopted_entry_that_is_moved_and_reworded_later_is_not_sent(quiet: House) -> None:
    """Held while it was adopted beside one that was sent: what becomes of it is drift, not new."""
    world = quiet.sandbox.world
    waiting = add_entry(world, DAY, "09:00", description="Not approved yet", is_approved=False)
    press(quiet, DAY, DAY)
    add_entry(world, DAY, "14:00", description="Approved", is_approved=True)
    quiet.changes["REQUIRE_APPROVAL"] = "true"
    assert problems(quiet.run(DAY, **CONFIRMED)) == []
    assert states(quiet) == {"adopted": 1, "sent": 1}
    move(waiting, 3)
    waiting.description, waiting.is_approved = "Something else", True
    assert problems(quiet.run(DAY, DAY + timedelta(days=3))) == []
    assert len(quiet.activities) == 2


def test_a_first_load_beside_somebody_elses_activities_is_confirmed_once(reviewed: House) -> None:
    """It stops before anything is sent, names both counts and the command; then never again."""
    entries = sorted(reviewed.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    made = press_for(reviewed, entries[:5], DAY, DAY)
    stopped = problems(reviewed.run(DAY, DAY, LOAD))[0]
    assert "holds 5 time activities that this pipeline did not send, and 11 entries" in stopped
    assert f"`python -m pipeline cutover {DAY} {DAY}`" in stopped
    assert states(reviewed) == {}
    assert problems(reviewed.run(DAY, DAY, LOAD, **{LOAD: {"dry_run": True}})) == []
    assert problems(reviewed.run(DAY, DAY, LOAD, **CONFIRMED)) == []
    assert states(reviewed) == {"adopted": 5, "sent": 11}
    change(reviewed, made[0], TxnDate=str(NEXT))
    assert problems(reviewed.run(NEXT, NEXT, LOAD)) == []
    assert states(reviewed) == {"adopted": 5, "sent": 27}


@pytest.mark.parametrize(("days_later", "asked"), [(19, True), (21, False)])
def test_twenty_days_after_the_first_delivery_nothing_is_asked(
    reviewed: House, days_later: int, *, asked: bool
) -> None:
    """Then our own loads are the rule, and a button pressed by habit is told by its likeness."""
    assert problems(reviewed.run(DAY, DAY, LOAD)) == [], "no activity there, nothing asked"
    reviewed.now += timedelta(days=days_later)
    entries = sorted(reviewed.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    press_for(reviewed, entries[16:20], NEXT, NEXT)
    said = problems(reviewed.run(NEXT, NEXT, LOAD))
    assert bool(said) is asked
    assert states(reviewed) == ({"sent": 16} if asked else {"sent": 28, "adopted": 4})


def test_activities_of_our_own_are_never_asked_about(reviewed: House) -> None:
    """Sent by us, beside what is still to be sent the next day."""
    assert problems(reviewed.run(DAY, DAY, LOAD)) == []
    assert problems(reviewed.run(NEXT, NEXT, LOAD)) == []
    assert states(reviewed) == {"sent": ALL}
