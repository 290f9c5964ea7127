"""The promise: one time activity for each accepted entry, whatever is run again or changed."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from pipeline.sandbox.seed.oddities import add_entry, add_twins
from pipeline.sandbox.seed.old_button import press_old_button
from tests.conftest import TODAY
from tests.end_to_end.books import BATCHES, due, held, move
from tests.end_to_end.conftest import House, check, problems
from tests.end_to_end.stages import CONFIRMED, DAILY, LOAD, UP_TO_REVIEW

DAY = date(2026, 11, 17)


def on(number: int) -> date:
    """A day of the quiet week, counted from its first."""
    return DAY + timedelta(days=number)


def test_the_books_hold_each_accepted_entry_once_whatever_is_run_again(house: House) -> None:
    """After a run over some days, the same again, and a backfill over more days, twins included."""
    world = house.sandbox.world
    first, last = TODAY - timedelta(days=4), TODAY
    for start, assets in ((first, ()), (first, DAILY), (TODAY - timedelta(days=13), ())):
        assert problems(house.run(start, last, *assets)) == []
        assert held(world, start, last) == due(world, start, last)
    assert max(held(world, start, last).values()) == 2, "the twins, and nothing else twice"
    assert held(world, start, last).total() > 100


def test_days_that_the_old_button_sent_are_adopted_and_what_was_reworded_is_left_alone(
    house: House,
) -> None:
    """Of the four days of 2026-09 nothing is doubled; a person decides on the four reworded."""
    world = house.sandbox.world
    first, last = date(2026, 9, 1), date(2026, 9, 4)
    before, wanted = held(world), due(world, first, last)
    reworded = before - wanted
    assert reworded.total() == 4
    result = house.run(first, last)
    assert not result.success
    assert " 4." in str(check(result, "no_delivery_refused_or_unknown").description)
    assert held(world) == before
    assert dict(house.rows("SELECT state, count(*) FROM deliveries GROUP BY state")) == {
        "adopted": wanted.total() - 4,
        "doubtful": 4,
    }
    assert problems(house.run(first, last)) == []
    assert held(world) == before
    assert house.sandbox.calls(BATCHES) == 0


def test_of_twins_one_of_which_the_button_sent_the_other_is_sent(quiet: House) -> None:
    """Two honest equal entries are two, never one and never three."""
    world = quiet.sandbox.world
    _, second = add_twins(world, DAY)
    del world.workspace.entries[second.id]
    assert press_old_button(world, DAY, DAY, quiet.now) == 1
    world.workspace.entries[second.id] = second
    assert problems(quiet.run(DAY, **CONFIRMED)) == []
    assert held(world) == due(world, DAY, DAY)
    assert quiet.rows("SELECT state FROM deliveries ORDER BY state") == [("adopted",), ("sent",)]


def test_what_was_sent_stays_as_it_was_sent(quiet: House) -> None:
    """Moved within the range, moved out of it, edited, re-priced or deleted: not sent again."""
    world = quiet.sandbox.world
    kinds = ("moved", "moved away", "edited", "unbillable", "deleted")
    entries = {kind: add_entry(world, on(0), description=kind) for kind in kinds}
    assert problems(quiet.run(on(0), on(1))) == []
    sent = held(world)
    assert sent == due(world, on(0), on(0))
    move(entries["moved"], 1)
    move(entries["moved away"], 3)
    _change(entries["edited"], description="edited since", rate_minor=1, project_id=None)
    _change(entries["unbillable"], is_billable=False)
    del world.workspace.entries[entries["deleted"].id]
    assert problems(quiet.run(on(0), on(1), *DAILY)) == []
    assert problems(quiet.run(on(0), on(4), *DAILY)) == []
    assert held(world) == sent
    assert quiet.rows("SELECT count(*) FROM rejected_time_entries") == [(0,)]


def test_what_was_not_sent_yet_is_sent_once_on_its_new_day(quiet: House) -> None:
    """Judged on one day, then moved: within the range, out of it, into it, or deleted."""
    world = quiet.sandbox.world
    within = add_entry(world, on(0), description="within")
    away = add_entry(world, on(1), description="away")
    into = add_entry(world, on(4), description="into")
    deleted = add_entry(world, on(1), description="deleted")
    quiet.run(on(0), on(4), *UP_TO_REVIEW)
    assert quiet.rows("SELECT count(*) FROM accepted_time_entries") == [(4,)]
    move(within, 1)
    move(away, 2)
    move(into, -3)
    del world.workspace.entries[deleted.id]

    assert problems(quiet.run(on(0), on(1), *DAILY)) == []
    assert held(world) == due(world, on(0), on(1))
    assert _days(held(world)) == {"within": on(1), "into": on(1)}

    assert problems(quiet.run(on(0), on(4), LOAD)) == []
    assert held(world) == due(world, on(0), on(4))
    assert _days(held(world))["away"] == on(3)
    assert problems(quiet.run(on(0), on(4), *DAILY)) == []
    assert held(world).total() == 3


def _change(entry: object, **fields: Any) -> None:  # noqa: ANN401 # any field of an entry
    for name, value in fields.items():
        setattr(entry, name, value)


def _days(activities: Counter[Any]) -> dict[str, date]:
    return {each.description: date.fromisoformat(each.day) for each in activities}
