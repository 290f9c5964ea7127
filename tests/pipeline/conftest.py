"""What these tests share: settings that point at the test's sandbox, and two empty files."""

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.clockify.client import Clockify
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.settings import Settings
from pipeline.storage import ledger_file
from pipeline.warehouse import Warehouse
from tests.conftest import Sandbox
from tests.settings import settings_of

SettingsFor = Callable[..., Settings]


@pytest.fixture(scope="session")
def empty_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a warehouse and a ledger that hold nothing."""
    folder = tmp_path_factory.mktemp("empty")
    for database in (
        Warehouse(folder / "warehouse.duckdb"),
        ledger_file.database(folder / "ledger.duckdb"),
    ):
        with database.connect():
            pass
    return folder


@pytest.fixture
def copied_files(empty_files: Path, tmp_path: Path) -> None:
    """The two files, as in a folder of the test's own: making them takes a fifth of a second."""
    shutil.copytree(empty_files, tmp_path, dirs_exist_ok=True)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Where the test's tokens are kept."""
    return tmp_path / "tokens" / "quickbooks-token.json"


@pytest.fixture
def settings_for(sandbox: Sandbox, token_file: Path) -> SettingsFor:
    """Make settings for the sandbox, with some changed; failing requests are given up quickly."""

    def make(**changes: str) -> Settings:
        own = {"QUICKBOOKS_TOKEN_FILE": str(token_file), "HTTP_PATIENCE_SECONDS": "2"}
        return settings_of({**sandbox.env, **own, **changes})

    return make


@pytest.fixture
def clockify(settings_for: SettingsFor) -> Iterator[Clockify]:
    """A client of the sandbox's Clockify."""
    with Clockify(settings_for()) as client:
        yield client


@pytest.fixture
def quickbooks(settings_for: SettingsFor) -> Iterator[QuickBooks]:
    """A client of the sandbox's QuickBooks."""
    settings = settings_for()
    with QuickBooks(settings, Tokens(settings)) as client:
        yield client


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds each request waited before it was made again, without the wait."""
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nothing listens, and nothing else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
