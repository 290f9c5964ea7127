"""The state file and the command line: nothing acknowledged is lost, and only this machine asks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest

from pipeline.sandbox.__main__ import main
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed import invent
from pipeline.sandbox.store import StateInUseError, Store
from tests.sandbox.quickbooks_client import valid


@contextmanager
def _process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "pipeline.sandbox", "--port", "0", "--today", "2026-11-22"]
    files = ["--state", str(folder / "world.json"), "--env-file", str(folder / "env")]
    with subprocess.Popen([*command, *files], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _settings(folder: Path) -> dict[str, str]:
    lines = (folder / "env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def _connect(settings: dict[str, str]) -> httpx.Client:
    keys = (settings["QUICKBOOKS_CLIENT_ID"], settings["QUICKBOOKS_CLIENT_SECRET"])
    sent = {"grant_type": "refresh_token", "refresh_token": settings["QUICKBOOKS_REFRESH_TOKEN"]}
    token = httpx.post(settings["QUICKBOOKS_TOKEN_URL"], data=sent, auth=keys).json()
    headers = {
        "Authorization": f"Bearer {token['access_token']}",
        "Accept": "application/json",
    }
    base = f"{settings['QUICKBOOKS_API_URL']}/v3/company/{settings['QUICKBOOKS_REALM_ID']}"
    return httpx.Client(base_url=base, headers=headers)


def test_a_killed_sandbox_has_lost_nothing_it_acknowledged(tmp_path: Path) -> None:
    """Neither a write, nor its request id, nor the rotated token."""
    with _process(tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("sandbox ready on http://127.0.0.1:")
        with _connect(_settings(tmp_path)) as http:
            first = http.post("/timeactivity", json=valid(), params={"requestid": "k"})
        os.kill(process.pid, signal.SIGKILL)
    with _process(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with _connect(_settings(tmp_path)) as http:
            again = http.post("/timeactivity", json=valid(), params={"requestid": "k"})
    assert first.status_code == 200
    assert first.content == again.content


def test_the_settings_are_for_their_owner_only(tmp_path: Path) -> None:
    """The file has the keys to the invented company, and is treated as if they were real."""
    with _process(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert _settings(tmp_path)["TIME_ZONE"] == "America/New_York"


def test_only_this_machine_may_be_listened_on(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the fix."""
    assert main(["--host", "0.0.0.0", "--port", "0"]) == 2
    assert "use --host 127.0.0.1" in capsys.readouterr().err


def test_a_state_file_belongs_to_one_process(tmp_path: Path) -> None:
    """A second sandbox on it is refused, by name."""
    with (
        Store(tmp_path / "world.json"),
        pytest.raises(StateInUseError, match=r"world\.json is in use"),
    ):
        Store(tmp_path / "world.json")


def test_a_world_comes_back_as_it_was(tmp_path: Path) -> None:
    """With what the journal says was changed, added and removed; a torn last line is nothing."""
    with Store(tmp_path / "world.json") as store:
        world = invent(7, date(2026, 11, 22))
        store.snapshot(world)
        holder = Holder(world, store)
        gone, kept, *_ = world.workspace.entries
        with holder.changing():
            del world.workspace.entries[gone]
            world.workspace.entries[kept].description = "Müller 日"
            world.company.books_closed_through = date(2026, 10, 31)
            world.replies["1/x"] = {"at": "2026-11-22T00:00:00+00:00", "answer": {"a": [1.5]}}
            for path in (
                ("workspace", "entries", gone),
                ("workspace", "entries", kept),
                ("company", "books_closed_through"),
                ("replies", "1/x"),
            ):
                holder.touch(*path)
        with (tmp_path / "world.json.journal").open("ab") as journal:
            journal.write(b'[[["seed"], 8')
        assert store.read() == world
