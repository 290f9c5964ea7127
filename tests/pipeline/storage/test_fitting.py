"""A frame is written only if it is exactly what its table says."""

from datetime import UTC, date, datetime
from typing import ClassVar

import dagster as dg
import pandas as pd
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from pipeline.orchestration.windows import stops_the_run
from pipeline.schemas import (
    LEDGER_TABLES,
    WAREHOUSE_TABLES,
    AcceptedTimeEntries,
    ClockifyTimeEntries,
    Deliveries,
    QuickbooksCustomers,
    Table,
    Text,
    column,
    name_of,
)
from pipeline.stops import Stop
from pipeline.storage.fitting import validated
from tests.pipeline.rows import DAY, NOW, frame, sparse, valid

TABLES = (*WAREHOUSE_TABLES, *LEDGER_TABLES)
UNIQUE = [
    model for model in TABLES if any(each.unique for each in model.to_schema().columns.values())
]
MISTYPED = {
    "number as text": {"user_name": 5},
    "list as text": {"user_name": ["Ann"]},
    "half a character": {"description": "cut \ud83d"},
    "text as number": {"duration_seconds": "7"},
    "flag as number": {"duration_seconds": True},
    "fraction as number": {"duration_seconds": 1.5},
    "number beyond 64 bits": {"duration_seconds": 2**63},
    "number as flag": {"is_billable": 1},
    "text as flag": {"is_billable": "true"},
    "text as day": {"work_date": "2024-05-14"},
    "day with a time": {"work_date": datetime(2024, 5, 14, 23)},  # noqa: DTZ001
    "instant as day": {"work_date": NOW},
    "day before 1677": {"work_date": date(1600, 1, 1)},
    "number as instant": {"start_at": 5},
    "day as instant": {"start_at": DAY},
    "instant without a zone": {"start_at": datetime(2024, 5, 14)},  # noqa: DTZ001
    "text as list": {"tag_names": "abc"},
    "list of numbers": {"tag_names": [1]},
    "list with nothing in it": {"tag_names": ["a", None]},
    "no list": {"tag_names": None},
    "list with half a character": {"tag_names": ["\ud83d"]},
    "nothing where something must be": {"description": None},
    "id in capitals": {"entry_id": "A" * 24},
    "id with a line end": {"entry_id": "a" * 24 + "\n"},
    "id too short": {"entry_id": "a" * 23},
}


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_a_valid_row_fits_full_and_with_nothing_in_what_may_be_empty(model: type[Table]) -> None:
    """The example that all changes below start from."""
    assert len(validated(model, frame(model, valid(model, 1), sparse(model, 2)))) == 2


@pytest.mark.parametrize("change", MISTYPED.values(), ids=MISTYPED)
def test_a_single_wrong_value_stops_with_one_sentence_that_names_table_and_column(
    change: dict[str, object],
) -> None:
    """Coercing would hide most of these."""
    [column] = change
    wrong = frame(
        ClockifyTimeEntries,
        valid(ClockifyTimeEntries, 1),
        valid(ClockifyTimeEntries, 2, **change),
    )
    with pytest.raises(Stop) as stop:
        validated(ClockifyTimeEntries, wrong)
    what = f"The table clockify_time_entries cannot take the column `{column}`: "
    assert stop.value.what.startswith(what)
    assert "\n" not in str(stop.value)
    assert not stop.value.is_transient


@pytest.mark.parametrize(
    ("model", "change", "said"),
    [
        (AcceptedTimeEntries, {"hours": 24}, "in_range(0, 23)"),
        (AcceptedTimeEntries, {"minutes": -1}, "in_range(0, 59)"),
        (QuickbooksCustomers, {"level": -1}, "greater_than_or_equal_to(0)"),
        (Deliveries, {"state": "lost"}, "isin("),
        (Deliveries, {"request_id": "r" * 37}, "str_length("),
    ],
)
def test_a_value_out_of_range_stops_with_the_range(
    model: type[Table], change: dict[str, object], said: str
) -> None:
    """The nearest value inside is in the next test."""
    with pytest.raises(Stop, match=f"`{next(iter(change))}`") as stop:
        validated(model, frame(model, valid(model, **change)))
    assert said in stop.value.what


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (AcceptedTimeEntries, {"hours": 23}),
        (AcceptedTimeEntries, {"minutes": 0}),
        (QuickbooksCustomers, {"level": 0}),
        (Deliveries, {"state": "gone"}),
        (Deliveries, {"request_id": "r" * 36}),
        (ClockifyTimeEntries, {"duration_seconds": 2**63 - 1}),
        (ClockifyTimeEntries, {"work_date": pd.Timestamp("2024-05-14")}),
        (ClockifyTimeEntries, {"start_at": pd.Timestamp("2024-05-14", tz="Asia/Kolkata")}),
        (ClockifyTimeEntries, {"tag_names": []}),
        (ClockifyTimeEntries, {"user_name": float("nan")}),
        (ClockifyTimeEntries, {"is_locked": pd.NA}),
    ],
)
def test_the_last_value_inside_a_range_fits(model: type[Table], change: dict[str, object]) -> None:
    """The neighbours of what is refused."""
    assert len(validated(model, frame(model, valid(model, **change)))) == 1


