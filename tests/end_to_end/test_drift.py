"""What changes after it was sent, on either side: found, named, and repaired only where asked."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.quickbooks.answers import Answer
from pipeline.quickbooks.client import QuickBooks
from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry
from tests.conftest import Server
from tests.end_to_end.books import due, held, move
from tests.end_to_end.conftest import (
    DAY,
    House,
    Kept,
    building,
    check,
    kept,
    problems,
    restored,
    silence,
    states,
)
from tests.end_to_end.stages import DAILY, ENTRIES, LOAD, REVIEW, UP_TO_LOAD

NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=4)
Change = Callable[[House, Entry, str], None]
"""The house, the entry, and the id of its time activity."""
Found = tuple[str | None, ...]


@pytest.fixture(scope="module")
def sent_company(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """An entry for each name of the tables below, in QuickBooks too; no two are equally long."""
    with building(sandbox_server, invented_world, tmp_path_factory.mktemp("sent")) as house:
        silence(house.sandbox.world)
        for number, name in enumerate({**CHANGES, **FOLLOWED, **NOT_FOLLOWED}):
            add_entry(
                house.sandbox.world,
                DAY,
                description=name,
                seconds=3600 + 1200 * number,
                rate_minor=9500,
                is_approved=True,
                **ALONE.get(name, {}),
            )
        house.changes["REQUIRE_APPROVAL"] = "true"
        house.prepare(DAY, NEXT)
        assert house.rows("FROM drift") == []
        return kept(house)


@pytest.fixture(scope="module")
def drifted_company(
    sandbox_server: Server, sent_company: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """What `drifted` begins with."""
    folder = tmp_path_factory.mktemp("drifted")
    with building(sandbox_server, sent_company[0], folder) as house:
        restored(house, sent_company)
        someone = {"EmployeeRef": {"value": "12"}, "Description": "not ours"}
        house.sandbox.admin("POST", "activities", **{**activity(house, "untouched"), **someone})
        ours = activity(house, "unapproved")
        person, customer = (ours[name]["value"] for name in ("EmployeeRef", "CustomerRef"))
        house.sandbox.admin("PATCH", f"employees/{person}", Active=False)
        house.sandbox.admin("PATCH", f"customers/{customer}", Active=False)
        change(house, {name: do for name, (do, _) in CHANGES.items()})
        house.changes["REQUIRE_APPROVAL"] = "true"
        house.prepare(DAY, NEXT)
        return kept(house)


@pytest.fixture
def sent(house: House, sent_company: Kept) -> House:
    """A pipeline whose entries all stand in QuickBooks, each as its name says."""
    return restored(house, sent_company)


@pytest.fixture
def drifted(house: House, drifted_company: Kept) -> House:
    """The same after each of `CHANGES`, which a run has found, and an activity of somebody else.

    One person and one customer were made inactive, which changes nothing of what was sent.
    """
    house.changes["REQUIRE_APPROVAL"] = "true"
    return restored(house, drifted_company)


def entries_of(house: House) -> dict[str, Entry]:
    """The entries by their descriptions."""
    return {entry.description: entry for entry in house.sandbox.world.workspace.entries.values()}


def activity(house: House, name: str) -> dict[str, Any]:
    """The one time activity with this description."""
    [found] = [row for row in house.activities if row["Description"] == name]
    return found


def change(house: House, changes: Mapping[str, Change]) -> None:
    """Change each entry, or its time activity, as its name says."""
    entries, ids = entries_of(house), {row["Description"]: row["Id"] for row in house.activities}
    for name, do in changes.items():
        do(house, entries[name], ids[name])


def drift(house: House, *columns: str) -> list[tuple[Any, ...]]:
    """What of the table of drift the analysts read."""
    wanted = ", ".join(columns or ("side", "kind", "field", "before", "after"))
    return house.rows(f"SELECT {wanted} FROM drift ORDER BY side, kind, field, quickbooks_id")


def edit(**fields: Any) -> Change:  # noqa: ANN401 # any field of an entry
    """An edit in Clockify."""

    def do(_: House, entry: Entry, __: str) -> None:
        for name, value in fields.items():
            setattr(entry, name, value)

    return do


def lengthen(_: House, entry: Entry, __: str = "") -> None:
    """Half an hour more."""
    assert entry.end
    entry.end += timedelta(minutes=30)


def moved(days: int) -> Change:
    """To another day in Clockify."""
    return lambda _, entry, __: move(entry, days)


def delete(house: House, entry: Entry, _: str = "") -> None:
    """Deleted in Clockify."""
    del house.sandbox.world.workspace.entries[entry.id]


def patch(**fields: object) -> Change:
    """An edit in QuickBooks, by its keys."""
    return lambda house, _, key: house.sandbox.admin("PATCH", f"activities/{key}", **fields)


def bill(house: House, _: Entry, key: str) -> None:
    """Put on an invoice."""
    house.sandbox.admin("POST", f"activities/{key}/bill")


def remove(house: House, _: Entry, key: str) -> None:
    """Deleted in QuickBooks."""
    house.sandbox.admin("DELETE", f"activities/{key}")


def add_like(**fields: object) -> Change:
    """Another activity in QuickBooks, as ours but for some keys."""

    def do(house: House, _: Entry, key: str) -> None:
        ours = house.sandbox.world.company.activities[key]
        house.sandbox.admin("POST", "activities", **{**ours, **fields})

    return do


def both(*changes: Change) -> Change:
    """One after the other."""

    def do(house: House, entry: Entry, key: str) -> None:
        for each in changes:
            each(house, entry, key)

    return do


CHANGES: dict[str, tuple[Change, list[Found]]] = {
    "longer": (lengthen, [("clockify", "edited", "minutes", "60", "90")]),
    "moved and shorter there": (
        patch(Hours=0, Minutes=45, TxnDate=str(NEXT)),
        [
            ("quickbooks", "edited", "minutes", "80", "45"),
            ("quickbooks", "moved", "work_date", str(DAY), str(NEXT)),
        ],
    ),
    "reworded": (
        edit(description="said otherwise"),
        [("clockify", "edited", "description", "reworded", "said otherwise")],
    ),
    "priced anew": (
        edit(rate_minor=12345),
        [("clockify", "edited", "rate", "95", "123.45")],
    ),
    "unbillable": (
        edit(is_billable=False),
        [("clockify", "edited", "is_billable", "billable", "not billable")],
    ),
    "moved": (moved(1), [("clockify", "moved", "work_date", str(DAY), str(NEXT))]),
    "moved away": (moved(4), [("clockify", "moved", "work_date", str(DAY), str(LATER))]),
    "deleted": (delete, [("clockify", "deleted", None, None, None)]),
    "reworded there": (
        patch(Description="typed"),
        [("quickbooks", "edited", "description", "reworded there", "typed")],
    ),
    "priced there": (
        patch(HourlyRate=100.125),
        [("quickbooks", "edited", "rate", "95", "100.125")],
    ),
    "moved away there": (
        patch(TxnDate="2026-08-01"),
        [("quickbooks", "moved", "work_date", str(DAY), "2026-08-01")],
    ),
    "deleted there": (remove, [("quickbooks", "deleted", None, None, None)]),
    "deleted on both sides": (both(remove, delete), []),
    "the same on both sides": (both(edit(rate_minor=9000), patch(HourlyRate=90)), []),
    "billed": (bill, [("quickbooks", "billed", "is_billed", "not billed", "billed")]),
    "twice there": (add_like(), [("quickbooks", "duplicated", None, None, None)]),
    "like ours": (
        add_like(Minutes=21, BillableStatus="HasBeenBilled"),
        [("quickbooks", "resembling", None, None, None)],
    ),
    "untouched": (lambda *_: None, []),
    "unapproved": (
        edit(is_approved=False),
        [("clockify", "unapproved", "is_approved", "approved", "not approved")],
    ),
}
ALONE = {"unapproved": {"mailbox": "priya", "project": "Play Yard"}}
"""Who has done this work for whom; the other entries are all of one person and one customer."""
SOMEONES: Found = ("quickbooks", "not_ours", None, None, None)
FACTS = {"billed", "not_ours"}


def by_name(house: House) -> dict[str | None, list[Found]]:
    """The drift that was found, by what an entry was called when it was sent."""
    names = dict(house.rows("SELECT entry_id, payload->>'Description' FROM deliveries"))
    found: dict[str | None, list[Found]] = {}
    for entry_id, *row in drift(house, "entry_id", "side", "kind", "field", "before", "after"):
        found.setdefault(names.get(entry_id), []).append(tuple(row))
    return found


def test_each_change_after_sending_is_found_and_nothing_is_repaired(drifted: House) -> None:
    """One entry for each change, found by a run in which nothing is to be sent; twice the same."""
    expected = {name: found for name, (_, found) in CHANGES.items() if found}
    assert by_name(drifted) == {**expected, None: [SOMEONES]}
    strays = "SELECT kind, is_billed FROM drift WHERE side = 'quickbooks' AND field IS NULL"
    billed = {kind for kind, is_billed in drifted.rows(strays) if is_billed}
    assert billed == {"resembling"}
    times, before = set(drift(drifted, "found_at")), held(drifted.sandbox.world)
    assert len(times) == 1
    result = drifted.run(DAY, NEXT, LOAD)
    assert problems(result) == []
    assert by_name(drifted) == {**expected, None: [SOMEONES]}
    assert set(drift(drifted, "found_at")) == times, "since when it lasts is kept"
    assert held(drifted.sandbox.world) == before
    assert not check(result, "nothing_has_drifted").passed
    assert all((kind in FACTS) != warns for kind, warns in drift(drifted, "kind", "is_warning"))
    sent = len({**CHANGES, **FOLLOWED, **NOT_FOLLOWED}) - 2
    assert states(drifted) == {"gone": 2, "sent": sent}
    assert drifted.rows(
        "SELECT minutes, attempts FROM deliveries WHERE payload LIKE '%:90.00%'"
    ) == [(320, 1)]
    drifted.changes["REQUIRE_APPROVAL"] = "false"
    drifted.prepare(DAY, NEXT, LOAD)
    assert "unapproved" not in by_name(drifted), "nobody asks for it any more"
    shown = check(result, "nothing_has_drifted").metadata["open"].value.records  # type: ignore[union-attr]
    changes = {row.data["change"] for row in shown}
    assert "clockify edited minutes 60 → 90" in changes
    assert "clockify edited rate" in changes
    assert "clockify edited description" in changes


def test_an_approval_that_nobody_asked_for_was_not_withdrawn(quiet: House) -> None:
    """`REQUIRE_APPROVAL` switched on says nothing of what was sent before."""
    add_entry(quiet.sandbox.world, DAY)
    quiet.prepare(DAY)
    quiet.changes["REQUIRE_APPROVAL"] = "true"
    quiet.prepare(DAY)
    assert drift(quiet) == []


def test_what_is_put_right_is_no_drift_any_more_and_what_is_gone_is_never_sent_again(
    drifted: House,
) -> None:
    """Only the latest state of a window is kept."""
    entries, before, found = entries_of(drifted), len(drifted.activities), by_name(drifted)
    longer = entries["longer"]
    assert longer.end
    longer.end -= timedelta(minutes=30)
    delete(drifted, entries["deleted there"])
    drifted.prepare(DAY, NEXT, *DAILY)
    right = {"longer", "deleted there"}
    assert right <= found.keys()
    assert by_name(drifted) == {name: rows for name, rows in found.items() if name not in right}
    assert len(drifted.activities) == before
    assert drifted.rows(
        "SELECT delivery_attempts.state FROM delivery_attempts JOIN deliveries USING (entry_id) "
        "WHERE deliveries.payload->>'Description' = 'deleted there' ORDER BY recorded_at"
    ) == [("pending",), ("sent",), ("gone",)]


def test_a_day_that_was_read_again_is_compared_by_the_next_load_of_whatever_days(
    sent: House,
) -> None:
    """As the history's watch reads an older month in which somebody has changed what was sent."""
    entries = entries_of(sent)
    lengthen(sent, entries["longer"])
    delete(sent, entries["deleted there"])
    sent.prepare(DAY, DAY, ENTRIES, *REVIEW)
    result = sent.run(LATER, LATER, *DAILY)
    assert sent.rows("SELECT kind, field FROM drift ORDER BY ALL") == [
        ("deleted", None),
        ("edited", "minutes"),
    ]
    assert not check(result, "nothing_has_drifted").passed
    assert check(result, "the_books_and_the_ledger_agree").passed
    compared = sent.rows("FROM compared_days WHERE work_date = $1", DAY)
    sent.prepare(LATER, LATER, LOAD)
    assert sent.rows("FROM compared_days WHERE work_date = $1", DAY) == compared  # once is enough


