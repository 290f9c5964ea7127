"""`statement` and `export`: what the UI shows, in a bookkeeper's spreadsheet program."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import duckdb
import openpyxl
import pytest
from click.testing import CliRunner

from pipeline.__main__ import main
from pipeline.sandbox.seed.oddities import user_of
from tests.conftest import TODAY, Server
from tests.end_to_end.conftest import House, Kept, Type, building, kept, restored, typing

LAST = TODAY - timedelta(days=1)
FIRST = LAST - timedelta(days=6)
SPAN = (str(FIRST), str(LAST))
FORMULA = '=HYPERLINK("http://evil.example","Tom")'


@pytest.fixture
def week(house: House, company_after_a_week: Kept) -> House:
    """A pipeline after a week's run; one of its people is called like a formula."""
    return restored(house, company_after_a_week)


@pytest.fixture(scope="module")
def company_after_a_week(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """What `week` begins with."""
    with building(sandbox_server, invented_world, tmp_path_factory.mktemp("week")) as house:
        user_of(house.sandbox.world, "tom").name = FORMULA
        house.prepare(FIRST, LAST)
        return kept(house)


@pytest.fixture
def typed(week: House) -> Type:
    """What a command that a person types answers."""
    return typing(week, columns=80)


def test_a_month_is_told_to_people_to_machines_and_to_excel(
    typed: Type, week: House, tmp_path: Path
) -> None:
    """The same sums everywhere; the exit code says that somebody is not ready."""
    files = tmp_path / "it.csv", tmp_path / "it.xlsx"
    month = f"{FIRST:%Y-%m}"
    said = typed("statement", month, "--csv", str(files[0]), "--xlsx", str(files[1]), code=3)
    assert f"{month}: 0 of " in said.output
    [(at,)] = week.rows("SELECT published_at FROM published")
    assert said.output.startswith(f"As of {at.astimezone(week.settings.zone):%Y-%m-%d %H:%M} (")
    found = json.loads(typed("statement", month, "--json", code=3).output)
    [(sent, amount)] = week.rows("SELECT sum(minutes) * 60, sum(amount_minor) FROM deliveries")
    assert sum(row["in_quickbooks_seconds"] for row in found["customers"]) == sent
    assert sum(row["in_quickbooks_amount_minor"] for row in found["customers"]) == amount
    with files[0].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["customers"])
    assert {"the month is not over" in row["state"] for row in rows} == {True}
    book = openpyxl.load_workbook(files[1])
    assert book.sheetnames == [month, "lines", "notes"]
    told = [cell.value for cell in book["notes"]["A"]]
    assert told[0] == said.output.splitlines()[0]
    assert "never read" in " ".join(told[1:])
    assert book["lines"].max_row == 1 + len(found["lines"])


def test_on_the_screen_what_is_in_the_way_of_all_is_said_once_and_nothing_of_zeros(
    typed: Type, week: House
) -> None:
    """Twenty-five customers in a month that is not over are not told so twenty-five times."""
    month = f"{FIRST:%Y-%m}"
    said = typed("statement", month, code=3).output
    assert said.count("the month is not over") == 1
    assert "In the way of all: the month is not over" in said
    assert "In the way of all: rejected" not in said
    assert "only what is in the way of all" in said
    assert "billed" not in said.replace("unbilled", "")
    [(sent,)] = week.rows("SELECT count(*) FROM statement WHERE unbilled_seconds > 0")
    assert said.count("unbilled") == sent


def test_the_fix_list_and_the_rejected_entries_of_a_range_are_exported(
    typed: Type, week: House, tmp_path: Path
) -> None:
    """Every line and every entry, and no name that is run as a formula."""
    file = tmp_path / "it.csv"
    for what, query in (
        ("fix-list", "SELECT count(*) FROM fix_list"),
        ("rejected", "SELECT count(*) FROM rejected_time_entries WHERE verdict = 'rejected'"),
    ):
        [(count,)] = week.rows(query)
        said = typed("export", what, *SPAN, "--csv", str(file)).output
        assert f"{count} rows" in said
        assert said.startswith("As of ")
        with file.open(encoding="utf-8-sig", newline="") as lines:
            cells = [cell for row in csv.reader(lines) for cell in row]
        assert f"'{FORMULA}" in cells
        assert FORMULA not in cells


