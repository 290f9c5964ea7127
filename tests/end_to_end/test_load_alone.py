"""A load launched alone: only what may be sent at that moment is sent, whatever was stored."""

from collections import Counter
from datetime import timedelta

import duckdb
import pytest

from pipeline.sandbox.seed.oddities import add_entry, user_of
from pipeline.sandbox.seed.old_button import press_old_button
from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import DAY, House, check, problems, states
from tests.end_to_end.stages import CONFIRMED, ENTRIES, LOAD, REVIEW, UP_TO_REVIEW

NEXT = DAY + timedelta(days=1)
TAMPERED = (
    "quickbooks_employee_id = '12'",
    "quickbooks_employee_id = '999'",
    "quickbooks_customer_id = '26'",
    "quickbooks_customer_id = '999'",
    "minutes = minutes + 1",
    "hours = hours + 1",
    "sent_rate_minor = sent_rate_minor + 1",
    "currency = 'JPY'",
    "is_billable = false",
    "description = 'Something else'",
    "work_date = work_date + 1",
    "entry_id = 'ffffffffffffffffffffffff'",
    "read_at = read_at - INTERVAL 1 DAY",
    "is_delivered = true",
)
"""What may have become of a row of accepted_time_entries; none of it may be sent."""


def execute(house: House, *statements: str) -> None:
    """Change the warehouse behind the pipeline's back."""
    with duckdb.connect(str(house.settings.warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)


def entry_ids(house: House) -> list[str]:
    """The ids of all entries, in the order in which the work was done."""
    entries = house.sandbox.world.workspace.entries.values()
    return [entry.id for entry in sorted(entries, key=lambda entry: entry.start)]


def test_nothing_is_sent_whose_outcome_could_not_be_found_out(reviewed: House) -> None:
    """Settling measures from Intuit's clock, which its answers tell."""
    none = {"QueryResponse": {"totalCount": 0}}
    reviewed.sandbox.fail("query", "status", status=200, body=none, times=None)
    said = reviewed.stopped(DAY, DAY, LOAD)
    assert "None of QuickBooks' answers says when it was given (its `time`)" in said
    assert (reviewed.activities, states(reviewed)) == ([], {})


@pytest.mark.parametrize("assets", [REVIEW, (LOAD,)], ids=["review", "load"])
def test_a_day_that_was_never_read_is_neither_judged_nor_loaded(
    reviewed: House, assets: tuple[str, ...]
) -> None:
    """Nothing found there would look like the end of a good run."""
    never = DAY + timedelta(days=40)
    said = reviewed.stopped(DAY, never, *assets)
    assert f"39 of the days from {DAY} to {never} were never read from Clockify" in said
    assert f"--partition-range {DAY + timedelta(days=2)}...{never}`" in said
    assert (reviewed.activities, states(reviewed)) == ([], {})


@pytest.mark.parametrize(
    ("hours", "said"), [(-25, "25 hours ahead of Intuit's"), (7, "6 hours behind Intuit's")]
)
def test_a_machine_of_another_time_sends_nothing(reviewed: House, hours: int, said: str) -> None:
    """A day ahead, today's work looks finished."""
    reviewed.sandbox.switch(clock_skew_seconds=hours * 3600)
    assert said in reviewed.stopped(DAY, DAY, LOAD)
    assert reviewed.sandbox.calls(BATCHES) == 0
    reviewed.sandbox.switch(clock_skew_seconds=600)
    reviewed.prepare(DAY, DAY, LOAD)
    assert states(reviewed) == {"sent": 16}


def test_rows_that_were_tampered_with_are_not_sent(reviewed: House) -> None:
    """Each kind of tampering on an entry of its own; the entries left alone are sent, once.

    Only the ledger decides what is delivered: a flag reset in the warehouse changes nothing.
    """
    world = reviewed.sandbox.world
    ids = entry_ids(reviewed)
    for entry_id, change in zip(ids, TAMPERED, strict=False):
        execute(
            reviewed, f"UPDATE accepted_time_entries SET {change} WHERE entry_id = '{entry_id}'"
        )
    execute(reviewed, f"DELETE FROM clockify_time_entries WHERE entry_id = '{ids[len(TAMPERED)]}'")
    for entry_id in ids[: len(TAMPERED) + 1]:
        del world.workspace.entries[entry_id]
    reviewed.prepare(DAY, NEXT, LOAD)
    sent = held(world)
    assert sent == due(world, DAY, NEXT)
    assert sent.total() == 32 - len(TAMPERED) - 1
    ours = tuple(entry_id for (entry_id,) in reviewed.rows("SELECT entry_id FROM deliveries"))
    execute(
        reviewed, f"UPDATE accepted_time_entries SET is_delivered = false WHERE entry_id IN {ours}"
    )
    reviewed.prepare(DAY, NEXT, LOAD)
    assert held(world) == sent


BROKEN = (
    ("INSERT INTO accepted_time_entries FROM accepted_time_entries LIMIT 1", "entry_id"),
    ("UPDATE accepted_time_entries SET user_id = NULL WHERE hours = 0", "user_id"),
    ("ALTER TABLE accepted_time_entries ALTER minutes TYPE VARCHAR USING 'ten'", "minutes"),
    ("ALTER TABLE clockify_time_entries DROP COLUMN is_billable", "is_billable"),
    ("UPDATE quickbooks_employees SET display_name = NULL", "display_name"),
    ("ALTER TABLE quickbooks_customers ALTER is_active TYPE VARCHAR USING 'yes'", "is_active"),
    ("DROP TABLE quickbooks_company", "quickbooks_company"),
    ("DROP TABLE clockify_users", "clockify_users"),
)


def test_a_broken_table_stops_the_load_before_any_write(reviewed: House) -> None:
    """A row twice, a null where none may be, another type, a column or a table gone: named."""
    whole = reviewed.settings.warehouse.read_bytes()
    for statement, said in BROKEN:
        reviewed.settings.warehouse.write_bytes(whole)
        execute(reviewed, statement)
        assert said in reviewed.stopped(DAY, NEXT, LOAD)
    assert reviewed.sandbox.calls(BATCHES) == 0


def test_a_review_judges_by_no_broken_list(reviewed: House) -> None:
    """Launched alone, too: the verdicts stay those of the list that was whole."""
    execute(reviewed, "UPDATE quickbooks_customers SET fully_qualified_name = NULL")
    assert "fully_qualified_name" in reviewed.stopped(DAY, NEXT, *REVIEW)
    accepted = "SELECT count(*) FROM accepted_time_entries"
    assert reviewed.rows(accepted) == [(32,)]


def test_names_that_changed_after_the_review_are_not_sent(reviewed: House) -> None:
    """A customer made inactive and an employee renamed, both read since: the rest is sent."""
    sandbox = reviewed.sandbox
    wanted = due(sandbox.world, DAY, NEXT)
    customer, employee = next((each.customer, each.employee) for each in wanted)
    sandbox.admin("PATCH", f"customers/{customer}", Active=False)
    sandbox.admin("PATCH", f"employees/{employee}", DisplayName="Somebody Else")
    reviewed.prepare(DAY, NEXT, "quickbooks_employees", "quickbooks_customers")
    result = reviewed.run(DAY, NEXT, LOAD)
    assert problems(result) == []
    left = {each for each in wanted if customer != each.customer and employee != each.employee}
    assert 0 < len(left) < 32
    assert set(held(sandbox.world)) == left
    undelivered = check(result, "every_accepted_entry_is_delivered")
    assert f" {32 - len(left)} " in str(undelivered.description)


def test_a_namesake_who_was_renamed_is_none_for_the_name_that_the_day_before_still_has(
    quiet: House,
) -> None:
    """Both are told apart by the rename that the fix asks for, and both are sent."""
    world = quiet.sandbox.world
    priya, daniel = user_of(world, "priya"), user_of(world, "daniel")
    true_name, priya.name = priya.name, daniel.name
    add_entry(world, DAY, mailbox="priya", is_billable=False)
    add_entry(world, NEXT, mailbox="priya")
    add_entry(world, NEXT, mailbox="daniel")
    quiet.prepare(DAY, NEXT)
    assert not held(world)
    priya.name = true_name
    quiet.prepare(NEXT, NEXT)
    assert held(world) == due(world, NEXT, NEXT)
    assert held(world).total() == 2


def test_a_company_that_became_ineligible_is_not_written(reviewed: House) -> None:
    """Where a gate has stopped the run that read so (`test_bad_input`), nor does a load alone."""
    company = reviewed.sandbox.world.company
    for attribute, value, said in (
        ("plan", "QuickBooks Online Simple Start", "Simple Start, takes no time activities"),
        ("is_payroll_on", True, "Payroll is on"),
        ("is_time_tracking_on", False, "Time tracking is off"),
    ):
        before = getattr(company, attribute)
        reviewed.sandbox.admin("PATCH", "company", **{attribute: value})
        reviewed.prepare(DAY, NEXT, "quickbooks_company")
        assert said in reviewed.stopped(DAY, NEXT, LOAD)
        reviewed.sandbox.admin("PATCH", "company", **{attribute: before})
    assert reviewed.sandbox.calls(BATCHES) == 0


def test_another_service_item_is_not_sent_at_the_price_of_the_one_before(reviewed: House) -> None:
    """Until the company was read with it; read by its path or its name. Its price is in dollars."""
    for entry in reviewed.sandbox.world.workspace.entries.values():
        entry.currency = "EUR"
    reviewed.changes |= {"SERVICE_ITEM": "Landscape Design", "RATE_SOURCE": "service_item"}
    reviewed.prepare(DAY, NEXT, "quickbooks_company", ENTRIES, *REVIEW)
    reviewed.changes["SERVICE_ITEM"] = "Site Visit"
    said = reviewed.stopped(DAY, NEXT, LOAD)
    assert "SERVICE_ITEM is `Site Visit`, but the company was read when it was `Landscape" in said
    assert not reviewed.activities
    reviewed.prepare(DAY, NEXT, "quickbooks_company", *REVIEW, LOAD)
    assert {row["HourlyRate"] for row in reviewed.activities} == {120}
    assert reviewed.rows("SELECT DISTINCT currency FROM deliveries") == [("USD",)]


def test_the_entries_of_another_workspace_are_neither_sent_nor_mixed_with_this_ones(
    reviewed: House,
) -> None:
    """With a ledger of its own, which is bound to none; another warehouse is asked for."""
    world, ours = reviewed.sandbox.world, reviewed.sandbox.world.workspace.id
    world.workspace.id = "another"
    reviewed.changes["LEDGER"] = str(reviewed.folder / "other.duckdb")
    before = reviewed.settings.warehouse.read_bytes()
    for asset in (LOAD, ENTRIES, "clockify_users"):
        said = reviewed.stopped(DAY, NEXT, asset)
        assert f"holds the entries of the Clockify workspace {ours}, but CLOCKIFY_WORKSPACE" in said
        assert "name another WAREHOUSE" in said
    assert not reviewed.activities
    assert reviewed.settings.warehouse.read_bytes() == before
    reviewed.changes["WAREHOUSE"] = str(reviewed.folder / "another.duckdb")
    reviewed.prepare(DAY, NEXT)
    assert held(world) == due(world, DAY, NEXT)


def test_no_date_of_another_clock_is_sent(quiet: House) -> None:
    """Half past eleven at night is tomorrow elsewhere: read again, it is sent on that date."""
    world, lisbon = quiet.sandbox.world, "Europe/Lisbon"
    late = add_entry(world, DAY, "23:30")
    quiet.prepare(DAY, NEXT, *UP_TO_REVIEW)
    quiet.changes["TIME_ZONE"] = lisbon
    quiet.prepare(DAY, NEXT, *REVIEW)
    said = quiet.stopped(DAY, NEXT, LOAD)
    assert f"another TIME_ZONE than {lisbon}, or by other rules of it: 1, such as {late.id}" in said
    assert f"which is stored on {DAY}" in said
    assert f"Launch clockify_time_entries and the review of {DAY} to {DAY} again" in said
    assert not quiet.activities
    quiet.prepare(DAY, NEXT)
    assert [row["TxnDate"] for row in quiet.activities] == [str(NEXT)]


def test_no_time_of_another_rounding_is_sent(quiet: House) -> None:
    """Forty minutes are an hour where rounding is on: read again, an hour is sent."""
    world = quiet.sandbox.world
    world.workspace.round_mode, world.workspace.round_minutes = "Round up to", "30"
    add_entry(world, DAY, seconds=2400)
    quiet.prepare(DAY, NEXT, *UP_TO_REVIEW)
    quiet.changes["ROUNDING"] = "on"
    said = quiet.stopped(DAY, NEXT, LOAD)
    assert "ROUNDING is `on`, but entries were last read when it was `off`" in said
    quiet.prepare(NEXT, NEXT, ENTRIES, *REVIEW)
    said = quiet.stopped(DAY, NEXT, LOAD)
    assert "Entries of 1 of these days were read with the rounding `off`" in said
    assert f"Launch clockify_time_entries and the review of {DAY} to {DAY} again" in said
    assert not quiet.activities
    quiet.prepare(DAY, NEXT)
    assert [(row["Hours"], row["Minutes"]) for row in quiet.activities] == [(1, 0)]


@pytest.mark.parametrize("after_send", ["flag", "update"])
def test_a_clock_that_was_another_for_a_while_moves_nothing_that_was_sent(
    quiet: House, after_send: str
) -> None:
    """Read under another `TIME_ZONE`, refused by the ledger, and set back: it is on its date."""
    quiet.changes["AFTER_SEND"] = after_send
    add_entry(quiet.sandbox.world, DAY, "23:30")
    quiet.prepare(DAY, NEXT)
    quiet.changes["TIME_ZONE"] = "Europe/Lisbon"
    assert "ledger is bound to" in quiet.stopped(DAY, NEXT)
    del quiet.changes["TIME_ZONE"]
    quiet.prepare(DAY, NEXT, *REVIEW, LOAD)
    assert [(row["TxnDate"], row["SyncToken"]) for row in quiet.activities] == [(str(DAY), "0")]
    assert quiet.rows("FROM drift") == []


def test_in_another_companys_books_nobody_is_sent_for_who_had_the_id_in_the_last(
    reviewed: House,
) -> None:
    """The load says which list to read; all three are, since their ids mean others there."""
    world = reviewed.sandbox.world
    staff = world.company.employees
    world.company.realm_id = "4711"
    staff["9"], staff["11"] = {**staff["11"], "Id": "9"}, {**staff["9"], "Id": "11"}
    reviewed.changes |= {
        "LEDGER": str(reviewed.folder / "other.duckdb"),
        "QUICKBOOKS_TOKEN_FILE": str(reviewed.folder / "other.json"),
    }
    assert "Launch quickbooks_company again" in reviewed.stopped(DAY, NEXT, LOAD)
    reviewed.prepare(DAY, NEXT, "quickbooks_company", LOAD)
    assert held(world) <= due(world, DAY, NEXT)
    reviewed.prepare(DAY, NEXT, *REVIEW, LOAD)
    assert held(world) == due(world, DAY, NEXT)


def test_half_a_change_of_company_changes_nothing(reviewed: House) -> None:
    """Its lists are stored all or none: taken back, the settings' company is the one that is read.

    Here the other has no such service item.
    """
    world, before = reviewed.sandbox.world, dict(reviewed.changes)
    company, staff = world.company, world.company.employees
    realm, ours = company.realm_id, dict(staff)
    company.realm_id = "4711"
    staff["9"], staff["11"] = {**ours["11"], "Id": "9"}, {**ours["9"], "Id": "11"}
    reviewed.changes |= {
        "QUICKBOOKS_TOKEN_FILE": str(reviewed.folder / "other.json"),
        "SERVICE_ITEM": "Nowhere",
    }
    assert "Nowhere" in reviewed.stopped(DAY, NEXT, "quickbooks_company")
    company.realm_id, reviewed.changes = realm, before
    staff |= ours
    reviewed.prepare(DAY, NEXT, *REVIEW, LOAD)
    assert held(world) == due(world, DAY, NEXT)


def test_an_entry_edited_since_its_review_waits_for_the_next(reviewed: House) -> None:
    """What was judged is not what is stored now; the next whole run sends what is true then."""
    world = reviewed.sandbox.world
    for entry in world.workspace.entries.values():
        entry.description = entry.description.replace("Work", "Better work")
    reviewed.prepare(DAY, NEXT, ENTRIES, LOAD)
    assert not held(world)
    reviewed.prepare(DAY, NEXT, *REVIEW, LOAD)
    assert held(world) == due(world, DAY, NEXT)


def test_a_dry_run_sends_nothing_and_shows_to_the_byte_what_the_next_load_does(
    reviewed: House,
) -> None:
    """To send, to adopt and to be decided by a person; no row in the ledger, no write."""
    world = reviewed.sandbox.world
    press_old_button(world, NEXT, NEXT, reviewed.now)
    reworded, *_ = world.company.activities.values()
    reworded["Description"] += " (as agreed)"
    before = held(world)
    reviewed.prepare(DAY, NEXT, LOAD, **{LOAD: {"dry_run": True}})
    assert held(world) == before
    assert reviewed.sandbox.calls(BATCHES) == 0
    for table in ("deliveries", "delivery_attempts", "ledger_binding"):
        assert reviewed.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    planned = reviewed.rows(
        "SELECT entry_id, MAP {'send': 'sent', 'adopt': 'adopted', 'doubt': 'doubtful'}[action], "
        "work_date, payload, minutes, amount_minor, currency FROM delivery_plan ORDER BY entry_id"
    )
    reviewed.prepare(DAY, NEXT, LOAD, **CONFIRMED)
    assert planned == reviewed.rows(
        "SELECT entry_id, state, work_date, payload, minutes, amount_minor, currency "
        "FROM deliveries ORDER BY entry_id"
    )
    assert Counter(state for _, state, *_ in planned) == {"sent": 16, "adopted": 15, "doubtful": 1}
    assert (held(world) - before).total() == 16
