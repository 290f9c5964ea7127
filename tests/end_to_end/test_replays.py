"""Answers that QuickBooks gave before, to a ledger that has forgotten that it asked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.sandbox.seed.oddities import add_entry
from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import DAY, ENTRIES_A_DAY, House, problems, states
from tests.end_to_end.stages import CONFIRMED, DAILY, LOAD
from tests.end_to_end.test_cutover import change

BATCH = 6
ADOPTED = ENTRIES_A_DAY - BATCH


@pytest.fixture
def forgetful(reviewed: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A pipeline that has sent a day in three batches a minute ago, and lost its files since.

    Of the first batch a person has deleted all but one activity, which now stands on another day.
    """
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", BATCH)
    warehouse = reviewed.settings.warehouse.read_bytes()
    reviewed.prepare(DAY, DAY, LOAD)
    reviewed.lose_ledger()
    reviewed.settings.warehouse.write_bytes(warehouse)
    reviewed.sandbox.switch(clock_skew_seconds=60)
    first, *others = sorted(reviewed.activities, key=lambda row: int(row["Id"]))[:BATCH]
    change(reviewed, first, TxnDate="2026-10-30")
    for row in others:
        del reviewed.sandbox.world.company.activities[row["Id"]]
    return reviewed


def test_an_answer_that_quickbooks_gave_before_is_not_believed(forgetful: House) -> None:
    """What a person has deleted since is `gone`, what was moved is `sent` and drift; once each."""
    batches = forgetful.sandbox.calls(BATCHES)
    assert problems(forgetful.run(DAY, DAY, LOAD, **CONFIRMED)) != []
    assert forgetful.sandbox.calls(BATCHES) == batches + 1
    assert states(forgetful) == {"gone": BATCH - 1, "sent": 1, "adopted": ADOPTED}
    assert forgetful.rows("SELECT error_message FROM deliveries WHERE state = 'sent'") == [
        ("drift: work_date",)
    ]
    assert len(forgetful.activities) == ADOPTED + 1
    forgetful.prepare(DAY, DAY, LOAD)
    assert forgetful.sandbox.calls(BATCHES) == batches + 1


def test_an_old_answer_that_cannot_be_checked_is_never_sent_again(forgetful: House) -> None:
    """The run is red for the read; the next one looks, and finds what was deleted since."""
    batches = forgetful.sandbox.calls(BATCHES)
    forgetful.sandbox.fail("timeactivity", "status", status=503, times=None)
    said = forgetful.stopped(DAY, DAY, LOAD, **CONFIRMED)
    assert "QuickBooks answers 503" in said
    forgetful.sandbox.holder.faults.clear()
    forgetful.prepare(DAY, DAY, LOAD)
    assert states(forgetful) == {"gone": BATCH - 1, "sent": 1, "adopted": ADOPTED}
    assert forgetful.sandbox.calls(BATCHES) == batches + 1


def test_an_old_answer_about_what_is_another_entrys_by_now_is_no_answer(reviewed: House) -> None:
    """The ledger was lost, and an honest twin took the activity over: the entry is sent anew."""
    world, later = reviewed.sandbox.world, DAY + timedelta(days=2)
    entry = add_entry(world, later)
    reviewed.prepare(later, later, *DAILY)
    reviewed.lose_ledger()
    reviewed.sandbox.switch(clock_skew_seconds=60)
    twin = replace(entry, id=f"{1:024x}")
    world.workspace.entries[twin.id] = twin
    reviewed.prepare(later, later, *DAILY, **CONFIRMED)
    assert held(world) == due(world, later, later)
    assert states(reviewed) == {"sent": 1, "adopted": 1}


def test_of_twins_that_a_lost_ledger_sent_the_changed_one_stays_one(reviewed: House) -> None:
    """The first takes what was its twin's, and the twin is left what was the first's."""
    world, later = reviewed.sandbox.world, DAY + timedelta(days=2)
    entry = add_entry(world, later)
    world.workspace.entries["f" * 24] = replace(entry, id="f" * 24)
    reviewed.prepare(later, later, *DAILY)
    [(own,)] = reviewed.rows("SELECT quickbooks_id FROM deliveries WHERE entry_id = $1", entry.id)
    change(reviewed, {"Id": own}, Description="Phone", Hours=9, Minutes=1)
    reviewed.lose_ledger()
    world.replies.clear()
    reviewed.prepare(later, later, *DAILY, **CONFIRMED)
    assert reviewed.rows("SELECT entry_id, state, quickbooks_id = $1 FROM deliveries", own) == [
        (entry.id, "adopted", False),
        ("f" * 24, "doubtful", True),
    ]
    assert len(reviewed.activities) == 2
