"""The files behind a sandbox: a readable snapshot, and a journal of what changed since.

Every change is appended to the journal before its request is answered, so a killed process loses
nothing that it acknowledged. A journal line is a list of `[path, value]` with absolute values, so
that reading a line twice does no harm. Keeps out: locks between requests, HTTP.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout
from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python

from pipeline.sandbox.world import World

_WORLD = TypeAdapter(World)
_MISSING = object()


class StateInUseError(RuntimeError):
    """Another sandbox holds this state file."""


class Store:
    """One state file and its journal, open for one process.

    Args:
        path: The snapshot; the journal and the lock stand beside it.

    Raises:
        StateInUseError: another process has it open.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._journal_path = path.with_name(path.name + ".journal")
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise StateInUseError(
                f"{path} is in use by another sandbox; stop that first"
            ) from error
        self._journal = os.open(self._journal_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def read(self) -> World | None:
        """Return the stored world with its journal applied, or nothing where none is stored."""
        if not self._path.exists():
            return None
        tree = json.loads(self._path.read_text(encoding="utf-8"))
        for puts in _whole_lines(self._journal_path.read_bytes()):
            for path, *value in puts:
                _put(tree, path, value)
        return _WORLD.validate_json(to_json(tree))

    def snapshot(self, world: World) -> None:
        """Write the whole world and empty the journal; the new file replaces the old at once."""
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_bytes(_WORLD.dump_json(world, indent=1))
        fresh.replace(self._path)
        os.ftruncate(self._journal, 0)

    def append(self, world: World, paths: Iterable[tuple[str, ...]]) -> None:
        """Journal the present values at some paths, in one write."""
        puts = [_line(world, path) for path in paths]
        os.write(self._journal, json.dumps(puts, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Let another process have the files."""
        os.close(self._journal)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _whole_lines(journal: bytes) -> Iterable[list[list[Any]]]:
    """Yield the journal's lines; a last one without its end was never acknowledged."""
    *lines, _ = journal.split(b"\n")
    return (json.loads(line) for line in lines)


def _line(world: World, path: tuple[str, ...]) -> list[Any]:
    value: Any = world
    for step in path:
        value = value.get(step, _MISSING) if isinstance(value, dict) else getattr(value, step)
    return [path] if value is _MISSING else [path, to_jsonable_python(value)]


def _put(tree: dict[str, Any], path: list[str], value: list[Any]) -> None:
    *parents, last = path
    for step in parents:
        tree = tree[step]
    if value:
        tree[last] = value[0]
    else:
        tree.pop(last, None)