def test_of_days_that_were_never_read_nothing_is_said(sent: House) -> None:
    """The warehouse was lost, and an activity of such a day stands on another by now."""
    change(sent, {"deleted": both(delete, patch(TxnDate=str(LATER)))})
    sent.settings.warehouse.unlink()
    sent.prepare(LATER, LATER)
    assert drift(sent) == []


def test_what_is_on_a_day_not_read_is_not_deleted(sent: House) -> None:
    """The warehouse was lost; Clockify is asked about what the days read again do not have."""
    change(sent, {"longer": both(moved(4), edit(end=None)), "moved": moved(4)})
    sent.settings.warehouse.unlink()
    sent.prepare(DAY, NEXT)
    away = "clockify", "moved", "work_date", str(DAY), str(LATER)
    assert drift(sent) == [("clockify", "edited", "minutes", "60", None), away, away]


FOLLOWED: dict[str, Change] = {
    "longer": lengthen,
    "without words": edit(description=""),
    "priced anew": edit(rate_minor=12345),
    "moved": moved(1),
    "moved away": moved(4),
}
NOT_FOLLOWED: dict[str, tuple[Change, str | None]] = {
    "billed": (bill, "it is billed"),
    "reworded there": (patch(Description="?"), "it was changed in QuickBooks too: description"),
    "priced there": (patch(HourlyRate=1), "it was changed in QuickBooks too: rate"),
    "unbillable": (edit(is_billable=False), "the entry would not be sent now: not_billable"),
    "unpriced": (edit(rate_minor=None), "the entry would not be sent now: no_rate"),
    "no project": (edit(project_id=None), "the entry would not be sent now: no_project"),
    "deleted": (delete, "the entry is not there to be read"),
}


