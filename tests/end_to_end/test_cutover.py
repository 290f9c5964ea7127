"""A window that the vendor's own button had sent, wholly or partly: nothing doubled, nothing lost.

Whatever the button's settings were and a bookkeeper has done to its activities since.
"""

from collections import Counter
from datetime import date, timedelta
from itertools import cycle
from typing import Any

from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry
from tests.conftest import TODAY
from tests.end_to_end.books import BATCHES, due, held, move
from tests.end_to_end.conftest import DAY, House, check, states
from tests.end_to_end.stages import CONFIRMED, DAILY, ENTRIES, LOAD, REVIEW

NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=2)
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
    ids = {each.id for each in entries}
    others = [
        each
        for each in house.sandbox.world.workspace.entries.values()
        if each.id not in ids and not each.is_sent
    ]
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
    reworded,
    rounded_up,
    rounded_and_reworded,
    rounded_and_a_day_later,
    for_another_customer,
)
DEEDS = (*CERTAIN, *LIKELY)
"""In this order none that rounds gets an entry of whole quarters of an hour."""
AS_TOLD = {f"{deed.__name__}: adopted" for deed in CERTAIN} | {
    f"{deed.__name__}: doubtful" for deed in LIKELY
}


def in_turn(house: House, made: list[Activity]) -> dict[str, str]:
    """Do one deed to each activity; the deeds' names by the descriptions that were sent."""
    names = {}
    for activity, deed in zip(made, cycle(DEEDS), strict=False):
        deed(house, activity)
        names[activity["Description"]] = deed.__name__
    return names


def outcomes(house: House, names: dict[str, str]) -> set[str]:
    """What became of the entries of each deed, and of those that were not sent."""
    rows = house.rows("SELECT payload ->> 'Description', state FROM deliveries")
    assert len(rows) == ALL
    return {f"{names.get(words, 'not sent')}: {state}" for words, state in rows}


def test_what_the_button_sent_is_adopted_or_left_to_a_person(reviewed: House) -> None:
    """0 new activities: adopted whatever its price and invoice.

    With other days, minutes, words or customers than ours would have, a person decides.
    """
    names = in_turn(reviewed, press(reviewed, DAY, NEXT))
    before = held(reviewed.sandbox.world)
    result = reviewed.run(DAY, NEXT, LOAD)
    assert held(reviewed.sandbox.world) == before
    assert outcomes(reviewed, names) == AS_TOLD
    assert reviewed.sandbox.calls(BATCHES) == 0
    said = check(result, "no_delivery_refused_or_unknown").description
    assert f" {states(reviewed)['doubtful']}." in str(said)
    repriced_ones = [(word,) for word, name in names.items() if name == repriced.__name__]
    drift = "SELECT payload ->> 'Description' FROM deliveries WHERE error_message LIKE 'drift%'"
    assert sorted(reviewed.rows(drift)) == sorted(repriced_ones)


def test_what_is_not_ours_is_not_adopted(reviewed: House) -> None:
    """Of the projects that are left to the button nothing is recorded, and nothing is in doubt."""
    press(reviewed, DAY, DAY)
    reviewed.changes["ONLY_PROJECTS"] = "Play Yard"
    reviewed.prepare(DAY, DAY, *REVIEW, LOAD, **CONFIRMED)
    assert states(reviewed) == {"adopted": 8}


def test_of_what_the_button_had_half_sent_exactly_the_other_half_is_sent(reviewed: House) -> None:
    """Every second entry stands in QuickBooks, as above: nothing is doubled and nothing lost."""
    world = reviewed.sandbox.world
    entries = sorted(world.workspace.entries.values(), key=lambda entry: entry.start)
    names = in_turn(reviewed, press_for(reviewed, entries[::2], DAY, NEXT))
    before = held(world)
    reviewed.prepare(DAY, NEXT, LOAD, **CONFIRMED)
    assert outcomes(reviewed, names) == {*AS_TOLD, "not sent: sent"}
    new = held(world) - before
    assert new < due(world, DAY, NEXT)
    assert new.total() == ALL // 2 == len(reviewed.activities) - before.total()


