"""Other processes: one that holds a DuckDB file open, and one that tries to open it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('SELECT * FROM duckdb_tables()')"


@contextmanager
def holding(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the file open until the end, or until it is killed."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def is_free(path: Path) -> bool:
    """Whether another process can open the file."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or "Could not set lock" in done.stderr, done.stderr
    return done.returncode == 0