def test_an_update_follows_the_entry_and_leaves_the_rest_to_the_bookkeeper(sent: House) -> None:
    """Cost and tax stay; the ledger says what was written, in a line of its own; once.

    What is read holds keys that nobody has seen before, which QuickBooks would refuse.
    """
    sent.changes["AFTER_SEND"] = "update"
    sent.sandbox.switch(extra_keys=True)
    world = sent.sandbox.world
    theirs = {"CostRate": 20, "Taxable": True}
    ids = {row["Id"] for row in sent.activities if row["Description"] in FOLLOWED}
    change(sent, {name: both(patch(**theirs), do) for name, do in FOLLOWED.items()})
    result = sent.run(DAY, LATER, *DAILY)
    assert problems(result) == []
    assert check(result, "nothing_has_drifted").passed
    assert check(result, "the_books_and_the_ledger_agree").passed
    sent.prepare(DAY, LATER, LOAD)
    assert drift(sent) == []
    assert held(world) == due(world, DAY, LATER)
    followed = [row for row in sent.activities if row["Id"] in ids]
    assert all(theirs.items() <= row.items() for row in followed)
    assert {row["SyncToken"] for row in followed} == {"2"}
    assert sent.rows(
        "SELECT quickbooks_id, state, attempts, sync_token, work_date, minutes "
        "FROM deliveries WHERE attempts > 1 ORDER BY quickbooks_id"
    ) == [
        (row["Id"], "sent", 2, "2", date.fromisoformat(row["TxnDate"]), minutes(row))
        for row in sorted(followed, key=lambda row: row["Id"])
    ]
    written = 2 * len(sent.activities) + 2 * len(FOLLOWED)
    assert sent.rows("SELECT count(*) FROM delivery_attempts") == [(written,)]


