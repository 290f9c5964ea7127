"""Never twice, never lost, never wrong, over any history: people, faults, copies and runs.

`HISTORIES=500 pytest tests/properties/test_histories.py` makes that many histories, long and new
ones each time, and shortens one that fails, which takes minutes. Without it they are a few short
ones, always the same.
"""

import os
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from pyrate_limiter import Duration, Rate

from tests.conftest import Server
from tests.properties.history import History

ASKED = int(os.environ.get("HISTORIES", "0"))
PROFILE = settings(
    max_examples=ASKED or 5,
    stateful_step_count=30 if ASKED else 14,
    derandomize=not ASKED,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink) if ASKED else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items a batch; and Intuit's rates and pauses would only make this slow."""
    monkeypatch.setattr("pipeline.delivery.BATCH", 2)
    monkeypatch.setattr("pipeline.delivery.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("pipeline.quickbooks.Rate", lambda *_: Rate(1000, Duration.SECOND))


def test_any_history_ends_with_each_entry_once_or_explained(
    sandbox_server: Server, invented_world: bytes
) -> None:
    """Judged after every run and at rest by an oracle of its own: tests/properties/oracle.py."""
    History.server, History.first_world = sandbox_server, invented_world
    run_state_machine_as_test(History, settings=PROFILE)
