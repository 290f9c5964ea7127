"""The promise under a few faults of each sort, and that the harness would notice if it were broken.

`make chaos` tries thousands. In one file: what the processes are forked from takes seconds to make.
"""

from dataclasses import replace
from functools import partial

import pytest

from tests.chaos import harness, report
from tests.chaos.crash_points import POINTS
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.scenarios import Scenario, few
from tests.chaos.trial import Trial

SEED = 7
IN_FLIGHT = "batch in flight"
LAST = "analysis copy half published"
AS_IT_SHOULD = partial(Scenario, seed=SEED, at=1, answer="as it should")
MOVED = AS_IT_SHOULD(0, crash=IN_FLIGHT, act="activity moved to another date", clock_seconds=90)
"""Stored and not confirmed, then moved by a person; Intuit's clock is ahead of ours."""
DELETED = AS_IT_SHOULD(1, crash=LAST, act="activity deleted", clock_seconds=-90)
"""Confirmed, then deleted by a person; Intuit's clock is behind ours."""
SHOWN_BY = {name: DELETED if name == "what was sent is forgotten" else MOVED for name in SABOTAGES}


@pytest.fixture(scope="module")
def broken() -> dict[str, Trial]:
    """The two scenarios with the sound pipeline, and one of them with each broken one, by name."""
    tried = {"moved": MOVED, "deleted": DELETED} | {
        name: replace(SHOWN_BY[name], sabotage=name) for name in SABOTAGES
    }
    return dict(zip(tried, harness.run(tried.values(), workers=4), strict=True))


def test_nothing_is_doubled_lost_or_wrong_whatever_strikes() -> None:
    """Real processes, killed; quiet in the end; whom a person is asked about, rightly."""
    trials = harness.run(few(SEED), workers=4)
    found = report.summary(trials, SEED)
    assert found["failures"] == []
    died_at = {point for trial in trials for point in trial.died_at}
    assert len(died_at) > len(POINTS) // 2, "the crash points are still the pipeline's own"


def test_the_sound_pipeline_passes(broken: dict[str, Trial]) -> None:
    """What follows is the break's doing."""
    trials = broken["moved"], broken["deleted"]
    assert [trial.finding.notes for trial in trials] == [[], []]
    assert sum(trial.finding.rightly for trial in trials) > 0
    assert all(trial.is_hit and trial.is_quiet for trial in trials)


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_broken_pipeline_is_found_out(broken: dict[str, Trial], name: str) -> None:
    """It makes what already stands once more, or leaves out what nobody is told of."""
    trial = broken[name]
    assert trial.finding.duplicates + trial.finding.losses > 0, trial.log
