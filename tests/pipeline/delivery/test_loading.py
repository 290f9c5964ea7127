"""Loading: the order of the steps, over entries that a review has accepted."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.delivery import breaker
from pipeline.delivery.desk import Desk
from pipeline.delivery.loading import Wishes, load, plans
from pipeline.extract import pieces
from pipeline.ledger import NOT_STORED, Ledger
from pipeline.review import verdicts
from pipeline.schemas import ClockifyTimeEntries, Days
from pipeline.stops import Stop
from pipeline.storage import doors
from pipeline.warehouse import Warehouse
from tests.conftest import Sandbox
from tests.end_to_end.books import BATCHES
from tests.pipeline.delivery.conftest import Clock
from tests.pipeline.delivery.desks import known
from tests.pipeline.examples import LISTS, START, TODAY, entries, entry, rules
from tests.pipeline.rows import DAY, NOW, delivery, frame, valid

A_DAY = timedelta(days=1)
READS = "GET /v3/company/{id}/query"
RULES = rules(today=TODAY + 30 * A_DAY)
"""Judging weeks later, so that all days are over."""
CONFIRMED = Wishes(confirm_cutover=True)
EIGHT_DAYS = [DAY + number * A_DAY for number in range(8)]


def on(number: int) -> date:
    """The day of an entry: each has one of its own, the first that of `DAY`."""
    return DAY + (number - 1) * A_DAY


@pytest.fixture(scope="module")
def empty_files(empty_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, with six accepted entries of as many days; a seventh has no rate."""
    folder = tmp_path_factory.mktemp("stocked")
    shutil.copytree(empty_files, folder, dirs_exist_ok=True)
    rates = dict.fromkeys(range(1, 7), 4500) | {7: 0}
    rows = [
        entry(number, description=f"Work {number}", hourly_rate_minor=rate, **_at(number - 1))
        for number, rate in rates.items()
    ]
    days = [
        valid(Days, number, work_date=day, extracted_at=NOW, rounding="off")
        for number, day in enumerate(EIGHT_DAYS)
    ]
    with (
        Warehouse(folder / "warehouse.duckdb").connect() as connection,
        Ledger.opened(folder / "ledger.duckdb", 0, print) as ledger,
    ):
        doors.insert(connection, ClockifyTimeEntries, entries(*rows))
        doors.insert(connection, Days, frame(Days, *days))
        judged = verdicts.judged(connection, ledger, LISTS, RULES, on(1), on(8))
        verdicts.store(connection, judged, RULES, on(1), on(8), NOW)
    return folder


@pytest.fixture
def stocked(desk: Desk, sandbox: Sandbox) -> Iterator[Desk]:
    """A desk of these entries, with whom they are for in QuickBooks; a run holds the warehouse."""
    company = sandbox.world.company
    company.employees["1"] = company.employees["9"] | {"Id": "1", "DisplayName": "Ann Lee"}
    company.customers["11"] = company.customers["25"] | {"Id": "11"}
    with desk.company.warehouse.connect():
        yield replace(desk, rules=RULES)


def _at(days: int) -> dict[str, Any]:
    start = START + pd.Timedelta(days=days)
    work_date = pd.Timestamp(DAY + days * A_DAY)
    return {"work_date": work_date, "start_at": start, "end_at": start + pd.Timedelta(hours=1)}


def run(desk: Desk, first: int, last: int, wishes: Wishes = CONFIRMED, **more: bool) -> None:
    """Load the days of some entries."""
    load(desk, on(first), on(last), wishes, **{"is_scheduled": False, **more})


def states(desk: Desk) -> dict[int, str]:
    """What the ledger knows of each entry, by number."""
    rows = desk.ledger.between(date.min, date.max)
    return {int(row.entry_id, 16): row.state for row in rows}


def sent_in_order(desk: Desk) -> list[int]:
    """The entries whose requests were begun, in order."""
    rows = desk.ledger._connection.execute(
        "SELECT entry_id FROM delivery_attempts WHERE state = 'pending' AND run_id = 'run'"
    ).fetchall()
    return [int(key, 16) for (key,) in rows]


def compared(desk: Desk) -> list[date]:
    """The days of which both sides were compared."""
    with desk.company.warehouse.connect() as connection:
        rows = connection.execute("SELECT work_date FROM compared_days ORDER BY ALL").fetchall()
    return [day for (day,) in rows]


