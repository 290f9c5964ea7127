"""One scenario, from a judged company to quiescence, and what became of it.

The first process is struck, people do something, and runs follow until one sends nothing and
nothing is open. Keeps out what is right (`oracle`) and what there is to try (`scenarios`).
"""

import random
import shutil
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.sandbox.edge import Fault
from tests.chaos import people
from tests.chaos.answers import ANSWERS, BATCH, LONG_SETTLE_SECONDS, Answer, faults
from tests.chaos.circumstances import CIRCUMSTANCES, Circumstance
from tests.chaos.crash_points import ROTATING, SETTLING, Strike
from tests.chaos.oracle import Finding, Oracle
from tests.chaos.people import Deeds
from tests.chaos.pipelines import Pipeline
from tests.chaos.premises import Premises, copied
from tests.chaos.process import BUG, HANGING, RED
from tests.chaos.scenarios import FORGETTING, FULL_AT_SETTLEMENT, Scenario
from tests.chaos.witness import Site, Witness

MOST_RUNS = 8
REQUEST_IDS: dict[str, dict[str, object]] = {
    "honoured": {"request_ids": "honour"},
    "ignored": {"request_ids": "ignore"},
    "forgotten": {"request_ids": "honour", "request_id_memory_seconds": 1},
    "refused with 600": {"request_ids": "refuse_600"},
    "refused with 6000": {"request_ids": "refuse_6000"},
}


@dataclass
class Trial:
    """What became of a scenario."""

    scenario: Scenario
    finding: Finding = field(default_factory=Finding)
    died_at: list[str] = field(default_factory=list)
    """Crash points at which a process was really killed."""
    has_answered: bool = False
    """Whether the answer really struck."""
    is_quiet: bool = False
    seconds: float = 0.0
    """From the first process's start to quiescence."""
    runs: int = 0
    problems: list[str] = field(default_factory=list)
    """What runs stopped for."""
    bugs: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @property
    def is_hit(self) -> bool:
        """Whether its crash point and its answer met."""
        return self.scenario.crash in self.died_at and self.has_answered


