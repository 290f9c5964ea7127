"""The harness notices: pipelines broken on purpose are found to send twice or to lose.

Each break in the very scenarios that the sound pipeline passes.
"""

import pytest

from tests.chaos import harness
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.scenarios import Scenario

IN_FLIGHT = "batch in flight"
MOVED = "activity moved to another date"


def _scenarios() -> list[Scenario]:
    """Stored and not confirmed, then moved by a person; by clocks apart either way."""
    return [
        Scenario(number, 7, IN_FLIGHT, 1, "as it should", act=MOVED, clock_seconds=clock)
        for number, clock in enumerate((-90, 90))
    ]


def test_the_sound_pipeline_passes() -> None:
    """What follows is the break's doing."""
    trials = harness.run(_scenarios(), workers=2)
    assert [trial.finding.notes for trial in trials] == [[]] * 2
    assert sum(trial.finding.rightly for trial in trials) > 0
    assert all(trial.is_hit and trial.is_quiet for trial in trials)


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_broken_pipeline_is_found_out(name: str) -> None:
    """It makes what already stands once more, or leaves out what nobody is told of."""
    trials = harness.run(_scenarios(), workers=2, sabotage=name)
    found = sum(trial.finding.duplicates + trial.finding.losses for trial in trials)
    assert found > 0, [trial.log for trial in trials]
