"""What changes after it was sent, on either side: found, named, and repaired only where asked."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.quickbooks import QuickBooks
from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry
from tests.end_to_end.books import due, held, move
from tests.end_to_end.conftest import DAY, House, check, problems
from tests.end_to_end.stages import DAILY

NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=4)
Change = Callable[[House, Entry, str], None]
"""The house, the entry, and the id of its time activity."""
Found = tuple[str | None, ...]


def sent(house: House, *names: str, **fields: Any) -> dict[str, Entry]:  # noqa: ANN401 # any field of an entry
    """Entries that stand in QuickBooks, by their descriptions; no two are equally long."""
    given = {"rate_minor": 9500, **fields}
    entries = {
        name: add_entry(
            house.sandbox.world, DAY, description=name, seconds=3600 + 1200 * number, **given
        )
        for number, name in enumerate(names)
    }
    assert problems(house.run(DAY, NEXT)) == []
    assert house.rows("FROM drift") == []
    return entries


def change(house: House, entries: Mapping[str, Entry], changes: Mapping[str, Change]) -> None:
    """Change each entry, or its time activity, as its name says."""
    ids = {row["Description"]: row["Id"] for row in house.activities}
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
    "like ours": (add_like(Minutes=21), [("quickbooks", "resembling", None, None, None)]),
    "untouched": (lambda *_: None, []),
}
FACTS = {"billed", "not_ours"}


def test_each_change_after_sending_is_found_and_nothing_is_repaired(quiet: House) -> None:
    """One entry for each change, found by a run in which nothing is to be sent; twice the same."""
    entries = sent(quiet, *CHANGES)
    change(quiet, entries, {name: do for name, (do, _) in CHANGES.items()})
    someone = {"EmployeeRef": {"value": "12"}, "Description": "not ours"}
    add_like(**someone)(quiet, entries["untouched"], quiet.activities[-1]["Id"])
    names = {entry.id: name for name, entry in entries.items()} | {None: "not ours"}
    expected = {name: found for name, (_, found) in CHANGES.items() if found}
    expected["not ours"] = [("quickbooks", "not_ours", None, None, None)]
    before = held(quiet.sandbox.world)
    times = set()
    for _ in range(2):
        result = quiet.run(DAY, NEXT, *DAILY)
        assert problems(result) == []
        found: dict[str, list[Found]] = {}
        for entry_id, *row in drift(quiet, "entry_id", "side", "kind", "field", "before", "after"):
            found.setdefault(names[entry_id], []).append(tuple(row))
        assert found == expected
        assert held(quiet.sandbox.world) == before
        assert not check(result, "nothing_has_drifted").passed
        assert all((kind in FACTS) != warns for kind, warns in drift(quiet, "kind", "is_warning"))
        times |= set(drift(quiet, "found_at"))
    assert len(times) == 1, "since when it lasts is kept"
    assert quiet.rows("SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state") == [
        ("gone", 2),
        ("sent", len(CHANGES) - 2),
    ]
    assert quiet.rows("SELECT minutes, attempts FROM deliveries WHERE payload LIKE '%:90.00%'") == [
        (320, 1)
    ]
    shown = check(result, "nothing_has_drifted").metadata["open"].value.records  # type: ignore[union-attr]
    changes = {row.data["change"] for row in shown}
    assert "clockify edited minutes 60 → 90" in changes
    assert "clockify edited rate" in changes
    assert "clockify edited description" in changes


def test_what_is_put_right_is_no_drift_any_more_and_what_is_gone_is_never_sent_again(
    quiet: House,
) -> None:
    """Only the latest state of a window is kept."""
    entries = sent(quiet, "longer", "deleted there")
    change(quiet, entries, {"longer": lengthen, "deleted there": remove})
    quiet.run(DAY, NEXT, *DAILY)
    assert drift(quiet, "kind") == [("edited",), ("deleted",)]
    assert entries["longer"].end
    entries["longer"].end -= timedelta(minutes=30)
    delete(quiet, entries["deleted there"])
    for _ in range(2):
        assert check(quiet.run(DAY, NEXT, *DAILY), "nothing_has_drifted").passed
        assert drift(quiet) == []
        assert len(quiet.activities) == 1
    assert quiet.rows(
        "SELECT delivery_attempts.state FROM delivery_attempts JOIN deliveries USING (entry_id) "
        "WHERE deliveries.state = 'gone' ORDER BY recorded_at"
    ) == [("pending",), ("sent",), ("gone",)]


def test_an_approval_that_was_withdrawn_is_drift(quiet: House) -> None:
    """With `REQUIRE_APPROVAL`; the same run finds that who was made inactive has not changed."""
    quiet.changes["REQUIRE_APPROVAL"] = "true"
    entries = sent(quiet, "withdrawn", is_approved=True)
    entries["withdrawn"].is_approved = False
    [activity] = quiet.activities
    quiet.sandbox.admin("PATCH", f"employees/{activity['EmployeeRef']['value']}", Active=False)
    quiet.sandbox.admin("PATCH", f"customers/{activity['CustomerRef']['value']}", Active=False)
    quiet.run(DAY, NEXT)
    assert drift(quiet) == [
        ("clockify", "unapproved", "is_approved", "approved", "not approved"),
    ]


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


def test_an_update_follows_the_entry_and_leaves_the_rest_to_the_bookkeeper(quiet: House) -> None:
    """Cost and tax stay; the ledger says what was written, in a line of its own; once."""
    quiet.changes["AFTER_SEND"] = "update"
    world = quiet.sandbox.world
    entries = sent(quiet, *FOLLOWED)
    kept = {"CostRate": 20, "Taxable": True}
    change(quiet, entries, {name: both(patch(**kept), do) for name, do in FOLLOWED.items()})
    for _ in range(2):
        result = quiet.run(DAY, LATER, *DAILY)
        assert problems(result) == []
        assert held(world) == due(world, DAY, LATER)
        assert check(result, "nothing_has_drifted").passed
        assert check(result, "the_books_and_the_ledger_agree").passed
        assert all(kept.items() <= row.items() for row in quiet.activities)
        assert {row["SyncToken"] for row in quiet.activities} == {"2"}
    assert quiet.rows(
        "SELECT quickbooks_id, state, attempts, sync_token, work_date, minutes "
        "FROM deliveries ORDER BY quickbooks_id"
    ) == [
        (row["Id"], "sent", 2, "2", date.fromisoformat(row["TxnDate"]), minutes(row))
        for row in sorted(quiet.activities, key=lambda row: row["Id"])
    ]
    assert quiet.rows("SELECT count(*) FROM delivery_attempts") == [(3 * len(FOLLOWED),)]


def minutes(activity: Mapping[str, Any]) -> int:
    """Of a time activity in all."""
    return int(activity["Hours"]) * 60 + int(activity["Minutes"])


def test_an_update_touches_nothing_that_is_not_ours_to_change(quiet: House) -> None:
    """The entries were lengthened as well; they stay drift, with the reason why."""
    quiet.changes["AFTER_SEND"] = "update"
    entries = sent(quiet, *NOT_FOLLOWED)
    ids = {row["Description"]: row["Id"] for row in quiet.activities}
    changes = {name: both(do, lengthen) for name, (do, _) in NOT_FOLLOWED.items()}
    change(quiet, entries, changes)
    before = [dict(row) for row in quiet.activities]
    quiet.run(DAY, NEXT, *DAILY)
    assert quiet.activities == before
    found = dict(
        quiet.rows("SELECT DISTINCT quickbooks_id, not_followed FROM drift WHERE side = 'clockify'")
    )
    assert found == {ids[name]: reason for name, (_, reason) in NOT_FOLLOWED.items()}


STALE = {"Error": [{"Message": "Stale Object Error", "Detail": "", "code": "5010"}]}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 400, "body": {"Fault": STALE}}, "Stale Object Error"),
        ({"status": 429, "body": "", "headers": {"Retry-After": "9"}}, "without a readable answer"),
    ],
)
def test_an_update_that_quickbooks_does_not_take_now_is_done_by_the_next_run(
    quiet: House, answer: dict[str, Any], said: str
) -> None:
    """Saved by somebody at the same moment, or throttled: said, tried again, and no red run."""
    quiet.changes["AFTER_SEND"] = "update"
    lengthen(quiet, sent(quiet, "longer")["longer"])
    quiet.sandbox.fail("timeactivity", "status", skip=1, **answer)
    assert problems(quiet.run(DAY, NEXT, *DAILY)) == []
    [(reason,)] = drift(quiet, "not_followed")
    assert said in reason
    assert minutes(quiet.activities[0]) == 60
    quiet.run(DAY, NEXT, *DAILY)
    assert drift(quiet) == []
    assert minutes(quiet.activities[0]) == 90


def test_an_update_that_was_refused_is_no_answer_to_what_is_written_now(quiet: House) -> None:
    """QuickBooks may remember what it said to a request, and the activity is of one version yet."""
    quiet.changes["AFTER_SEND"] = "update"
    quiet.sandbox.switch(remember_faults=True)
    entry = sent(quiet, "longer")["longer"]
    for description, followed in (("x" * 4001, "longer"), ("as agreed", "as agreed")):
        entry.description = description
        quiet.run(DAY, NEXT, *DAILY)
        assert [row["Description"] for row in quiet.activities] == [followed]


@pytest.mark.parametrize("is_killed", [True, False])
def test_after_an_update_of_which_nobody_heard_the_ledger_learns_what_stands_there(
    quiet: House, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    """Killed between update and commit, or the answer was lost: updated once, recorded later."""
    quiet.changes["AFTER_SEND"] = "update"
    lengthen(quiet, sent(quiet, "longer")["longer"])
    if is_killed:
        update = QuickBooks.update_time_activity

        def dying(*arguments: Any) -> None:  # noqa: ANN401 # those of the method
            update(*arguments)
            raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr(QuickBooks, "update_time_activity", dying)
            assert not quiet.run(DAY, NEXT, *DAILY).success
    else:
        quiet.sandbox.fail("timeactivity", "drop_after_store", skip=1)
        quiet.run(DAY, NEXT, *DAILY)
    assert [row["SyncToken"] for row in quiet.activities] == ["1"]
    assert quiet.run(DAY, NEXT, *DAILY).success
    assert drift(quiet) == []
    assert quiet.rows("SELECT minutes, sync_token FROM deliveries") == [(90, "1")]
    assert [row["SyncToken"] for row in quiet.activities] == ["1"]
