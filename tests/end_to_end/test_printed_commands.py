"""Every `python -m pipeline …` that the README and the set-up page print, typed as it is printed.

On two days of which one is half the old button's and one was refused, for the exit code that the
README promises. A command printed and not run here is a failure. They run in this process, where
starting twenty others would take a minute; `connect` is typed in a process of its own.
"""

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import pipeline.commands
from pipeline.__main__ import main
from tests.end_to_end.conftest import DAY, House
from tests.end_to_end.processes import PROJECT, script
from tests.end_to_end.stages import CONFIRMED, LOAD
from tests.end_to_end.test_cutover import press_for, reworded
from tests.pipeline.quickbooks.test_consent import decided

NEXT = DAY + timedelta(days=1)
DOCUMENTS = [PROJECT / "README.md", PROJECT / "docs/setup.md"]
TYPED = re.compile(r"(?<!\w)(?:\.venv/bin/)?python -m pipeline\s+([a-z][^`\n#]*)")
ROW = re.compile(r"^\| (`[a-z].*?) \| (.*?) \|$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")

RUN = {
    "doctor": ("doctor", 1),
    "status": ("status", 3),
    "statement $(date +%Y-%m) --xlsx month.xlsx": ("statement {month} --xlsx month.xlsx", 3),
    "export fix-list $(date +%Y-%m-01) $(date +%Y-%m-%d) --csv fixes.csv": (
        "export fix-list {first} {last} --csv fixes.csv",
        0,
    ),
    "export rejected $(date +%Y-%m-01) $(date +%Y-%m-%d) --xlsx rejected.xlsx": (
        "export rejected {first} {last} --xlsx rejected.xlsx",
        0,
    ),
    "why ENTRY": ("why {sent}", 0),
    "why … --live": ("why {sent} --live", 0),
    "plan 2026-10-01 2026-10-31": ("plan {first} {last}", 0),
    "plan A B": ("plan {first} {first}", 0),
    "plan … --json": ("plan {first} {last} --json", 0),
    "cutover 2026-10-01 2026-10-31": ("cutover {first} {last}", 3),
    "cutover A B": ("cutover {first} {first}", 3),
    "cutover … --csv FILE": ("cutover {first} {last} --csv undecided.csv", 3),
    "cutover … --confirm": ("cutover {first} {last} --confirm", 3),
    "decide … --csv FILE": ("decide --csv undecided.csv", 0),
    "decide ENTRY send": ("decide {doubtful[0]} send", 0),
    "decide … adopt ID": ("decide {doubtful[1]} adopt {activity}", 0),
    "decide … skip": ("decide {refused[0]} skip", 0),
    "decide … keep": ("decide {sent} keep", 0),
    "retry ENTRY …": ("retry {refused[1]} {refused[2]}", 0),
    "retry … --reason CODE": ("retry --reason 2500", 0),
    "disconnect": ("disconnect", 0),
}
"""What is printed, in the order in which it is typed; what is typed for it; and its exit code."""
CONSENT = "test_a_company_is_connected_used_rotated_disconnected_and_connected_again"
PASTED = "test_connect_takes_a_pasted_address_where_the_browser_is_elsewhere"
ELSEWHERE = {"connect": CONSENT, "connect … --paste": PASTED}
"""What needs a browser, with the test that types it."""


def printed() -> set[str]:
    """Every command that the documents print, and every option that the README's table names."""
    found = {
        " ".join(words.split()) for each in DOCUMENTS for words in TYPED.findall(each.read_text())
    }
    table = DOCUMENTS[0].read_text().partition("\n## Commands\n")[2].partition("\n## ")[0]
    for named, told in ROW.findall(table):
        spans = SPAN.findall(named)
        command = spans[0].split()[0]
        is_command = {span: span.split()[0] in commands() for span in spans}
        found |= {span if is_command[span] else f"{command} … {span}" for span in spans}
        found |= {f"{command} … {span}" for span in SPAN.findall(told) if span.startswith("--")}
    return found