def minutes(activity: Mapping[str, Any]) -> int:
    """Of a time activity in all."""
    return int(activity["Hours"]) * 60 + int(activity["Minutes"])


def test_an_update_touches_nothing_that_is_not_ours_to_change(sent: House) -> None:
    """The entries were lengthened as well; they stay drift, with the reason why."""
    sent.changes["AFTER_SEND"] = "update"
    ids = {row["Description"]: row["Id"] for row in sent.activities}
    change(sent, {name: both(do, lengthen) for name, (do, _) in NOT_FOLLOWED.items()})
    before = [dict(row) for row in sent.activities]
    sent.prepare(DAY, NEXT, *DAILY)
    assert sent.activities == before
    found = dict(
        sent.rows("SELECT DISTINCT quickbooks_id, not_followed FROM drift WHERE side = 'clockify'")
    )
    assert found == {ids[name]: reason for name, (_, reason) in NOT_FOLLOWED.items()}


def test_an_update_moves_nothing_to_whom_a_name_was_given_since(sent: House) -> None:
    """A customer was renamed in QuickBooks, and another one made of its name; no entry changed.

    One was given to a project of the same names before: that is whose it is by now.
    """
    sent.changes["AFTER_SEND"] = "update"
    entry, projects = entries_of(sent)["longer"], sent.sandbox.world.workspace.projects
    projects["9" * 24] = replace(projects[str(entry.project_id)], id="9" * 24)
    entry.project_id = "9" * 24
    sent.prepare(DAY, NEXT, *UP_TO_LOAD)
    customers = sent.sandbox.world.company.customers
    was = activity(sent, "longer")["CustomerRef"]["value"]
    customers["9999"] = {**customers[was], "Id": "9999"}
    path = customers[was]["FullyQualifiedName"]
    customers[was] |= {"DisplayName": "Of last year", "FullyQualifiedName": f"{path} of last year"}
    before = [dict(row) for row in sent.activities]
    sent.prepare(DAY, NEXT, *UP_TO_LOAD)
    assert sent.activities == before
    reasons = sent.rows("SELECT DISTINCT not_followed FROM drift WHERE field = 'customer'")
    assert reasons == [("its name leads to another customer now, though the entry is as it was",)]
    another = next(
        each for each in sent.sandbox.world.workspace.projects.values() if each.name == "Play Yard"
    )
    entry.project_id = another.id
    sent.prepare(DAY, NEXT, *UP_TO_LOAD)
    assert activity(sent, "longer")["CustomerRef"]["value"] not in {was, "9999"}


