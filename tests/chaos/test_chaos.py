"""The promise under a few faults of each sort; `make chaos` tries thousands."""

from tests.chaos import harness, report
from tests.chaos.crash_points import POINTS
from tests.chaos.scenarios import few

SEED = 7


def test_nothing_is_doubled_lost_or_wrong_whatever_strikes() -> None:
    """Real processes, killed; quiet in the end; whom a person is asked about, rightly."""
    trials = harness.run(few(SEED), workers=4)
    found = report.summary(trials, SEED)
    assert found["failures"] == []
    died_at = {point for trial in trials for point in trial.died_at}
    assert len(died_at) > len(POINTS) // 2, "the crash points are still the pipeline's own"
