"""What every test may use: a sandbox over real HTTP, with an invented company of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest

from pipeline.sandbox import serve
from pipeline.sandbox.environment import environment
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed import invent
from pipeline.sandbox.world import World

SEED = 7
TODAY = date(2026, 11, 22)


@dataclass
class Sandbox:
    """A running sandbox."""

    url: str
    holder: Holder

    @property
    def world(self) -> World:
        """What it holds; a test may change it between requests."""
        return self.holder.world

    @property
    def env(self) -> dict[str, str]:
        """The settings with which a pipeline reaches it, as they are now."""
        return environment(self.world, self.url)

    def admin(self, method: str, path: str, **body: Any) -> Any:
        """Ask an admin route, such as `admin("PATCH", "switches", charset="latin1")`.

        Raises:
            httpx.HTTPStatusError: it was refused; the answer says why.
        """
        url = f"{self.url}/_admin/{path}".rstrip("/")
        answer = httpx.request(method, url, json=body or None, timeout=10)
        assert answer.is_success, answer.text
        return answer.json()

    def switch(self, **values: Any) -> None:
        """Set switches, by name."""
        self.admin("PATCH", "switches", **values)

    def fail(self, route: str, fault: str, **more: Any) -> None:
        """Make requests to a route fail, once unless `times` says otherwise."""
        self.admin("POST", "faults", route=route, fault=fault, **more)

    def calls(self, name: str) -> int:
        """Return how often something was called: `core`, `core_plus`, or a method and a path."""
        return self.holder.calls[name]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with a company of its own, for one test."""
    holder = Holder(invent(SEED, TODAY))
    with serve.running(holder) as url:
        yield Sandbox(url, holder)
