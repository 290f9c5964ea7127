"""A power cut in the middle of a run: the queue goes on, and nothing is sent twice.

With the committed `dagster.yaml`, in the processes that the README's `dagster dev` starts.
"""

import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from pipeline.definitions import JOB
from pipeline.launcher import _is_running
from pipeline.windows import RANGE_END, RANGE_START
from tests.end_to_end.processes import (
    Ui,
    is_anything_left_of,
    kill_all_of,
    printed,
    site,
    ui,
    wait_for,
)

LAUNCH = """mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
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


def test_after_a_power_cut_the_next_run_in_the_queue_goes_through(tmp_path: Path) -> None:
    """The killed run is failed at once, not after hours; what waited behind it is done.

    Without `run_launcher` in `dagster.yaml` the second run waits for `max_runtime_seconds`.
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
        with ui(shell, *command) as after:
            assert wait_for(lambda: status(after, waiting) == "SUCCESS", 90)
            assert status(after, killed) == "FAILURE"
            [repository] = after.location()["repositories"]
            assert [each["name"] for each in repository["schedules"]] == ["every_morning"]
            assert len(repository["assetNodes"]) == 12
        wait_for(lambda: not is_anything_left_of(after.process), 20)
        activities = shell.sandbox.world.company.activities.values()
        on_the_day = [row for row in activities if row["TxnDate"] == str(day)]
        assert len(on_the_day) == shell.sent() > 0


def test_a_process_is_a_run_only_if_it_was_there_when_the_run_said_so() -> None:
    """Ids of processes are given out again, after a restart of a container nearly always."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert _is_running(os.getpid(), since=time.time())
    assert not _is_running(os.getpid(), since=time.time() - 86_400)
    assert not _is_running(ended.pid, since=time.time())
