"""Dagster's own launcher of runs, that can also tell whether a run's process still lives.

Without this, run monitoring sees a run that died with its code server (a power cut, a restarted
container), or a `dg launch` that was killed, only by `max_runtime_seconds`, and the one-run queue
waits as long. Named in `dagster.yaml`; keeps out everything about the pipeline.
"""

import os
import time
from pathlib import Path

from dagster import DagsterEventType, DagsterRun
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from pipeline.files import is_there

ANSWER_SECONDS = 20
"""How long a code server may take to answer: it shares this machine with the run."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Starts runs as Dagster does, and says whether one that was started still goes on."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Ask Dagster's monitoring to call the check below."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a run's process lives: as its code server says, or else the operating system.

        Args:
            run: A run that says it has started and not that it has ended.
        """
        if self._is_known(run) or self._is_there(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its process is gone")

    def _is_known(self, run: DagsterRun) -> bool:
        """Whether the code server that started the run has it; a reloaded one has forgotten it."""
        server = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if server is None:  # started by `dg launch`, without a code server
            return False
        request = CanCancelExecutionRequest(run_id=run.run_id)
        try:
            answer = server.can_cancel_execution(request, timeout=ANSWER_SECONDS)
        except DagsterUserCodeUnreachableError:
            return False
        return deserialize_value(answer, CanCancelExecutionResult).can_cancel

    def _is_there(self, run: DagsterRun) -> bool:
        """Whether the process in which the run said it works is on this machine."""
        events = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        pids = {
            int(str(details["pid"].value)): event.timestamp
            for event in events
            if "pid" in (details := event.get_dagster_event().engine_event_data.metadata)
        }
        return not pids or any(_is_running(pid, at) for pid, at in pids.items())


def _is_running(pid: int, since: float) -> bool:
    """Whether a process is there and older than an instant: ids are given out again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's: its age decides
    state = Path(f"/proc/{pid}/stat")
    if not is_there(state):  # no Linux: trust the id
        return True
    fields = state.read_text().rpartition(")")[2].split()
    if fields[0] in "ZX":  # dead, and its parent has not asked
        return False
    ticks = int(fields[19])
    up_seconds = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - up_seconds + ticks / os.sysconf("SC_CLK_TCK") <= since
