"""The demo beside what a person already has: another demo, or accounts of their own."""

from pathlib import Path

import pytest

from pipeline import demo
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.end_to_end.processes import PROJECT


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a fresh clone, in a shell that exports nothing about the pipeline."""
    (tmp_path / "dagster_home").symlink_to(PROJECT / "dagster_home")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("QUICKBOOKS_CLIENT_ID", raising=False)
    return tmp_path


@pytest.mark.usefixtures("clone")
def test_a_second_demo_is_told_that_one_runs_already() -> None:
    """Two would share one company and its files; the first goes on, and a later one starts."""
    another = demo.sandbox()
    with demo.sandbox(), pytest.raises(Stop, match=r"did not start\. End the demo"), another:
        pass
    with demo.sandbox() as settings:
        assert settings["LEDGER"] == "data/demo/ledger.duckdb"


def test_the_ui_opens_on_accounts_as_soon_as_any_are_named(
    clone: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if they are named by half: an invented company must not be taken for one's own.

    Nor is the demo's, which the README has exported in the shell.
    """
    assert not demo._has_accounts()
    with monkeypatch.context() as exported:
        for name, value in {**sandbox.env, "ENV_FILE": "data/demo/env"}.items():
            exported.setenv(name, value)
        assert not demo._has_accounts()
    with monkeypatch.context() as exported:
        exported.setenv("QUICKBOOKS_CLIENT_ID", "half")
        assert demo._has_accounts()
    (clone / ".env").write_text("QUICKBOOKS_REALM_ID=1\n")
    assert demo._has_accounts()
    (clone / ".env").write_text("".join(f"{key}={value}\n" for key, value in sandbox.env.items()))
    assert demo._has_accounts()
