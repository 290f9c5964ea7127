"""Rows at a terminal: a table where it fits, records where it does not, and nothing is cut."""

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.table import Table

from pipeline import terminal
from pipeline.tables import shown
from pipeline.typed import visible

ROW = {"id": "6af1a7af76482a0923a84906", "entries": 12, "said": "held: running (2); " * 6, "no": ""}
COLUMNS = ("id", "entries", "said", "no")


def lines(rows: Sequence[Mapping[str, object]], width: int) -> list[str]:
    """What a terminal of so many characters shows."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    for each in shown("Entries", rows, COLUMNS, width):
        console.print(each)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    found: list[str] = said.splitlines()
    return found


def words(text: str) -> list[str]:
    """The words, whatever stands between them."""
    return text.replace("│", " ").split()


def test_what_fits_is_a_table_and_what_does_not_is_a_record_with_every_word() -> None:
    """No line is longer than the terminal, no id is broken."""
    for width, is_table in ((120, True), (60, False), (44, False)):
        found = lines([ROW], width)
        assert any("┃" in line for line in found) == is_table
        assert max(map(len, found)) <= width
        assert any(ROW["id"] in line for line in found)
        text = "\n".join(found)
        assert text.count("(2);") == 6
        assert text.count("running") == 6


def test_a_column_without_a_value_is_left_out_and_no_rows_are_nothing() -> None:
    """Nobody reads an empty column."""
    assert "no" not in words("\n".join(lines([ROW], 120)))
    assert lines([], 120) == lines([{"id": None}], 120) == []


@pytest.mark.parametrize(
    ("values", "is_right"),
    [
        (("12", "-7"), True),
        (("222:08:40", "0:07"), True),
        (("15,241.47 USD", "-0.05 EUR"), True),
        (("12", None), True),
        (("12", "7 of 9"), False),
        (("2026-11-22", "6af1a7"), False),
    ],
)
def test_numbers_stand_below_each_other(values: tuple[str | None, ...], *, is_right: bool) -> None:
    """Counts, times and money to the right; days, ids and words to the left."""
    table = next(shown("", [{"id": value} for value in values], ["id"], 80))
    assert isinstance(table, Table)
    assert table.columns[0].justify == ("right" if is_right else "left")


def test_an_instant_is_shown_to_the_second() -> None:
    """Not with six digits more."""
    at = datetime(2026, 11, 22, 6, 5, 4, 123456, UTC)
    assert "2026-11-22 06:05:04 " in "\n".join(lines([ROW | {"id": at}], 120))


def test_nothing_typed_is_carried_out_by_the_terminal() -> None:
    """Neither markup, nor an escape sequence, nor a mark that turns a line around."""
    typed = "[red]x[/red] \x1b]0;evil\x07 \u202eevil"
    for width in (120, 40):
        text = "\n".join(lines([ROW | {"said": typed}], width))
        assert "[red]x[/red]" in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert "<U+001B>" in text


def test_json_is_the_same_document_and_carries_nothing_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """JSON itself spells only the older half of the control characters, and no marks."""
    typed = {"name": "José \x1b]0;theirs\x07 \x9b31m\u202e \U0001f642"}
    terminal.print_json(typed)
    said = capsys.readouterr().out
    assert json.loads(said) == typed
    assert "José" in said
    assert visible(said.replace("\n", "")) == said.replace("\n", "")
