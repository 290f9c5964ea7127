"""Never twice, never lost, never wrong, over any history: people, faults, copies and runs.

`HISTORIES=500 pytest tests/properties/test_histories.py` makes that many histories, long and new
ones each time, and shortens one that fails, which takes minutes. Without it they are a few short
ones, always the same.
"""

import os
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from pyrate_limiter import Duration, Rate

from tests.conftest import Server
from tests.properties.history import DAILY, History
from tests.properties.runs import Clock

READS_BEFORE_SENDING = 3
"""Of QuickBooks' activities: counted, read, counted."""
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
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items a batch; and Intuit's rates and pauses would only make this slow."""
    monkeypatch.setattr("pipeline.delivery.sending.BATCH", 2)
    monkeypatch.setattr("pipeline.delivery.sending.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("pipeline.http.datetime", Clock)
    monkeypatch.setattr("pipeline.quickbooks.client.Rate", lambda *_: Rate(1000, Duration.SECOND))


def test_a_history_of_the_worst_ends_with_each_entry_once(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """The button pressed before us, twins, answers lost, people in between, the ledger restored."""
    History.server, History.first_world = sandbox_server, invented_world
    history = History()
    try:
        history.begin(
            tracked=[(0, 0, 0, 30), (0, 1, 1, 95), (1, 2, 2, 30), (2, 0, 1, 30)],
            switches={},
            needs_approval=False,
            is_followed=False,
        )
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
    finally:
        history.teardown()
    states = Counter(row["state"] for row in history.last)
    assert states == {"adopted": 3, "doubtful": 2, "sent": 1}
    assert Counter(row["state"] for row in history.decided) == {"adopted": 5, "sent": 1}


def test_any_history_ends_with_each_entry_once_or_explained(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """Judged after every run and at rest by an oracle of its own: tests/properties/oracle.py."""
    History.server, History.first_world = sandbox_server, invented_world
    run_state_machine_as_test(History, settings=PROFILE)