def test_of_days_that_the_button_sent_and_days_that_it_half_sent_the_missing_half_is_sent(
    house: House,
) -> None:
    """Though 80 % of the first is billed; one of each pair of twins included."""
    world = house.sandbox.world
    first, last = TODAY - timedelta(days=6), TODAY - timedelta(days=1)
    end, begin = TODAY - timedelta(days=4), TODAY - timedelta(days=3)
    entries = sorted(world.workspace.entries.values(), key=lambda entry: entry.start)
    press_for(house, entries[::2], begin, last)
    for number, activity in enumerate(press(house, first, end)):
        if number % 5:
            billed(house, activity)
    before, wanted = held(world), due(world, begin, last)
    assert max((before & wanted).values()) == 1, "of each pair of twins one"
    house.prepare(first, last, **CONFIRMED)
    assert held(world) - before == wanted - before
    assert len(wanted - before) > len(wanted) // 3
    assert max(held(world, begin, last).values()) == 2, "the twins, and nothing else twice"
    of_first = "SELECT state, count(*) FROM deliveries WHERE work_date <= $1 GROUP BY state"
    [(state, count)] = house.rows(of_first, end)
    assert (state, count >= due(world, first, end).total() > 50) == ("adopted", True)


def companions(house: House) -> dict[str, Entry]:
    """An entry that the button sent, and beside it one that its activity may be taken for."""
    world = house.sandbox.world

    def add(day: date, words: str, mailbox: str, at: str = "09:00", **fields: Any) -> Entry:  # noqa: ANN401 # any field of an entry
        words_and_leave = {"description": words, "is_approved": True, **fields}
        return add_entry(world, day, at, mailbox=mailbox, **words_and_leave)

    entries = {
        "of the day before": add(DAY, "Standup", "daniel"),
        "rejected": add(NEXT, "Check", "priya"),
        "without a customer": add(LATER, "Meeting", "daniel", project="Visitor Meadow"),
        "not approved": add(LATER, "Twin", "marcus", is_approved=False),
        "held": add(LATER, "Survey", "sofia", is_approved=False),
    }
    made = press_for(house, list(entries.values()), DAY, LATER)
    entries["rejected"].rate_minor = 0
    meeting, unknown = made[2], entries["without a customer"]
    assert meeting["Description"] == unknown.description
    activity = world.company.activities[meeting["Id"]]
    del activity["CustomerRef"]
    activity |= {"BillableStatus": "NotBillable", "HourlyRate": 0}
    unknown.is_billable = False
    world.workspace.projects[unknown.project_id or ""].name = "Renamed"
    return entries | {
        "of the day": add(NEXT, "Standup", "daniel"),
        "accepted": add(LATER, "Check", "priya"),
        "with a customer": add(LATER, "Visit", "daniel", project="Play Yard"),
        "approved": add(LATER, "Twin", "marcus", "14:00"),
        "sent": add(LATER, "Report", "sofia", "14:00"),
    }


