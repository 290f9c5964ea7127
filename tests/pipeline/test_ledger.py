"""The ledger: rows that are replaced, and a history that is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.ledger import (
    NEVER_CLAIMED_AGAIN,
    ROWS_A_STATEMENT,
    Binding,
    Delivery,
    Ledger,
)
from pipeline.stops import Stop
from pipeline.storage.database import Connection
from tests.pipeline.rows import DAY, NOW, SETTLED, STATES, delivery

BINDING = Binding("1", "w", "Europe/Berlin", "nearest 15")
MANY = ROWS_A_STATEMENT + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's ledger lies."""
    return tmp_path / "data" / "ledger.duckdb"


def never(message: str) -> None:
    """Nobody is waited for."""
    raise AssertionError(message)


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    """An open, new ledger."""
    with Ledger.opened(path, 0, never) as opened:
        yield opened


def ids(*numbers: int) -> list[str]:
    """Entry ids."""
    return [f"{number:024x}" for number in numbers]


def history(ledger: Ledger) -> list[tuple[object, ...]]:
    """What was appended, in order."""
    query = "SELECT entry_id, state, attempt, batch_id, batch_position FROM delivery_attempts"
    return ledger._connection.execute(query).fetchall()


FULL = delivery(
    state="sent",
    revision=2,
    amount_minor=9007199254740993,
    currency="EUR",
    quickbooks_id="145",
    sync_token="0",
    attempts=3,
    error_code="2020",
    error_message='it\'s "🙂"',
    intuit_tid="1-5",
    intuit_time=NOW - timedelta(hours=7),
    sent_at=NOW + timedelta(microseconds=1),
)


@pytest.mark.parametrize("row", [delivery(), FULL], ids=["sparse", "full"])
def test_a_delivery_comes_back_as_it_was_recorded(ledger: Ledger, row: Delivery) -> None:
    """Instants to the microsecond, amounts to the minor unit."""
    ledger.record([row])
    assert ledger.deliveries([row.entry_id, *ids(9)]) == {row.entry_id: row}


def test_a_state_replaces_the_last_and_both_stand_in_the_history(ledger: Ledger) -> None:
    """The row says what is known now, the history how it came to that."""
    first = delivery(attempts=1)
    then = replace(first, state="unknown", attempts=2, error_code="500")
    ledger.record([first, delivery(2)], "batch")
    ledger.record([then])
    assert ledger.deliveries(ids(1, 2)) == {ids(1)[0]: then, ids(2)[0]: delivery(2)}
    assert history(ledger) == [
        (ids(1)[0], "pending", 1, "batch", 0),
        (ids(2)[0], "pending", 0, "batch", 1),
        (ids(1)[0], "unknown", 2, None, None),
    ]


def test_parts_of_an_entry_are_rows_of_their_own(ledger: Ledger) -> None:
    """The key is entry and part."""
    ledger.record([delivery(part=0), delivery(part=1, state="sent")])
    assert sorted((row.part, row.state) for row in ledger.between(DAY, DAY)) == [
        (0, "pending"),
        (1, "sent"),
    ]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"state": "lost"}, "state"),
        ({"entry_id": "x"}, "entry_id"),
        ({"minutes": -1}, "minutes"),
        ({"request_id": "r" * 37}, "request_id"),
        ({"updated_at": datetime(2024, 5, 14)}, "updated_at"),  # noqa: DTZ001
    ],
)
def test_one_wrong_row_and_nothing_of_the_batch_is_recorded(
    ledger: Ledger, change: dict[str, object], column: str
) -> None:
    """All or nothing."""
    with pytest.raises(Stop, match=f"deliveries cannot take the column `{column}`"):
        ledger.record([delivery(1), delivery(2, **change)])
    assert ledger.deliveries(ids(1, 2)) == {}
    assert history(ledger) == []


def test_a_fault_is_counted_once_a_sending_of_the_same(ledger: Ledger) -> None:
    """However often it was recorded; not what met another fault or said something else."""
    faulted = delivery(state="unknown", error_code="10000", revision=1)
    for row in (
        replace(faulted, revision=0),
        replace(faulted, revision=0),
        replace(faulted, revision=0, state="refused"),
        replace(faulted, revision=2, error_code="6000"),
        replace(faulted, revision=3, payload="{}"),
        replace(faulted, revision=4, state="refused"),
        replace(faulted, revision=5, error_code=None),
        delivery(2, state="unknown", error_code="10000", revision=6),
        faulted,
    ):
        ledger.record([row])
    assert ledger.times_faulted(faulted) == 2
    assert ledger.times_faulted(replace(faulted, payload="{}")) == 1
    assert ledger.times_faulted(replace(faulted, error_code=None)) == 0


