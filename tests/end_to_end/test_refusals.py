"""What QuickBooks refuses, or stores otherwise than it was sent: said, and never forced."""

from datetime import date, timedelta

from pipeline.orchestration.windows import SCHEDULE, SCHEDULE_NAME
from pipeline.quickbooks.client import BATCH
from pipeline.sandbox.seed.oddities import add_entry
from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import DAY, House, check, problems
from tests.end_to_end.stages import DAILY, ENTRIES, LOAD, REVIEW

NEXT = DAY + timedelta(days=1)
FREE, AFTER = DAY + timedelta(days=2), DAY + timedelta(days=3)
"""Days of which `reviewed` has nothing."""
COMPANY, CUSTOMERS = "quickbooks_company", "quickbooks_customers"
PLAY_YARD, DANIEL, MARCUS = "43", "9", "11"


def attempts(house: House) -> int:
    """How often an entry was sent, by all runs."""
    [(count,)] = house.rows("SELECT count(*) FROM delivery_attempts WHERE state = 'pending'")
    return int(count)


def test_a_customer_made_inactive_since_it_was_read_is_refused_and_not_tried_again_in_vain(
    reviewed: House,
) -> None:
    """Only what has changed is: an entry that was edited, and a person's whose record was.

    Any change of the customer's record counts too, also if it looks as before: its version grew.
    """
    sandbox, world = reviewed.sandbox, reviewed.sandbox.world
    customer = world.company.customers[PLAY_YARD]
    customer["Active"] = False
    first = reviewed.run(DAY, NEXT, LOAD)
    assert " 16." in str(check(first, "no_delivery_refused_or_unknown").description)
    assert reviewed.rows("SELECT DISTINCT error_code FROM deliveries WHERE state = 'refused'") == [
        ("2500",)
    ]
    assert len(reviewed.activities) == 16
    batches = sandbox.calls(BATCHES)
    second = reviewed.run(DAY, NEXT, LOAD)
    assert problems(second) == []
    assert " 16 " in str(check(second, "no_delivery_stands_unresolved").description)
    assert sandbox.calls(BATCHES) == batches

    customer["Active"] = True
    sandbox.admin("PATCH", f"employees/{MARCUS}", PrimaryEmailAddr={"Address": "m@new.example"})
    edited = next(
        entry for entry in world.workspace.entries.values() if entry.description == "Work number 03"
    )
    edited.description = "Work number 03, as agreed"
    reviewed.prepare(DAY, NEXT)
    still = due(world, DAY, NEXT) - held(world)
    assert held(world) <= due(world, DAY, NEXT)
    assert {each.customer for each in still} == {PLAY_YARD}
    assert MARCUS not in {each.employee for each in still}
    assert edited.description not in {each.description for each in still}
    assert still.total() == 10
    sandbox.admin("PATCH", f"customers/{PLAY_YARD}", Active=True)
    reviewed.prepare(DAY, NEXT, CUSTOMERS, *REVIEW, LOAD)
    assert held(world) == due(world, DAY, NEXT)


def test_a_service_item_made_active_again_is_a_change_too(reviewed: House) -> None:
    """It bears the name and the price that it had; only its version has grown."""
    reviewed.changes["SERVICE_ITEM"] = "Hours"
    reviewed.prepare(DAY, DAY, COMPANY)
    items = reviewed.sandbox.world.company.items
    [item] = [row for row in items.values() if row["Name"] == "Hours"]
    item["Active"] = False
    reviewed.prepare(DAY, DAY, LOAD)
    for active in (False, True):
        reviewed.sandbox.admin("PATCH", f"items/{item['Id']}", Active=active)
    assert reviewed.rows("SELECT state, error_code, count(*) FROM deliveries GROUP BY ALL") == [
        ("refused", "2500", 16)
    ]
    reviewed.prepare(DAY, DAY, COMPANY, LOAD)
    assert len(reviewed.activities) == 16


def test_after_a_lapsed_subscription_all_is_sent_without_being_asked_for(reviewed: House) -> None:
    """The message says: renew it, then run again. Nothing stands refused meanwhile."""
    lapsed = {"Error": [{"Message": "Invalid Company Status", "Detail": "", "code": "6190"}]}
    reviewed.sandbox.fail("batch", "status", status=400, body={"Fault": lapsed})
    assert "Renew it in QuickBooks, then run again" in reviewed.stopped(DAY, DAY, LOAD)
    assert reviewed.rows("FROM fix_list") == []
    reviewed.prepare(DAY, DAY, LOAD)
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, DAY)


def test_what_a_rule_of_quickbooks_keeps_out_twice_is_refused_in_its_words(quiet: House) -> None:
    """6000 proves nothing, but it is an answer: settled, tried once alone, and then a person's."""
    for day in (DAY, NEXT):
        add_entry(quiet.sandbox.world, day)
    rule = {"code": "6000", "Message": "Business Validation", "Detail": "Set the person up first"}
    quiet.sandbox.fail("batch", "status", status=400, body={"Fault": {"Error": [rule]}}, times=3)
    quiet.prepare(DAY, NEXT)
    assert quiet.rows("SELECT DISTINCT error_code, error_message FROM deliveries") == [
        ("6000", "Business Validation: Set the person up first")
    ]
    quiet.prepare(DAY, NEXT, LOAD)
    assert quiet.sandbox.calls(BATCHES) == 3, "not again, though it would pass now"
    [(fix,)] = quiet.rows("SELECT fix FROM fix_list")
    assert "fault 6000: a business rule of its own forbids it; its words in" in fix


