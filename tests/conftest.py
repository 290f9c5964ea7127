"""What every test may use: a sandbox over real HTTP, with an invented company of its own."""

import gc
import os
import pickle
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from pyrate_limiter import Duration, Rate
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.sandbox import serve
from pipeline.sandbox.app import build
from pipeline.sandbox.environment import environment
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed import invent
from pipeline.sandbox.world import World
from tests.sandbox.quickbooks_client import Api

# How long an example takes is this machine's affair, and no test's.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")

SEED = 7
TODAY = date(2026, 11, 22)
LONG = {"browser", "chaos", "properties"}
"""Folders of tests that take a minute or more."""

gc.disable()  # what is imported and collected stays: looking through it takes a third of the time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first, so that in the end no worker is left alone with it."""
    items.sort(key=lambda item: LONG.isdisjoint(item.path.parts))


def pytest_collection_finish() -> None:
    """Keep what was imported, which stays to the end, out of every later look for garbage.

    Each sandbox is made of thousands of objects at once, and making one took 51 ms instead of 20.
    What a test leaves is small, and need not be looked for so often.
    """
    gc.freeze()
    gc.set_threshold(100_000)
    gc.enable()


def pytest_unconfigure() -> None:
    """Thaw what was kept: Python 3.14 aborts where it ends with it."""
    gc.unfreeze()


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

    def admin(self, method: str, path: str, **body: Any) -> Any:  # noqa: ANN401  # JSON
        """Ask an admin route, such as `admin("PATCH", "switches", charset="latin1")`.

        Raises:
            httpx.HTTPStatusError: it was refused; the answer says why.
        """
        url = f"{self.url}/_admin/{path}".rstrip("/")
        answer = httpx.request(method, url, json=body or None, timeout=10, verify=False)
        assert answer.is_success, answer.text
        return answer.json()

    def switch(self, **values: object) -> None:
        """Set switches, by name."""
        self.admin("PATCH", "switches", **values)

    def fail(self, route: str, fault: str, **more: object) -> None:
        """Make requests to a route fail, once unless `times` says otherwise."""
        self.admin("POST", "faults", route=route, fault=fault, **more)

    def calls(self, name: str) -> int:
        """Return how often something was called: `core`, `core_plus`, or a method and a path."""
        return self.holder.calls[name]


class Server:
    """One server for all tests of a run, since starting one costs more than most tests do."""

    app: ASGIApp
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request from the sandbox of the test that runs."""
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Server]:
    """The server behind every `sandbox`."""
    server = Server()
    with serve.serving(server) as server.url:
        yield server


@pytest.fixture(scope="session")
def invented_world() -> bytes:
    """The world with which every sandbox begins, to be unpickled; its connection is fresh."""
    world = invent(SEED, TODAY)
    world.tokens.refresh_issued_at = datetime.now(UTC)
    return pickle.dumps(world)


@pytest.fixture
def sandbox(sandbox_server: Server, invented_world: bytes) -> Sandbox:
    """A sandbox with a company of its own, for one test."""
    holder = Holder(pickle.loads(invented_world))
    sandbox_server.app = build(holder)
    return Sandbox(sandbox_server.url, holder)


@pytest.fixture
def full_device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device that is always full: for root, who could replace the machine's, one of our own."""
    device = Path("/dev/full")
    if not device.is_char_device():
        pytest.skip("no device that is always full")
    if os.geteuid():
        return device
    own = tmp_path_factory.mktemp("device") / "full"
    try:
        os.mknod(own, stat.S_IFCHR | 0o666, device.stat().st_rdev)
        own.open("wb").close()
    except PermissionError:
        pytest.skip("this machine lets nobody make a device")
    return own


@pytest.fixture
def no_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeping to what the services take a second, which tests of the clients do, is only slow."""
    for client in ("clockify.client", "quickbooks.client", "quickbooks.token_service"):
        unlimited = Rate(1000, Duration.SECOND)
        monkeypatch.setattr(f"pipeline.{client}.Rate", lambda *_, rate=unlimited: rate)


@pytest.fixture
def quickbooks_api(sandbox: Sandbox) -> Iterator[Api]:
    """A plain client of the sandbox's QuickBooks, connected."""
    api = Api(sandbox.holder, sandbox.url)
    yield api
    api.http.close()
