"""The only doors between frames and tables: `read`, `read_valid`, `insert` and `stage`.

A frame is validated before it becomes rows, and rows become a frame whose dtypes never depend on
the data. Keeps out how a file is opened (`warehouse`) and what fits a table (`fitting`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection as Connection

from pipeline.schemas import Table, name_of, sql_types
from pipeline.storage.fitting import LIST, coerced, fitting, validated

KEPT_AS: Mapping[str, Any] = {
    "VARCHAR": "str",
    "DATE": "datetime64[us]",
    "TIMESTAMP WITH TIME ZONE": pd.DatetimeTZDtype("us", "UTC"),
}
"""DuckDB's types, other than numbers and flags, to pandas'."""
BROKEN = "the stored table is broken: read it anew"
"""The fix where rows do not fit."""


def read(
    connection: Connection,
    model: type[Table],
    where: str = "TRUE",
    parameters: Sequence[object] = (),
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of the model's table as a frame of the model's dtypes, whatever the data.

    They were valid when they were written; a gate looks at every table in each run.

    Args:
        connection: an open connection.
        model: the table.
        where: a condition in SQL with `$1` parameters.
        parameters: their values.
        columns: the columns wanted; all by default.

    Raises:
        Stop: what is stored cannot be of its column's type at all.
    """
    wanted = list(columns or sql_types(model))
    query = f"SELECT {', '.join(wanted)} FROM {name_of(model)} WHERE {where}"
    result = connection.execute(query, list(parameters))
    stored = {name: str(kind) for name, kind, *_ in result.description}
    found = {name: _array(values, stored[name]) for name, values in result.fetchnumpy().items()}
    return coerced(model, pd.DataFrame(found, copy=False), wanted, BROKEN)


def _array(values: Any, stored: str) -> Any:  # noqa: ANN401 - arrays of numpy's and of pandas'
    """A column of a type of ours as it was stored, whole numbers never as floats.

    DuckDB's own `df()` takes eight times as long over columns of instants.
    """
    data, missing = np.ma.getdata(values), np.ma.getmaskarray(values)
    if stored == "BIGINT":
        return pd.arrays.IntegerArray(data, missing)
    if stored == "BOOLEAN":
        return pd.arrays.BooleanArray(data, missing)
    if stored == LIST:
        return pd.array([texts.tolist() for texts in values], dtype=object)
    if stored not in KEPT_AS:
        return pd.array(values.tolist(), dtype=object)
    data[missing] = None
    return pd.array(data, dtype=KEPT_AS[stored])


def read_valid(
    connection: Connection,
    model: type[Table],
    where: str = "TRUE",
    parameters: Sequence[object] = (),
) -> pd.DataFrame:
    """The same rows, validated once more: what is sent may not rely on an earlier run's gate.

    Raises:
        Stop: what is stored is not what the model says.
    """
    frame = read(connection, model, where, parameters)
    return fitting(model, frame, list(sql_types(model)), BROKEN)


def insert(connection: Connection, model: type[Table], frame: pd.DataFrame) -> None:
    """Validate a frame and add its rows to the model's table.

    Raises:
        Stop: the frame is not what the model says; nothing was written.
    """
    stage(connection, model, frame, "staged_rows")
    connection.execute(f"INSERT INTO {name_of(model)} BY NAME SELECT * FROM staged_rows")
    connection.execute("DROP TABLE staged_rows")


def stage(connection: Connection, model: type[Table], frame: pd.DataFrame, name: str) -> None:
    """Validate a frame and lay it into the temporary table `name`, typed as the model says.

    Raises:
        Stop: the frame is not what the model says; nothing was written.
    """
    valid = validated(model, frame)
    types = sql_types(model)
    lists = {key: valid[key].map(json.dumps).astype("str") for key in types if types[key] == LIST}
    casts = ", ".join(
        f"from_json({key}, '[\"VARCHAR\"]') AS {key}"
        if key in lists
        else f"CAST({key} AS {sql}) AS {key}"
        for key, sql in types.items()
    )
    connection.register("incoming_frame", valid.assign(**lists))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {casts} FROM incoming_frame")
    connection.unregister("incoming_frame")
