"""What of a run's world is Dagster's: its days, and a stop as a failure."""

from datetime import date

import dagster as dg
import pytest

from pipeline.orchestration.windows import stops_the_run, window_of
from pipeline.stops import Stop
from pipeline.storage.database import FileBusyError

START, END, DAY = (
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
    "dagster/partition",
)


@pytest.mark.parametrize("is_transient", [True, False])
@pytest.mark.parametrize("kind", [Stop, FileBusyError])
def test_a_stop_becomes_dagsters_failure(kind: type[Stop], *, is_transient: bool) -> None:
    """With its sentences, its cause, and a retry only if it may heal alone."""
    stop = kind("The disk is full", "free some space", is_transient=is_transient)
    with pytest.raises(dg.Failure) as failure, stops_the_run():
        raise stop
    assert failure.value.description == "The disk is full. Free some space."
    assert failure.value.allow_retries is is_transient
    assert failure.value.__cause__ is stop


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), KeyboardInterrupt(), dg.Failure("its own", allow_retries=False)]
)
def test_any_other_error_passes_unchanged(error: BaseException) -> None:
    """A bug must look like one."""
    with pytest.raises(type(error)) as raised, stops_the_run():
        raise error
    assert raised.value is error


def test_it_serves_a_function_again_and_again() -> None:
    """As a decorator, it leaves what is returned alone, and stops each time."""

    @stops_the_run()
    def half(number: int) -> int:
        if number % 2:
            raise Stop(f"{number} is odd", "take another")
        return number // 2

    assert [half(4), half(8)] == [2, 4]
    for number in (1, 3):
        with pytest.raises(dg.Failure, match=rf"{number} is odd\. Take another\."):
            half(number)
    assert half.__name__ == "half"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({DAY: "2024-05-14"}, (date(2024, 5, 14), date(2024, 5, 14))),
        (
            {START: "2024-02-28", END: "2024-03-01"},
            (date(2024, 2, 28), date(2024, 3, 1)),
        ),
        ({}, None),
        ({START: "2024-02-28"}, None),
        ({"dagster/backfill": "abc"}, None),
    ],
)
def test_the_days_of_a_run_are_in_its_tags(
    tags: dict[str, str], expected: tuple[date, date] | None
) -> None:
    """One day or a range; a run of unpartitioned assets is about none."""
    assert window_of(tags) == expected
