"""What Dagster shows: column docs, tables and counts as metadata, capped and free of secrets.

The event log keeps metadata for ever and many may read it: names, counts, hours, reasons and ids,
never rates, descriptions or e-mail addresses; with `METADATA_NAMES=ids` no names either.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.schemas import Table, sql_types

NAMED = {
    "person": "user_id",
    "project": "project_id",
    "fix": "reason",
}
"""Columns that hold names, or may, with the column that stands for them."""
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
                    nullable=columns[name].nullable, unique=columns[name].unique
                ),
            )
            for name, sql in sql_types(model).items()
        ]
    )


def definition_metadata(model: type[Table], table: str) -> dict[str, Any]:
    """Metadata of an asset's definition: its table and that table's columns."""
    return {"dagster/column_schema": column_schema(model), "dagster/table_name": table}


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, most: int, names: str = "names"
) -> dg.TableMetadataValue:
    """Rows as a table of these columns, at most `most` of them; empty tables keep their columns.

    Args:
        rows: the rows, by column name.
        columns: the columns to show, the deciding ones first.
        most: the most rows to show.
        names: `names`, or `ids` to show ids in the place of people and projects.

    Raises:
        ValueError: a column may hold what metadata never shows.
    """
    if unfit := KEPT_IN_TABLES.intersection(columns):
        raise ValueError(f"never in metadata: {', '.join(sorted(unfit))}")
    sources = {name: NAMED.get(name, name) if names == "ids" else name for name in columns}
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({name: _shown(row.get(sources[name])) for name in columns})
            for row in rows[:most]
        ],
        schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in columns]),
    )


def counts(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, int | float]:
    """`entries: rejected`, `hours: rejected` and so on: numbers that Dagster plots over time."""
    return {
        f"{measure}: {row[key]}": row[measure] for row in rows for measure in ("entries", "hours")
    }


def _shown(value: object) -> str | int | float | bool | None:
    """The value as a table's cell takes it: what is missing as nothing, the rest as text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    return None if value is pd.NA or value is pd.NaT else str(value)
