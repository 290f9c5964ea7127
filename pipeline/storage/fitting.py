"""Whether a frame is what its table's model says, decided before a row is written or used.

Pandera coerces, and coercing hides mistakes: a number becomes text, text a number, a clock without
a zone UTC. So the kinds of the values are compared first. Keeps out DuckDB and what rows mean.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd
from pandera.errors import SchemaErrors
from pandera.pandas import DataFrameSchema

from pipeline.schemas import Table, name_of, sql_types
from pipeline.stops import Stop

LIST = "VARCHAR[]"
DAYS = {"datetime64", "datetime", "date", "empty"}
KINDS: Mapping[str, set[str]] = {
    "VARCHAR": {"string", "empty"},
    "BIGINT": {"integer", "integer-na", "floating", "mixed-integer-float", "empty"},
    "BOOLEAN": {"boolean", "empty"},
    "DATE": DAYS,
    "TIMESTAMPTZ": DAYS - {"date"},
}
"""SQL type to the kinds of values, in pandas' words, that it takes."""
PRIVATE = re.compile("rate|amount|email|description|payload|totals")
"""Columns whose values appear in no message: Dagster keeps those for ever."""


def validated(model: type[Table], frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in the model's dtypes and order, before it is written.

    Raises:
        Stop: naming the table, the first column that is wrong, and what it holds.
    """
    fix = "nothing was written; an API has changed or a rule has a bug: report it"
    for name, sql in sql_types(model).items():
        if name in frame and (wrong := _wrong_kind(frame[name], sql)):
            raise Stop(f"The table {name_of(model)} cannot take the column `{name}`: {wrong}", fix)
    return fitting(model, frame, list(sql_types(model)), fix)


def fitting(model: type[Table], frame: pd.DataFrame, columns: list[str], fix: str) -> pd.DataFrame:
    """The frame in the dtypes of these of the model's columns.

    Raises:
        Stop: with this fix; naming the table, the first column that is wrong, and what it holds.
    """
    typed, schema = _typed(model, frame, columns), _schema(model, tuple(columns))
    if typed is not None and _keeps(schema, typed):
        return typed
    try:
        return schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        case = cases.iloc[0]
        if case["check"] == "column_in_dataframe":
            column, wrong = case["failure_case"], "it is missing"
        else:
            column = case["column"]
            value = "not shown" if PRIVATE.search(column) else repr(case["failure_case"])[:80]
            wrong = f"{case['check']} fails, first for {value}{_row(frame, case['index'])}"
        raise Stop(
            f"The table {name_of(model)} cannot take the column `{column}`: {wrong}", fix
        ) from None  # pandera's own text shows every value, and Dagster keeps causes for ever


def coerced(model: type[Table], frame: pd.DataFrame, columns: list[str], fix: str) -> pd.DataFrame:
    """The frame in the dtypes of these of the model's columns; what they mean is not looked at.

    Raises:
        Stop: as `fitting`, of values that cannot be of their column's type at all.
    """
    typed = _typed(model, frame, columns)
    return fitting(model, frame, columns, fix) if typed is None else typed


def _typed(model: type[Table], frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame | None:
    """The frame in the dtypes of these columns, if it can be so.

    Array by array, which takes a third of the time of `DataFrame.astype`; what has its dtype
    already is not copied.
    """
    typed = {}
    try:
        for name, dtype in _dtypes(model, tuple(columns)).items():
            values = frame[name]
            typed[name] = (values if values.dtype == dtype else values.astype(dtype)).array
    except (TypeError, ValueError, KeyError, OverflowError):
        return None
    return pd.DataFrame(typed, index=frame.index, copy=False)


def _keeps(schema: DataFrameSchema, typed: pd.DataFrame) -> bool:
    """Whether a frame of the right dtypes keeps the rules of each of its columns.

    The schema asks the same, but spends a millisecond or two on each column to say what is wrong,
    and a run validates hundreds. Rules over several columns are left to it.
    """
    if schema.checks or schema.unique:
        return False
    return typed.empty or all(
        (column.nullable or not typed[name].hasnans)
        and (not column.unique or typed[name].is_unique)
        and all(check(typed[name]).check_passed for check in column.checks)
        for name, column in schema.columns.items()
    )


@cache
def _schema(model: type[Table], columns: tuple[str, ...]) -> DataFrameSchema:
    """The model's schema of some columns; pandera copies the whole of it to leave one out."""
    schema = model.to_schema()
    return schema.remove_columns([name for name in schema.columns if name not in columns])


@cache
def _dtypes(model: type[Table], columns: tuple[str, ...]) -> dict[str, Any]:
    """The columns' dtypes as pandas knows them."""
    return {name: _schema(model, columns).columns[name].dtype.type for name in columns}


def _row(frame: pd.DataFrame, index: Any) -> str:  # noqa: ANN401 - a label of pandas'
    """Where a value stands: its row's first column, which identifies it."""
    if pd.isna(index) or index not in frame.index:
        return ""
    key = frame.columns[0]
    return f" in the row whose `{key}` is {frame[key][index]!r}"


def _wrong_kind(values: pd.Series, sql: str) -> str | None:
    """What is wrong with the kind of a column's values, if anything."""
    if sql == LIST:
        is_texts = [_is_texts(value) for value in values]
        return None if all(is_texts) else "it holds something else than lists of texts"
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind not in KINDS[sql] and not values.isna().all():
        return f"it holds values of the kind `{kind}`, not {sql}"
    if sql == "VARCHAR" and not _is_unicode([text for text in values if isinstance(text, str)]):
        return "it holds half a character (a lone surrogate)"
    if sql == "TIMESTAMPTZ" and not _has_zone(values):
        return "it holds instants without a time zone"
    if sql == "DATE" and not _is_midnight(values):
        return "it holds a time of day"
    return None


def _is_texts(value: object) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(text, str) for text in value)
        and _is_unicode(value)
    )


def _is_unicode(texts: list[str]) -> bool:
    """DuckDB invalidates the whole file when it is given a lone surrogate."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _has_zone(values: pd.Series) -> bool:
    if values.dtype == object:
        return all(value.tzinfo is not None for value in values.dropna())
    return isinstance(values.dtype, pd.DatetimeTZDtype) or bool(values.isna().all())


def _is_midnight(values: pd.Series) -> bool:
    present = values.dropna()
    if present.dtype == object:
        return all(
            pd.Timestamp(value).normalize() == pd.Timestamp(value) for value in present.unique()
        )
    days = present.to_numpy()
    return bool((days == days.astype("datetime64[D]")).all())