def test_an_activity_stays_with_the_entry_that_it_is_of(quiet: House) -> None:
    """Whatever its entry's verdict is, also if its day was only read; no other is in doubt for it.

    The same work was done a day later; a project was renamed, so that unbilled time that stands
    for nobody is not told to be its entry's own; of equal twins the accepted one gets it, and the
    other is sent once it is accepted; what was held while it was adopted is moved and reworded
    later, which is drift, not new.
    """
    quiet.changes |= {"SEND_NON_BILLABLE": "true", "REQUIRE_APPROVAL": "true"}
    entries = companions(quiet)
    names = {entry.id: name for name, entry in entries.items()}
    words = Counter(entry.description for entry in entries.values())

    def found(column: str, table: str) -> dict[str, Any]:
        return {
            names[key]: value
            for key, value in quiet.rows(f"SELECT entry_id, {column} FROM {table}")
        }

    quiet.prepare(DAY, DAY, ENTRIES)
    quiet.prepare(NEXT, LATER, **CONFIRMED)
    first = {
        "rejected": "adopted",
        "held": "adopted",
        "approved": "adopted",
        "of the day": "sent",
        "accepted": "sent",
        "with a customer": "sent",
        "sent": "sent",
    }
    assert found("state", "deliveries") == first
    withdrawn = "FROM drift WHERE kind = 'unapproved'"
    assert quiet.rows(withdrawn) == [], "the held one never had an approval"
    assert found("reasons", "rejected_time_entries") == {
        "rejected": ["zero_rate"],
        "without a customer": ["unknown_customer"],
        "not approved": ["not_approved"],
        "held": ["not_approved"],
    }
    entries["not approved"].is_approved = True
    move(entries["held"], 3)
    entries["held"].description, entries["held"].is_approved = "Something else", True
    quiet.prepare(DAY, LATER + timedelta(days=3), *DAILY)
    assert found("state", "deliveries") == first | {
        "of the day before": "adopted",
        "not approved": "sent",
    }
    assert found("reasons", "rejected_time_entries") == {"without a customer": ["unknown_customer"]}
    assert Counter(row["Description"] for row in quiet.activities) == words


def test_a_first_load_beside_somebody_elses_activities_is_confirmed_once(reviewed: House) -> None:
    """It stops before anything is sent, names both counts and the command; then never again."""
    entries = sorted(reviewed.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    made = press_for(reviewed, entries[:5], DAY, DAY)
    stopped = reviewed.stopped(DAY, DAY, LOAD)
    assert "holds 5 time activities that this pipeline did not send, and 11 entries" in stopped
    assert f"`python -m pipeline cutover {DAY} {DAY}`" in stopped
    assert states(reviewed) == {}
    reviewed.prepare(DAY, DAY, LOAD, **{LOAD: {"dry_run": True}})
    reviewed.prepare(DAY, DAY, LOAD, **CONFIRMED)
    assert states(reviewed) == {"adopted": 5, "sent": 11}
    change(reviewed, made[0], TxnDate=str(NEXT))
    reviewed.prepare(NEXT, NEXT, LOAD)
    assert states(reviewed) == {"adopted": 5, "sent": 27}


def test_twenty_days_after_the_first_delivery_nothing_is_asked(reviewed: House) -> None:
    """Then our own loads are the rule, and a button pressed by habit is told by its likeness.

    Before that, our own activities of the day before are none that we did not send.
    """
    reviewed.prepare(DAY, DAY, LOAD)  # no activity there, nothing asked
    reviewed.now += timedelta(days=19)
    entries = sorted(reviewed.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    press_for(reviewed, entries[16:20], NEXT, NEXT)
    assert "holds 4 time activities that" in reviewed.stopped(NEXT, NEXT, LOAD)
    assert states(reviewed) == {"sent": 16}
    reviewed.now += timedelta(days=2)
    reviewed.prepare(NEXT, NEXT, LOAD)
    assert states(reviewed) == {"sent": 28, "adopted": 4}


def test_an_entry_that_is_gone_takes_over_nothing_by_itself(quiet: House) -> None:
    """Deleted in QuickBooks, then sent by the button, beside another that is still to be sent."""
    world = quiet.sandbox.world
    gone = add_entry(world, DAY, description="Standup")
    quiet.prepare(DAY)
    world.company.activities.clear()
    quiet.prepare(DAY, DAY, LOAD)
    assert states(quiet) == {"gone": 1}
    press_for(quiet, [gone], DAY, DAY)
    add_entry(world, DAY, "14:00", mailbox="priya", description="Visit")
    quiet.prepare(DAY, DAY, *DAILY, **CONFIRMED)
    assert states(quiet) == {"gone": 1, "sent": 1}
    assert len(quiet.activities) == 2
