"""The local Clockify for the tests beside this file: the sandbox with nobody's time in it.

One server serves them all, since starting and stopping one takes longer than most of these tests;
each test gets a world of its own.
"""

import copy
from collections.abc import Iterator
from datetime import date

import pytest

from pipeline.sandbox import serve
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed import invent
from pipeline.sandbox.world import World
from tests.sandbox.clockify_service import Service


@pytest.fixture(scope="session")
def idle_company() -> World:
    """The invented people and projects, and no entries."""
    world = invent(7, date(2026, 11, 22))
    world.workspace.entries.clear()
    return world


@pytest.fixture(scope="session")
def shared_holder(idle_company: World) -> Iterator[tuple[Holder, str]]:
    """What the one server serves, and its address."""
    holder = Holder(idle_company)
    with serve.running(holder) as url:
        yield holder, url


@pytest.fixture
def clockify(shared_holder: tuple[Holder, str], idle_company: World) -> Iterator[Service]:
    """A service with a world of the test's own."""
    holder, url = shared_holder
    holder.world = copy.deepcopy(idle_company)
    service = Service(holder.world, url)
    yield service
    service.http.close()
