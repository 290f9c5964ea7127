"""The doors between frames and tables: what goes in comes out, whatever the data."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from pipeline.schemas import (
    LEDGER_TABLES,
    WAREHOUSE_TABLES,
    ClockifyTimeEntries,
    ClockifyUsers,
    Table,
    name_of,
    sql_types,
)
from pipeline.stops import Stop
from pipeline.storage import doors
from pipeline.storage.database import Connection, Database
from pipeline.warehouse import Warehouse
from tests.pipeline.others import is_free
from tests.pipeline.rows import DAY, frame, sparse, valid

TABLES = (*WAREHOUSE_TABLES, *LEDGER_TABLES)
DTYPES = {
    "VARCHAR": "str",
    "BIGINT": "Int64",
    "BOOLEAN": "boolean",
    "DATE": "datetime64[ns]",
    "TIMESTAMPTZ": "datetime64[us, UTC]",
    "VARCHAR[]": "object",
}
ODD: dict[str, object] = {
    "VARCHAR": '🙂 “it\'s”\t"q"\n\\ é\u0301 \x00 end',
    "BIGINT": 9007199254740993,
    "BOOLEAN": False,
    "DATE": DAY.replace(year=1999),
    "TIMESTAMPTZ": datetime.fromisoformat("2024-03-31T01:02:03.456789+05:30"),
    "VARCHAR[]": ['🙂 "x"', "it's", "a, b", ""],
}
LIMITED = {"isin", "in_range", "str_matches", "str_length"}
MANY = 3000
PLACE = 2777
"""Far outside the rows that DuckDB samples."""


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse that does not exist yet."""
    return Warehouse(tmp_path / "data" / "warehouse.duckdb")


@pytest.fixture(scope="module")
def every_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """An open file with all tables of the warehouse and the ledger, without keys."""
    path = tmp_path_factory.mktemp("every") / "table.duckdb"
    with Database(path=path, what="file", when_broken="", tables=TABLES).connect() as connection:
        yield connection


