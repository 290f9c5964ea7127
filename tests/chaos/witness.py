"""A sandbox that remembers every time activity ever made in it, and by whom.

Judges nothing (`oracle`). What a birth belongs to is read from the mark in its description, which
people and servers may change later, but not at once.
"""

import copy
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.sandbox import serve
from pipeline.sandbox.app import build
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.world import World

MARK = re.compile(r"#(\d+)")
LONGEST_REQUEST_SECONDS = 10


@dataclass(frozen=True)
class Birth:
    """A time activity as it was made."""

    quickbooks_id: str
    mark: str
    record: dict[str, Any]
    is_ours: bool
    """Whether a pipeline made it."""
    standing_before: int
    """How many of its mark stood when it was made."""
    at: float


class Witness(Holder):
    """The owner of one world, that remembers births."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.births: dict[str, Birth] = {}
        self._is_ours = True

    def touch(self, *path: str) -> None:
        """See a change of the world; a new activity is a birth."""
        super().touch(*path)
        if path[:2] != ("company", "activities") or path[2] in self.births:
            return
        record = self.world.company.activities[path[2]]
        mark = mark_of(record.get("Description", ""))
        self.births[path[2]] = Birth(
            quickbooks_id=path[2],
            mark=mark,
            record=copy.deepcopy(record),
            is_ours=self._is_ours,
            standing_before=len(self.standing(mark)),
            at=time.time(),
        )

    def standing(self, mark: str) -> list[Birth]:
        """The births of a mark that QuickBooks still holds, however changed."""
        held = self.world.company.activities
        return [
            birth
            for birth in self.births.values()
            if birth.mark == mark and birth.quickbooks_id in held
        ]

    @contextmanager
    def people(self) -> Iterator[World]:
        """What people do to the world: activities made meanwhile are theirs."""
        with self.changing() as world:
            self._is_ours = False
            try:
                yield world
            finally:
                self._is_ours = True


def mark_of(description: str) -> str:
    """The mark in a description."""
    found = MARK.search(description)
    return found[1] if found else ""


class Site:
    """An address at which one world after another is served, one at a time."""

    def __init__(self) -> None:
        self.url = ""
        self._app: ASGIApp | None = None
        self._in_flight = 0

    @contextmanager
    def open(self) -> Iterator["Site"]:
        """Serve for as long as the block lasts."""
        with serve.serving(self) as self.url:
            yield self

    def show(self, witness: Witness) -> None:
        """Serve this world from now on."""
        self._app = build(witness)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and know that it goes on."""
        assert self._app is not None
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1

    def settle(self) -> None:
        """Wait until nothing is in flight any more.

        Raises:
            TimeoutError: a request goes on and on.
        """
        end = time.monotonic() + LONGEST_REQUEST_SECONDS
        time.sleep(0.05)
        while self._in_flight:
            if time.monotonic() > end:
                raise TimeoutError("a request does not end")
            time.sleep(0.02)
