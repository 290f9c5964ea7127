"""Dagster's own launcher of runs, that can also tell whether a run's process still lives.

Without this, run monitoring sees a run whose process died with its code server (a power cut, an
out-of-memory kill of the container) only by `max_runtime_seconds`, and the one-run queue waits as
long. Named in `dagster.yaml`; keeps out everything about the pipeline.
"""

import os

from dagster import DagsterEventType, DagsterRun
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

SECONDS = 20
"""How long a code server may take to answer: it shares this machine with the run."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Starts runs as Dagster does, and says whether one that was started still goes on."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Ask Dagster's monitoring to call the check below."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a started run's process lives.

        Args:
            run: A run that says it has started and not that it has ended.
        """
        server = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if server is None:  # started by `dg launch`, in a process of its own
            return _health(is_alive=self._lives(run), what="its process")
        try:
            answer = server.can_cancel_execution(
                CanCancelExecutionRequest(run_id=run.run_id), timeout=SECONDS
            )
        except DagsterUserCodeUnreachableError as error:
            is_slow = "timed out" in str(error)
            return _health(is_alive=is_slow, what="the code server that started it")
        known = deserialize_value(answer, CanCancelExecutionResult).can_cancel
        return _health(is_alive=known, what="its process")

    def _lives(self, run: DagsterRun) -> bool:
        """Whether one of the processes that the run says it was in is there, or it says none."""
        events = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        data = [event.get_dagster_event().engine_event_data for event in events]
        pids = {int(str(each.metadata["pid"].value)) for each in data if "pid" in each.metadata}
        return not pids or any(map(_is_running, pids))


def _health(*, is_alive: bool, what: str) -> CheckRunHealthResult:
    if is_alive:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"{what} is gone")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return True
