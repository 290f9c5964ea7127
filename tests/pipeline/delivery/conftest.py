"""A desk as a load has it: a ledger and a warehouse of their own, and the sandbox's QuickBooks."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.company import Company, utc_now
from pipeline.delivery import sending, settlement
from pipeline.delivery.desk import Desk
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.settings import Settings
from pipeline.warehouse import Warehouse
from tests.pipeline.conftest import SettingsFor
from tests.pipeline.examples import LISTS, rules


@dataclass
class Clock:
    """A clock that nobody waits for."""

    slept: list[float] = field(default_factory=list)
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What happens during the first wait, and during the second."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.slept.append(seconds)
        self.meanwhile.get(len(self.slept), int)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which a load waits between requests."""
    found = Clock()
    for module in (sending, settlement):
        monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture(scope="session")
def invented_world(invented_world: bytes) -> bytes:
    """The world where nobody has tracked time, and whose books hold none."""
    world = pickle.loads(invented_world)
    world.workspace.entries.clear()
    world.company.activities.clear()
    return pickle.dumps(world)


@pytest.fixture
def settings(settings_for: SettingsFor, tmp_path: Path) -> Settings:
    """The settings, with files of the test's own."""
    names = ("WAREHOUSE", "LEDGER")
    return settings_for(**{name: str(tmp_path / f"{name.lower()}.duckdb") for name in names})


@pytest.fixture
def quickbooks(settings: Settings, no_rates: None) -> Iterator[QuickBooks]:  # noqa: ARG001
    """A client that asks as fast as the sandbox answers."""
    with QuickBooks(settings, Tokens(settings)) as unhurried:
        yield unhurried


@pytest.fixture
def desk(
    copied_files: None,  # noqa: ARG001 - the files are its own
    settings: Settings,
    quickbooks: QuickBooks,
) -> Iterator[Desk]:
    """The example company's desk, of which nothing was ever sent; QuickBooks holds no time."""
    company = Company(settings, Warehouse(settings.warehouse), utc_now, "run")
    with company.ledger(print) as ledger:
        yield Desk(
            company=company,
            ledger=ledger,
            quickbooks=quickbooks,
            lists=LISTS,
            rules=rules(),
            item=dict.fromkeys(("service_item_id", "service_item_name")),
            rounding="off",
            rounding_minutes=1,
            log=print,
        )
