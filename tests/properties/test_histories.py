"""Never twice, never lost, never wrong, over any history: people, faults, copies and runs.

`HISTORIES=500 pytest tests/properties/test_histories.py` makes that many histories, long and new
ones each time, and shortens one that fails, which takes minutes. Without it they are a few short
ones, always the same.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Server
from tests.end_to_end.books import as_stored, due, held
from tests.properties import killing
from tests.properties.choices import BY_DEFAULT, ITEM, Chosen
from tests.properties.history import DAILY, History
from tests.properties.people import DAYS, FIRST, LAST, NAMES, PROJECTS
from tests.properties.runs import Clock

READS_BEFORE_SENDING = 3
"""Of QuickBooks' activities: counted, read, counted."""
FEWEST_DEATHS = 6
"""Before and after an intent, its request and its outcome are written."""
MOST_DOINGS_OF_FEW = 12
FOLLOWED = {"AFTER_SEND": "update"}
BY_ITEM = {"SERVICE_ITEM": ITEM, "RATE_SOURCE": "service_item"}
OTHER_SETTINGS: list[list[Chosen]] = [
    [{"SEND_NON_BILLABLE": "true"}, {"ZERO_RATES": "send"}, {"MAX_RATE": "130"}],
    [BY_ITEM, {"TAXABLE": "true"}, {"CUSTOMER_MATCHING": "client_project"}],
    [FOLLOWED, {"REQUIRE_APPROVAL": "true"}, {"CUSTOMER_MATCHING": "project"}],
    [{"SEND_FROM": "2026-11-18"}, {"ONLY_PROJECTS": PROJECTS[1]}],
    [BY_DEFAULT],
]
ASKED = int(os.environ.get("HISTORIES", "0"))
PROFILE = settings(
    max_examples=ASKED or 2,
    stateful_step_count=30 if ASKED else 14,
    derandomize=not ASKED,
    database=None,
    phases=(Phase.generate, Phase.shrink) if ASKED else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _no_waiting(no_rates: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Two items a batch; and Intuit's rates and pauses would only make this slow."""
    killing.install(monkeypatch)
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    monkeypatch.setattr("pipeline.delivery.sending.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("pipeline.http.datetime", Clock)


@contextmanager
def written(
    server: Server, world: bytes, tracked: list[tuple[int, ...]], *chosen: Chosen
) -> Iterator[History]:
    """A history whose every step is written down; at the end it comes to rest and is judged."""
    History.server, History.first_world = server, world
    history = History()
    try:
        history.begin(tracked=tracked, switches={}, chosen=chosen)
        yield history
    finally:
        history.teardown()


def test_a_history_of_the_worst_ends_with_each_entry_once(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """The button pressed before us, twins, answers lost, people in between, the ledger restored."""
    tracked = [(0, 0, 0, 30), (0, 1, 1, 95), (1, 2, 2, 30), (2, 0, 1, 30)]
    with written(sandbox_server, invented_world, tracked) as history:
        history.press_old_button(day=0)
        history.track_again(pick=2)
        history.run_some(first=2, length=0, steps=DAILY)
        history.break_answers(name="stored, then dropped", skip=0)
        history.run_all()
        history.edit_activity(pick=3, change="redescribed")
        history.restore_ledger(back=1)
        history.run_all()
        history.track((1, 1, 0, 95))
        history.break_answers(name="stored, then dropped", skip=0)
        history.break_answers(name="reads refused", skip=READS_BEFORE_SENDING)
        history.run_all()
        for change in ("redescribed", "much shorter"):
            history.edit_activity(pick=-1, change=change)
    states = Counter(row["state"] for row in history.last)
    assert states == {"adopted": 3, "doubtful": 2, "sent": 1}
    assert Counter(row["state"] for row in history.decided) == {"adopted": 5, "sent": 1}


def test_a_history_of_edits_is_followed_where_nobody_else_edited(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """`AFTER_SEND=update`; names are exchanged in QuickBooks, and an older ledger put back."""
    tracked = [(0, 0, 0, 30), (0, 2, 1, 95), (1, 2, 2, 30), (2, 1, 1, 30)]
    with written(sandbox_server, invented_world, tracked, FOLLOWED) as history:
        history.run_all()
        history.edit_entry(pick=0, change="a minute longer")
        history.edit_activity(pick=1, change="redescribed")
        history.edit_entry(pick=1, change="much longer")
        history.edit_activity(pick=2, change="billed")
        history.edit_entry(pick=2, change="much longer")
        history.run_all()
        history.exchange_names()
        history.edit_entry(pick=3, change="a minute longer")
        history.break_answers(name="update stored, then dropped", skip=0)
        for change in ("next day", "reworded"):
            history.edit_entry(pick=0, change=change)
            history.run_all()
        history.restore_ledger(back=1)
        history.choose_project(pick=0, project=PROJECTS[2])
    first, *others = map(as_stored, history.world.company.activities.values())
    assert (first.minutes, first.day, first.description) == (31, "2026-11-18", "#1 as agreed")
    assert [each.minutes for each in others] == [95, 30, 30]
    now = {key: row["DisplayName"] for key, row in history.world.company.employees.items()}
    assert [now[each.employee] for each in others] == [NAMES[1], NAMES[1], NAMES[2]], "exchanged"


@pytest.mark.parametrize("is_followed", [False, True])
def test_a_history_of_loads_that_die_ends_with_each_entry_once(
    sandbox_server: Server, invented_world: bytes, *, is_followed: bool
) -> None:
    """Each load dies later than the one before: among what is sent, or among what follows edits."""
    tracked = [(0, 0, 0, 30), (0, 1, 1, 95), (1, 2, 2, 30)]
    chosen = [FOLLOWED] if is_followed else []
    with written(sandbox_server, invented_world, tracked, *chosen) as history:
        if is_followed:
            history.run_all()
        deaths = 0
        for doings in range(MOST_DOINGS_OF_FEW):
            history.run_all(killed_at=doings)
            deaths += history.runs.was_killed
            if not is_followed:
                history.track((doings % DAYS, doings % 3, 0, 30 + doings))
            for pick in range(len(tracked)):
                history.edit_entry(pick=pick, change="a minute longer")
    assert deaths >= FEWEST_DEATHS
    assert {row["state"] for row in history.last} == {"sent"}
    if is_followed:
        assert held(history.world) == due(history.world, FIRST, LAST)


def test_a_history_of_other_settings_each_time_ends_with_each_entry_once(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """What was sent by other settings is not sent again, nor what they no longer let through."""
    tracked = [(0, 0, 0, 30), (0, 1, 1, 95), (1, 2, 2, 30)]
    with written(sandbox_server, invented_world, tracked) as history:
        for number, choices in enumerate(OTHER_SETTINGS):
            history.run_all()
            for choice in choices:
                history.choose(choice)
            for person in range(3):
                history.track((number % DAYS, person, (number + person) % 3, 40 + number))
            history.edit_entry(pick=-1, change="not billable")
            history.edit_entry(pick=-2, change="rate forgotten")
            history.edit_entry(pick=-3, change="approved")
            history.round_otherwise()
    assert {row["state"] for row in history.last} == {"sent"}
    made = [as_stored(row) for row in history.world.company.activities.values()]
    assert {each.status for each in made} == {"Billable", "NotBillable"}
    assert {each.rate for each in made} >= {Decimal(0), Decimal(120)}


def test_any_history_ends_with_each_entry_once_or_explained(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """Judged after every run and at rest by an oracle of its own: tests/properties/oracle.py."""
    History.server, History.first_world = sandbox_server, invented_world
    run_state_machine_as_test(History, settings=PROFILE)
