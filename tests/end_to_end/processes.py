"""Real processes for the tests that need them: a sandbox, and Dagster's own commands beside it."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import httpx

from pipeline.sandbox import serve
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed import invent, today_there
from tests.conftest import SEED, Sandbox

Found = TypeVar("Found")
PROJECT = Path(__file__).parents[2]
LOCATION = """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
  ... on PythonError { message }
  ... on RepositoryLocation { name repositories { name schedules { name } assetNodes { id } } }
} } } } }"""
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""What a command gets of this process's environment: no setting of its owner's."""


@dataclass
class Site:
    """A folder with a pipeline's files and a `DAGSTER_HOME`, on a sandbox of its own."""

    folder: Path
    sandbox: Sandbox
    env: dict[str, str]
    """The settings, as exported in a shell."""
    said: list[str] = field(default_factory=list)
    """Everything that the commands printed."""

    @property
    def today(self) -> date:
        """The day on which the invented world ends."""
        return self.sandbox.world.today

    def sent(self) -> int:
        """How many time activities the ledger says were sent."""
        with duckdb.connect(self.env["LEDGER"], read_only=True) as ledger:
            query = "SELECT count(*) FROM deliveries WHERE state = 'sent'"
            [(count,)] = ledger.execute(query).fetchall()
        return int(count)

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: Path = PROJECT
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the virtual environment to its end, as the README prints it."""
        done = subprocess.run(
            [script(command[0]), *command[1:]],
            env=env or self.env,
            cwd=cwd,
            capture_output=True,
            check=False,
            text=True,
            timeout=150,
        )
        self.said.append(done.stdout + done.stderr)
        return done

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on, with its output in a file; it and all it started end at last."""
        path = self.folder / f"{command[0]}-{time.monotonic_ns()}.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                [script(command[0]), *command[1:]],
                env=self.env,
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                process.terminate()  # nothing happens if it has ended
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    kill_all_of(process)
                self.said.append(path.read_text())


@dataclass
class Ui:
    """The running Dagster UI with its daemon: `dagster dev`."""

    url: str
    process: "subprocess.Popen[str]"

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """What GraphQL answers; nothing while nobody does."""
        asked = {"query": query, "variables": variables}
        try:
            answer = httpx.post(f"{self.url}/graphql", json=asked, timeout=20)
        except httpx.TransportError:
            return {}
        found: dict[str, Any] = answer.json()["data"]
        return found

    def location(self) -> dict[str, Any]:
        """The loaded code location; nothing while it is not."""
        entries = self.ask(LOCATION).get("workspaceOrError", {}).get("locationEntries", [])
        return next((each["locationOrLoadError"] for each in entries), {})


@contextmanager
def ui(site: Site, *command: str) -> Iterator[Ui]:
    """The Dagster UI as the README starts it, on a free port, when everything is loaded."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with site.running(*command, "--port", str(port)) as process:
        ui = Ui(f"http://127.0.0.1:{port}", process)
        wait_for(ui.location, 60)
        yield ui


def printed(word: str) -> list[list[str]]:
    """The README's commands that begin with a script of the environment and hold a word."""
    lines = re.findall(r"^\.venv/bin/(.*)$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines if word in line]


def script(name: str) -> str:
    """A command of the virtual environment that runs these tests."""
    return str(Path(sys.executable).with_name(name))


def kill_all_of(process: "subprocess.Popen[str]") -> None:
    """Kill a process and everything it started, at one stroke, as a power cut does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def is_anything_left_of(process: "subprocess.Popen[str]") -> bool:
    """Whether a process, or one that it started, still runs."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(look: Callable[[], Found], seconds: float) -> Found:
    """Look again and again until there is something to see.

    Raises:
        TimeoutError: there was nothing for so many seconds.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.25)
    raise TimeoutError(f"nothing for {seconds} seconds")


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A pipeline as a person has it in a shell, on a sandbox whose world ends today.

    Nothing that the commands print may hold a secret.
    """
    holder = Holder(invent(SEED, today_there()))
    with serve.running(holder) as url:
        sandbox = Sandbox(url, holder)
        site = Site(folder, sandbox, _exported(folder, sandbox.env))
        yield site
    tokens = holder.world.tokens
    secrets = {
        holder.world.workspace.api_key,
        tokens.client_secret,
        tokens.refresh_token,
        *tokens.dead_refresh_tokens,
        *tokens.access_tokens,
    }
    shown = "\n".join(site.said)
    assert [secret for secret in secrets if secret in shown] == []


def _exported(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    home = folder / "home"
    home.mkdir()
    shutil.copy(PROJECT / "dagster_home/dagster.yaml", home)
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **settings,
        "WAREHOUSE": str(folder / "warehouse.duckdb"),
        "LEDGER": str(folder / "ledger.duckdb"),
        "ANALYSIS": str(folder / "analysis.duckdb"),
        "QUICKBOOKS_TOKEN_FILE": str(folder / "token.json"),
        "DAGSTER_HOME": str(home),
    }