def test_a_person_mistaken_for_another_is_loud_and_stops_the_run(reviewed: House) -> None:
    """QuickBooks takes an id of a vendor for an employee's and stores somebody else's time."""
    company = reviewed.sandbox.world.company
    company.vendors[DANIEL] = company.employees.pop(DANIEL)
    said = reviewed.stopped(DAY, NEXT, LOAD)
    assert "QuickBooks did not store 9 time activities as they were sent" in said
    assert len(reviewed.activities) == BATCH
    reviewed.tags |= {SCHEDULE_NAME: SCHEDULE}
    said = reviewed.stopped(DAY, NEXT, LOAD)
    assert "Of the time activities sent last, QuickBooks did not store 9 as they were sent" in said
    assert len(reviewed.activities) == BATCH, "nobody's mornings add to them"
    reviewed.tags.clear()
    second = reviewed.run(DAY, NEXT, LOAD)
    assert not second.success
    assert " 2." in str(check(second, "activities_are_stored_as_they_were_sent").description)
    assert reviewed.rows(
        "SELECT state, count(*), count(error_message) FROM deliveries GROUP BY 1"
    ) == [("sent", 32, 11)]
    assert len(reviewed.activities) == 32
    reviewed.tags |= {SCHEDULE_NAME: SCHEDULE}
    assert reviewed.run(DAY, NEXT, LOAD).success, "two are not three"


def test_a_description_that_lost_letters_is_sent_and_said(reviewed: House) -> None:
    """The hours are right, so nothing stops; the next run does not send them again."""
    reviewed.sandbox.switch(charset="latin1")
    for number in range(4):
        length, text = 600 + 60 * number, "Südhang – Ω"
        add_entry(reviewed.sandbox.world, FREE, seconds=length, description=text)
    result = reviewed.run(FREE, FREE, *DAILY)
    assert not result.success
    assert " 4." in str(check(result, "activities_are_stored_as_they_were_sent").description)
    again = reviewed.run(FREE, FREE, LOAD)
    assert problems(again) == []
    assert ": 4 (" in str(check(again, "nothing_has_drifted").description)
    assert [row["Description"] for row in reviewed.activities] == ["Südhang ? ?"] * 4
    for row in reviewed.sandbox.world.company.activities.values():
        row["Description"] = "Südhang – Ω"
    assert check(reviewed.run(FREE, FREE, LOAD), "nothing_has_drifted").passed


def test_closed_books_are_tried_with_one_entry_a_run_until_they_are_open(reviewed: House) -> None:
    """Reopened in part, then whole, the probe deleted meanwhile: in the end all is sent once."""
    world = reviewed.sandbox.world

    def run(closed_through: date | None, *assets: str) -> tuple[int, int]:
        world.company.books_closed_through, before = closed_through, attempts(reviewed)
        reviewed.prepare(DAY, NEXT, *assets, *REVIEW, LOAD)
        assert held(world) <= due(world, DAY, NEXT)
        return attempts(reviewed) - before, len(reviewed.activities)

    world.company.books_closed_through = NEXT
    assert not reviewed.run(DAY, NEXT, LOAD).success
    assert (attempts(reviewed), reviewed.activities) == (32, [])
    reviewed.prepare(DAY, NEXT, *REVIEW, LOAD)
    assert (attempts(reviewed), reviewed.activities) == (33, [])
    assert reviewed.rows(
        "SELECT verdict, reasons, count(*) FROM rejected_time_entries GROUP BY ALL"
    ) == [("held", ["books_closed"], 31)]
    add_entry(world, DAY, description="Late")
    assert run(DAY, ENTRIES) == (1, 1)
    assert run(DAY) == (16, 16)
    [(probe,)] = reviewed.rows(
        "SELECT entry_id FROM accepted_time_entries JOIN deliveries USING (entry_id) "
        "WHERE state = 'refused'"
    )
    del world.workspace.entries[probe]
    assert run(None, ENTRIES) == (1, 17)
    batches = reviewed.sandbox.calls(BATCHES)
    assert run(None) == (15, 32)
    assert reviewed.sandbox.calls(BATCHES) == batches + 1
    assert held(world) == due(world, DAY, NEXT)


def test_books_reopened_in_part_hold_nothing_for_an_entry_that_is_gone(reviewed: House) -> None:
    """Refused as closed, it can be no probe any more, and says nothing of its day."""
    world = reviewed.sandbox.world
    add_entry(world, FREE, description="early")
    deleted, bare = (add_entry(world, AFTER, description=each) for each in ("deleted", "bare"))
    world.company.books_closed_through = AFTER
    reviewed.prepare(FREE, AFTER, *DAILY)
    del world.workspace.entries[deleted.id]
    bare.project_id = None
    world.company.books_closed_through = FREE
    add_entry(world, AFTER, at="10:00", description="new")
    for _ in range(2):
        reviewed.prepare(FREE, AFTER, *DAILY)
    assert [activity["Description"] for activity in reviewed.activities] == ["new"]
