"""The README's `dagster dev` with the committed `dagster.yaml`: its queue, daemon and backfills.

A power cut in the middle of a run: the queue goes on. A backfill with the reference tables selected
too: Dagster makes several runs of it, so that the lists that entries are judged by are read in a
run of their own. What is sent must depend on neither.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from pipeline.definitions import JOB
from pipeline.launcher import _is_running
from pipeline.windows import RANGE_END, RANGE_START
from tests.end_to_end.books import due, held
from tests.end_to_end.processes import (
    Ui,
    is_anything_left_of,
    kill_all_of,
    printed,
    site,
    ui,
    wait_for,
)
from tests.end_to_end.stages import DAILY, REFERENCES

LAUNCH = """mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
BACKFILL = """mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
PROGRESS = """query Backfill($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status runs { status } } } }"""
REPORT = "reports/detailed"


def launch(dagster: Ui, day: date) -> str:
    """Put a run of the job over one day into the queue; its id."""
    location = dagster.location()
    [repository] = location["repositories"]
    selector = {
        "repositoryLocationName": location["name"],
        "repositoryName": repository["name"],
        "jobName": JOB,
    }
    tags = [{"key": name, "value": str(day)} for name in (RANGE_START, RANGE_END)]
    asked = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
    run_id: str = dagster.ask(LAUNCH, params=asked)["launchRun"]["run"]["runId"]
    return run_id


def status(dagster: Ui, run_id: str) -> str:
    """What Dagster says of a run."""
    said: str = dagster.ask(STATUS, id=run_id)["runOrError"]["status"]
    return said


def backfill(dagster: Ui, first: date, days: int) -> str:
    """Ask for everything over some days, as the UI does; the backfill's id."""
    asked = {
        "assetSelection": [{"path": [name]} for name in (*REFERENCES, *DAILY)],
        "partitionNames": [str(first + timedelta(days=number)) for number in range(days)],
    }
    launched: str = dagster.ask(BACKFILL, params=asked)["launchPartitionBackfill"]["backfillId"]
    return launched


def progress(dagster: Ui, backfill_id: str) -> tuple[str, Counter[str]]:
    """What Dagster says of a backfill, and of how many of its runs."""
    found = dagster.ask(PROGRESS, id=backfill_id).get("partitionBackfillOrError", {})
    runs = Counter(run["status"] for run in found.get("runs", []))
    return found.get("status", "REQUESTED"), runs


def test_after_a_power_cut_the_queue_goes_on_and_a_backfill_sends_each_entry_once(
    tmp_path: Path,
) -> None:
    """The killed run is failed at once, not after hours; what waited behind it is done.

    Without `run_launcher` in `dagster.yaml` the second run waits for `max_runtime_seconds`. The
    backfill makes two runs: the reference tables, then every day with its load.
    """
    [command] = printed("dagster dev")
    with site(tmp_path) as shell:
        day = shell.today - timedelta(days=2)
        shell.sandbox.fail(REPORT, "delay", delay_seconds=50)

        def hangs() -> bool:
            return any(REPORT in name for name in shell.sandbox.holder.calls)

        with ui(shell, *command) as before:
            killed = launch(before, day)
            wait_for(hangs, 60)
            waiting = launch(before, day)
            assert (status(before, killed), status(before, waiting)) == ("STARTED", "QUEUED")
            kill_all_of(before.process)
        world = shell.sandbox.world
        with ui(shell, *command) as after:
            assert wait_for(lambda: status(after, waiting) == "SUCCESS", 90)
            assert status(after, killed) == "FAILURE"
            [repository] = after.location()["repositories"]
            assert [each["name"] for each in repository["schedules"]] == ["every_morning"]
            assert len(repository["assetNodes"]) == 12
            assert held(world, day, day) == due(world, day, day) != Counter()
            first = day - timedelta(days=7)
            asked = backfill(after, first, days=8)
            wait_for(lambda: progress(after, asked)[0] != "REQUESTED", 240)
            assert progress(after, asked) == ("COMPLETED_SUCCESS", Counter(SUCCESS=2))
            assert held(world, first, day) == due(world, first, day)
        wait_for(lambda: not is_anything_left_of(after.process), 20)


def test_a_process_is_a_run_only_if_it_was_there_when_the_run_said_so() -> None:
    """Ids of processes are given out again, after a restart of a container nearly always."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert _is_running(os.getpid(), since=time.time())
    assert not _is_running(os.getpid(), since=time.time() - 86_400)
    assert not _is_running(ended.pid, since=time.time())
