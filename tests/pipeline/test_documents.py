"""What README.md, .env.example and the two workspace files say is what the code does."""

import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

import checks
import pipeline.commands
from pipeline.orchestration import alerts
from pipeline.review.reasons import REASON_IDS
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SETUP = (ROOT / "docs/setup.md").read_text()
NO_SETTINGS = {"PATH", "PWD", "DAGSTER_HOME", "COMMAND", "ENTRY_ID"}


def section(title: str) -> str:
    """The text under a heading of the README."""
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_readme_has_every_reason_in_the_catalogues_order() -> None:
    """One row a reason, and none that does not exist."""
    rows = re.findall(r"^\| `(\w+)` \|", section("Reasons and fixes"), re.MULTILINE)
    assert tuple(rows) == REASON_IDS


def test_every_reason_and_every_check_can_be_linked_to() -> None:
    """An anchor each, in the table that says what to do; and none for what is not there."""
    found = dg.load_asset_checks_from_package_module(checks)
    names = {spec.name for each in found for spec in each.check_specs}
    anchors = re.findall(r'<a id="(\w+)"></a>', README)
    assert sorted(anchors) == sorted({*REASON_IDS, *names})


def test_env_example_names_every_setting_and_no_other() -> None:
    """One line a setting, with no value that could be a secret."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)
    assert all(re.fullmatch(r"\w+= +# .+", line) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`([a-z/]*test_\w+\.py)`", README))))
def test_a_test_that_the_readme_names_exists(test: str) -> None:
    """A rule whose test has gone is a rule nobody keeps."""
    assert list((ROOT / "tests").rglob(test))


@pytest.mark.parametrize("text", [README, SETUP], ids=["README", "setup"])
def test_a_setting_or_command_that_a_document_names_exists(text: str) -> None:
    """Whoever follows a page must not be sent to what has gone."""
    named = set(re.findall(r"`\$?([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text)) - NO_SETTINGS
    assert named <= {name.upper() for name in Settings.model_fields}
    commands = set(re.findall(r"python -m pipeline ([a-z]+)", text))
    assert commands <= {module.name for module in pkgutil.iter_modules(pipeline.commands.__path__)}


def test_the_alert_that_the_page_shows_is_what_is_posted() -> None:
    """Its keys and their kinds are a promise to whoever receives it."""
    [shown] = re.findall(r"```json\n(.*?)```", SETUP, re.DOTALL)
    example = json.loads(shown)
    broke, recovered = (
        {each["name"]: each["said"] for each in example[key]} for key in ("broke", "recovered")
    )
    at = datetime.fromisoformat(example["at"])
    found = alerts.document(recovered, broke, example["counts"], at)
    assert found == example


def test_the_readme_stays_short_enough_to_be_read() -> None:
    """Ninety lines of prose at most, besides tables and what is shown as code."""
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL).splitlines()
    assert sum(bool(line) and not line.startswith(("|", "#")) for line in prose) <= 90


def test_dagster_and_dg_load_the_same_module() -> None:
    """`workspace.yaml` serves `dagster dev`, pyproject.toml serves `dg`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    workspace = (ROOT / "workspace.yaml").read_text()
    assert f"module_name: {project['code_location_target_module']}\n" in workspace


@pytest.mark.parametrize("made", [".venv/.runtime", ".venv/.development"])
def test_nothing_is_installed_or_built_that_the_lock_does_not_name(made: str) -> None:
    """What a package is built from source with has no hash in it; so only wheels are taken."""
    asked = ["make", "--always-make", "--dry-run", made]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    steps = re.split(r"&&|\|\||\||\n", said)
    installs = [step for step in steps if "pip install" in step]
    assert len(installs) == 3
    for step in installs:
        assert "--require-hashes --no-deps --only-binary :all:" in step


@pytest.mark.parametrize(
    ("version", "platform", "last"),
    [((3, 10), "linux", "3.14"), ((3, 15), "linux", "3.14"), ((3, 14), "darwin", "3.13")],
)
def test_a_python_without_packages_is_named_with_what_to_do(
    version: tuple[int, int], platform: str, last: str, tmp_path: Path
) -> None:
    """Else pip says only that it finds no such version; nothing is made with such a Python."""
    said = make_demo_with(version, platform, tmp_path)
    assert said.returncode
    assert said.stderr.startswith(
        f"This needs Python 3.11 to {last}, and {tmp_path}/python is {version[0]}.{version[1]}: "
        "name another, as in `make demo PYTHON3=python3.13`\n"
    )


@pytest.mark.parametrize(
    ("version", "platform"), [((3, 11), "linux"), ((3, 14), "linux"), ((3, 13), "darwin")]
)
def test_the_first_and_the_last_python_are_taken(
    version: tuple[int, int], platform: str, tmp_path: Path
) -> None:
    """The next step is the environment, which this one cannot make."""
    assert "no environment here" in make_demo_with(version, platform, tmp_path).stderr


def make_demo_with(
    version: tuple[int, int], platform: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """`make demo` by a Python that says it is another one and can make no environment."""
    python = folder / "python"
    pretend = (
        f"import sys; sys.version_info, sys.platform = {version}, {platform!r}; exec(sys.argv[1])"
    )
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] || {{ echo no environment here >&2; exit 1; }}\n'
        f'exec "{sys.executable}" -c "{pretend}" "$2"\n'
    )
    python.chmod(0o755)
    command = ["make", "demo", f"PYTHON3={python}", f"VENV={folder / 'venv'}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
