"""What Dagster shows: values it takes, never too many, and no names where none are wanted."""

import json
from datetime import date
from decimal import Decimal

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from dagster._serdes import serialize_value

from pipeline.orchestration.metadata import (
    MOST_BYTES,
    MOST_CHARACTERS,
    column_schema,
    counts,
    definition_metadata,
    table,
)
from pipeline.schemas import (
    AcceptedTimeEntries,
    ClockifyTimeEntries,
    QuickbooksEmployees,
    sql_types,
)

VALUES = [
    ("text", "text"),
    (7, 7),
    (2**63, 2**63),
    (1.5, 1.5),
    (True, True),
    (None, None),
    (np.int64(7), 7),
    (np.float64(1.5), 1.5),
    (np.bool_(True), "True"),  # noqa: FBT003
    (float("nan"), None),
    (float("inf"), None),
    (pd.NA, None),
    (pd.NaT, None),
    (Decimal("1.50"), "1.50"),
    (date(2024, 5, 14), "2024-05-14"),
    (["a", "b"], "['a', 'b']"),
]
ROW = {
    "person": "Ann Lee",
    "user_id": "u1",
    "project": "Acme / Website",
    "project_id": "p1",
    "reason": "no_rate",
    "fix": "In Clockify, for Ann Lee on project Website: set the hourly rate.",
    "hours": 1.5,
}


def cells(found: dg.TableMetadataValue) -> list[dict[str, object]]:
    """The table's rows."""
    return [dict(record.data) for record in found.records]


@pytest.mark.parametrize(("value", "shown"), VALUES, ids=[repr(value) for value, _ in VALUES])
def test_a_value_of_any_kind_becomes_one_that_dagster_shows(value: object, shown: object) -> None:
    """And stores: its event log is strict JSON."""
    found = table([{"it": value}], ["it"], most=1)
    assert cells(found) == [{"it": shown}]
    assert type(cells(found)[0]["it"]) is type(shown)
    json.loads(serialize_value(found), parse_constant=pytest.fail)


def test_a_table_without_rows_keeps_its_columns() -> None:
    """Else a good day looks like a broken one."""
    found = table([], ["person", "hours"], most=50)
    assert cells(found) == []
    assert [column.name for column in found.schema.columns] == ["person", "hours"]


@pytest.mark.parametrize(("most", "shown"), [(0, 0), (1, 1), (3, 3), (50, 3)])
def test_a_table_shows_the_first_rows_and_not_too_many(most: int, shown: int) -> None:
    """The event log keeps them for ever."""
    rows = [{"entry_id": str(number)} for number in range(3)]
    assert cells(table(rows, ["entry_id"], most=most)) == rows[:shown]


def test_only_the_columns_asked_for_are_shown_and_an_absent_one_is_empty() -> None:
    """A rate in a row does not get into the event log by itself."""
    found = table([{"hours": 1, "rate": 99}], ["hours", "fix"], most=1)
    assert cells(found) == [{"hours": 1, "fix": None}]


def test_names_are_shown_unless_ids_are_wanted() -> None:
    """A fix is a sentence with names in it, so then the reason stands for it."""
    columns = ["person", "project", "hours", "fix"]
    assert cells(table([ROW], columns, most=1)) == [{name: ROW[name] for name in columns}]
    [shown] = cells(table([ROW], columns, most=1, names="ids"))
    assert shown == {"person": "u1", "project": "p1", "hours": 1.5, "fix": "no_rate"}
    assert "Ann" not in str(shown)


def test_counts_are_numbers_named_after_what_is_counted() -> None:
    """Dagster plots them over time."""
    rows = [{"verdict": "held", "entries": 2, "hours": 1.25}]
    assert counts(rows, "verdict") == {"entries: held": 2, "hours: held": 1.25}
    assert counts([], "verdict") == {}


def test_the_columns_of_an_asset_are_those_of_its_table() -> None:
    """With type, description and constraints."""
    columns = {column.name: column for column in column_schema(ClockifyTimeEntries).columns}
    assert {name: column.type for name, column in columns.items()} == sql_types(ClockifyTimeEntries)
    assert columns["entry_id"].constraints == dg.TableColumnConstraints(
        nullable=False, unique=True, other=[r"str_matches('^[0-9a-f]{24}\Z')"]
    )
    assert columns["end_at"].constraints.nullable
    assert columns["end_at"].description == "End; none while the timer runs"
    found = definition_metadata(ClockifyTimeEntries)
    assert found["dagster/table_name"] == "clockify_time_entries"
    assert found["dagster/column_schema"] == column_schema(ClockifyTimeEntries)


def test_a_column_comes_from_the_first_source_that_has_it() -> None:
    """By its name; one that is decided here comes from nowhere."""
    found = definition_metadata(AcceptedTimeEntries, ClockifyTimeEntries, QuickbooksEmployees)
    lineage = found["dagster/column_lineage"].deps_by_column
    came_from = {name: dep.asset_key.to_user_string() for name, [dep] in lineage.items()}
    assert came_from["entry_id"] == came_from["read_at"] == "clockify_time_entries"
    assert came_from["quickbooks_employee_id"] == "quickbooks_employees"
    assert "sent_rate_minor" not in lineage


@pytest.mark.parametrize("column", ["description", "error_message", "payload", "user_email"])
def test_what_may_hold_a_rate_a_description_or_an_address_is_never_shown(column: str) -> None:
    """The event log keeps it for ever; the tables are for those who may see it."""
    with pytest.raises(ValueError, match=column):
        table([{column: "x"}], ["hours", column], most=1)


HOSTILE = [
    ("| a | b |\n|---|", "| a | b |<U+000A>|---|"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("[x](javascript:alert(1)) `q` **b**", "[x](javascript:alert(1)) `q` **b**"),
    ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ("\u202eevil\u202c", "<U+202E>evil<U+202C>"),
    ("a\x00b\x1b[31m", "a<U+0000>b<U+001B>[31m"),
    ("👩‍🔧 Ünïcode", "👩‍🔧 Ünïcode"),
    ("\"quoted\" 'one'", "\"quoted\" 'one'"),
    ("x" * 4000, "x" * MOST_CHARACTERS + " …"),
]


@pytest.mark.parametrize(("typed", "shown"), HOSTILE, ids=[text[:9] for text, _ in HOSTILE])
def test_what_anybody_typed_is_one_plain_cell(typed: str, shown: str) -> None:
    """A cell is text to the UI, never Markdown; what cannot be seen in it is made visible."""
    assert cells(table([{"it": typed}], ["it"], most=1)) == [{"it": shown}]


def test_a_table_is_never_too_big_to_open() -> None:
    """Whatever `METADATA_ROWS` says: 50,000 entries with names of 4,000 characters."""
    rows = [ROW | {"person": "é" * 4000}] * 50_000
    found = table(rows, ["person", "fix", "hours"], most=len(rows))
    assert len(cells(found)) > 10
    assert len(serialize_value(found)) < 1.5 * MOST_BYTES


def test_a_suggestion_is_made_of_names_and_is_left_out_with_them() -> None:
    """`METADATA_NAMES=ids`: a column for which no id can stand is not there."""
    row = ROW | {
        "suggestion": "the nearest is `Ann Li`",
        "concerns": "Ann Lee",
        "concerns_id": "u1",
    }
    found = table([row], ["concerns", "suggestion", "hours"], most=1, names="ids")
    assert cells(found) == [{"concerns": "u1", "hours": 1.5}]