def test_a_client_renamed_in_clockify_is_no_other_customer(sent: House) -> None:
    """Another client's project of that name is, unless projects alone lead to customers."""
    entry, projects = entries_of(sent)["longer"], sent.sandbox.world.workspace.projects
    own = projects[str(entry.project_id)]
    own.client_name = "Renamed"
    sent.prepare(DAY, NEXT, *DAILY)
    assert drift(sent) == []
    projects["9" * 24] = replace(own, id="9" * 24)
    entry.project_id = "9" * 24
    sent.prepare(DAY, NEXT, *DAILY)
    assert drift(sent, "kind", "field", "after") == [
        ("edited", "customer", f"Renamed / {own.name}")
    ]
    sent.changes["CUSTOMER_MATCHING"] = "project"
    sent.prepare(DAY, NEXT, *DAILY)
    assert drift(sent) == []


STALE = {"Error": [{"Message": "Stale Object Error", "Detail": "", "code": "5010"}]}


def test_an_update_that_quickbooks_does_not_take_now_is_done_by_the_next_run(sent: House) -> None:
    """Saved by somebody at the same moment, or throttled: said, tried again, and no red run."""
    sent.changes["AFTER_SEND"] = "update"
    change(sent, {"longer": lengthen, "moved": lengthen})
    stale = {"status": 400, "body": {"Fault": STALE}}
    sent.sandbox.fail("timeactivity", "status", skip=1, **stale)
    throttled = {"status": 429, "body": "", "headers": {"Retry-After": "9"}}
    sent.sandbox.fail("timeactivity", "status", skip=3, **throttled)
    sent.prepare(DAY, NEXT, *DAILY)
    reasons = sorted(str(reason) for (reason,) in drift(sent, "not_followed"))
    assert len(reasons) == 2
    assert "without a readable answer" in reasons[0]
    assert "Stale Object Error" in reasons[1]
    before = minutes(activity(sent, "longer")), minutes(activity(sent, "moved"))
    sent.prepare(DAY, NEXT, LOAD)
    assert drift(sent) == []
    after = minutes(activity(sent, "longer")), minutes(activity(sent, "moved"))
    assert after == (before[0] + 30, before[1] + 30)


