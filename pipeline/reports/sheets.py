"""Spreadsheets of what the analysts' views hold: CSV and XLSX, for people and their programs.

Holds how a value is written: exact, and as what it is, so that no text anybody typed becomes a
formula or a link. Keeps out which rows they are.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from pipeline import files

Row = Mapping[str, Any]
Cell = str | int | date | timedelta | Decimal | None
"""Time as `timedelta`, money as `Decimal`."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""How a text begins that a spreadsheet would carry out."""
INNER_FORMULA = re.compile(r"(?<=[;\t\r\n])(?=\"*[=+\-@|%])")
"""Where another cell would begin with one, for a program that takes these as separators."""
LONGEST = 32_000
"""Characters in a cell; Excel takes 32,767 and calls a file with more of them broken."""
FORMATS = {timedelta: "[h]:mm:ss", Decimal: "#,##0.00", date: "yyyy-mm-dd"}
WIDEST = 60
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Sheet:
    """One table with its name."""

    name: str
    columns: Mapping[str, str]
    """By heading, what the rows call it; a name says the unit, as in every table."""
    rows: Sequence[Row]

    def cells(self) -> list[list[Cell]]:
        """Each row's values, in the order of the headings."""
        return [[_cell(name, row[name]) for name in self.columns.values()] for row in self.rows]


def write_csv(path: Path, sheet: Sheet) -> None:
    """One table as UTF-8 with a byte order mark, by which Excel knows it.

    Raises:
        Stop: as `files.write`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(sheet.columns)
    writer.writerows([_as_text(cell) for cell in row] for row in sheet.cells())
    files.write(path, text.getvalue().encode("utf-8-sig"))


def write_xlsx(path: Path, sheets: Sequence[Sheet], notes: Sequence[str]) -> None:
    """Tables as a workbook, a sheet each; times and money are numbers that can be added up.

    Args:
        path: the file.
        sheets: the tables.
        notes: what must be known of them all, such as how old they are: a last sheet.

    Raises:
        Stop: as `files.write`.
    """
    content = io.BytesIO()
    # Excel shows a time below none as ###### where days count from 1900; but days that are pasted
    # elsewhere out of a book where they count from 1904 are four years off there.
    options = {"in_memory": True, "date_1904": any(map(_has_less_than_none, sheets))}
    with xlsxwriter.Workbook(content, options) as book:
        formats = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
        bold = book.add_format({"bold": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 0)
            cells = sheet.cells()
            for place, heading in enumerate(sheet.columns):
                page.write_string(0, place, heading, bold)
                page.set_column(place, place, _width(heading, [row[place] for row in cells]))
                for line, row in enumerate(cells, 1):
                    _write(page, (line, place), row[place], formats.get(type(row[place])))
        about = book.add_worksheet("notes")
        for line, note in enumerate(notes):
            about.write_string(line, 0, note)
    files.write(path, content.getvalue())


def _has_less_than_none(sheet: Sheet) -> bool:
    return any(
        isinstance(cell, timedelta) and cell.days < 0 for row in sheet.cells() for cell in row
    )


def _cell(name: str, value: Any) -> Cell:  # noqa: ANN401 - of whatever column
    """What a value is by its unit or else its type, never by what it looks like."""
    if value is None:
        return None
    if name.endswith("_seconds"):
        return timedelta(seconds=value)
    if name.endswith("_minor"):
        return Decimal(value) / 100
    if isinstance(value, int | date):
        return value
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value))[:LONGEST]


def _write(page: Any, place: tuple[int, int], cell: Cell, form: Any) -> None:  # noqa: ANN401 - untyped
    if isinstance(cell, str):
        page.write_string(*place, cell)
    elif isinstance(cell, date):
        page.write_datetime(*place, cell, form)
    elif cell is not None:
        page.write_number(*place, cell / A_DAY if isinstance(cell, timedelta) else cell, form)


def _as_text(cell: Cell) -> str:
    if isinstance(cell, timedelta):
        return clock(cell // timedelta(seconds=1))
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    text = INNER_FORMULA.sub("'", cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def clock(seconds: int) -> str:
    """Seconds as hours, minutes and seconds, exactly."""
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _width(heading: str, cells: Sequence[Cell]) -> int:
    longest = max((len(_as_text(cell)) for cell in cells), default=0)
    return min(WIDEST, max(longest, len(heading)) + 2)