def test_no_state_is_recorded_without_its_history(ledger: Ledger) -> None:
    """Both are written in one transaction, also in more rows than one statement takes."""
    ledger._connection.execute("DROP TABLE delivery_attempts")
    with pytest.raises(duckdb.CatalogException):
        ledger.record([delivery(number) for number in range(ROWS_A_STATEMENT + 1)])
    assert ledger.unsettled() == []


def test_recording_nothing_is_nothing(ledger: Ledger) -> None:
    """A plan without adoptions, say."""
    ledger.record([])
    assert history(ledger) == []


@pytest.mark.parametrize("field", ["realm_id", "workspace_id", "time_zone", "rounding"])
def test_another_company_or_clock_is_refused_until_it_is_rebound(
    ledger: Ledger, field: str
) -> None:
    """Each would send to other books or on other days; after a rebind, the old one.

    The company itself can be another only as long as nothing was sent.
    """
    other = replace(BINDING, **{field: "other"})
    ledger.bind(BINDING)
    with pytest.raises(Stop, match=r"The ledger is bound to .* `rebind: true`"):
        ledger.bind(other)
    ledger.bind(BINDING)
    ledger.bind(other, rebind=True)
    ledger.bind(other)
    with pytest.raises(Stop, match="other"):
        ledger.bind(BINDING)


def test_what_was_sent_to_another_company_binds_for_ever(ledger: Ledger) -> None:
    """Both number their time activities from one: an id here would claim another one there."""
    ledger.bind(BINDING)
    ledger.record([delivery(realm_id="1")])
    ledger.bind(replace(BINDING, time_zone="UTC"), rebind=True)
    for check in (ledger.bind, ledger.refuse_other):
        with pytest.raises(Stop, match=r"a QuickBooks company other than 2\. Name another LEDGER"):
            check(replace(BINDING, realm_id="2"), rebind=True)
    ledger.bind(replace(BINDING, time_zone="UTC"))


def test_a_refused_binding_is_not_written(path: Path) -> None:
    """A rebind with the same binding changes nothing either."""
    with Ledger.opened(path, 0, never) as ledger:
        ledger.bind(BINDING)
        with pytest.raises(Stop):
            ledger.bind(replace(BINDING, realm_id="2"))
    with Ledger.opened(path, 0, never) as ledger:
        ledger.bind(BINDING, rebind=True)
        rows = ledger._connection.execute("SELECT * FROM ledger_binding").fetchall()
    assert rows == [("1", "w", "Europe/Berlin", "nearest 15")]


@pytest.mark.parametrize("state", STATES)
def test_who_asks_for_a_state_gets_it(ledger: Ledger, state: str) -> None:
    """Settled: nothing is left to do. Unsettled: nobody knows. Claimed: the activity is ours."""
    ledger.record([delivery(state=state, quickbooks_id="145"), delivery(2, state="refused")])
    settled = dict.fromkeys(ids(1), state) if state in SETTLED else {}
    assert ledger.settled(ids(1, 2, 3)) == settled
    is_unsettled = state in {"pending", "unknown"}
    assert [row.entry_id for row in ledger.unsettled()] == (ids(1) if is_unsettled else [])
    # What merely looks like ours is a person's to decide, and still anybody's.
    assert ledger.claimed(["145", "146"]) == ({"145"} if state != "doubtful" else set())
    # A refusal alone may be tried again: it proves that nothing was stored.
    assert (state in NEVER_CLAIMED_AGAIN) == (state != "refused")


def test_an_activity_that_we_only_adopted_is_somebody_elses(ledger: Ledger) -> None:
    """A person is asked before a first load sends beside it; not beside what we tried to send."""
    ledger.record([delivery(state="adopted", quickbooks_id="145")])
    ledger.record([delivery(2, state="sent", quickbooks_id="146", attempts=1)])
    assert ledger.claimed(["145", "146"]) == {"145", "146"}
    assert ledger.sent_by_us(["145", "146"]) == {"146"}


def test_what_was_sent_last_is_of_the_last_run_that_sent(ledger: Ledger) -> None:
    """Not what was intended, adopted, decided, followed or refused since."""
    assert ledger.said_of_last() == []
    said = {1: "before", 2: "person", 3: None}
    for number, message in said.items():
        run_id = "first" if number == 1 else "second"
        row = delivery(number, run_id=run_id, updated_at=NOW + timedelta(hours=number))
        ledger.record([row], "batch")
        ledger.record([replace(row, state="sent", error_message=message)], "batch")
    later = delivery(4, run_id="third", updated_at=NOW + timedelta(hours=9))
    for state, batch_id in (("pending", "batch"), ("refused", "batch"), ("adopted", None)):
        ledger.record([replace(later, state=state)], batch_id)
    ledger.record([replace(later, entry_id=ids(1)[0], state="sent")])
    assert ledger.said_of_last() == ["person", None]


