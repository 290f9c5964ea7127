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
    """A pipeline that has sent a day in three batches a minute ago, and lost its ledger since.

    Of the first batch a person has deleted all but one activity, which now stands on another day.
    """
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", BATCH)
    reviewed.prepare(DAY, DAY, LOAD)
    reviewed.lose_ledger()
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
