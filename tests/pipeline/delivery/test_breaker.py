"""The circuit breaker: what a run may meet, wait and send before it stops."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipeline.delivery.breaker import Tally, is_settling_in, misunderstood, unusual, usual
from pipeline.delivery.classification import Outcome, stored_otherwise
from pipeline.ledger import Delivery
from pipeline.stops import Stop
from tests.pipeline.rows import delivery

Told = tuple[Delivery, Outcome]
TODAY = date(2026, 11, 24)
"""A Tuesday."""
WEEK = timedelta(weeks=1)
TUESDAYS = {TODAY - WEEK * number: 50 for number in range(1, 9)}


def told(person: int, customer: int | None, outcome: Outcome) -> Told:
    """What became of an entry of a person for a customer."""
    body: dict[str, object] = {"TxnDate": "2026-11-20", "EmployeeRef": {"value": str(person)}}
    if customer is not None:
        body["CustomerRef"] = {"value": str(customer)}
    return delivery(10 * person + (customer or 0), payload=json.dumps(body)), outcome


def refused(people: Sequence[int], customers: Sequence[int | None], code: str = "2500") -> Tally:
    """A run in which one fault met these people and customers, in batches of their own."""
    tally = Tally()
    for person, customer in zip(people, customers, strict=True):
        tally.add([told(person, customer, Outcome("refused", error_code=code))])
    return tally


def said(stop: Stop | None) -> str:
    """Its sentence."""
    assert stop is not None
    return str(stop)


def test_one_fault_on_three_people_and_three_customers_stops_the_run() -> None:
    """Whichever batches they were in; the sentence has the figures, the fault and the way out."""
    sentence = said(refused([1, 2, 3, 3], [1, 2, 3, 4]).stop())
    assert "refused 4 time activities of 3 people and 4 customers" in sentence
    assert "fault 2500" in sentence
    assert "`override_breaker: true`" in sentence


@pytest.mark.parametrize(
    ("people", "customers", "code"),
    [
        ([1, 2, 2], [1, 2, 3], "2500"),  # two people
        ([1, 2, 3], [1, 2, 2], "2500"),  # two customers
        ([1, 2, 3], [1, 2, None], "2500"),  # no customer is no third customer
        ([1, 2, 3], [1, 2, 3], "6200"),  # closed books
        ([1, 2, 3], [1, 2, 3], "6210"),
        ([1, 2, 3], [1, 2, 3], "3001"),  # throttled
        ([1, 2, 3], [1, 2, 3], "not_stored"),
    ],
)
def test_fewer_or_passing_refusals_stop_nothing(
    people: list[int], customers: list[int | None], code: str
) -> None:
    """Bad rows never stop a run."""
    assert refused(people, customers, code).stop() is None


def test_a_rule_that_keeps_out_many_is_a_shared_fault_too() -> None:
    """6000 proves nothing of one row, but that it meets everybody is said before all are tried."""
    tally = Tally()
    ruled_out = Outcome("unknown", error_code="6000")
    tally.add([told(each, each, ruled_out) for each in range(3)])
    assert "one reason: its fault 6000" in str(tally.stop())
    again = Tally()
    for each in range(3):
        row, outcome = told(each, each, ruled_out)
        again.add([(replace(row, revision=1), outcome)])
    assert again.stop() is None, "tried once more, each is settled by itself"


def test_different_faults_are_counted_apart() -> None:
    """And so is what is not refused."""
    tally = refused([1, 2], [1, 2])
    tally.add([told(3, 3, Outcome("refused", error_code="2050"))])
    tally.add([told(3, 3, Outcome("unknown", error_code="2500"))])
    tally.add([told(3, 3, Outcome("sent"))])
    assert tally.stop() is None


def test_an_override_lets_a_fault_pass_and_nothing_else() -> None:
    """Activities of the wrong person still stop the run, and so does an outage."""
    tally = refused([1, 2, 3], [1, 2, 3])
    tally.is_overridden = True
    assert tally.stop() is None
    tally.differing = 3
    assert tally.stop() is not None
    tally.differing, tally.silent = 0, 2
    assert tally.stop() is not None


@pytest.mark.parametrize(
    ("differs", "stops"),
    [(("person",), True), (("rate", "description"), True), (("description", "item"), False)],
)
def test_three_stored_otherwise_stop_the_run_over_all_its_batches(
    differs: tuple[str, ...], *, stops: bool
) -> None:
    """Lost letters and another item bill the right amount."""
    tally = Tally()
    for _ in range(3):
        assert tally.stop() is None
        tally.add([told(1, 1, Outcome("sent", differs=differs)), told(1, 1, Outcome("sent"))])
    assert (tally.stop() is not None) is stops
    said = [stored_otherwise(differs), None, "drift: minutes"] * 3
    assert misunderstood(said[:-3]) is None
    assert (misunderstood(said) is not None) is stops


@pytest.mark.parametrize(
    ("states", "stops"),
    [
        (["unknown unknown", "unknown"], True),
        (["unknown", "sent", "unknown"], False),
        (["unknown", "unknown sent", "unknown"], False),
        (["unknown", "sent", "unknown", "unknown"], True),
        (["ruled out", "ruled out"], False),
        (["faulted faulted", "faulted faulted"], True),
        (["faulted", "faulted"], True),
        (["faulted alone", "faulted alone"], False),
        (["silent alone", "silent alone"], True),
    ],
)
def test_two_silent_batches_in_a_row_stop_the_run(states: list[str], *, stops: bool) -> None:
    """A batch of which one item is known is none, nor one of which QuickBooks gives a rule.

    Nor what is tried once more, alone, where it names any fault.
    """
    tally = Tally()
    faulted = Outcome("unknown", error_code="10000")
    outcomes = {
        "unknown": Outcome("unknown"),
        "sent": Outcome("sent"),
        "ruled out": Outcome("unknown", error_code="6000"),
        "faulted": faulted,
        "faulted alone": faulted,
        "silent alone": Outcome("unknown", error_code="200"),
    }
    for batch in states:
        items = [batch] if batch in outcomes else batch.split()
        rows = [told(1, 1, outcomes[state]) for state in items]
        revision = int(batch.endswith("alone"))
        tally.add([(replace(row, revision=revision), outcome) for row, outcome in rows])
    stop = tally.stop()
    assert (stop is not None) is stops
    assert stop is None or stop.is_transient


def test_a_fault_of_a_whole_batch_that_was_tried_before_is_an_outage_too() -> None:
    """Such as one that was throttled yesterday: no row of it was tried alone."""
    tally = Tally()
    for _ in range(2):
        rows = [told(each, each, Outcome("unknown", error_code="10000")) for each in range(2)]
        tally.add([(replace(row, revision=1), outcome) for row, outcome in rows])
    assert "2 batches in a row" in str(tally.stop())


@pytest.mark.parametrize(
    ("asked", "patience", "waits"),
    [(None, 120, 60), (None, 10, 10), (7, 120, 7), (3600, 120, 120), (0, 120, 1), (0.2, 120, 1)],
)
def test_a_throttled_batch_waits_as_it_is_told_within_our_patience(
    asked: float | None, patience: float, waits: float
) -> None:
    """Without a word a minute, as Intuit asks; never at once."""
    assert Tally().pause(asked, patience) == waits


def test_a_run_waits_only_so_long_in_all() -> None:
    """Whatever it waits for, so that a morning's run ends."""
    tally = Tally()
    pauses = [tally.pause(asked, 10) for asked in (10, 10, 10, 10, 5, 5)]
    assert sum(filter(None, pauses)) == 50
    assert tally.pause(1, 10) is None