def test_deliveries_of_days_include_both_ends(ledger: Ledger) -> None:
    """And no other."""
    a_day = timedelta(days=1)
    ledger.record([delivery(n, work_date=DAY + n * a_day) for n in range(5)])
    found = ledger.between(DAY + a_day, DAY + 3 * a_day)
    assert sorted(row.entry_id for row in found) == ids(1, 2, 3)


def closed(number: int, day: int, **changes: object) -> Delivery:
    """A delivery refused because its period is closed."""
    given = {"state": "refused", "error_code": "6210", "work_date": DAY.replace(day=day)}
    return delivery(number, **{**given, **changes})


LATER = NOW + timedelta(hours=1)
CLOSED_PERIODS: dict[str, tuple[list[Delivery], list[int]]] = {
    "nothing was refused": ([], []),
    "one was": ([closed(1, 10)], [1]),
    "with a password": ([closed(1, 10, error_code="6200")], [1]),
    "another fault is no closing": ([closed(1, 10, error_code="610")], []),
    "it is not refused any more": ([closed(1, 10, state="pending")], []),
    "oldest day first": ([closed(3, 10), closed(1, 12), closed(2, 10)], [2, 3, 1]),
    "a day tried since comes last": (
        [closed(1, 10), closed(2, 10, updated_at=LATER), closed(3, 12)],
        [3, 1, 2],
    ),
    "an earlier day went through later": (
        [closed(1, 10), delivery(2, state="sent", work_date=DAY.replace(day=9), sent_at=LATER)],
        [],
    ),
    "the same day went through later": (
        [closed(1, 10), delivery(2, state="sent", work_date=DAY.replace(day=10), sent_at=LATER)],
        [],
    ),
    "a later day went through later": (
        [closed(1, 10), delivery(2, state="sent", work_date=DAY.replace(day=11), sent_at=LATER)],
        [1],
    ),
    "of an earlier day something was learned later": (
        [
            closed(1, 10),
            delivery(2, state="sent", work_date=DAY.replace(day=9), sent_at=NOW, updated_at=LATER),
        ],
        [1],
    ),
    "an earlier day went through before": (
        [closed(1, 10, updated_at=LATER), delivery(2, state="sent", work_date=DAY.replace(day=9))],
        [1],
    ),
    "adopting proves nothing": (
        [
            closed(1, 10),
            delivery(2, state="adopted", work_date=DAY.replace(day=9), sent_at=LATER),
        ],
        [1],
    ),
    "the middle is open again, the oldest is not": (
        [
            closed(1, 8),
            closed(2, 12),
            delivery(3, state="sent", work_date=DAY.replace(day=10), sent_at=LATER),
        ],
        [1],
    ),
}


@pytest.mark.parametrize(("rows", "still"), CLOSED_PERIODS.values(), ids=CLOSED_PERIODS)
def test_what_was_refused_as_closed_stays_so_until_a_success_at_its_date(
    ledger: Ledger, rows: list[Delivery], still: list[int]
) -> None:
    """A success at an earlier or the same date proves that the books are open there."""
    ledger.record(rows)
    assert [found.entry_id for found in ledger.closed_period()] == ids(*still)


class Counted:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.asked = connection, 0

    def execute(self, *given: Any) -> Connection:  # noqa: ANN401 # as DuckDB takes it
        """Ask it."""
        self.asked += 1
        return self.connection.execute(*given)


def test_many_entries_are_found_by_one_question(ledger: Ledger) -> None:
    """A first month of a big company, adopted at once: not by one each."""
    rows = [delivery(n, state="adopted", quickbooks_id=str(n)) for n in range(MANY)]
    ledger.record(rows)
    wanted = ids(*range(1, 2 * MANY))
    counted = Counted(ledger._connection)
    ledger._connection = counted  # type: ignore[assignment] # all that is asked of it
    assert len(ledger.settled(wanted)) == MANY - 1
    assert len(ledger.deliveries(wanted)) == MANY - 1
    assert len(ledger.claimed(str(n) for n in range(MANY, 2 * MANY))) == 0
    assert counted.asked == 3


def test_a_confirmation_is_a_companys(ledger: Ledger) -> None:
    """Another realm on the same ledger, after a rebind, is asked again."""
    assert not ledger.is_confirmed("1")
    ledger.confirm(
        {
            "realm_id": "1",
            "first_day": DAY,
            "last_day": DAY,
            "confirmed_at": NOW,
            "confirmed_by": "Zoe",
        }
    )
    assert ledger.is_confirmed("1")
    assert not ledger.is_confirmed("2")
