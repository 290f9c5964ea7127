"""Whatever text answers a batch: it is read, never choked on, and proves only what it says."""

import json
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.delivery.classification import PROVES_NOTHING_STORED, Outcome, classify
from pipeline.quickbooks.answers import answer_of

SENT = '{"BillableStatus":"Billable","EmployeeRef":{"value":"55"},"Hours":1,"TxnDate":"2024-05-14"}'
STORED = {**json.loads(SENT), "Id": "145", "SyncToken": "0", "Minutes": 0, "HourlyRate": 0}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**40)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["0", "1", "2020", "3001", "x", "\u00b2", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
CODES = st.sampled_from(["2020", "610", "003001", "10000", "6240", "6210"]) | JSON


@st.composite
def odd(draw: st.DrawFn, whole: dict[str, Any]) -> Any:  # noqa: ANN401 # any JSON at all
    """An object of which something may be missing, or be anything."""
    keys = st.sampled_from(sorted(whole))
    changed = dict(whole)
    for key in draw(st.lists(keys, max_size=2)):
        changed[key] = draw(JSON)
    for key in draw(st.lists(keys, max_size=1)):
        changed.pop(key, None)
    return draw(st.just(changed) | JSON) if draw(st.integers(0, 9)) == 0 else changed


@st.composite
def faults(draw: st.DrawFn) -> Any:  # noqa: ANN401 # any JSON at all
    """A fault, in one of its envelopes or none."""
    error = draw(odd({"Message": "No", "Detail": "why", "code": draw(CODES)}))
    return draw(odd({"Error": draw(st.sampled_from([[error], error, [], [error, error]]))}))


@st.composite
def items(draw: st.DrawFn) -> Any:  # noqa: ANN401 # any JSON at all
    """One item of a batch's answer."""
    stored = {"TimeActivity": draw(odd(STORED))} if draw(st.booleans()) else {}
    fault = {"Fault": draw(faults())} if draw(st.booleans()) else {}
    return draw(odd({"bId": draw(st.sampled_from(["0", "1", 0, "7"])), **stored, **fault}))


@st.composite
def bodies(draw: st.DrawFn) -> Any:  # noqa: ANN401 # any JSON at all
    """A batch's whole answer."""
    whole = {"BatchItemResponse": draw(st.lists(items(), max_size=3)), "time": "2024-05-14T10:00Z"}
    fault = {"Fault": draw(faults())} if draw(st.integers(0, 3)) == 0 else {}
    return draw(odd(whole | fault))


TEXTS = bodies().map(json.dumps) | JSON.map(json.dumps) | st.text(max_size=20)
STATUSES = st.sampled_from([200, 200, 200, 400, 401, 403, 429, 500, 503, 302])


def outcomes(status: int, text: str) -> list[Outcome]:
    """What an answer to two equal items is taken to prove of each."""
    answer = answer_of(httpx.Response(status, text=text), set())
    return [
        classify(status, answer.items.get(place), answer.fault_of(place), sent=SENT)
        for place in range(2)
    ]


def leaves(value: object) -> list[str]:
    """Every value somewhere in a JSON, as text and without leading zeros."""
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [str(value).lstrip("0")]


@settings(max_examples=300, derandomize=True)
@given(status=STATUSES, text=TEXTS)
@example(status=200, text='{"BatchItemResponse": [7]}')
@example(status=400, text='{"Fault": {"Error": [7]}}')
@example(status=400, text='{"Fault": {"Error": 7}}')
@example(status=200, text=json.dumps({"time": 10**40}))
def test_every_answer_is_read_and_only_proof_counts_as_proof(status: int, text: str) -> None:
    """Refused needs a listed code; sent needs an id; the rest is unknown."""
    for outcome in outcomes(status, text):
        if outcome.state == "refused":
            assert status in (200, 400)
            assert int(outcome.error_code or 0) in PROVES_NOTHING_STORED
            assert outcome.error_code in leaves(json.loads(text))
        if outcome.state == "sent":
            assert status == 200
            assert outcome.quickbooks_id
            assert outcome.quickbooks_id.lstrip("0") in leaves(json.loads(text))
        else:
            assert outcome.quickbooks_id is None
        if outcome.state == "throttled":
            assert status == 429 or "3001" in text
        if outcome.state != "sent":
            assert outcome.error_message


@settings(max_examples=100, derandomize=True)
@given(value=JSON, key=st.sampled_from(sorted(STORED)))
def test_a_stored_activity_that_cannot_be_read_is_never_taken_for_refused(
    value: object, key: str
) -> None:
    """Whatever one of its fields holds, it may stand in QuickBooks."""
    item = {"bId": "0", "TimeActivity": {**STORED, key: value}}
    text = json.dumps({"BatchItemResponse": [item]})
    first, second = outcomes(200, text)
    assert first.state in {"sent", "unknown"}
    assert second.state == "unknown"
