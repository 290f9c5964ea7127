"""What every route shares: the world, the lock that serialises changes, its file, its clock.

Keeps out: HTTP and the rules of either service.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.sandbox.store import Store
from pipeline.sandbox.switches import setting
from pipeline.sandbox.world import World


class Holder:
    """The one owner of a world while it is served.

    Args:
        world: What the services hold.
        store: Where changes are written before they are acknowledged; none keeps them in memory.
    """

    def __init__(self, world: World, store: Store | None = None) -> None:
        self.world = world
        self.lock = threading.RLock()
        self.calls: Counter[str] = Counter()
        """Requests by method and path, ids left out; `core` and `core_plus` as Intuit meters."""
        self.faults: list[Any] = []
        """Faults to inject, in the order in which they were asked for."""
        self._store = store
        self._touched: dict[tuple[str, ...], None] = {}

    @contextmanager
    def changing(self) -> Iterator[World]:
        """Give the world to one request at a time, and write what it touched before it answers."""
        with self.lock:
            try:
                yield self.world
            finally:
                self._write()

    def touch(self, *path: str) -> None:
        """Say that the value at a path of the world changed: `("company", "activities", "7")`."""
        self._touched[path] = None

    def setting(self, name: str) -> Any:  # noqa: ANN401  # a switch's value is whatever its table row says
        """Return what a switch is set to."""
        return setting(self.world, name)

    def now(self) -> datetime:
        """Return the services' own clock, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.setting("clock_skew_seconds"))

    def _write(self) -> None:
        touched, self._touched = list(self._touched), {}
        if touched and self._store is not None:
            self._store.append(self.world, touched)