def judged(rows: int, sent: dict[date, int], *, comes_in_bulk: bool = False) -> Stop | None:
    """What stops a scheduled run of today."""
    return unusual(rows, sent, TODAY, comes_in_bulk=comes_in_bulk)


def test_more_than_five_times_the_usual_stops_a_scheduled_run() -> None:
    """The sentence has both figures and every way out."""
    assert judged(250, TUESDAYS) is None
    sentence = said(judged(251, TUESDAYS))
    assert "251 time activities; 50 are usual on a Tuesday" in sentence
    assert "`dry_run: true`" in sentence
    assert "`override_breaker: true`" in sentence


def test_two_hundred_rows_are_always_allowed() -> None:
    """However little is usual."""
    few = dict.fromkeys(TUESDAYS, 1)
    assert judged(200, few) is None
    assert judged(201, few) is not None


@pytest.mark.parametrize(("days", "stops"), [(0, False), (19, False), (20, True), (21, True)])
def test_nothing_is_usual_in_the_first_twenty_days(days: int, *, stops: bool) -> None:
    """Counted from the first delivery; before it, nothing is judged either."""
    assert (judged(9999, {TODAY - timedelta(days=days): 1}) is not None) is stops
    assert judged(9999, {}) is None
    assert is_settling_in({}, TODAY)


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        (TUESDAYS, 50),
        (TUESDAYS | {TODAY - WEEK: 5000}, 50),  # a backfill by hand
        (TUESDAYS | {TODAY - timedelta(days=1): 5000}, 50),  # another weekday
        (TUESDAYS | {TODAY: 5000}, 50),  # this morning's own
        (TUESDAYS | {TODAY - 9 * WEEK: 5000, TODAY - 10 * WEEK: 5000}, 50),  # long ago
        ({TODAY - WEEK: 30, TODAY - 2 * WEEK: 40}, 40),  # the higher of two
        ({TODAY - timedelta(days=1): 7, TODAY - timedelta(days=2): 90}, 90),  # never on Tuesdays
        ({TODAY - WEEK: 30, TODAY - timedelta(days=1): 90}, 30),
        ({TODAY - WEEK: 30, TODAY: 5000}, 30),
        ({TODAY - 8 * WEEK: 30}, 30),
        ({TODAY - 8 * WEEK - timedelta(days=1): 30}, 0),
    ],
)
def test_usual_is_the_median_of_the_same_weekdays_of_eight_weeks(
    sent: dict[date, int], rows: int
) -> None:
    """A weekday that sent nothing is measured by the busiest day; eight weeks of nothing by it."""
    assert usual(sent, TODAY, comes_in_bulk=False) == rows


def test_what_comes_in_bulk_is_measured_by_the_busiest_day() -> None:
    """A month's entries come on its first day, whatever weekday that is."""
    month_ago = {TODAY - timedelta(days=30): 2000}
    assert judged(2100, TUESDAYS | month_ago) is not None
    assert judged(2100, TUESDAYS | month_ago, comes_in_bulk=True) is None
