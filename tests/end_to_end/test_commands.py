"""What a person types: each command as the README prints it.

`dagster dev` is in `tests/browser/test_dagster_dev.py`.
"""

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster_dg_cli.cli import cli as dg

from tests.end_to_end.books import due, held
from tests.end_to_end.processes import (
    PROJECT,
    Site,
    is_anything_left_of,
    kill_all_of,
    printed,
    script,
    site,
    wait_for,
)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Site]:
    """A pipeline as a person has it in a shell."""
    with site(tmp_path) as made:
        yield made


@pytest.mark.usefixtures("no_rates")
def test_each_launch_of_the_readme_does_what_it_says(
    shell: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day, a range that repeats it, and one day's review again: green, and sent once.

    In this process, which has imported Dagster already; the browser's tests have one of its own.
    """
    monkeypatch.chdir(PROJECT)
    last = shell.today - timedelta(days=2)
    first = last - timedelta(days=2)
    sent = []
    commands = printed("dg launch")
    assert len(commands) == 3
    for command in commands:
        target = command[-1]
        command[-1] = f"{first}...{last}" if "..." in target else str(last)
        typed = CliRunner(env=shell.env).invoke(dg, command[1:])
        shell.said.append(typed.output)
        assert typed.exit_code == 0, typed.output[-3000:]
        assert "RUN_SUCCESS" in typed.output
        sent.append(shell.sent())
    assert 0 < sent[0] < sent[1] == sent[2]
    assert held(shell.sandbox.world, first, last) == due(shell.sandbox.world, first, last)
    assert not list(PROJECT.glob(".tmp_dagster_home_*"))


def test_wrong_settings_are_refused_with_their_names(shell: Site) -> None:
    """Nothing loads, and `dg check defs` says which and why."""
    shell.env |= {"TIME_ZONE": "Mars/Olympus", "START_DATE": "2999-01-01"}
    refused = shell.run("dg", "check", "defs")
    assert refused.returncode != 0
    text = refused.stdout + refused.stderr
    assert "TIME_ZONE is `Mars/Olympus`: there is no such zone" in text
    assert "START_DATE is `2999-01-01`: it lies in the future" in text


def test_the_demo_sends_once_and_says_so_the_second_time(shell: Site) -> None:
    """`make demo` twice: everything accepted is sent, then nothing new, and both say what.

    Beside a `.env` for accounts of one's own, which is none of the demo's.
    """
    folder, demo = clone(shell)
    (folder / ".env").write_text("SERVICE_ITEM=Consulting\nCUSTOMER_MATCHING=project\n")
    recipe = recipe_of("demo")
    first, second = (shell.run("python", *recipe, env=demo, cwd=folder) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    accepted = sum(map(int, re.findall(r"accepted │ +│ +(\d+)", first.stdout)))
    assert accepted > 100
    assert _sent(first.stdout, "this one") == accepted
    assert _sent(second.stdout, "an earlier one") == accepted
    assert "rejected │ unknown_customer" in first.stdout
    assert "Nothing new was sent" not in first.stdout
    assert "Nothing new was sent" in second.stdout
    for said in (first.stdout, second.stdout):
        assert "data/demo/analysis.duckdb" in said
        assert "make dev" in said
        assert "set -a; . data/demo/env; set +a; .venv/bin/python -m pipeline status" in said
    lines = (folder / "data/demo/env").read_text().splitlines()
    exported = demo | dict(line.split("=", 1) for line in lines)
    asked = shell.run("python", "-m", "pipeline", "status", env=exported, cwd=folder)
    assert asked.returncode == 3, asked.stderr
    assert f"sent {accepted} (" in asked.stdout


def test_the_ui_ends_with_all_that_it_started(shell: Site) -> None:
    """Also from a script's background, where interrupts are ignored: Dagster ends its own by them.

    What is left would hold the demo's sandbox and the port, and the next `make dev` be refused.
    """
    folder, demo = clone(shell)
    command = shlex.join([script("python"), *recipe_of("dev")])
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            ["sh", "-c", f"trap '' INT; exec {command}"],
            env=demo,
            cwd=folder,
            stdout=file,
            stderr=file,
            text=True,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "Serving dagster-webserver" in log.read_text(), 90)
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
        wait_for(lambda: not is_anything_left_of(process), 20)
    finally:
        if is_anything_left_of(process):
            kill_all_of(process)


def clone(shell: Site) -> tuple[Path, dict[str, str]]:
    """A folder in which nothing was done yet, and the environment of somebody new."""
    folder = shell.folder / "clone"
    folder.mkdir()
    (folder / "dagster_home").symlink_to(PROJECT / "dagster_home")
    (folder / "workspace.yaml").symlink_to(PROJECT / "workspace.yaml")
    return folder, {"PATH": shell.env["PATH"], "PYTHONPATH": str(PROJECT), "COLUMNS": "200"}


def recipe_of(target: str) -> list[str]:
    """What `make` has Python do for one of its targets."""
    makefile = (PROJECT / "Makefile").read_text()
    found = re.search(rf"^{target}:.*\n\t@\$\(PYTHON\) (.*)$", makefile, re.MULTILINE)
    assert found
    return shlex.split(found[1])


def _sent(said: str, run: str) -> int:
    """How many the demo says that a run sent, over all currencies."""
    return sum(map(int, re.findall(rf"sent +│ {run} +│ +(\d+)", said)))