def test_three_updates_that_are_stored_otherwise_stop_the_run(sent: House) -> None:
    """QuickBooks takes an employee's id for a vendor's: nobody knows whose time it became."""
    sent.changes["AFTER_SEND"] = "update"
    company, person = sent.sandbox.world.company, activity(sent, "longer")["EmployeeRef"]["value"]
    company.vendors[person] = company.employees.pop(person)
    change(sent, dict.fromkeys(FOLLOWED, lengthen))
    assert "did not store 3 time activities as they were sent" in sent.stopped(DAY, NEXT, *DAILY)
    assert sum(row["SyncToken"] == "1" for row in sent.activities) == 3


def test_an_update_of_what_was_deleted_just_now_is_not_made(sent: House) -> None:
    """Nor is it made anew."""
    sent.changes["AFTER_SEND"] = "update"
    before = held(sent.sandbox.world)
    change(sent, {"longer": lengthen})
    fault = {"Error": [{"Message": "Object Not Found", "Detail": "", "code": "610"}]}
    sent.sandbox.fail("timeactivity", "status", status=400, body={"Fault": fault})
    sent.prepare(DAY, NEXT, *DAILY)
    assert drift(sent, "not_followed") == [("it was deleted in QuickBooks just now",)]
    assert held(sent.sandbox.world) == before


@pytest.mark.parametrize(
    "settings", [{"TAXABLE": "true"}, {"RATE_SOURCE": "service_item", "SERVICE_ITEM": "Site Visit"}]
)
def test_how_entries_are_sent_by_now_is_no_change_of_what_was_sent(
    sent: House, settings: dict[str, str]
) -> None:
    """Taxes and prices are of what is sent from then on: nothing is written, here or there."""
    sent.changes |= {"AFTER_SEND": "update", **settings}
    written, before = "SELECT count(*) FROM delivery_attempts", held(sent.sandbox.world)
    attempts = sent.rows(written)
    sent.prepare(DAY, NEXT, *UP_TO_LOAD)
    assert (sent.rows(written), held(sent.sandbox.world)) == (attempts, before)
    assert drift(sent) == []


def test_an_update_that_was_refused_is_no_answer_to_what_is_written_now(sent: House) -> None:
    """QuickBooks may remember what it said to a request, and the activity is of one version yet."""
    sent.changes["AFTER_SEND"] = "update"
    sent.sandbox.switch(remember_faults=True)
    entry, ours = entries_of(sent)["longer"], activity(sent, "longer")["Id"]
    for description, followed in (("x" * 4001, "longer"), ("as agreed", "as agreed")):
        entry.description = description
        sent.prepare(DAY, NEXT, *DAILY)
        assert sent.sandbox.world.company.activities[ours]["Description"] == followed


