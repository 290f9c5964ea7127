"""Rows for people at a terminal of any width: a table where it fits, else one record below another.

Holds how a value is shown and what is too wide. Keeps out what the rows mean. Nothing is ever cut.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.typed import visible

Row = Mapping[str, object]

READABLE = 28
"""Characters below which a text becomes a tower of single words."""
BORDER = 3
"""Characters that a table spends on each column."""
NUMBER = re.compile(r"(-?\d[\d,]*([.:]\d+)*( [A-Z]{3}| none)?)?")
"""A count, hours and minutes, or money."""


def shown(
    title: str, rows: Sequence[Row], columns: Sequence[str], width: int
) -> Iterator[RenderableType]:
    """The rows with a title; columns without a single value are left out.

    Args:
        title: stands above them.
        rows: by column name; nothing is shown if there are none.
        columns: which are shown, in order.
        width: characters in a line.
    """
    cells = {name: [cell(row.get(name)) for row in rows] for name in columns}
    filled = {name: values for name, values in cells.items() if any(values)}
    if not filled:
        return
    widths = {name: _narrowest(name, values) for name, values in filled.items()}
    if sum(widths.values()) + BORDER * len(widths) + 1 > width:
        yield from _records(title, filled)
        return
    table = Table(title=title, title_justify="left")
    for name, values in filled.items():
        justify: JustifyMethod = "right" if all(map(NUMBER.fullmatch, values)) else "left"
        table.add_column(name, justify=justify, min_width=widths[name])
    for row in zip(*filled.values(), strict=True):
        table.add_row(*map(Text, row))
    yield table


def cell(value: object) -> str:
    """A value as text: an instant to the second, nothing for none."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else visible(str(value))


def _narrowest(name: str, values: Sequence[str]) -> int:
    """How narrow a column may become before it can no longer be read."""
    words = (word for value in (name, *values) for word in value.split())
    longest = max(map(cell_len, (name, *values)))
    return max(min(longest, READABLE), max(map(cell_len, words), default=0))


def _records(title: str, filled: Mapping[str, Sequence[str]]) -> Iterator[RenderableType]:
    yield Text(title, style="italic")
    for values in zip(*filled.values(), strict=True):
        record = Table.grid(padding=(0, 2))
        for name, value in zip(filled, values, strict=True):
            if value:
                record.add_row(Text(f"  {name}"), Text(value, overflow="fold"))
        yield record
        yield ""
