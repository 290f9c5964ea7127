"""Spreadsheets: exact numbers that add up, and no text that becomes a formula or a link."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pipeline.reports.sheets import LONGEST, Sheet, clock, write_csv, write_xlsx

ROW = {
    "who": "Ann",
    "entries": 2,
    "spent_seconds": 95_430,
    "amount_minor": 12_345,
    "day": date(2026, 10, 5),
}
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "|cmd", "%0A", '=HYPERLINK("http://x")']


def sheet(**changes: object) -> Sheet:
    """One row, with changes."""
    return Sheet("fixes", {name: name for name in ROW}, [ROW | changes])


def cells(folder: Path, made: Sheet) -> dict[str, list[object]]:
    """The row as a CSV reader and as Excel's format have it."""
    write_csv(folder / "it.csv", made)
    write_xlsx(folder / "it.xlsx", [made], [])
    with (folder / "it.csv").open(encoding="utf-8-sig", newline="") as file:
        [_, line] = csv.reader(file)
    page = openpyxl.load_workbook(folder / "it.xlsx")["fixes"]
    return {"csv": list(line), "xlsx": [cell.value for cell in page[2]]}


def test_values_are_exact_and_of_their_kind(tmp_path: Path) -> None:
    """Excel adds up times and money; a CSV has them in full."""
    found = cells(tmp_path, sheet())
    assert found["csv"] == ["Ann", "2", "26:30:30", "123.45", "2026-10-05"]
    assert found["xlsx"] == [
        "Ann",
        2,
        timedelta(seconds=95_430),
        123.45,
        datetime(2026, 10, 5),  # noqa: DTZ001 - a day has no zone
    ]


def test_no_text_becomes_a_formula_of_an_array(tmp_path: Path) -> None:
    """Which is none in a CSV file, and one in a workbook."""
    assert cells(tmp_path, sheet(who="{=1+1}"))["csv"][0] == "{=1+1}"
    page = openpyxl.load_workbook(tmp_path / "it.xlsx")["fixes"]
    assert (page["A2"].value, page["A2"].data_type) == ("{=1+1}", "s")


@pytest.mark.parametrize("typed", FORMULAS)
def test_no_text_becomes_a_formula(tmp_path: Path, typed: str) -> None:
    """A project may be called `=HYPERLINK(…)`, and whoever opens the file must not run it."""
    found = cells(tmp_path, sheet(who=typed))
    assert found["csv"][0] == f"'{typed}"
    page = openpyxl.load_workbook(tmp_path / "it.xlsx")["fixes"]
    assert (page["A2"].value, page["A2"].data_type) == (typed, "s")
    assert not page["A2"].hyperlink


@pytest.mark.parametrize("separator", [";", "\t", "\r", "\n"])
def test_no_part_of_a_text_becomes_a_formula_where_it_is_taken_for_a_cell(
    tmp_path: Path, separator: str
) -> None:
    """Spreadsheets of half of Europe part a CSV at semicolons; Excel's own format parts nothing."""
    found = cells(tmp_path, sheet(who=f"call{separator}=1+1"))
    assert found["csv"][0] == f"call{separator}'=1+1"
    assert "'" not in str(found["xlsx"][0])
    quoted = cells(tmp_path, sheet(who=f'call{separator}"=1+1"'))
    assert quoted["csv"][0] == f'call{separator}\'"=1+1"'
    plain = cells(tmp_path, sheet(who=f"call{separator} now-or never"))
    assert plain["csv"][0] == f"call{separator} now-or never"


def test_a_negative_number_stays_a_number(tmp_path: Path) -> None:
    """Only text can be typed by anybody; and Excel shows it, though it may be a time."""
    found = cells(tmp_path, sheet(amount_minor=-5, spent_seconds=-61))
    assert found["csv"][2:4] == ["-0:01:01", "-0.05"]
    assert found["xlsx"][2:] == [
        timedelta(seconds=-61),
        -0.05,
        datetime(2026, 10, 5),  # noqa: DTZ001 - a day has no zone
    ]
    assert openpyxl.load_workbook(tmp_path / "it.xlsx").epoch == CALENDAR_MAC_1904
    write_xlsx(tmp_path / "it.xlsx", [sheet()], [])
    assert openpyxl.load_workbook(tmp_path / "it.xlsx").epoch != CALENDAR_MAC_1904


@pytest.mark.parametrize(
    "typed", ["http://example.com/x", "a\nb", 'say "so", Ann', "\u202eevil", "👩‍🔧", "x" * 100_000]
)
def test_whatever_is_typed_comes_back(tmp_path: Path, typed: str) -> None:
    """In one cell; what no program takes is cut."""
    found = cells(tmp_path, sheet(who=typed))
    assert [row[0] for row in found.values()] == [typed[:LONGEST]] * 2


def test_what_is_missing_is_empty_and_lists_are_read_as_words(tmp_path: Path) -> None:
    """An entry without a rate; one with two reasons."""
    found = cells(tmp_path, sheet(amount_minor=None, who=["no_rate", "too_long"]))
    assert (found["csv"][3], found["xlsx"][3]) == ("", None)
    assert [row[0] for row in found.values()] == ["no_rate, too_long"] * 2


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (59, "0:00:59"), (360_000, "100:00:00")]
)
def test_a_clock_is_exact(seconds: int, text: str) -> None:
    """Hours do not end at 24."""
    assert clock(seconds) == text