def commands() -> set[str]:
    """The names of all commands."""
    return {path.stem for path in Path(pipeline.commands.__path__[0]).glob("[a-z]*.py")}


def test_every_command_that_is_printed_is_typed_by_a_test() -> None:
    """And every command there is, is printed."""
    assert printed() == {*RUN, *ELSEWHERE}
    assert {each.split()[0] for each in printed()} == commands()
    tests = "\n".join(path.read_text() for path in (PROJECT / "tests").rglob("test_*.py"))
    for name in ELSEWHERE.values():
        assert re.search(rf"^def {name}\(", tests, re.MULTILINE), name


@pytest.fixture
def placeholders(reviewed: House) -> dict[str, object]:
    """A day of which the button had sent five entries, two reworded since; one that was refused.

    Beside the first sent one, by its time activity's id, somebody has added another like it.
    """
    entries = sorted(reviewed.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    made = press_for(reviewed, entries[:5], DAY, DAY)
    for activity in made[:2]:
        reworded(reviewed, activity)
    reviewed.prepare(DAY, DAY, LOAD, **CONFIRMED)
    [(sent,)] = reviewed.rows("SELECT min(quickbooks_id) FROM deliveries WHERE state = 'sent'")
    activities = reviewed.sandbox.world.company.activities
    activities["99999"] = {**activities[sent], "Id": "99999", "Minutes": 59}
    fault = {"Error": [{"Message": "No", "Detail": "", "code": "2500"}], "type": "Fault"}
    reviewed.sandbox.fail("batch", "status", status=400, body={"Fault": fault})
    reviewed.prepare(DAY, NEXT, LOAD)
    of_state = "SELECT entry_id FROM deliveries WHERE state = $1 ORDER BY quickbooks_id, entry_id"
    known = {
        state: [entry_id for (entry_id,) in reviewed.rows(of_state, state)]
        for state in ("sent", "doubtful", "refused")
    }
    return {
        "month": f"{DAY:%Y-%m}",
        "first": DAY,
        "last": NEXT,
        "sent": known["sent"][0],
        "doubtful": known["doubtful"],
        "activity": alike(reviewed, known["doubtful"][1]),
        "refused": known["refused"],
    }


def alike(house: House, entry_id: str) -> str:
    """The time activity that is like a doubtful entry."""
    query = "SELECT payload FROM deliveries WHERE entry_id = $1"
    [(payload,)] = house.rows(query, entry_id)
    said = json.loads(payload)["Description"]
    [found] = [row["Id"] for row in house.activities if row["Description"].startswith(f"{said} (")]
    return str(found)


def test_connect_takes_a_pasted_address_where_the_browser_is_elsewhere(
    reviewed: House, tmp_path: Path
) -> None:
    """The rest of the consent is walked through in a real browser, in `test_consent`."""
    environment = {**reviewed.environment, "PYTHONPATH": str(PROJECT), "BROWSER": "true"}
    reviewed.settings.quickbooks_token_file.unlink()
    with subprocess.Popen(
        [script("python"), "-m", "pipeline", "connect", "--paste"],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        page = next(line.strip() for line in process.stderr if line.startswith("http"))
        said, _ = process.communicate(f"{decided(page, 'connect')}\n", timeout=120)
    assert process.returncode == 0
    assert "Connected to " in said
    assert reviewed.settings.quickbooks_token_file.exists()


def test_each_command_does_what_the_readme_promises(
    reviewed: House,
    placeholders: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its exit code, no error that is no sentence, and the files that it names."""
    monkeypatch.chdir(tmp_path)
    shell = CliRunner(env={**reviewed.environment, "COLUMNS": "100"})
    for command, (words, code) in RUN.items():
        done = shell.invoke(main, words.format(**placeholders).split(), input="y\n")
        assert done.exit_code == code, f"{command}\n{done.output}\n{done.exception!r}"
        assert isinstance(done.exception, SystemExit | None), command
        assert done.output, f"{command} is silent"
    written = {path.name for path in tmp_path.glob("*.[cx]*s*")}
    assert written >= {"month.xlsx", "fixes.csv", "rejected.xlsx", "undecided.csv"}