def typed(sandbox: Sandbox, number: int, **changes: object) -> str:
    """Have QuickBooks hold what an entry would be sent as, with changes; its id."""
    body: dict[str, object] = {
        "TxnDate": str(on(number)),
        "NameOf": "Employee",
        "EmployeeRef": {"value": "1"},
        "CustomerRef": {"value": "11"},
        "BillableStatus": "Billable",
        "HourlyRate": 45,
        "Hours": 1,
        "Minutes": 0,
        "Description": f"Work {number}",
    }
    return str(sandbox.admin("POST", "activities", **body | changes)["Id"])


def moved(desk: Desk) -> Desk:
    """The desk under another clock than that by which its entries were read."""
    settings = desk.company.settings.model_copy(update={"time_zone": "Pacific/Honolulu"})
    return replace(desk, company=replace(desk.company, settings=settings))


def test_what_nobody_asks_for_is_not_done() -> None:
    """Each wish is one of its own."""
    asked = [name for name, is_asked in Wishes() if is_asked]
    assert (asked, len(Wishes.model_fields)) == ([], 4)


def test_all_of_the_days_is_sent_and_compared_and_nothing_else(
    stocked: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ends of them; what is about to be done is said first."""
    run(stocked, 2, 4)
    said = "2024-05-15 to 2024-05-17: 3 to send, 0 already in QuickBooks, 0 to be decided by a"
    log = capsys.readouterr().out
    assert log.startswith(f"{said} person\n")
    assert log.count(" deliveries compared") == 1
    assert states(stocked) == dict.fromkeys((2, 3, 4), "sent")
    assert compared(stocked) == [on(2), on(3), on(4)]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_rejected_is_not_sent(stocked: Desk, sandbox: Sandbox, *, is_there: bool) -> None:
    """It is adopted where somebody has typed it all the same."""
    if is_there:
        typed(sandbox, 7, HourlyRate=0)
    run(stocked, 6, 7)
    assert states(stocked) == {6: "sent"} | ({7: "adopted"} if is_there else {})


def test_days_are_sent_and_compared_piece_by_piece(
    stocked: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of which asks QuickBooks for no more than it must."""
    monkeypatch.setattr(pieces, "PIECE", 2 * A_DAY)
    run(stocked, 1, 3)
    assert sandbox.calls(BATCHES) == 2
    assert compared(stocked) == [on(1), on(2), on(3)]


def unknown(desk: Desk, number: int, **changes: Any) -> None:  # noqa: ANN401 - fields of any type
    """An entry of which an earlier run never heard, an hour ago."""
    at = desk.company.now() - timedelta(hours=1)
    sent = {"sent_at": at, "intuit_time": at, "updated_at": at, "run_id": "before"}
    row = {"state": "unknown", "attempts": 1, "work_date": on(number), **sent, **changes}
    desk.ledger.record([known(number, **row)])


def test_what_earlier_runs_left_is_settled_before_anything_can_stop_this_one(
    stocked: Desk, clock: Clock
) -> None:
    """And is sent, where it was not stored; of other days it is only settled."""
    unknown(stocked, 1)
    unknown(stocked, 6)
    with pytest.raises(Stop, match="read by another TIME_ZONE"):
        run(moved(stocked), 1, 2)
    assert states(stocked) == {1: "refused", 6: "refused"}
    run(stocked, 1, 2)
    assert clock.slept
    assert states(stocked) == {1: "sent", 2: "sent", 6: "refused"}
    assert sent_in_order(stocked) == [2, 1]


def test_what_this_run_left_is_settled_and_sent_in_the_end_by_itself(
    stocked: Desk, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two days one after another; and what nobody hears of then is settled too."""
    monkeypatch.setattr(pieces, "PIECE", A_DAY)
    sandbox.fail("batch", "drop_before_store")
    sandbox.fail("batch", "drop_before_store", skip=1)
    sandbox.fail("batch", "drop_after_store", skip=2)
    run(stocked, 1, 3)
    assert sent_in_order(stocked) == [1, 2, 3, 1, 3]
    assert states(stocked) == dict.fromkeys((1, 2, 3), "sent")
    assert len(sandbox.world.company.activities) == 3
    assert clock.slept


def test_what_is_settled_late_is_sent_only_if_it_is_of_these_days(
    stocked: Desk, sandbox: Sandbox, clock: Clock
) -> None:
    """The first reads failed, so that it was left to the second."""
    for number in (1, 2, 4, 5):
        unknown(stocked, number)
    sandbox.fail("query", "status", status=403)
    run(stocked, 2, 4)
    refused, sent = dict.fromkeys((1, 5), "refused"), dict.fromkeys((2, 3, 4), "sent")
    assert states(stocked) == refused | sent
    assert sent_in_order(stocked) == [3, 2, 4]
    assert clock.slept


def test_what_was_read_since_it_was_compared_is_compared_again(stocked: Desk) -> None:
    """Also a day of which something became of a delivery; not one that never had any."""
    run(stocked, 1, 3)
    with stocked.company.warehouse.connect() as connection:
        connection.execute("UPDATE compared_days SET compared_at = $1", [NOW - A_DAY])
    stocked.ledger.record([known(6, state="skipped", work_date=on(6))])
    run(stocked, 4, 4)
    assert compared(stocked) == [on(1), on(2), on(3), on(4), on(6)]
    with stocked.company.warehouse.connect() as connection:
        query = "SELECT count(*) FROM compared_days WHERE compared_at < $1"
        assert connection.execute(query, [NOW]).fetchall() == [(0,)]


def test_a_day_with_a_look_alike_of_what_was_decided_on_is_compared_again(
    stocked: Desk, sandbox: Sandbox
) -> None:
    """The warning stands on the day of the look-alike."""
    run(stocked, 1, 1)
    typed(sandbox, 1, TxnDate=str(on(2)), Hours=2)
    typed(sandbox, 1, TxnDate=str(on(2)))
    run(stocked, 2, 3)
    query = "SELECT compared_at FROM compared_days WHERE work_date = $1"
    ask = [(query, [on(2)]), (query, [on(3)])]
    with stocked.company.warehouse.connect() as connection:
        before = [connection.execute(*each).fetchall() for each in ask]
        likened = connection.execute(
            "SELECT work_date FROM drift WHERE kind = 'resembling'"
        ).fetchall()
    assert likened == [(on(2),)]
    [row] = stocked.ledger.between(on(1), on(1))
    stocked.ledger.record([stocked.noted(row)])
    run(stocked, 5, 5)
    with stocked.company.warehouse.connect() as connection:
        after = [connection.execute(*each).fetchall() for each in ask]
    assert [one > other for one, other in zip(after, before, strict=True)] == [True, False]


@pytest.fixture
def few_are_many(stocked: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk that has sent one a week, where more than two are worth a look; at a noon."""
    now = datetime(2024, 6, 26, 16, tzinfo=UTC)
    monkeypatch.setattr(breaker, "ALWAYS_ALLOWED", 1)
    monkeypatch.setattr(breaker, "UNUSUAL", 2)
    stocked.ledger.record(
        [
            delivery(
                number,
                state="sent",
                work_date=date(2024, 1, 1),
                quickbooks_id=f"old {number}",
                updated_at=now - timedelta(days=7 * (number - 90)),
            )
            for number in (91, 92, 94)
        ]
    )
    return replace(stocked, company=replace(stocked.company, now=lambda: now))


def test_an_unusual_scheduled_run_is_stopped_before_it_sends(
    few_are_many: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its pieces are counted."""
    monkeypatch.setattr(pieces, "PIECE", A_DAY)
    with pytest.raises(Stop, match="would send 3 time activities; 1 are usual on a "):
        run(few_are_many, 1, 3, is_scheduled=True)
    assert sandbox.calls(BATCHES) == 0
    run(few_are_many, 1, 2, is_scheduled=True)
    assert sandbox.calls(BATCHES) == 2


@pytest.mark.parametrize("why", ["by hand", "overridden", "after approval", "weekly", "at first"])
def test_what_is_no_surprise_is_sent(few_are_many: Desk, why: str) -> None:
    """A person chose the days, or has looked; or time comes in bulk and came so before."""
    desk, settings = few_are_many, few_are_many.company.settings
    changes = {"after approval": {"require_approval": True}, "weekly": {"send_up_to": "last_week"}}
    if why in changes:
        busy = [
            delivery(
                number,
                state="sent",
                work_date=date(2024, 1, 1),
                quickbooks_id=f"busy {number}",
                updated_at=desk.company.now() - timedelta(days=2),
            )
            for number in range(80, 85)
        ]
        desk.ledger.record(busy)
        settings = settings.model_copy(update=changes[why])
        desk = replace(desk, company=replace(desk.company, settings=settings))
    if why == "at first":
        desk.ledger._connection.execute("DELETE FROM delivery_attempts")
    wishes = CONFIRMED.model_copy(update={"override_breaker": why == "overridden"})
    run(desk, 1, 3, wishes, is_scheduled=why != "by hand")
    assert {states(desk)[number] for number in (1, 2, 3)} == {"sent"}


def test_an_override_lets_one_fault_meet_whoever_it_meets(stocked: Desk) -> None:
    """The tally is told."""
    seen: list[bool] = []

    class Told(breaker.Tally):
        def stop(self) -> Stop | None:
            seen.append(self.is_overridden)
            return super().stop()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pipeline.delivery.loading.Tally", Told)
        run(stocked, 1, 1, Wishes(override_breaker=True))
        run(stocked, 2, 2, Wishes())
    assert seen == [True, False]


def test_a_first_load_beside_others_is_confirmed_by_the_run_that_is_told_to(
    stocked: Desk, sandbox: Sandbox
) -> None:
    """Nothing is kept where nobody else's activities are: else nobody would ever be asked."""
    realm_id = stocked.company.settings.quickbooks_realm_id
    run(stocked, 1, 1)
    assert not stocked.ledger.is_confirmed(realm_id)
    typed(sandbox, 3, Description="Other", Hours=5)
    with pytest.raises(Stop, match="that this pipeline did not send"):
        run(stocked, 2, 4, Wishes())
    assert states(stocked) == {1: "sent"}
    run(stocked, 2, 4)
    assert states(stocked) == dict.fromkeys((1, 2, 3, 4), "sent")
    query = "SELECT first_day, last_day, confirmed_by FROM cutover_confirmations"
    rows = stocked.ledger._connection.execute(query).fetchall()
    assert rows == [(on(2), on(4), "run run")]


def test_nothing_is_sent_on_another_clocks_dates_or_by_a_clock_that_is_wrong(
    stocked: Desk, sandbox: Sandbox
) -> None:
    """Neither looked at nor recorded."""
    other = moved(stocked)
    for act in (lambda: run(other, 1, 2), lambda: plans(other, on(1), on(2))):
        with pytest.raises(Stop, match="read by another TIME_ZONE"):
            act()
    sandbox.switch(clock_skew_seconds=8 * 3600 + 60)
    with pytest.raises(Stop, match="clock is 8 hours behind"):
        run(stocked, 1, 2)
    assert (states(stocked), sandbox.calls(BATCHES)) == ({}, 0)


def test_a_look_says_what_a_load_would_do_and_does_nothing(
    stocked: Desk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece; if asked, also of days of which nothing is to be sent."""
    monkeypatch.setattr(pieces, "PIECE", 2 * A_DAY)
    key = typed(sandbox, 8)
    looked = plans(stocked, on(5), on(8))
    assert [[int(row.entry_id, 16) for row in each.send] for each in looked] == [[5, 6], []]
    assert [list(each.free) for each in looked] == [[], []]
    complete = plans(stocked, on(5), on(8), is_complete=True)
    assert [list(each.free) for each in complete] == [[], [key]]
    assert (states(stocked), sandbox.calls(BATCHES)) == ({}, 0)
    with pytest.raises(Stop, match="with the rounding `off`, but it is `up 5` now"):
        plans(replace(stocked, rounding="up 5"), on(1), on(2))


@pytest.mark.parametrize("number", [1, 3])
def test_an_entry_of_the_day_beside_keeps_what_is_its_own(
    stocked: Desk, sandbox: Sandbox, number: int
) -> None:
    """It is neither sent nor recorded, and no other is in doubt for it."""
    query = "UPDATE {} SET description = 'Work 2' WHERE entry_id = $1"
    with stocked.company.warehouse.connect() as connection:
        for table in ("clockify_time_entries", "accepted_time_entries"):
            connection.execute(query.format(table), [known(number).entry_id])
    typed(sandbox, number, Description="Work 2")
    run(stocked, 2, 2)
    assert states(stocked) == {2: "sent"}


def test_of_days_without_entries_nothing_is_planned(stocked: Desk, sandbox: Sandbox) -> None:
    """They are compared all the same, by one read of QuickBooks."""
    stocked.quickbooks.time_activities(on(8), on(8))
    of_one = sandbox.calls(READS)
    run(stocked, 8, 8)
    assert (states(stocked), compared(stocked)) == ({}, [on(8)])
    assert (sandbox.calls(BATCHES), sandbox.calls(READS)) == (0, 2 * of_one)


def test_what_was_not_stored_is_sent_once_all_else_is(stocked: Desk) -> None:
    """An earlier run settled it: first those of the earlier day."""
    rows = [known(number, state="refused", error_code=NOT_STORED) for number in (1, 2)]
    stocked.ledger.record([replace(row, work_date=on(2)) for row in rows])
    run(stocked, 1, 3)
    assert sent_in_order(stocked) == [3, 1, 2]
