"""The promise: one time activity for each accepted entry, whatever is run again or changed."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

from pipeline.sandbox.seed.oddities import add_entry
from tests.conftest import TODAY
from tests.end_to_end.books import BATCHES, due, held, move
from tests.end_to_end.conftest import House, check, states
from tests.end_to_end.stages import DAILY, ENTRIES, LOAD, REVIEW, UP_TO_LOAD, UP_TO_REVIEW

DAY = date(2026, 11, 17)


def on(number: int) -> date:
    """A day of the quiet week, counted from its first."""
    return DAY + timedelta(days=number)


def test_the_books_hold_each_accepted_entry_once_whatever_is_run_again(house: House) -> None:
    """After a run over some days, the same again, and a backfill over more days, twins included."""
    world = house.sandbox.world
    first, last = TODAY - timedelta(days=2), TODAY
    earlier = TODAY - timedelta(days=6)
    for start, assets in ((first, UP_TO_LOAD), (first, DAILY), (earlier, DAILY)):
        house.prepare(start, last, *assets)
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
    house.prepare(first, last, *UP_TO_REVIEW)
    result = house.run(first, last, LOAD)
    assert not result.success
    assert " 4." in str(check(result, "no_delivery_refused_or_unknown").description)
    assert held(world) == before
    assert states(house) == {"adopted": wanted.total() - 4, "doubtful": 4}
    house.prepare(first, last, LOAD)
    assert held(world) == before
    assert house.sandbox.calls(BATCHES) == 0


def test_what_was_sent_stays_and_what_was_not_sent_yet_is_sent_once_on_its_new_day(
    quiet: House,
) -> None:
    """Moved within the range, out of it, into it, edited, re-priced or deleted.

    What was sent is not sent again; what was only judged on its old day is sent on its new one.
    """
    world = quiet.sandbox.world
    kinds = ("moved", "moved away", "edited", "unbillable", "deleted")
    entries = {kind: add_entry(world, on(0), description=kind) for kind in kinds}
    quiet.prepare(on(0), on(1))
    sent = held(world)
    assert sent == due(world, on(0), on(0))
    judged = {"within": on(0), "away": on(1), "into": on(4), "gone": on(1)}
    entries |= {kind: add_entry(world, day, description=kind) for kind, day in judged.items()}
    quiet.prepare(on(0), on(4), ENTRIES, *REVIEW)
    assert quiet.rows("SELECT count(*) FROM accepted_time_entries") == [(len(entries),)]
    for kind, days in {"moved": 1, "moved away": 3, "within": 1, "away": 2, "into": -3}.items():
        move(entries[kind], days)
    _change(entries["edited"], description="edited since", rate_minor=1, project_id=None)
    _change(entries["unbillable"], is_billable=False)
    for kind in ("deleted", "gone"):
        del world.workspace.entries[entries[kind].id]

    def new(last: date, *assets: str) -> dict[str, date]:
        quiet.prepare(on(0), last, *assets)
        assert sent <= held(world)
        found = held(world) - sent
        assert found <= due(world, on(0), last)
        assert found.total() == len(_days(found))
        return _days(found)

    expected = {"within": on(1), "into": on(1)}
    assert new(on(1), *DAILY) == expected
    expected["away"] = on(3)
    assert new(on(4), LOAD) == expected
    assert new(on(4), *DAILY) == expected
    assert quiet.rows("SELECT count(*) FROM rejected_time_entries") == [(0,)]


def _change(entry: object, **fields: Any) -> None:  # noqa: ANN401 # any field of an entry
    for name, value in fields.items():
        setattr(entry, name, value)


def _days(activities: Counter[Any]) -> dict[str, date]:
    return {each.description: date.fromisoformat(each.day) for each in activities}
