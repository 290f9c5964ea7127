"""The list of scenarios: everything on it is there, and it can be made again."""

from itertools import product

import pytest

from tests.chaos.answers import ANSWERS
from tests.chaos.crash_points import POINTS, kind_of
from tests.chaos.people import ACTS, BUTTONS, IN_CLOCKIFY
from tests.chaos.scenarios import CIRCUMSTANCES, CLOCKS, DISK, DRIVES, REQUEST_IDS, few, scenarios
from tests.pipeline.rows import delivery

RUNS = 2000


def test_every_crash_point_meets_every_answer() -> None:
    """Several times over, in as many runs as the README counts."""
    made = [(each.crash, each.answer) for each in scenarios(7, RUNS)]
    assert set(made) == set(product(POINTS, ANSWERS))


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ("act", {"", *ACTS}),
        ("circumstance", {"", *CIRCUMSTANCES}),
        ("request_ids", set(REQUEST_IDS)),
        ("clock_seconds", set(CLOCKS)),
        ("drive", {*DRIVES, "whole"}),
        ("button", {"", *BUTTONS}),
        ("second_crash", {"", *POINTS}),
        ("second_answer", {"", *ANSWERS}),
    ],
)
def test_every_axis_has_all_its_values(axis: str, values: set[object]) -> None:
    """What people do, what else is so, request ids, clocks, through what it runs, what follows."""
    assert {getattr(each, axis) for each in scenarios(7, RUNS)} == values


def test_a_disk_fills_at_each_kind_of_commit() -> None:
    """Each leaves something else half known."""
    kinds = {
        kind_of([delivery(1, state=state)], batch_id)
        for state in ("pending", "sent", "adopted", "refused")
        for batch_id in ("a batch", None)
    }
    assert {f"disk full at the {kind} commit" for kind in kinds} < set(DISK)


def test_the_same_seed_makes_the_same_scenarios() -> None:
    """And more of them begin with the same ones."""
    assert list(scenarios(7, 50)) == list(scenarios(7, 60))[:50]
    assert list(scenarios(7, 50)) != list(scenarios(8, 50))


def test_what_changed_in_clockify_is_read_again() -> None:
    """Else its scenario would show nothing."""
    changed = [each for each in scenarios(7, RUNS) if each.act in IN_CLOCKIFY]
    assert {each.drive for each in changed} <= {"whole", "job"}


def test_the_few_have_each_thing() -> None:
    """Crash points, acts and circumstances, and an answer of each sort."""
    made = list(few(7))
    assert {each.crash for each in made} == set(POINTS)
    assert {each.answer for each in made} < set(ANSWERS)
    assert {each.act for each in made} == {"", *ACTS}
    assert {each.circumstance for each in made} == {"", *CIRCUMSTANCES}
