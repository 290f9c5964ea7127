"""Whatever QuickBooks answers to a batch: nothing is doubled, and what is not known is said."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import DAY, House, check, problems
from tests.end_to_end.stages import LOAD

NEXT = DAY + timedelta(days=1)
FIRST_BATCH, REST = 30, 2
READS_BEFORE_SENDING = 3
"""Of QuickBooks' activities: counted, read, counted."""


def fault(code: str, text: str = "of some kind") -> dict[str, Any]:
    """QuickBooks' own words for no."""
    return {"Error": [{"Message": f"Fault {text}", "Detail": "", "code": code}], "type": "Fault"}


def load(house: House) -> dg.ExecuteInProcessResult:
    """Load both days."""
    return house.run(DAY, NEXT, LOAD)


def states(house: House) -> dict[str, int]:
    """How many deliveries the ledger has in each state."""
    return dict(house.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))


def assert_nothing_is_doubled(house: House) -> None:
    """QuickBooks holds no activity more often than an entry asks for it."""
    world = house.sandbox.world
    assert held(world) <= due(world, DAY, NEXT)


@pytest.mark.parametrize(
    "answer",
    [
        {"fault": "drop_after_store"},
        {"fault": "drop_before_store"},
        {"fault": "truncate"},
        {"fault": "delay", "delay_seconds": 3, "when": "after"},
        {"fault": "status", "status": 500},
        {"fault": "status", "status": 503, "when": "after"},
        {"fault": "status", "status": 200, "when": "after"},
        {"fault": "status", "status": 200, "body": {"Fault": fault("10000")}},
    ],
)
def test_an_answer_that_proves_nothing_is_settled_by_reading_quickbooks(
    reviewed: House, answer: dict[str, Any]
) -> None:
    """Stored or not: each entry is in QuickBooks once at the end, and the run is green."""
    reviewed.sandbox.fail("batch", **answer)
    assert problems(load(reviewed)) == []
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)
    assert states(reviewed) == {"sent": 32}


@pytest.mark.parametrize(("status", "code"), [(200, "2010"), (400, "2500")])
def test_a_batch_that_is_refused_is_red_once_and_not_sent_again(
    reviewed: House, status: int, code: str
) -> None:
    """The other batch is sent, the next run sends nothing, and a warning stands."""
    reviewed.sandbox.fail("batch", "status", status=status, body={"Fault": fault(code)})
    first = load(reviewed)
    assert not first.success
    assert f" {FIRST_BATCH}." in str(check(first, "no_delivery_refused_or_unknown").description)
    second = load(reviewed)
    assert problems(second) == []
    assert f" {FIRST_BATCH} " in str(check(second, "no_delivery_stands_unresolved").description)
    assert held(reviewed.sandbox.world).total() == REST
    assert states(reviewed) == {"refused": FIRST_BATCH, "sent": REST}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 429},
        {"status": 429, "body": {"Fault": fault("003001")}},
        {"status": 401},
    ],
)
def test_a_batch_that_certainly_was_not_received_is_sent_again(
    reviewed: House, answer: dict[str, Any]
) -> None:
    """Throttled, or with an expired token: the same bytes, stored once, and a green run."""
    reviewed.sandbox.fail("batch", "status", **answer)
    assert problems(load(reviewed)) == []
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)
    assert reviewed.sandbox.calls(BATCHES) == 3
    assert states(reviewed) == {"sent": 32}


def test_an_access_token_that_expires_between_two_runs_is_refreshed(reviewed: House) -> None:
    """The 401 comes with the first read; what follows is sent once."""
    reviewed.sandbox.world.tokens.access_tokens.clear()
    assert problems(load(reviewed)) == []
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)


def test_items_throttled_inside_a_batch_are_sent_again_without_the_others(
    reviewed: House,
) -> None:
    """One refused, the rest throttled: only the rest go again, and the refused one is named."""
    items = [{"bId": "0", "Fault": fault("2050", "Too long")}]
    items += [{"bId": str(place), "Fault": fault("3001")} for place in range(1, FIRST_BATCH)]
    reviewed.sandbox.fail("batch", "status", status=200, body={"BatchItemResponse": items})
    result = load(reviewed)
    assert not result.success
    assert states(reviewed) == {"refused": 1, "sent": 31}
    assert reviewed.rows("SELECT error_code FROM deliveries WHERE state = 'refused'") == [("2050",)]
    assert held(reviewed.sandbox.world).total() == 31
    assert_nothing_is_doubled(reviewed)


def test_what_was_throttled_all_along_stops_the_run_and_is_sent_by_the_next(
    reviewed: House,
) -> None:
    """As the run's sentence says."""
    reviewed.changes["HTTP_PATIENCE_SECONDS"] = "1"
    reviewed.sandbox.fail("batch", "status", status=429, times=None)
    assert "what was not sent is tried then" in problems(load(reviewed))[0]
    assert states(reviewed) == {"refused": FIRST_BATCH}
    reviewed.sandbox.holder.faults.clear()
    assert problems(load(reviewed)) == []
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)


def test_silence_twice_in_a_row_stops_the_run(
    reviewed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage leaves two batches unknown, not all of them; the next run settles and sends."""
    monkeypatch.setattr("pipeline.delivery.BATCH", 10)
    reviewed.sandbox.fail("batch", "status", status=503, times=None)
    assert "2 batches in a row" in problems(load(reviewed))[0]
    assert states(reviewed) == {"unknown": 20}
    reviewed.sandbox.holder.faults.clear()
    assert problems(load(reviewed)) == []
    assert states(reviewed) == {"sent": 32}
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)


@pytest.mark.parametrize(
    "edit", [{"Description": "as agreed on the phone"}, {"TxnDate": "2026-11-01"}, {"Minutes": 59}]
)
def test_what_was_stored_and_then_edited_is_left_for_a_person(
    reviewed: House, edit: dict[str, Any]
) -> None:
    """The answer was lost, then the reads failed, then a bookkeeper edited: never sent again."""
    reviewed.sandbox.fail("batch", "drop_after_store")
    reviewed.sandbox.fail("query", "status", status=503, times=None, skip=READS_BEFORE_SENDING)
    load(reviewed)
    assert states(reviewed) == {"unknown": FIRST_BATCH, "sent": REST}
    reviewed.sandbox.holder.faults.clear()
    reviewed.activities[0].update(edit)
    second = load(reviewed)
    assert " 1." in str(check(second, "no_delivery_refused_or_unknown").description)
    assert states(reviewed) == {"doubtful": 1, "sent": 31}
    assert len(reviewed.activities) == 32
