"""The circuit breaker in whole runs: over all pieces of one, before a send, overridden."""

from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.ledger import Ledger
from pipeline.orchestration.windows import SCHEDULE_NAME
from pipeline.sandbox.seed.oddities import add_entry
from tests.conftest import TODAY, Server
from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import House, Kept, building, kept, problems, restored, silence
from tests.end_to_end.stages import LOAD, UP_TO_REVIEW
from tests.pipeline.rows import delivery

A_DAY = timedelta(days=1)
LAST = TODAY - 2 * A_DAY
DAYS = [LAST - A_DAY * number for number in (3, 2, 1, 0)]
WORK = [
    ("daniel", "Marsh Boardwalk"),
    ("priya", "Play Yard"),
    ("marcus", "Visitor Meadow"),
    ("sofia", "Main Street Plaza"),
]
GATE = "no_delivery_refused_or_unknown:"
SCHEDULED = {SCHEDULE_NAME: "every_morning"}
OVERRIDE: dict[str, Any] = {LOAD: {"override_breaker": True}}
FAULT = {"Error": [{"Message": "No", "Detail": "", "code": "2500"}], "type": "ValidationFault"}


@pytest.fixture
def four(house: House, company_of_four: Kept) -> House:
    """Four entries of four people for four customers on four days, judged."""
    return restored(house, company_of_four)


