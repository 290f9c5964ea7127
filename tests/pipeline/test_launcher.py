"""The launcher: which of the runs that Dagster has down as started still have a process."""

import os
import subprocess
import sys
import time
from pathlib import Path

from pipeline.launcher import _is_running
from tests.pipeline.others import until


def test_a_process_is_a_run_only_if_it_was_there_when_the_run_said_so() -> None:
    """Ids of processes are given out again, after a restart of a container nearly always.

    Nor is one that has died and whose parent does not ask, as in a container without an init.
    """
    ended = subprocess.Popen([sys.executable, "-c", ""])
    until(lambda: not _is_running(ended.pid, since=time.time()))
    assert Path(f"/proc/{ended.pid}").exists()
    ended.wait()
    assert _is_running(os.getpid(), since=time.time())
    assert not _is_running(os.getpid(), since=time.time() - 86_400)
    assert not _is_running(ended.pid, since=time.time())
