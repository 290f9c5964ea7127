"""Look before sending: what is adopted, what is left for a person, what is sent."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.look import Look, look, other_roundings, told_apart, without
from pipeline.quickbooks.activities import Facts
from tests.pipeline.quickbooks.test_activities import FACTS
from tests.pipeline.rows import DAY

STEP = 15
"""Minutes to which Clockify rounds in these tests."""


def changed(**changes: object) -> Facts:
    """The valid activity with changes."""
    return FACTS._replace(**changes)


def days(number: int) -> Facts:
    """The valid activity so many days later."""
    return changed(work_date=DAY + timedelta(days=number))


def looked(
    entries: Mapping[str, Facts], stored: Mapping[str, Facts], step: int = STEP
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What is equal, and what resembles."""
    found = look(entries, stored, step)
    return found.equal, found.resembling


def test_an_equal_activity_is_the_entrys() -> None:
    """And nothing is left to decide."""
    assert looked({"a": FACTS}, {"1": FACTS}) == ({"a": "1"}, {})


def test_nothing_is_found_in_nothing() -> None:
    """A company's first load, and a day without entries."""
    assert looked({"a": FACTS}, {}) == ({}, {})
    assert looked({}, {"1": FACTS}) == ({}, {})


def test_of_what_a_person_has_decided_only_the_equal_counts() -> None:
    """What resembled it is not its own; what equals it has come since, and must not be doubled."""
    entries, like = {"a": FACTS, "b": changed(person="7")}, changed(minutes=91)
    stored = {"1": like, "2": like._replace(person="7")}
    assert look(entries, stored, STEP, apart={"a": stored}) == Look({}, {"b": ["2"]})
    assert look(entries, {"1": FACTS}, STEP, apart={"a": {"1"}}) == Look({"a": "1"}, {})


@pytest.mark.parametrize(
    ("ahead", "seen"), [(None, {"1", "2"}), (-60, {"1"}), (60, {"1", "2", "3"})]
)
def test_a_decision_is_of_what_stood_there_when_it_was_made(
    ahead: int | None, seen: set[str]
) -> None:
    """By Intuit's clock, whose stamps are whole seconds: nobody has seen what was made since."""
    bodies = {
        str(number): {"Id": str(number), "MetaData": {"CreateTime": f"2026-11-22T{at}-08:00"}}
        for number, at in enumerate(("09:58:00", "10:00:02", "10:00:03"), 1)
    }
    decided = {"a": datetime(2026, 11, 22, 18, tzinfo=UTC)}
    skew = None if ahead is None else timedelta(seconds=ahead)
    assert told_apart(decided, bodies, skew) == {"a": seen}


@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("other", range(4))
def test_of_n_equal_entries_and_m_equal_activities_the_fewer_are_paired(
    count: int, other: int
) -> None:
    """Two honest equal entries are two: a set would lose one of them."""
    entries = {f"e{n}": FACTS for n in range(count)}
    stored = {f"{n}": FACTS for n in range(other)}
    equal, resembling = looked(entries, stored)
    assert len(equal) == len(set(equal.values())) == min(count, other)
    assert resembling == {}


@pytest.mark.parametrize(
    "change", [{"rate": Decimal(1)}, {"item": "2"}, {"rate": Decimal(0), "item": ""}], ids=str
)
def test_adoption_ignores_rate_and_item(change: dict[str, object]) -> None:
    """The bookkeeper prices."""
    assert looked({"a": FACTS}, {"1": changed(**change)}) == ({"a": "1"}, {})


@pytest.mark.parametrize("order", [1, -1])
def test_those_priced_alike_are_paired_first(order: int) -> None:
    """Whatever the order: so the fewest differences are reported as drift."""
    dear, cheap = changed(rate=Decimal(200)), changed(rate=Decimal(100))
    entries = {"a": dear, "b": cheap, "c": changed(rate=Decimal(300))}
    stored = {"1": cheap, "2": changed(rate=Decimal(400)), "3": dear}
    equal, _ = looked(dict([*entries.items()][::order]), dict([*stored.items()][::order]))
    assert equal == {"a": "3", "b": "1", "c": "2"}