@pytest.fixture
def pieces(four: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The same, each in another piece."""
    monkeypatch.setattr("pipeline.extract.pieces.PIECE", A_DAY)
    return four


@pytest.fixture(scope="module")
def company_of_four(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """What `four` begins with."""
    with building(sandbox_server, invented_world, tmp_path_factory.mktemp("four")) as house:
        silence(house.sandbox.world)
        for day, (mailbox, project) in zip(DAYS, WORK, strict=True):
            add_entry(house.sandbox.world, day, mailbox=mailbox, project=project)
        house.prepare(DAYS[0], LAST, *UP_TO_REVIEW)
        return kept(house)


def stored_for_somebody_else(house: House) -> None:
    """QuickBooks takes every employee's id for a vendor's."""
    books = house.sandbox.world.company
    books.vendors |= books.employees
    books.employees.clear()


def test_one_fault_on_three_people_and_customers_stops_the_run_whatever_its_pieces(
    pieces: House,
) -> None:
    """After the third batch; the fourth is not known to the ledger, and sent by the next run."""
    pieces.sandbox.fail("batch", "status", status=400, body={"Fault": FAULT}, times=None)
    said = pieces.stopped(DAYS[0], LAST, LOAD)
    assert "3 people and 3 customers for one reason: its fault 2500" in said
    assert "`override_breaker: true`" in said
    assert pieces.sandbox.calls(BATCHES) == 3
    assert pieces.rows("SELECT state, count(*) FROM deliveries GROUP BY ALL") == [("refused", 3)]
    pieces.sandbox.holder.faults.clear()
    pieces.prepare(LAST, LAST, LOAD)
    assert len(pieces.activities) == 1


def test_an_overridden_run_goes_on_and_is_red_for_what_was_refused(pieces: House) -> None:
    """The gate still says so; the fourth was sent."""
    pieces.sandbox.fail("batch", "status", status=400, body={"Fault": FAULT}, times=3)
    said = problems(pieces.run(DAYS[0], LAST, LOAD, **OVERRIDE))
    assert any(sentence.startswith(GATE) for sentence in said)
    assert not any(sentence.startswith(f"{LOAD}:") for sentence in said)
    assert len(pieces.activities) == 1


def test_three_stored_otherwise_stop_the_run_whatever_its_pieces(pieces: House) -> None:
    """Nobody knows whose time it became, so a fourth is not tried."""
    stored_for_somebody_else(pieces)
    assert "did not store 3 time activities as they were sent" in pieces.stopped(
        DAYS[0], LAST, LOAD
    )
    assert len(pieces.activities) == 3


def test_an_outage_is_recognised_whatever_the_pieces(pieces: House) -> None:
    """Two batches in a row, each in a piece of its own; a third is not tried."""
    first, last = DAYS[0], DAYS[2]
    pieces.sandbox.fail("batch", "status", status=503, times=None)
    assert "2 batches in a row" in pieces.stopped(first, last, LOAD)
    assert pieces.sandbox.calls(BATCHES) == 2
    pieces.sandbox.holder.faults.clear()
    pieces.prepare(first, last, LOAD)
    assert held(pieces.sandbox.world) == due(pieces.sandbox.world, first, last)


def test_what_quickbooks_never_takes_keeps_nothing_back_and_is_refused_in_its_words(
    pieces: House,
) -> None:
    """Two entries that it cannot digest: at first it looks like an outage, and is said to be one.

    They are tried alone, after all others, once a run; after the fourth attempt a person must act.
    """
    first, last = DAYS[0], DAYS[3]
    error = {"Message": "An application error", "Detail": "Unexpected text", "code": "10000"}
    faults: dict[str, Any] = {"status": 500, "body": {"Fault": {"Error": [error]}}, "times": 2}
    pieces.sandbox.fail("batch", "status", **faults)
    assert "2 batches in a row" in pieces.stopped(first, last, LOAD)
    pieces.sandbox.fail("batch", "status", skip=2, **faults)
    pieces.prepare(first, last, LOAD)
    world = pieces.sandbox.world
    assert held(world) == due(world, DAYS[2], DAYS[3]), "the two pieces behind them"
    refused = "FROM deliveries WHERE state = 'refused'"
    for _ in range(2):
        assert pieces.rows(f"SELECT error_code {refused}") == [("not_stored",)] * 2
        pieces.sandbox.fail("batch", "status", **faults)
        pieces.prepare(first, last, LOAD)
    assert (
        pieces.rows(f"SELECT error_code, error_message {refused}")
        == [("10000", "An application error: Unexpected text")] * 2
    )
    calls = pieces.sandbox.calls(BATCHES)
    pieces.prepare(first, last, LOAD)
    assert pieces.sandbox.calls(BATCHES) == calls, "not again, though it would pass now"
    [(fix,)] = pieces.rows("SELECT fix FROM fix_list")
    assert "`python -m pipeline retry --reason 10000`" in fix


def history(house: House, *days_ago: int) -> None:
    """A ledger that has sent one entry on each of these days before today."""
    with Ledger.opened(house.settings.ledger, 0, print) as ledger:
        ledger.record(
            [
                delivery(
                    number,
                    state="sent",
                    realm_id=house.settings.quickbooks_realm_id,
                    work_date=date(2026, 1, 1),
                    quickbooks_id=f"old {number}",
                    updated_at=house.now - timedelta(days=number),
                )
                for number in days_ago
            ]
        )


@pytest.fixture
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four entries make a run worth a look."""
    monkeypatch.setattr("pipeline.delivery.breaker.ALWAYS_ALLOWED", 2)
    monkeypatch.setattr("pipeline.delivery.breaker.UNUSUAL", 3)


@pytest.mark.usefixtures("_few_are_many")
def test_a_scheduled_run_that_would_send_far_too_much_sends_nothing(pieces: House) -> None:
    """Over all its pieces, none of which is too much."""
    history(pieces, 25, 14, 7)
    pieces.tags = SCHEDULED
    said = pieces.stopped(DAYS[0], LAST, LOAD)
    assert "would send 4 time activities; 1 are usual on a Sunday" in said
    assert "`override_breaker: true`" in said
    assert pieces.sandbox.calls(BATCHES) == 0
    assert pieces.rows("SELECT count(*) FROM deliveries WHERE state <> 'sent'") == [(0,)]


@pytest.mark.usefixtures("_few_are_many")
@pytest.mark.parametrize(
    ("tags", "config", "sent_days_ago"),
    [
        ({}, {}, (25, 14, 7)),  # a person chose the days
        (SCHEDULED, OVERRIDE, (25, 14, 7)),  # a person has looked at them
        (SCHEDULED, {}, (19, 14, 7)),  # nothing is usual yet
    ],
)
def test_much_is_sent_where_that_is_no_surprise(
    four: House, tags: dict[str, str], config: dict[str, Any], sent_days_ago: tuple[int, ...]
) -> None:
    """A range that was launched by hand, one that is overridden, and the first twenty days."""
    history(four, *sent_days_ago)
    four.tags = tags
    four.prepare(DAYS[0], LAST, LOAD, **config)
    assert held(four.sandbox.world) == due(four.sandbox.world, DAYS[0], LAST)


@pytest.mark.usefixtures("_few_are_many")
def test_neither_the_first_run_nor_what_quickbooks_already_holds_is_unusual(four: House) -> None:
    """The very first run sends all; after a lost ledger all is adopted, so nothing is sent."""
    four.tags = SCHEDULED
    four.prepare(DAYS[0], LAST, LOAD)
    assert (len(four.activities), four.sandbox.calls(BATCHES)) == (len(DAYS), 1)
    four.lose_ledger()
    history(four, 25, 14, 7)
    four.prepare(DAYS[0], LAST, LOAD)
    assert four.sandbox.calls(BATCHES) == 1


def test_the_days_on_which_rows_were_sent_are_the_companys(house: House) -> None:
    """Each entry counts once, on the day on which it was first sent, in `TIME_ZONE`."""
    history(house, 2, 1)
    late = house.now.replace(hour=3)  # still yesterday in New York
    with Ledger.opened(house.settings.ledger, 0, print) as ledger:
        ledger.record([delivery(9, state="sent", updated_at=late)])
        ledger.record([delivery(9, state="sent", updated_at=house.now)])
        ledger.record([delivery(8, state="refused", updated_at=house.now)])
        counted = ledger.sent_by_day("America/New_York")
    yesterday = TODAY - A_DAY
    assert counted == {yesterday: 2, yesterday - A_DAY: 1}
