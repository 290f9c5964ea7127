"""What else is so while a process crashes: a second one beside it, a disk, a ledger's fate.

Each circumstance is three moments around the first process: before it, in its place, after it.
Keeps out crash points, answers and people.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.chaos.crash_points import Strike
from tests.chaos.pipelines import ANOTHER_REALM, Pipeline
from tests.chaos.process import Running

SLEPT_SECONDS = 0.5
"""For how long a stopped process stays stopped after another has been turned away."""
Stage = Any
"""`trial.Stage`, which names this module."""


def _nothing(_: Stage) -> None:
    """Nothing more."""


def _struck(stage: Stage) -> None:
    """The first process, alone."""
    stage.run(stage.pipeline, stage.strike(), drive=stage.first_drive)


@dataclass(frozen=True)
class Circumstance:
    """Three moments of a scenario."""

    before: Callable[[Stage], None] = _nothing
    first: Callable[[Stage], None] = _struck
    between: Callable[[Stage], None] = _nothing


def _together(stage: Stage) -> None:
    """Two loads of the same days, started at once; whichever gets there is struck."""
    struck = stage.pipeline.start(stage.strike(), drive=stage.first_drive)
    other = stage.pipeline.start(stage.strike())
    for running in (struck, other):
        stage.pipeline.follow(running.wait())


def _backfilling(stage: Stage) -> None:
    """The morning's whole run, and a backfill of a wider range; whichever gets there is struck."""
    first, last = stage.days
    schedule = stage.pipeline.start(stage.strike(), drive="whole")
    backfill = stage.pipeline.start(stage.strike(), first=first - timedelta(days=3), last=last)
    for running in (schedule, backfill):
        stage.pipeline.follow(running.wait())


def _stopped(stage: Stage) -> None:
    """A process that is stopped and woken up after another was turned away."""
    pipeline = stage.pipeline
    running = pipeline.start(replace(stage.strike(), action="stop"))
    while running.listen(60) and not running.struck:
        pass
    if running.struck:
        _wait_until_stopped(running)
        pipeline.changes["LOCK_SECONDS"] = "1"
        stage.run(pipeline)
        del pipeline.changes["LOCK_SECONDS"]
        time.sleep(SLEPT_SECONDS)
        os.kill(running.pid, signal.SIGCONT)
        running.wait()
    pipeline.follow(running)


def _wait_until_stopped(running: Running) -> None:
    stat = Path(f"/proc/{running.pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.01)


def _settle_elsewhere(stage: Stage) -> None:
    """A second warehouse and ledger take over once nothing of the first is in flight."""
    stage.site.settle()
    folder = stage.pipeline.folder / "elsewhere"
    shutil.copytree(stage.pipeline.folder / "yesterday", folder)
    stage.others.append(replace(stage.pipeline, folder=folder, runs=[]))


def _copy_away(stage: Stage) -> None:
    """Keep the files as they are now."""
    folder = stage.pipeline.folder
    shutil.copytree(folder, folder / "yesterday")


def _full(point: str) -> Circumstance:
    def first(stage: Stage) -> None:
        stage.run(stage.pipeline, Strike(point, stage.scenario.at, "fill"))

    return Circumstance(first=first)


def _truncated(stage: Stage) -> None:
    """The ledger is cut in half; what was in flight has landed."""
    stage.site.settle()
    stage.pipeline.truncate()


def _restored(stage: Stage) -> None:
    """Yesterday's ledger is put in today's place; what was in flight has landed."""
    stage.site.settle()
    stage.pipeline.restore(stage.pipeline.folder / "yesterday" / stage.pipeline.ledger.name)


def _of_another_realm(stage: Stage) -> None:
    """The ledger of another company is there by mistake: refused, nothing sent; then put right."""
    pipeline: Pipeline = stage.pipeline
    if not pipeline.is_bound():
        return
    realm = stage.witness.world.company.realm_id
    pipeline.rebind(ANOTHER_REALM)
    stage.site.settle()  # what is in flight was sent with the right one
    before = len(stage.witness.births)
    stage.run(pipeline)
    refusal = str(pipeline.runs[-1].problem)
    assert "ledger is bound to" in refusal, refusal
    assert len(stage.witness.births) == before, "sent with the ledger of another company"
    pipeline.rebind(realm)


CIRCUMSTANCES = {
    "two loaders together": Circumstance(first=_together),
    "schedule against backfill": Circumstance(first=_backfilling),
    "stopped, woken up later": Circumstance(first=_stopped),
    "second warehouse and ledger": Circumstance(before=_copy_away, between=_settle_elsewhere),
    "disk full at the intent commit": _full("before intent commit"),
    "disk full at the outcome commit": _full("before outcome commit"),
    "disk full at the adoption commit": _full("before adoption commit"),
    "disk full at the settlement commit": _full("before settlement commit"),
    "ledger truncated": Circumstance(between=_truncated),
    "ledger restored from yesterday": Circumstance(before=_copy_away, between=_restored),
    "ledger of another realm": Circumstance(between=_of_another_realm),
}