def test_a_day_read_and_not_judged_is_as_good_as_never_read(
    typed: Type, week: House, tmp_path: Path
) -> None:
    """A run that stopped at its review leaves no verdict, and no line in any statement."""
    file = str(tmp_path / "it.csv")
    assert "never read and judged" not in typed("export", "rejected", *SPAN, "--csv", file).output
    with duckdb.connect(str(week.settings.analysis)) as connection:
        connection.execute("UPDATE days SET reviewed_at = NULL WHERE work_date = $1", [LAST])
    said = typed("export", "rejected", *SPAN, "--csv", file).output
    assert "1 of these days were never read and judged: `.venv/bin/dg launch" in said


def test_days_that_were_never_read_are_said_and_a_month_of_them_is_not_ready(
    typed: Type, week: House, tmp_path: Path
) -> None:
    """Nothing sent and nothing waiting is no answer where nobody has looked."""
    month = f"{FIRST.replace(day=1) - timedelta(days=1):%Y-%m}"
    said = typed("statement", month, code=3).output
    assert "of these days were never read and judged: `.venv/bin/dg launch" in said
    assert len(json.loads(typed("statement", month, "--json", code=3).output)["unread_days"]) > 27
    week.changes["SEND_FROM"] = f"{month}-20"
    assert len(json.loads(typed("statement", month, "--json", code=3).output)["unread_days"]) == 12
    week.changes.clear()
    file = str(tmp_path / "it.csv")
    said = typed("export", "rejected", f"{month}-01", f"{month}-03", "--csv", file).output
    assert "0 rows written" in said
    assert f"--partition-range {month}-01...{month}-03` does" in said
    since = week.settings.since
    before = since - timedelta(days=1)
    assert before > week.settings.start_date
    for words, why in (
        (("statement", "2222-01"), "lies in the future"),
        (("statement", "9999-12"), "lies in the future: today is "),
        (("statement", "2000-01"), "is before START_DATE"),
        (("statement", f"{before:%Y-%m}"), f"{before} is before SEND_FROM ({since})"),
        (("export", "rejected", "2000-01-01", "2000-01-02", "--csv", file), "is before START_DATE"),
    ):
        assert why in typed(*words, code=2).output


@pytest.mark.parametrize("option", ["--csv", "--xlsx"])
@pytest.mark.parametrize("command", [("export", "rejected", *SPAN), ("statement", "2026-10")])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(
    command: tuple[str, ...], option: str, tmp_path: Path
) -> None:
    """There are no settings here, so nothing was; a full disk shows itself at the end only."""
    for place, said in (
        (tmp_path / "nowhere" / "it", "There is no folder"),
        (tmp_path, "is a folder"),
        (Path(__file__) / "it", "is not a folder"),
    ):
        result = CliRunner().invoke(main, [*command, option, str(place)])
        assert result.exit_code == 1
        assert said in result.stderr
        assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--csv", "--xlsx"])
@pytest.mark.parametrize(
    "command", [("export", "rejected", *SPAN), ("statement", f"{FIRST:%Y-%m}")]
)
def test_no_file_of_the_pipeline_is_written_over(
    typed: Type, week: House, command: tuple[str, ...], option: str
) -> None:
    """A ledger that is a spreadsheet would have everything sent again."""
    for name, path in week.settings.files.items():
        before = path.read_bytes()
        said = typed(*command, option, str(path), code=2).output
        assert f"the pipeline's own {name}" in said
        assert path.read_bytes() == before


@pytest.mark.parametrize("option", ["--csv", "--xlsx"])
def test_a_disk_that_is_full_is_one_sentence(typed: Type, full_device: Path, option: str) -> None:
    """Of each command that writes a file, whatever its kind."""
    for command in (("export", "rejected", *SPAN), ("statement", f"{FIRST:%Y-%m}")):
        result = typed(*command, option, str(full_device), code=1)
        assert f"The disk that holds {full_device} is full. Free some space" in result.stderr
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("statement", "2026-13"), "2026-13"),
        (("export", "rejected", *SPAN), "name a file"),
        (("export", "rejected", *reversed(SPAN), "--csv", "x.csv"), "is before"),
        (("export", "everything", *SPAN), "everything"),
    ],
)
def test_a_wrong_question_is_answered_with_the_right_one(words: tuple[str, ...], said: str) -> None:
    """Before anything is read."""
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert said in result.output


def test_before_the_first_run_the_next_step_is_named(house: House) -> None:
    """There is nothing to tell yet."""
    result = CliRunner(env=house.environment).invoke(main, ["statement", "2026-10"])
    assert result.exit_code == 1
    assert "Launch a first run" in result.output
