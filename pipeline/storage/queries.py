"""A query's rows by their columns' names: for what is shown, not for what is judged or sent."""

from collections.abc import Sequence

from pipeline.fields import Row
from pipeline.storage.database import Connection

Parameters = Sequence[object] | dict[str, object]
"""Values of `$1`, `$2` and so on, or of `$name`s."""


def rows(connection: Connection, query: str, parameters: Parameters = ()) -> list[Row]:
    """The query's rows, each by column name."""
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
