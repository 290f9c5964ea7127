"""Settling, over any intents and any activities: what it must never say."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.delivery.settling import creation_span, findings
from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import Body, differences, facts, parse, stamp

SETTLE_SECONDS = 300
INTUIT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
EXAMPLES = settings(max_examples=150, derandomize=True)
BODIES = st.fixed_dictionaries(
    {
        "EmployeeRef": st.sampled_from([{"value": "55"}, {"value": "56"}]),
        "CustomerRef": st.sampled_from([{"value": "21"}, {"value": "22"}]),
        "TxnDate": st.sampled_from(["2026-11-20", "2026-11-02"]),
        "Hours": st.sampled_from([1, 2]),
        "Description": st.sampled_from(["Planting plan", "Call", ""]),
        "BillableStatus": st.sampled_from(["Billable", "HasBeenBilled", "NotBillable"]),
        "HourlyRate": st.sampled_from([137, Decimal("137.25")]),
    }
)
INTENTS = st.lists(st.tuples(BODIES, st.integers(0, 3600)), min_size=1, max_size=4)
ACTIVITIES = st.lists(st.tuples(BODIES, st.integers(-4000, 8000)), max_size=5)


def intents(given_: list[tuple[dict, int]]) -> list[Delivery]:
    """Unknown deliveries, each sent so many seconds after six."""
    return [
        Delivery(
            entry_id=f"{number:024x}",
            realm_id="9130",
            work_date=date(2026, 11, 20),
            state="unknown",
            request_id="r",
            payload=simplejson.dumps(body, use_decimal=True),
            fingerprint="f",
            minutes=60,
            intuit_time=INTUIT + timedelta(seconds=seconds),
            sent_at=INTUIT,
            updated_at=INTUIT,
            run_id="run",
        )
        for number, (body, seconds) in enumerate(given_)
    ]


def activities(given_: list[tuple[dict, int]], later: int = 0) -> dict[str, Body]:
    """Unclaimed activities by id, each created so many seconds after six."""
    return {
        str(number): body
        | {
            "Id": str(number),
            "MetaData": {"CreateTime": str(INTUIT + timedelta(seconds=seconds + later))},
        }
        for number, (body, seconds) in enumerate(given_)
    }


def is_equal(intent: Delivery, activity: Body) -> bool:
    """Whether the activity has what the intent asked for."""
    return not differences(facts(parse(intent.payload)), facts(activity))


@EXAMPLES
@given(asked=INTENTS, there=ACTIVITIES)
def test_nothing_is_called_not_stored_while_something_equal_is_left(
    asked: list[tuple[dict, int]], there: list[tuple[dict, int]]
) -> None:
    """Each activity settles one intent; what equals an intent and settles none stops it."""
    wanted, unclaimed = intents(asked), activities(there)
    found = findings(wanted, unclaimed, SETTLE_SECONDS)
    assert found.keys() == {intent.entry_id for intent in wanted}
    sent = [f.activities[0]["Id"] for f in found.values() if f.state == "sent"]
    assert len(sent) == len(set(sent))
    for intent in wanted:
        finding = found[intent.entry_id]
        own = {each["Id"] for each in finding.activities}
        left = {key for key, each in unclaimed.items() if is_equal(intent, each)} - set(sent)
        if finding.state == "sent":
            (activity,) = finding.activities
            assert is_equal(intent, activity)
            begun, ended = creation_span(intent, SETTLE_SECONDS)
            assert begun <= stamp(activity, "CreateTime") <= ended
        elif finding.state == "doubtful":
            assert own
            assert left <= own
            assert not own & set(sent)
        else:
            assert not left
            assert not own


@EXAMPLES
@given(asked=INTENTS, there=ACTIVITIES, seconds=st.integers(-4000, 8000))
def test_a_creation_time_may_stop_a_second_sending_and_never_allows_one(
    asked: list[tuple[dict, int]], there: list[tuple[dict, int]], seconds: int
) -> None:
    """With one intent, and whatever is created whenever: what is equal always stops it."""
    (intent, *_), unclaimed = intents(asked), activities(there)
    moved = activities(there, later=seconds)
    for each in (unclaimed, moved):
        finding = findings([intent], each, SETTLE_SECONDS)[intent.entry_id]
        if any(is_equal(intent, activity) for activity in each.values()):
            assert finding.state != "not_stored"


@EXAMPLES
@given(asked=INTENTS, there=ACTIVITIES, shuffled=st.randoms(use_true_random=False))
def test_more_activities_never_make_more_intents_not_stored(
    asked: list[tuple[dict, int]], there: list[tuple[dict, int]], shuffled: Random
) -> None:
    """What one read saw less than another can only have made it less sure."""
    wanted, unclaimed = intents(asked), activities(there)
    fewer = dict(shuffled.sample(list(unclaimed.items()), len(unclaimed) // 2))
    more, less = (findings(wanted, each, SETTLE_SECONDS) for each in (unclaimed, fewer))
    gone = [sum(f.state == "not_stored" for f in each.values()) for each in (more, less)]
    assert gone[0] <= gone[1]
