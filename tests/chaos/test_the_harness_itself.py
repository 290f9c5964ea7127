"""The harness notices: pipelines broken on purpose are found to send twice or to lose.

Each break in the very scenarios that the sound pipeline passes.
"""

from itertools import product

import pytest

from tests.chaos import harness
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.scenarios import Scenario

IN_FLIGHT = "batch in flight"
LAST = "analysis copy half published"


def _scenarios() -> list[Scenario]:
    """Stored and not confirmed, then moved by a person; confirmed, then deleted.

    By clocks apart either way.
    """
    acts = ((IN_FLIGHT, "activity moved to another date"), (LAST, "activity deleted"))
    return [
        Scenario(number, 7, crash, 1, "as it should", act=act, clock_seconds=clock)
        for number, ((crash, act), clock) in enumerate(product(acts, (-90, 90)))
    ]


def test_the_sound_pipeline_passes() -> None:
    """What follows is the break's doing."""
    trials = harness.run(_scenarios(), workers=4)
    assert [trial.finding.notes for trial in trials] == [[]] * 4
    assert sum(trial.finding.rightly for trial in trials) > 0
    assert all(trial.is_hit and trial.is_quiet for trial in trials)


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_broken_pipeline_is_found_out(name: str) -> None:
    """It makes what already stands once more, or leaves out what nobody is told of."""
    trials = harness.run(_scenarios(), workers=4, sabotage=name)
    found = sum(trial.finding.duplicates + trial.finding.losses for trial in trials)
    assert found > 0, [trial.log for trial in trials]
