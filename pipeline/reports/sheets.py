"""Spreadsheets of what the analysts' views hold: CSV and XLSX, for people and their programs.

Holds how a value is written: exact, and as what it is, so that no text anybody typed becomes a
formula or a link. Keeps out which rows they are.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

from pipeline import files

Row = Mapping[str, Any]
Kind = Literal["text", "number", "time", "money", "day"]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""How a text begins that a spreadsheet would carry out."""
INNER_FORMULA = re.compile(r"(?<=[;\t\r\n])(?=\"*[=+\-@|%])")
"""Where another cell would begin with one, for a program that takes these as separators."""
LONGEST = 32_000
"""Characters in a cell; Excel takes 32,767 and calls a file with more of them broken."""
FORMATS = {"time": "[h]:mm:ss", "money": "#,##0.00", "day": "yyyy-mm-dd"}
WIDEST = 60
A_DAY = 86_400


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its heading, where its values come from, and what they are."""

    name: str
    source: str
    kind: Kind = "text"
    """`time` comes in seconds, `money` in minor units."""


@dataclass(frozen=True)
class Sheet:
    """One table with its name."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Row]


def write_csv(path: Path, sheet: Sheet) -> None:
    """One table as UTF-8 with a byte order mark, by which Excel knows it.

    Raises:
        Stop: as `files.write`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_as_text(row[each.source], each.kind) for each in sheet.columns])
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
            for place, column in enumerate(sheet.columns):
                page.write_string(0, place, column.name, bold)
                values = [row[column.source] for row in sheet.rows]
                page.set_column(place, place, _width(column, values))
                for line, value in enumerate(values, 1):
                    _write(page, (line, place), value, column.kind, formats.get(column.kind))
        about = book.add_worksheet("notes")
        for line, note in enumerate(notes):
            about.write_string(line, 0, note)
    files.write(path, content.getvalue())


def _has_less_than_none(sheet: Sheet) -> bool:
    times = [column.source for column in sheet.columns if column.kind == "time"]
    return any((row[time] or 0) < 0 for row in sheet.rows for time in times)


def _write(page: Any, cell: tuple[int, int], value: object, kind: Kind, form: Any) -> None:  # noqa: ANN401 - untyped
    """By the type asked for, never by what the value looks like."""
    if value is None:
        return
    if kind == "text":
        page.write_string(*cell, _listed(value)[:LONGEST])
    elif kind == "day":
        page.write_datetime(*cell, value, form)
    elif kind == "time":
        page.write_number(*cell, Decimal(str(value)) / A_DAY, form)
    elif kind == "money":
        page.write_number(*cell, Decimal(str(value)) / 100, form)
    else:
        page.write_number(*cell, value)


def _as_text(value: object, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "time":
        return clock(int(str(value)))
    if kind == "money":
        return f"{Decimal(str(value)) / 100:.2f}"
    text = _listed(value)[:LONGEST]
    if kind != "text":
        return text
    text = INNER_FORMULA.sub("'", text)
    return f"'{text}" if text.startswith(FORMULA) else text


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def clock(seconds: int) -> str:
    """Seconds as hours, minutes and seconds, exactly."""
    sign, seconds = "-" if seconds < 0 else "", abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _width(column: Column, values: Sequence[object]) -> int:
    longest = max((len(_as_text(value, column.kind)) for value in values), default=0)
    return min(WIDEST, max(longest, len(column.name)) + 2)