def written(connection: Connection, model: type[Table], rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as they are read back."""
    connection.execute(f"DELETE FROM {name_of(model)}")
    doors.insert(connection, model, rows)
    return doors.read(connection, model)


def odd(model: type[Table]) -> dict[str, object]:
    """Another valid row, whose every value is one that is easily bent."""
    columns = model.to_schema().columns
    free = {
        name: ODD[sql]
        for name, sql in sql_types(model).items()
        if not LIMITED & {check.name for check in columns[name].checks}
    }
    return valid(model, PLACE, **free)


def same(read: object, given: object) -> bool:
    """Whether a value read is the one given, in the spelling of pandas."""
    if given is None:
        return bool(pd.isna(read))  # type: ignore[call-overload]
    if isinstance(given, list | str | bool | int):
        return bool(read == given)
    return pd.Timestamp(given) == read  # type: ignore[arg-type]


@pytest.mark.parametrize("model", TABLES, ids=name_of)
@pytest.mark.parametrize("rows", ["none", "sparse"])
def test_dtypes_never_depend_on_the_data(
    every_table: Connection, model: type[Table], rows: str
) -> None:
    """A table of no rows reads like one of nothing but empty values."""
    chosen = {
        "none": [],
        "sparse": [sparse(model, 1)],
    }[rows]
    read = written(every_table, model, frame(model, *chosen) if chosen else model.empty())
    assert len(read) == len(chosen)
    assert {name: str(dtype).replace("string", "str") for name, dtype in read.dtypes.items()} == {
        name: DTYPES[sql] for name, sql in sql_types(model).items()
    }
    assert [str(dtype) for dtype in read.dtypes] == [str(dtype) for dtype in model.empty().dtypes]


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_one_odd_value_among_thousands_is_kept_exactly(
    every_table: Connection, model: type[Table]
) -> None:
    """Though the rows before it hold nothing wherever they may."""
    rows = [sparse(model, number) for number in range(MANY)]
    rows[PLACE] = odd(model)
    frame_read = written(every_table, model, frame(model, *rows))
    assert frame_read.dtypes.equals(model.empty().dtypes)
    read = frame_read.to_dict("records")
    assert len(read) == MANY
    for place in (0, PLACE, MANY - 1):
        given = rows[place]
        assert [name for name in given if not same(read[place][name], given[name])] == []


def test_a_list_of_texts_among_thousands_of_empty_lists_is_kept(every_table: Connection) -> None:
    """And a nullable flag that is set once."""
    rows = [sparse(ClockifyTimeEntries, number, tag_names=[]) for number in range(MANY)]
    rows[PLACE] |= {"tag_names": ["one"], "is_locked": False}
    read = written(every_table, ClockifyTimeEntries, frame(ClockifyTimeEntries, *rows))
    assert read["tag_names"][PLACE] == ["one"]
    assert sum(map(len, read["tag_names"])) == 1
    assert read["is_locked"].dropna().tolist() == [False]


def test_a_frame_that_is_refused_leaves_the_table_as_it_was(warehouse: Warehouse) -> None:
    """The deletion that came before is rolled back."""
    warehouse.replace(ClockifyUsers, frame(ClockifyUsers, valid(ClockifyUsers, 1)))
    wrong = frame(ClockifyUsers, valid(ClockifyUsers, 2), valid(ClockifyUsers, 2))
    with pytest.raises(Stop, match="clockify_users cannot take the column `user_id`"):
        warehouse.replace(ClockifyUsers, wrong)
    assert warehouse.read(ClockifyUsers)["user_id"].tolist() == ["user_id 1"]
    assert is_free(warehouse.path)


def test_unknown_columns_and_another_order_of_columns_are_written_alike(
    warehouse: Warehouse,
) -> None:
    """Rows go in by name."""
    rows = frame(ClockifyUsers, valid(ClockifyUsers, 1))
    warehouse.replace(ClockifyUsers, rows.assign(new=[object()])[["new", *reversed(rows.columns)]])
    [read] = warehouse.read(ClockifyUsers).to_dict("records")
    assert read == valid(ClockifyUsers, 1)


def test_a_table_whose_columns_stand_in_another_order_is_written_alike(
    warehouse: Warehouse,
) -> None:
    """A migration can add columns only at the end."""
    with warehouse.connect() as connection:
        connection.execute(
            "CREATE OR REPLACE TABLE clockify_users AS SELECT time_zone, user_email, user_name, "
            "is_active, user_id FROM clockify_users"
        )
    warehouse.replace(ClockifyUsers, frame(ClockifyUsers, valid(ClockifyUsers, 1)))
    assert warehouse.read(ClockifyUsers).to_dict("records") == [valid(ClockifyUsers, 1)]


def test_a_read_takes_a_condition_and_columns(warehouse: Warehouse) -> None:
    """A value that looks like SQL is a value."""
    rows = [valid(ClockifyUsers, number) for number in range(3)]
    rows[1]["user_name"] = "x' OR 'a' = 'a"
    warehouse.replace(ClockifyUsers, frame(ClockifyUsers, *rows))
    with warehouse.connect() as connection:
        columns = ["is_active", "user_id"]
        read = doors.read(connection, ClockifyUsers, "user_name = $1", ["x' OR 'a' = 'a"], columns)
    assert read.to_dict("records") == [{"is_active": True, "user_id": "user_id 1"}]


def test_a_stored_table_that_no_longer_fits_is_named(warehouse: Warehouse) -> None:
    """Somebody has written to the file by hand."""
    with warehouse.connect() as connection:
        connection.execute("INSERT INTO clockify_users (user_id) VALUES ('u')")
        with pytest.raises(Stop, match=r"clockify_users cannot .* `is_active`.* read it anew"):
            doors.read_valid(connection, ClockifyUsers)