def tried(scenario: Scenario, premises: Premises, site: Site, folder: Path) -> Trial:
    """Try a scenario in a folder of its own, which is removed after it."""
    witness = copied(premises, site, folder)
    stage = Stage(scenario, premises, site, witness, folder)
    try:
        return stage.play()
    except Exception as error:  # noqa: BLE001 - reported as this scenario's own failure
        stage.trial.bugs.append(f"{error!r}\n{traceback.format_exc()}")
        return stage.trial
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stage:
    """A scenario being tried."""

    def __init__(
        self,
        scenario: Scenario,
        premises: Premises,
        site: Site,
        witness: Witness,
        folder: Path,
    ) -> None:
        self.scenario, self.site, self.witness = scenario, site, witness
        self.days = (premises.first, premises.last)
        self.answer = ANSWERS[scenario.answer]
        second = [ANSWERS[scenario.second_answer]] if scenario.second_answer else []
        self.answers = (self.answer, *second)
        self.strikes = [Strike(scenario.second_crash)] if scenario.second_crash else []
        """What else befalls the recovery, once the first process has died."""
        self.choose = random.Random(f"{scenario.seed}/{scenario.number}/acts")
        self.pipeline = Pipeline(folder, witness.world, site.url, self.days, scenario.sabotage)
        self.others: list[Pipeline] = []
        self.deeds = Deeds()
        self.oracle = Oracle(witness.world, self.answers)
        self.trial = Trial(scenario)

    def play(self) -> Trial:
        """Strike, act, recover, judge."""
        circumstance = CIRCUMSTANCES.get(self.scenario.circumstance, Circumstance())
        self._prepare()
        begun = time.monotonic()
        circumstance.before(self)
        circumstance.first(self)
        if not self.answer.is_late or self.scenario.act == people.PRESSED:
            self.site.settle()  # else what we sent before is stored after what people make
        known = None if self.scenario.circumstance in FORGETTING else self.pipeline.known()
        self.deeds = people.act(self.scenario.act, self.witness, self.choose, self.days, known)
        circumstance.between(self)
        for pipeline in (*self.others, self.pipeline):
            self.recover(pipeline)
        self.trial.seconds = time.monotonic() - begun
        self._conclude()
        return self.trial

    def run(self, pipeline: Pipeline, strike: Strike | None = None, **changes: object) -> None:
        """One run to its end, and what its message asks for."""
        pipeline.follow(pipeline.start(strike, **changes).wait())

    def strike(self) -> Strike:
        """What befalls the process that is to crash."""
        return Strike(self.scenario.crash, self.scenario.at)

    @property
    def first_drive(self) -> str:
        """How the process that is to crash is driven: nothing has changed since the review."""
        return "job" if self.scenario.drive == "job" else "load"

    @property
    def recovery_drive(self) -> str:
        """How the runs after it are driven, until one comes to its end; then a load is enough."""
        was_read = self.scenario.circumstance == "schedule against backfill"
        return "whole" if was_read and self.scenario.drive == "load" else self.scenario.drive

    def recover(self, pipeline: Pipeline) -> None:
        """Run until a run sends nothing and nothing is open; crash where it did not happen yet."""
        drive = self.recovery_drive
        if pipeline is self.pipeline:
            self._strike_by(*self.answers[1:])
        for _ in range(MOST_RUNS):
            before = self._sent()
            self.run(pipeline, self._next_strike(pipeline), drive=drive)
            last = pipeline.runs[-1]
            is_done = last.has_ended and not self._is_stopped(last.problem)
            drive = "load" if is_done else drive
            if is_done and self._sent() == before and pipeline.is_settled():
                self.trial.is_quiet = True
                return
        self.trial.is_quiet = False

    def _sent(self) -> tuple[int, int]:
        """What a run that has nothing left to do leaves as it was: what was stored, and asked."""
        calls = self.witness.calls.items()
        batches = sum(count for route, count in calls if route.endswith(f"/{BATCH}"))
        return len(self.witness.births), batches

    def _next_strike(self, pipeline: Pipeline) -> Strike | None:
        if pipeline is not self.pipeline:
            return None
        if not self._died():
            return Strike(self.scenario.crash)
        return self.strikes.pop() if self.strikes else None

    def _strike_by(self, *answers: Answer, needs_missing: bool = False) -> None:
        """Have QuickBooks answer so to the next batches."""
        for answer in answers:
            found = faults(answer, needs_missing=needs_missing)
            self.witness.faults += [Fault(**fault) for fault in found]

    def _died(self) -> bool:
        runs = [run for pipeline in (self.pipeline, *self.others) for run in pipeline.runs]
        return any(run.action == "kill" for run in runs)

    def _is_stopped(self, problem: str | None) -> bool:
        """Whether a run was ended by a stop; a red check is no stop."""
        return problem is not None and RED not in problem

    def _prepare(self) -> None:
        scenario, world = self.scenario, self.witness.world
        switches: dict[str, object] = {
            **REQUEST_IDS[scenario.request_ids],
            **{name: value for each in self.answers for name, value in each.switches.items()},
            "clock_skew_seconds": scenario.clock_seconds,
            "rotate_on_refresh": self.choose.choice(("always", "daily")),
        }
        world.switches.update(switches)
        if scenario.crash in ROTATING:
            world.tokens.access_tokens.clear()
        if any(answer.is_late for answer in self.answers):
            self.pipeline.changes["SETTLE_SECONDS"] = str(LONG_SETTLE_SECONDS)
        if scenario.button:
            people.press(self.witness, *self.days, scenario.button)
            self.pipeline.is_confirmed = True
        settles = scenario.crash in SETTLING or scenario.circumstance == FULL_AT_SETTLEMENT
        self._strike_by(self.answer, needs_missing=settles)

    def _conclude(self) -> None:
        trial, pipelines = self.trial, (self.pipeline, *self.others)
        runs = [run for pipeline in pipelines for run in pipeline.runs]
        trial.runs = len(runs)
        trial.died_at = [str(run.struck) for run in runs if run.action == "kill"]
        trial.has_answered = not self.answer.fault or self.witness.faults[0].times == 0
        trial.problems = [run.problem for run in runs if run.problem]
        trial.bugs = [problem for problem in trial.problems if problem.startswith(BUG)]
        trial.log = [f"{number}: {line}" for number, run in enumerate(runs) for line in run.log]
        said = (path.read_text() for path in self.pipeline.folder.rglob(HANGING))
        trial.log += [text for text in said if text]
        rows = [row for pipeline in pipelines for row in pipeline.rows()]
        told = set().union(*(pipeline.told() for pipeline in pipelines))
        trial.finding = self.oracle.judge(self.witness, self.deeds, rows, told)