def test_a_same_priced_pair_is_not_taken_apart_by_an_earlier_entry() -> None:
    """Fewer activities than entries: the one that is priced alike gets it."""
    entries = {"a": changed(rate=Decimal(1)), "b": FACTS}
    assert looked(entries, {"1": FACTS}) == ({"b": "1"}, {})


@pytest.mark.parametrize("order", [1, -1])
def test_which_of_several_equals_is_adopted_is_settled_by_their_ids(order: int) -> None:
    """Not by the order in which they were read; QuickBooks' ids are numbers."""
    priced = [changed(rate=Decimal(number)) for number in range(1, 4)]
    entries = {"a": priced[1], "b": priced[0]}
    assert looked(dict([*entries.items()][::order]), {"1": FACTS}) == ({"a": "1"}, {})
    stored = {"9": priced[0], "10": priced[1]}
    assert looked({"a": FACTS}, dict([*stored.items()][::order])) == ({"a": "9"}, {})


RESEMBLING = {
    "a day earlier": days(-1),
    "a day later": days(1),
    "on a far day": days(40),
    "a rounding step more": changed(minutes=90 + STEP),
    "a rounding step less": changed(minutes=90 - STEP),
    "much longer": changed(minutes=500),
    "another description": changed(description="Lights"),
    "another customer": changed(customer="22"),
    "not billable": changed(is_billable=False),
    "near day, near minutes, other text": changed(
        work_date=DAY + timedelta(days=1), minutes=91, description="Lights"
    ),
    "near day, near minutes, other customer": changed(
        work_date=DAY - timedelta(days=1), minutes=89, customer="22"
    ),
    "near minutes on a far day": changed(work_date=DAY + timedelta(days=2), minutes=90 + STEP),
    "not billable and another text": changed(is_billable=False, description=""),
    "another price on a near day": changed(
        work_date=DAY + timedelta(days=1), rate=Decimal(0), item=""
    ),
}
DIFFERENT = {
    "another person": changed(person="56"),
    "the vendor of the same id": changed(person="Vendor 55"),
    "another person, a day later": changed(person="56", work_date=DAY + timedelta(days=1)),
    "another text and customer": changed(description="Lights", customer="22"),
    "another text and duration": changed(description="Lights", minutes=90 + STEP + 1),
    "another customer and duration": changed(customer="22", minutes=90 - STEP - 1),
    "a far day and another text": changed(work_date=DAY + timedelta(days=2), description="Lights"),
    "a far day and another customer": changed(work_date=DAY - timedelta(days=2), customer="22"),
    "a far day and another duration": changed(
        work_date=DAY + timedelta(days=2), minutes=90 + STEP + 1
    ),
}


@pytest.mark.parametrize("stored", RESEMBLING.values(), ids=RESEMBLING)
def test_an_activity_like_the_entry_in_all_but_one_respect_resembles_it(stored: Facts) -> None:
    """A person decides; it is neither adopted nor sent."""
    assert looked({"a": FACTS}, {"1": stored}) == ({}, {"a": ["1"]})


@pytest.mark.parametrize("stored", DIFFERENT.values(), ids=DIFFERENT)
def test_an_activity_unlike_the_entry_in_two_respects_does_not(stored: Facts) -> None:
    """The nearest neighbours of what resembles."""
    assert looked({"a": FACTS}, {"1": stored}) == ({}, {})


@pytest.mark.parametrize(("minutes", "resembles"), [(91, True), (92, False)])
def test_without_rounding_a_minute_is_the_step(minutes: int, *, resembles: bool) -> None:
    """QuickBooks and Clockify may round half a minute otherwise."""
    stored = {"1": changed(minutes=minutes, description="Lights")}
    assert looked({"a": FACTS}, stored, step=1) == ({}, {"a": ["1"]} if resembles else {})


