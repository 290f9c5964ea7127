"""What Dagster shows: column docs, tables and counts as metadata, capped and free of secrets.

The event log keeps metadata for ever and many may read it: names, counts, hours, reasons and ids,
never rates, descriptions or e-mail addresses; with `METADATA_NAMES=ids` no names either.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.schemas import Table, name_of, sql_types
from pipeline.settings import Settings
from pipeline.typed import visible

NAMED = {
    "person": "user_id",
    "project": "project_id",
    "customer": "customer_id",
    "concerns": "concerns_id",
    "fix": "reason",
    "suggestion": None,
}
"""Columns that hold names, or may, with the column that stands for them, if one can."""
MOST_CHARACTERS = 400
"""Of a cell: whoever needs more of a name of 4,000 characters finds it in the tables."""
MOST_BYTES = 50_000
"""Of a table, whatever `METADATA_ROWS` says: the UI loads all of it before it shows any."""
KEPT_IN_TABLES = frozenset(
    {"description", "error_message", "payload", "user_email", "hourly_rate_minor", "reported_rate"}
)
"""Columns that hold rates, descriptions or addresses, or may: QuickBooks' faults repeat them."""


def column_schema(model: type[Table]) -> dg.TableSchema:
    """The model's columns as Dagster's, with types, descriptions and constraints."""
    columns = model.to_schema().columns
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                type=sql,
                description=columns[name].description,
                constraints=dg.TableColumnConstraints(
                    nullable=columns[name].nullable,
                    unique=columns[name].unique,
                    other=[str(check.error) for check in columns[name].checks],
                ),
            )
            for name, sql in sql_types(model).items()
        ]
    )


def definition_metadata(model: type[Table], *sources: type[Table]) -> dict[str, Any]:
    """Metadata of an asset's definition: its table, the columns, and where those come from.

    A column that is carried over keeps its name, so it comes from the first of these sources, in
    whose tables the assets of the same names keep their rows, that has one of its name.
    """
    found = {
        name: dg.TableColumnDep(dg.AssetKey(name_of(source)), name)
        for source in reversed(sources)
        for name in sql_types(source)
    }
    carried = [name for name in sql_types(model) if name in found]
    return {
        "dagster/column_schema": column_schema(model),
        "dagster/column_lineage": dg.TableColumnLineage({name: [found[name]] for name in carried}),
        "dagster/table_name": name_of(model),
    }


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, most: int, names: str = "names"
) -> dg.TableMetadataValue:
    """Rows as a table of these columns, at most `most` of them; empty tables keep their columns.

    Args:
        rows: the rows, by column name.
        columns: the columns to show, the deciding ones first.
        most: the most rows to show; fewer if they are too long.
        names: `names`, or `ids` to show ids in the place of people and projects.

    Raises:
        ValueError: a column may hold what metadata never shows.
    """
    if unfit := KEPT_IN_TABLES.intersection(columns):
        raise ValueError(f"never in metadata: {', '.join(sorted(unfit))}")
    sources = {name: NAMED.get(name, name) if names == "ids" else name for name in columns}
    shown = [name for name in columns if sources[name]]
    records: list[dg.TableRecord] = []
    size = 0
    for row in rows[:most]:
        cells = {name: _shown(row.get(sources[name] or name)) for name in shown}
        size += len(json.dumps(cells))
        if size > MOST_BYTES:
            break
        records.append(dg.TableRecord(cells))
    return dg.MetadataValue.table(
        records=records, schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in shown])
    )


def capped(
    settings: Settings, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> dg.TableMetadataValue:
    """Rows as a table with what the settings allow: so many of them, with names or ids."""
    return table(rows, columns, most=settings.metadata_rows, names=settings.metadata_names)


def counts(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, int | float]:
    """`entries: rejected`, `hours: rejected` and so on: numbers that Dagster plots over time."""
    return {
        f"{measure}: {row[key]}": row[measure] for row in rows for measure in ("entries", "hours")
    }


def _shown(value: object) -> str | int | float | bool | None:
    """The value as a table's cell takes it: what is missing as nothing, the rest as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    return None if value is pd.NA or value is pd.NaT else plain(str(value))


def plain(text: str) -> str:
    """A text that anybody may have typed, for one cell: short, and what is unseen made visible."""
    shown = visible(text[:MOST_CHARACTERS])
    return shown if len(text) <= MOST_CHARACTERS else f"{shown} …"
