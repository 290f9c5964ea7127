"""What tests of files need of the machine: other processes, and a disk that is soon full."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
DIE = """
import duckdb, os, signal, sys
connection = duckdb.connect(sys.argv[1])
connection.execute(sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""
TRY = """
import duckdb, sys
for line in sys.stdin:
    try:
        with duckdb.connect(line.strip()) as connection:
            connection.execute("SELECT * FROM duckdb_tables()")
        print("free", flush=True)
    except duckdb.IOException as error:
        print(str(error).replace(chr(10), " "), flush=True)
"""


def _started(program: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def holding(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the file open until the end, or until it is killed."""
    with _started(HOLD, str(path)) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def until(is_so: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of so many kilobytes in a new folder; the test is skipped where none can be had."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("a small disk can be mounted only by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def mounted(file: Path) -> Iterator[None]:
    """A file that is a mount of its own; the test is skipped where none can be had."""
    command = ["mount", "--bind", str(file), str(file)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("a file can be mounted only by root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(file)], check=True)


def killed_after(path: Path, statement: str) -> None:
    """Let a process change the file and die before it closes it: the change is in its log only."""
    with _started(DIE, str(path), statement) as dead:
        dead.communicate()
    assert dead.returncode == -signal.SIGKILL
    assert path.with_name(path.name + ".wal").exists()


@cache
def _trier() -> "subprocess.Popen[str]":
    """One for all tests: starting it costs more than most of them."""
    trier = _started(TRY)
    atexit.register(trier.communicate)
    return trier


def is_free(path: Path) -> bool:
    """Whether another process can open the file."""
    trier = _trier()
    assert trier.stdin
    assert trier.stdout
    trier.stdin.write(f"{path}\n")
    trier.stdin.flush()
    answer = trier.stdout.readline()
    assert answer == "free\n" or "Could not set lock" in answer, answer
    return answer == "free\n"
