"""The harness notices: pipelines broken on purpose are found to send twice or to lose.

Each break in the very scenarios that the sound pipeline passes.
"""

from functools import partial

import pytest

from tests.chaos import harness
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.scenarios import Scenario

IN_FLIGHT = "batch in flight"
LAST = "analysis copy half published"
AS_IT_SHOULD = partial(Scenario, seed=7, at=1, answer="as it should")
MOVED = AS_IT_SHOULD(0, crash=IN_FLIGHT, act="activity moved to another date", clock_seconds=90)
"""Stored and not confirmed, then moved by a person; Intuit's clock is ahead of ours."""
DELETED = AS_IT_SHOULD(1, crash=LAST, act="activity deleted", clock_seconds=-90)
"""Confirmed, then deleted by a person; Intuit's clock is behind ours."""
SHOWN_BY = {name: DELETED if name == "what was sent is forgotten" else MOVED for name in SABOTAGES}


def test_the_sound_pipeline_passes() -> None:
    """What follows is the break's doing."""
    trials = harness.run([MOVED, DELETED], workers=2)
    assert [trial.finding.notes for trial in trials] == [[], []]
    assert sum(trial.finding.rightly for trial in trials) > 0
    assert all(trial.is_hit and trial.is_quiet for trial in trials)


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_broken_pipeline_is_found_out(name: str) -> None:
    """It makes what already stands once more, or leaves out what nobody is told of."""
    [trial] = harness.run([SHOWN_BY[name]], workers=1, sabotage=name)
    assert trial.finding.duplicates + trial.finding.losses > 0, trial.log
