"""One run of a pipeline, in a process of its own that may be struck dead.

Processes come from a fork server that has imported everything and opened nothing, so that one
costs milliseconds. What a process says goes through a pipe, whose end is the process's end.
"""

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

import dagster as dg

from pipeline.company import Log, opened, utc_now
from pipeline.definitions import JOB, build_definitions
from pipeline.delivery import sending
from pipeline.delivery.loading import Wishes
from pipeline.orchestration.windows import RANGE_END, RANGE_START
from pipeline.settings import Settings
from pipeline.stops import Stop
from tests.chaos import crash_points, sabotage
from tests.chaos.crash_points import Strike, Wire
from tests.end_to_end.stages import LOAD, UP_TO_LOAD, UP_TO_REVIEW, take
from tests.settings import settings_of

DRIVES = ("load", "whole", "job")
"""A load alone; reading and review before it, by the functions that the assets call; Dagster."""
ITEMS_A_BATCH = 3
"""Few entries make several batches."""
LONGEST_SECONDS = 240
BUG = "an error that is no Stop:"
RED = "a blocking check is red"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
HANGING = "hanging.txt"
"""Where a run that goes on for too long says what it is doing."""
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.rehearsed"])
_STARTING = threading.Lock()
"""Processes are started one at a time: starting one looks after all that have ended."""


@dataclass(frozen=True)
class Job:
    """What a process does."""

    environment: dict[str, str]
    first: date
    last: date
    drive: str = "load"
    strike: Strike | None = None
    sabotage: str = ""
    is_confirmed: bool = False
    """Whether a person has looked at what a first load would send beside others' activities."""


@dataclass
class Running:
    """A process that was started, and what it has said."""

    pid: int
    pipe: Connection
    struck: str | None = None
    """The point at which it was struck."""
    action: str = ""
    problem: str | None = None
    """Why the run stopped, if it said so."""
    has_ended: bool = False
    """Whether it came to its own end, rather than being killed."""
    log: list[str] = field(default_factory=list)
    _process: object = field(default=None, repr=False)

    def wait(self) -> "Running":
        """Wait for its end; one that goes on for too long is killed, which is a bug."""
        end = time.monotonic() + LONGEST_SECONDS
        while self.listen(end - time.monotonic()):
            pass
        return self

    def listen(self, seconds: float) -> bool:
        """Hear the next thing that it says; false once it is gone."""
        if not self.pipe.poll(max(seconds, 0)):
            os.kill(self.pid, signal.SIGKILL)
            self.problem = f"{BUG} a run took over {LONGEST_SECONDS} seconds"
        try:
            kind, text = self.pipe.recv()
        except EOFError:
            self.pipe.close()
            self._process.join()  # type: ignore[attr-defined]
            return False
        if kind == "log":
            self.log.append(text)
        elif kind == "end":
            self.has_ended, self.problem = True, text
        else:
            self.action, self.struck = kind, text
        return True


def start(job: Job) -> Running:
    """Start a run."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    with _STARTING:
        process = CONTEXT.Process(target=_main, args=(job, theirs), daemon=True)
        process.start()
        theirs.close()
    assert process.pid is not None
    return Running(process.pid, ours, _process=process)


def _main(job: Job, said: Connection) -> None:
    """The process: wrapped, sabotaged if asked, run to its end or to its death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hanging = Path(job.environment["LEDGER"]).with_name(HANGING)
    with Path(os.devnull).open("w") as sys.stdout, hanging.open("w") as sys.stderr:
        faulthandler.dump_traceback_later(LONGEST_SECONDS - 5)
        said.send(("end", _ended(job, said)))
        said.close()
        os._exit(0)  # nothing to tidy up, and seconds to save over thousands of runs


def _ended(job: Job, said: Connection) -> str | None:
    """Why the run stopped, if it did."""
    sending.BATCH = ITEMS_A_BATCH
    try:
        sabotage.install(job.sabotage)
        crash_points.install(Wire(job.strike, said, Path(job.environment["LEDGER"])))
        settings = settings_of(job.environment)
        _DRIVES[job.drive](job, settings, lambda text: said.send(("log", text)))
    except Stop as stop:
        return str(stop)
    except Exception as bug:  # noqa: BLE001 - it is reported, and no scenario may have one
        said.send(("log", traceback.format_exc()))
        return f"{BUG} {bug!r}"
    return None


def _directly(job: Job, settings: Settings, log: Log, *assets: str) -> None:
    wishes = Wishes(confirm_cutover=job.is_confirmed)
    with opened(settings, f"process-{os.getpid()}", log) as company:
        take(company, log, job.first, job.last, assets, wishes)


def _dagster(job: Job, settings: Settings, _: Log) -> None:
    warnings.simplefilter("ignore")
    definitions = build_definitions(settings, now=utc_now)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(JOB).execute_in_process(
            instance=instance,
            run_config={**QUIET, "ops": {LOAD: {"config": {"confirm_cutover": job.is_confirmed}}}},
            tags={RANGE_START: str(job.first), RANGE_END: str(job.last)},
            raise_on_error=False,
        )
    if not result.success:
        failures = result.filter_events(lambda event: event.is_step_failure)
        raise Stop("; ".join(_sentence(event) for event in failures) or RED, "look")


def _sentence(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    described = data.user_failure_data.description if data.user_failure_data else None
    return str(described or " ".join(data.error.message.split()))


_DRIVES: dict[str, Callable[[Job, Settings, Log], None]] = {
    "read": lambda *given: _directly(*given, *UP_TO_REVIEW),
    "load": lambda *given: _directly(*given, LOAD),
    "whole": lambda *given: _directly(*given, *UP_TO_LOAD),
    "job": _dagster,
}