def test_an_update_that_closed_books_refused_is_made_once_they_are_open(sent: House) -> None:
    """The same is written again, and QuickBooks may remember what it said to it."""
    sent.changes["AFTER_SEND"] = "update"
    sent.sandbox.switch(remember_faults=True)
    before = minutes(activity(sent, "longer"))
    change(sent, {"longer": lengthen})
    for closed, longer in ((DAY, 0), (None, 30)):
        sent.sandbox.world.company.books_closed_through = closed
        sent.prepare(DAY, NEXT, *DAILY)
        assert minutes(activity(sent, "longer")) == before + longer
    assert drift(sent) == []


def test_a_letter_that_quickbooks_does_not_keep_is_nobodys_change_there(quiet: House) -> None:
    """The words are followed, each time, until a person touches what QuickBooks made of them."""
    quiet.changes["AFTER_SEND"] = "update"
    quiet.sandbox.switch(charset="latin1")
    entry = add_entry(quiet.sandbox.world, DAY, description="Sand 🙂")
    said = problems(quiet.run(DAY))
    assert any("a description needs characters that QuickBooks keeps" in each for each in said)
    for words, left in (("Gravel 🙂", "Gravel ?"), ("Gravel", "Gravel"), ("Clay 🙂", "Clay ?")):
        entry.description = words
        quiet.prepare(DAY, DAY, *DAILY)
        [ours] = quiet.activities
        assert ours["Description"] == left
    quiet.sandbox.admin("PATCH", f"activities/{ours['Id']}", CostRate=20)
    entry.description = "Clay"
    quiet.prepare(DAY, DAY, *DAILY)
    reasons = quiet.rows("SELECT not_followed FROM drift WHERE side = 'clockify'")
    assert reasons == [("it was changed in QuickBooks too: description",)]


def test_an_edit_after_an_update_of_which_nobody_heard_is_followed_too(sent: House) -> None:
    """What it wrote is ours: else it would look as if somebody else had changed the activity."""
    sent.changes["AFTER_SEND"] = "update"
    entry, ours = entries_of(sent)["longer"], activity(sent, "longer")["Id"]
    entry.description = "second"
    sent.sandbox.fail("timeactivity", "drop_after_store", skip=1)
    sent.prepare(DAY, NEXT, *DAILY)
    entry.description = "third"
    sent.prepare(DAY, NEXT, *DAILY)
    assert sent.sandbox.world.company.activities[ours]["Description"] == "third"
    assert drift(sent) == []


def test_after_updates_of_which_nobody_heard_the_ledger_learns_what_stands_there(
    sent: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer was lost, or killed between update and commit: updated once, and recorded."""
    sent.changes["AFTER_SEND"] = "update"
    change(sent, {"longer": lengthen, "moved": lengthen})
    update, answers = QuickBooks.update_time_activity, list[Answer]()

    def dying(*arguments: Any) -> Answer:  # noqa: ANN401 # those of the method
        answers.append(update(*arguments))
        if len(answers) == 2:
            raise MemoryError
        return answers[0]

    sent.sandbox.fail("timeactivity", "drop_after_store", skip=1)
    with monkeypatch.context() as patched:
        patched.setattr(QuickBooks, "update_time_activity", dying)
        with pytest.raises(MemoryError):
            sent.prepare(DAY, NEXT, *DAILY)
    updated = [row for row in sent.activities if row["SyncToken"] != "0"]
    assert [row["SyncToken"] for row in updated] == ["1", "1"]
    sent.prepare(DAY, NEXT, LOAD)
    assert drift(sent) == []
    query = "SELECT quickbooks_id, minutes FROM deliveries WHERE sync_token = '1' ORDER BY ALL"
    assert sent.rows(query) == sorted((row["Id"], minutes(row)) for row in updated)
    assert [row["SyncToken"] for row in sent.activities if row["SyncToken"] != "0"] == ["1", "1"]
