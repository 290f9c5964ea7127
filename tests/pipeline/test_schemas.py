"""The one source of what columns a table has."""

import re

import pytest

from pipeline.schemas import (
    LEDGER_TABLES,
    WAREHOUSE_TABLES,
    AcceptedTimeEntries,
    ClockifyTimeEntries,
    RejectedTimeEntries,
    Table,
    Verdicts,
    WatchedMonths,
    name_of,
    sql_types,
)

TABLES = (*WAREHOUSE_TABLES, *LEDGER_TABLES, Verdicts)


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_every_column_is_described_and_named_by_the_grammar(model: type[Table]) -> None:
    """Snake case, flags `is_`, instants `_at`, and money in minor units with its currency."""
    columns = model.to_schema().columns
    for name, sql in sql_types(model).items():
        assert columns[name].description, name
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name), name
        assert (sql == "BOOLEAN") == name.startswith("is_"), name
        assert (sql == "TIMESTAMPTZ") == name.endswith(("_at", "_time")), name
        assert sql == "BIGINT" or not name.endswith("_minor"), name


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_every_column_is_required_and_coerced(model: type[Table]) -> None:
    """So a missing column is always an error."""
    columns = model.to_schema().columns.values()
    assert all(column.required for column in columns)
    assert all(column.coerce or model.to_schema().coerce for column in columns)


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_an_empty_frame_has_the_tables_columns(model: type[Table]) -> None:
    """In the table's order."""
    frame = model.empty()
    assert list(frame) == list(sql_types(model))
    assert frame.empty


def test_tables_are_named_like_their_classes_in_snake_case() -> None:
    """Which are the assets' keys, too."""
    assert name_of(ClockifyTimeEntries) == "clockify_time_entries"
    assert name_of(WatchedMonths) == "watched_months"
    assert len({name_of(model) for model in TABLES}) == len(TABLES)


def test_judged_entries_hold_the_whole_entry() -> None:
    """What was decided stands beside what it was decided on."""
    for model in (AcceptedTimeEntries, RejectedTimeEntries):
        assert sql_types(ClockifyTimeEntries).items() <= sql_types(model).items()


def test_what_a_verdict_adds_is_typed_alike_everywhere() -> None:
    """They are joined by name."""
    added = sql_types(AcceptedTimeEntries) | sql_types(RejectedTimeEntries)
    assert sql_types(Verdicts).items() <= added.items()