class Pairs(Table):
    """A table with a rule over two columns; ours have none so far."""

    one: Text = column("one")
    other: Text = column("other")

    class Config:
        """Pandera's settings."""

        unique: ClassVar = ["one", "other"]


def test_a_rule_over_several_columns_is_kept_too() -> None:
    """Each value may come twice, a pair once."""
    assert len(validated(Pairs, pd.DataFrame({"one": ["a", "a"], "other": ["b", "c"]}))) == 2
    with pytest.raises(Stop, match="The table pairs cannot take the column"):
        validated(Pairs, pd.DataFrame({"one": ["a", "a"], "other": ["b", "b"]}))


def test_a_missing_column_stops_and_is_named() -> None:
    """The API or a rule has changed."""
    without = frame(ClockifyTimeEntries, valid(ClockifyTimeEntries)).drop(columns="user_id")
    with pytest.raises(Stop, match="clockify_time_entries cannot take the column `user_id`: it is"):
        validated(ClockifyTimeEntries, without)


def test_an_id_twice_stops_and_names_the_id() -> None:
    """No table relies on a key, so this is what keeps entries single."""
    twice = frame(ClockifyTimeEntries, *[valid(ClockifyTimeEntries, 7)] * 2)
    with pytest.raises(Stop, match=r"`entry_id`: field_uniqueness fails, first for '0+7'"):
        validated(ClockifyTimeEntries, twice)


@pytest.mark.parametrize("model", UNIQUE, ids=name_of)
def test_no_table_takes_a_row_twice(model: type[Table]) -> None:
    """Whether or not its id has another rule."""
    with pytest.raises(Stop, match="field_uniqueness fails"):
        validated(model, frame(model, *[valid(model, 7)] * 2))


def test_a_message_names_the_row() -> None:
    """So that somebody can look the entry up."""
    wrong = frame(ClockifyTimeEntries, valid(ClockifyTimeEntries, 7, user_id=None))
    with pytest.raises(Stop, match=f"in the row whose `entry_id` is '{7:024x}'"):
        validated(ClockifyTimeEntries, wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"hourly_rate_minor": 1234.5},
        {"hourly_rate_minor": 1234 * 10**18},
        {"hourly_rate_minor": "1234"},
        {"user_email": ["1234@example.com"]},
        {"description": ["1234"]},
    ],
)
def test_a_message_holds_no_rate_no_address_and_no_description(change: dict[str, object]) -> None:
    """Dagster keeps messages for ever."""
    with pytest.raises(Stop) as stop:
        validated(
            ClockifyTimeEntries, frame(ClockifyTimeEntries, valid(ClockifyTimeEntries, **change))
        )
    assert "1234" not in str(stop.value)


def test_what_dagster_keeps_of_a_stop_holds_no_value_of_another_row() -> None:
    """It keeps the causes too, and pandera's text shows every value that fails."""
    rows = (valid(AcceptedTimeEntries, n, sent_rate_minor=-987_654) for n in range(3))
    with pytest.raises(dg.Failure) as failure, stops_the_run():
        validated(AcceptedTimeEntries, frame(AcceptedTimeEntries, *rows))
    kept = serializable_error_info_from_exc_info((failure.type, failure.value, failure.tb))
    assert "sent_rate_minor" in str(kept)
    assert "987654" not in str(kept)


def test_unknown_columns_and_another_order_of_columns_change_nothing() -> None:
    """An API may add fields at any time."""
    plain = frame(ClockifyTimeEntries, valid(ClockifyTimeEntries))
    odd = plain.assign(surprise=[object()])[["surprise", *reversed(plain.columns)]]
    fitted = validated(ClockifyTimeEntries, odd)
    assert "surprise" not in fitted
    pd.testing.assert_frame_equal(
        fitted[plain.columns.tolist()], validated(ClockifyTimeEntries, plain)
    )


def test_instants_in_any_zone_are_the_same_instants_in_utc() -> None:
    """With their microseconds."""
    there = NOW.astimezone(datetime.fromisoformat("2024-05-15T00:00:00+05:30").tzinfo)
    fitted = validated(
        ClockifyTimeEntries, frame(ClockifyTimeEntries, valid(ClockifyTimeEntries, start_at=there))
    )
    assert fitted["start_at"][0] == NOW
    assert fitted["start_at"][0].tzinfo in {UTC, pd.Timestamp(NOW).tzinfo}
    assert fitted["start_at"][0].microsecond == 123456