def test_a_far_day_counts_only_one_to_one() -> None:
    """People do the same thing for the same customer on many days."""
    far = {"1": days(30), "2": days(31)}
    assert looked({"a": FACTS}, far) == ({}, {})
    assert looked({"a": FACTS, "b": days(2)}, {"1": days(30)}) == ({}, {})
    assert looked({"a": FACTS}, {"1": days(30)}) == ({}, {"a": ["1"]})


def test_near_activities_count_however_many_they_are() -> None:
    """And a far one is not spoken of beside a near one."""
    stored = {"1": days(1), "2": changed(minutes=91), "3": days(9)}
    assert looked({"a": FACTS}, stored) == ({}, {"a": ["1", "2"]})
    assert looked({"a": FACTS, "b": FACTS}, stored) == ({}, {"a": ["1", "2"], "b": ["1", "2"]})


def test_what_one_entry_equals_no_other_resembles() -> None:
    """A standup every day: each day's is its own."""
    entries = {"a": FACTS, "b": days(1)}
    assert looked(entries, {"1": FACTS}) == ({"a": "1"}, {})
    assert looked(entries, {"1": FACTS, "2": days(1)}) == ({"a": "1", "b": "2"}, {})


def test_an_entry_beyond_its_equals_resembles_what_is_left() -> None:
    """The surplus entry of two is not sent while something like it lies there."""
    entries = {"a": FACTS, "b": FACTS}
    assert looked(entries, {"1": FACTS, "2": changed(minutes=91)}) == ({"a": "1"}, {"b": ["2"]})


def test_what_another_entry_equals_is_its_own() -> None:
    """Rejected, held or of the next day: its activity puts nobody else's entry in doubt."""
    found = look({"a": FACTS}, {"1": days(1)}, STEP, others={"b": days(1)})
    assert found == Look(equal={"b": "1"}, resembling={})


def test_what_another_entry_only_resembles_is_nobodys_yet() -> None:
    """It takes nothing from an entry that equals it, and leaves another in doubt."""
    others = {"b": days(1)}
    assert look({"a": FACTS}, {"1": FACTS}, STEP, others=others).equal == {"a": "1"}
    found = look({"a": FACTS}, {"1": changed(minutes=91)}, STEP, others=others)
    assert found == Look(equal={}, resembling={"a": ["1"]})


def test_of_equal_entries_an_accepted_one_is_paired_first() -> None:
    """Whatever their ids; the other gets what is left, and the fewest are sent."""
    found = look({"z": FACTS}, {"1": FACTS}, STEP, others={"a": FACTS})
    assert found == Look(equal={"z": "1"}, resembling={})
    found = look({"z": FACTS}, {"1": FACTS, "2": FACTS}, STEP, others={"a": FACTS})
    assert found.equal == {"z": "1", "a": "2"}


def test_an_activity_priced_like_the_other_of_two_equal_entries_is_the_others() -> None:
    """The price tells apart what nothing else does."""
    dear, cheap = changed(rate=Decimal(200)), changed(rate=Decimal(100))
    assert look({"a": dear}, {"1": cheap}, STEP, others={"b": cheap}).equal == {"b": "1"}
    assert look({"a": dear}, {"1": FACTS}, STEP, others={"b": cheap}).equal == {"a": "1"}


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [
        (52 * 60, {52, 48, 54, 60, 45, 30}),
        (51 * 60 + 30, {51, 52, 48, 54, 60, 45, 30}),
        (30 * 60, {30, 24, 36}),
        (60 * 60, {60}),
        (29, {0, 1, 6, 12, 15, 30}),
        (0, {0}),
    ],
)
def test_a_duration_under_other_roundings(seconds: int, minutes: set[int]) -> None:
    """Up, down and to the nearest of 1, 6, 12, 15 and 30 minutes."""
    assert other_roundings(seconds) == minutes


