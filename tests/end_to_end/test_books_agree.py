"""The books and the ledger agree: to the second and the cent, or every difference has a name."""

from datetime import timedelta

from pipeline.sandbox.seed.oddities import add_entry
from tests.end_to_end.conftest import DAY, House, check, problems
from tests.end_to_end.stages import DAILY, ENTRIES, LOAD, REVIEW, UP_TO_LOAD
from tests.pipeline.rows import MEASURES

FREE, NEXT = DAY + timedelta(days=2), DAY + timedelta(days=3)
"""Days of which `reviewed` has nothing."""


def sums(house: House, *names: str) -> tuple[int, ...]:
    """Sums over the view; all of one currency in these tests."""
    wanted = ", ".join(f"coalesce(sum({name}), 0)::BIGINT" for name in names)
    [row] = house.rows(f"SELECT {wanted} FROM books_and_ledger")
    return row


def unexplained(house: House) -> tuple[int, ...]:
    """What has no name; by person, customer and day, so that nothing evens out."""
    return sums(house, "abs(unexplained_seconds)", "abs(unexplained_amount_minor)")


def test_what_was_rounded_is_named_to_the_second_and_the_cent(reviewed: House) -> None:
    """20 seconds less and 40 more than whole minutes, at rates that leave parts of a cent."""
    world = reviewed.sandbox.world
    add_entry(world, FREE, seconds=3620, rate_minor=9500)
    add_entry(world, FREE, "08:00", seconds=4000, rate_minor=3333, mailbox="priya")
    add_entry(world, NEXT, seconds=1801, rate_minor=7777)
    result = reviewed.run(FREE, NEXT, *DAILY)
    assert problems(result) == []
    found = check(result, "the_books_and_the_ledger_agree")
    assert found.passed, found.description
    assert unexplained(reviewed) == (0, 0)
    seconds, rounding, ledger, books = sums(
        reviewed,
        "clockify_seconds",
        "minute_rounding_seconds",
        "ledger_minutes",
        "quickbooks_minutes",
    )
    assert (seconds, rounding, ledger, books) == (9421, -20 + 20 - 1, 157, 157)
    clockify, by_minute, by_cent, in_ledger, in_books = sums(
        reviewed,
        "clockify_amount_minor",
        "minute_rounding_amount_minor",
        "cent_rounding_amount_minor",
        "ledger_amount_minor",
        "quickbooks_amount_minor",
    )
    assert clockify == 9553 + 3703 + 3891
    assert in_ledger == in_books == 9500 + 3722 + 3889
    assert clockify + by_minute + by_cent == in_ledger


def test_every_difference_is_named_and_who_worked_beside_us_is_shown(reviewed: House) -> None:
    """Deleted, edited, twice, moved to another customer, and another person's own activity."""
    world, sandbox = reviewed.sandbox.world, reviewed.sandbox
    entries = [
        add_entry(
            world, FREE, f"{8 + number:02}:00", seconds=3600 + 600 * number, description=str(number)
        )
        for number in range(6)
    ]
    reviewed.prepare(FREE, NEXT, *DAILY)
    ids = {row["Description"]: row["Id"] for row in reviewed.activities}
    sandbox.admin("DELETE", f"activities/{ids['0']}")
    sandbox.admin("PATCH", f"activities/{ids['1']}", Minutes=11, HourlyRate=33.335)
    twice = dict(world.company.activities[ids["2"]])
    sandbox.admin("POST", "activities", **twice)
    someone = {"EmployeeRef": {"value": "12"}, "Description": "on my own", "Hours": 3}
    sandbox.admin("POST", "activities", **{**twice, **someone})
    sandbox.admin("PATCH", f"activities/{ids['3']}", CustomerRef={"value": "43"})
    del world.workspace.entries[entries[4].id]
    sandbox.admin("POST", f"activities/{ids['5']}/bill")
    result = reviewed.run(FREE, NEXT, *DAILY)
    assert problems(result) == []
    found = check(result, "the_books_and_the_ledger_agree")
    assert not found.passed
    assert unexplained(reviewed) == (0, 0)
    lines = {
        row.data["line"]: (row.data["activities"], row.data["hours"])
        for row in found.metadata["lines"].value.records  # type: ignore[union-attr]
    }
    assert lines == {
        "in the ledger but not in QuickBooks": (1, 1.0),
        "in QuickBooks twice": (1, 1.33),
        "changed in QuickBooks": (2, 2.67),
        "changed in Clockify": (1, 1.67),
        "in QuickBooks and not ours": (1, 3.33),
        "billed": (1, 1.83),
    }
    assert sums(reviewed, "activity_drift_minutes", "not_ours_minutes") == (1 - 60, 80 + 200)
    assert sums(reviewed, "entry_drift_seconds") == (6000,)
    assert reviewed.rows(
        "SELECT customer_id, sum(activity_drift_minutes)::BIGINT FROM books_and_ledger "
        "GROUP BY customer_id HAVING sum(activity_drift_minutes) <> 0 ORDER BY 1"
    ) == [("25", 1 - 60 - 90), ("43", 90)]
    assert reviewed.rows(
        "SELECT is_billed, rate_minor, amount_minor FROM quickbooks_activities "
        "WHERE quickbooks_id = $1",
        ids["1"],
    ) == [(False, None, 3945)]


def test_what_no_load_has_compared_is_said_with_the_command_that_does(reviewed: House) -> None:
    """A warehouse that was lost knows nothing of the days sent before."""
    add_entry(reviewed.sandbox.world, FREE)
    reviewed.prepare(FREE, FREE, *DAILY)
    reviewed.settings.warehouse.unlink()
    found = check(reviewed.run(NEXT, NEXT, *UP_TO_LOAD), "the_books_and_the_ledger_agree")
    assert not found.passed
    assert found.description
    assert "1 not compared since they were sent" in found.description
    assert f"--partition-range {FREE}...{FREE}" in found.description
    reviewed.prepare(FREE, FREE, ENTRIES, *REVIEW)
    assert check(reviewed.run(FREE, FREE, LOAD), "the_books_and_the_ledger_agree").passed


def test_the_measures_are_what_the_view_sums(reviewed: House) -> None:
    """From Clockify's figure to QuickBooks', each step in between has a name, in this order."""
    described = reviewed.rows("SELECT column_name FROM (DESCRIBE books_and_ledger)")
    names = [name for (name,) in described]
    assert tuple(names[6:-2]) == MEASURES