@pytest.mark.parametrize(("minutes", "resembles"), [(120, True), (90, True), (119, False)])
def test_minutes_under_another_rounding_resemble(minutes: int, *, resembles: bool) -> None:
    """91 minutes were sent as 120 where Clockify rounded up to half hours; reworded besides."""
    entries = {"a": changed(minutes=91)}
    stored = {"1": changed(minutes=minutes, description="Lights")}
    roundings = {"a": other_roundings(91 * 60)}
    found = look(entries, stored, 1, roundings=roundings)
    assert found.resembling == ({"a": ["1"]} if resembles else {})


def test_without_takes_one_activity_for_each_unsettled_intent() -> None:
    """What may be the outcome of an unknown send is nobody's to adopt."""
    stored = {"1": FACTS, "2": FACTS, "3": days(1)}
    assert without(stored, []) == stored
    assert without(stored, [FACTS]) == {"2": FACTS, "3": days(1)}
    assert without(stored, [FACTS] * 3) == {"3": days(1)}
    assert without(stored, [changed(rate=Decimal(0))]) == {"2": FACTS, "3": days(1)}
    assert without(stored, [changed(person="56")]) == stored
    assert without({}, [FACTS]) == {}


FEW = st.builds(
    Facts,
    person=st.sampled_from(["55", "56"]),
    customer=st.sampled_from(["21", "22"]),
    work_date=st.sampled_from([DAY, DAY + timedelta(days=1), DAY + timedelta(days=9)]),
    minutes=st.sampled_from([60, 75, 120]),
    is_billable=st.booleans(),
    description=st.sampled_from(["", "Lights"]),
    rate=st.sampled_from([Decimal(0), Decimal(10), Decimal("10.00"), Decimal(20)]),
    item=st.sampled_from(["", "8"]),
)
"""So few different ones that equals and likenesses abound."""


def keyed(facts: list[Facts]) -> dict[str, Facts]:
    """Facts by an id."""
    return {str(number): each for number, each in enumerate(facts)}


def outcomes(
    found: Look, entries: Mapping[str, Facts], stored: Mapping[str, Facts]
) -> tuple[Counter[object], Counter[object]]:
    """What was found, without saying of which of several equal ones."""
    return (
        Counter((entries[entry], stored[key]) for entry, key in found.equal.items()),
        Counter(
            (entries[entry], tuple(sorted(map(repr, (stored[key] for key in keys)))))
            for entry, keys in found.resembling.items()
        ),
    )


@given(entries=st.lists(FEW, max_size=8), stored=st.lists(FEW, max_size=8))
def test_entries_and_activities_are_paired_one_to_one(
    entries: list[Facts], stored: list[Facts]
) -> None:
    """As many as possible, all of them equal but for the price, and none also left to a person."""
    ours, theirs = keyed(entries), keyed(stored)
    found = look(ours, theirs, STEP)
    assert len(set(found.equal.values())) == len(found.equal)
    unpriced = [Counter(f._replace(rate=0, item="") for f in side) for side in (entries, stored)]
    assert len(found.equal) == (unpriced[0] & unpriced[1]).total()
    for entry, key in found.equal.items():
        assert ours[entry]._replace(rate=0, item="") == theirs[key]._replace(rate=0, item="")
    assert not found.equal.keys() & found.resembling.keys()
    for keys in found.resembling.values():
        assert keys
        assert not set(keys) & set(found.equal.values())
    left = without(theirs, entries)
    assert len(left) == len(stored) - len(found.equal)


@given(
    sides=st.tuples(st.lists(FEW, max_size=7), st.lists(FEW, max_size=7)),
    shuffled=st.randoms(use_true_random=False),
)
def test_the_order_of_reading_changes_nothing(
    sides: tuple[list[Facts], list[Facts]], shuffled: Random
) -> None:
    """Neither the order of the entries nor that of QuickBooks' rows."""
    ours, theirs = (keyed(side) for side in sides)
    base = outcomes(look(ours, theirs, STEP), ours, theirs)
    mixed = []
    for side in (ours, theirs):
        items = list(side.items())
        shuffled.shuffle(items)
        mixed.append(dict(items))
    assert outcomes(look(*mixed, STEP), ours, theirs) == base
