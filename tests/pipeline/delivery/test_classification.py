"""What an answer proves: the whole table of delivery.md, step 6."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.breaker import MAY_DIFFER, Tally
from pipeline.delivery.classification import (
    PROVES_NOTHING_STORED,
    Outcome,
    classify,
    is_business_rule,
    is_named,
    is_replay,
    of_replay,
)
from pipeline.quickbooks.activities import Facts, parse
from pipeline.quickbooks.faults import Fault, fault_of
from tests.pipeline.rows import delivery

SENT = (
    '{"BillableStatus":"Billable","CustomerRef":{"value":"21"},"Description":"Garden Lighting",'
    '"EmployeeRef":{"value":"55"},"HourlyRate":137.25,"Hours":1,"ItemRef":{"value":"8"},'
    '"Minutes":30,"NameOf":"Employee","TxnDate":"2024-05-14"}'
)
STORED = parse(SENT) | {"Id": "145", "SyncToken": "0", "domain": "QBO", "Taxable": False}
REFUSED = [
    *("2010", "2011", "2020", "2170", "2499", "2500"),
    *("610", "6190", "6200", "6209", "6210"),
    *("6290", "6300", "6389", "6390"),
]
NOT_PROVED = [
    *("2009", "2501", "609", "611", "6189", "6211", "6289", "6391"),
    *("", "0", "500", "5010", "6000", "6240", "10000", "-2010", "2010x", "²", "20.20"),
]


def fault(code: str) -> Fault:
    """A fault of a code."""
    return Fault(code=code, message="No", detail="because")


def classified(
    status: int, item: dict[str, Any] | None = None, found: Fault | None = None
) -> Outcome:
    """Classify an answer to the valid payload."""
    return classify(status, item, found, sent=SENT)


@pytest.mark.parametrize("code", REFUSED)
@pytest.mark.parametrize("status", [200, 400])
def test_a_validation_fault_on_a_first_attempt_refuses(code: str, status: int) -> None:
    """It proves that nothing was stored."""
    outcome = classified(status, found=fault(code))
    assert outcome == Outcome("refused", error_code=code, error_message="No: because")


@pytest.mark.parametrize("code", NOT_PROVED)
@pytest.mark.parametrize("status", [200, 400])
def test_a_fault_beside_the_list_proves_nothing(code: str, status: int) -> None:
    """The codes next to each boundary, and what is no code."""
    outcome = classified(status, found=fault(code))
    assert outcome.state == "unknown"


@pytest.mark.parametrize("status", [0, 401, 403, 404, 500, 502, 503, 504])
def test_a_listed_fault_under_another_status_proves_nothing(status: int) -> None:
    """A gateway may speak of something else."""
    outcome = classified(status, found=fault("2020"))
    assert outcome.state == "unknown"


@pytest.mark.parametrize("status", [0, 201, 204, 302, 400, 401, 500, 502, 503, 504])
@pytest.mark.parametrize("item", [None, {}, {"bId": "0"}])
def test_an_answer_that_says_nothing_is_unknown(status: int, item: dict[str, Any] | None) -> None:
    """Time-outs, outages, redirects, and no answer at all."""
    outcome = classified(status, item)
    assert outcome.state == "unknown"
    assert outcome.error_code == (str(status) if status else None)
    assert outcome.error_message


@pytest.mark.parametrize(
    "item",
    [
        None,
        {},
        {"TimeActivity": None},
        {"TimeActivity": {}},
        {"TimeActivity": {**STORED, "Id": ""}},
        {"TimeActivity": {"status": "Deleted"}},
        {"Customer": {"Id": "145"}},
    ],
    ids=str,
)
def test_a_success_without_an_id_is_unknown(item: dict[str, Any] | None) -> None:
    """Also one without an item for this delivery."""
    assert classified(200, item).state == "unknown"


def test_what_is_stored_and_cannot_be_read_is_unknown() -> None:
    """It says which of its fields, and that an answer came."""
    outcome = classified(200, {"TimeActivity": STORED | {"Minutes": 1.5}})
    said = "the answer holds a time activity that cannot be read: its Minutes are no whole number"
    assert outcome == Outcome("unknown", error_code="200", error_message=f"{said}: 1.5")


def test_an_id_under_another_status_than_success_is_unknown() -> None:
    """Nobody documents it."""
    assert classified(500, {"TimeActivity": STORED}).state == "unknown"


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, None), (429, ""), (429, "2020"), (200, "3001"), (400, "3001"), (403, "3001")],
)
def test_throttling_waits(status: int, code: str | None) -> None:
    """Whether the whole answer is throttled, with or without a body, or one item inside a 200."""
    found = None if code is None else fault(code)
    outcome = classified(status, found=found)
    said = ("429", "too many requests") if code is None else (code, "No: because")
    assert outcome == Outcome("throttled", error_code=said[0], error_message=said[1])


@pytest.mark.parametrize(
    ("code", "state"), [("003001", "throttled"), ("002020", "refused"), ("000610", "refused")]
)
def test_leading_zeros_of_a_code_mean_nothing(code: str, state: str) -> None:
    """Older answers pad codes to six digits; straight or as the client reads them."""
    text = f'{{"Fault":{{"Error":[{{"Message":"No","code":"{code}"}}],"type":"ValidationFault"}}}}'
    assert classified(200, found=fault(code)).state == state
    assert classified(400, found=fault_of(400, text)).state == state


def test_stored_as_sent_is_sent() -> None:
    """With QuickBooks' id and version of it."""
    outcome = classified(200, {"TimeActivity": STORED})
    assert outcome == Outcome("sent", quickbooks_id="145", sync_token="0")


CHANGED = {
    "person": {"EmployeeRef": {"value": "7"}},
    "customer": {"CustomerRef": {"value": "2"}},
    "work_date": {"TxnDate": "2024-05-15"},
    "minutes": {"Minutes": 29},
    "is_billable": {"BillableStatus": "NotBillable"},
    "description": {"Description": "Garden Lighting?"},
    "rate": {"HourlyRate": Decimal("137.24")},
    "item": {"ItemRef": {"value": "2"}},
}
ODD = {
    "other name": ("person", {"NameOf": "Other", "OtherNameRef": {"value": "55"}}),
    "no date": ("work_date", {"TxnDate": None}),
}


def test_every_compared_field_is_tried_below() -> None:
    """A new one must be added there."""
    assert set(CHANGED) == set(Facts._fields)


@pytest.mark.parametrize(("field", "change"), [*CHANGED.items(), *ODD.values()])
def test_stored_otherwise_than_sent_is_sent_and_says_what_differs(
    field: str, change: dict[str, Any]
) -> None:
    """It is there, whatever it is; to send it again would double it."""
    outcome = classified(200, {"TimeActivity": STORED | change})
    assert (outcome.state, outcome.quickbooks_id) == ("sent", "145")
    assert outcome.differs == (field,)
    assert outcome.error_message == f"stored otherwise than sent: {field}"


@given(
    status=st.sampled_from([0, 200, 201, 400, 401, 403, 404, 429, 500, 503]) | st.integers(0, 599),
    code=st.sampled_from([*REFUSED, *NOT_PROVED, "3001"]) | st.integers(0, 11000).map(str),
    has_fault=st.booleans(),
    item=st.sampled_from([None, {}, {"TimeActivity": {}}, {"TimeActivity": STORED}]),
)
def test_refused_is_proved_and_sent_has_an_id(
    *, status: int, code: str, has_fault: bool, item: dict[str, Any] | None
) -> None:
    """Refused may be sent again; sent never is."""
    outcome = classified(status, item, fault(code) if has_fault else None)
    assert (outcome.quickbooks_id is not None) == (outcome.state == "sent")
    if outcome.state == "refused":
        assert has_fault
        assert status in {200, 400}
        assert int(code) in PROVES_NOTHING_STORED


EDITED = {
    "MetaData": {
        "CreateTime": "2026-11-22T10:00:04-08:00",
        "LastUpdatedTime": "2026-11-22T10:00:09-08:00",
    }
}
BEFORE = datetime(2026, 11, 22, 18, 0, 5, 400000, tzinfo=UTC)


def test_everything_that_differs_is_named_and_the_version_is_kept() -> None:
    """In the order of the compared fields; the version is the first if QuickBooks gives none."""
    changes = {"Minutes": 29, "Description": "Lights", "SyncToken": "2"}
    outcome = classified(200, {"TimeActivity": STORED | changes})
    assert outcome.error_message == "stored otherwise than sent: minutes, description"
    assert outcome.sync_token == "2"
    drift = of_replay(outcome, STORED | changes | EDITED, SENT)
    assert drift.error_message == "drift: minutes, description"
    unversioned = {key: value for key, value in STORED.items() if key != "SyncToken"}
    assert classified(200, {"TimeActivity": unversioned}).sync_token == "0"


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-11-22T10:00:05-08:00", False),  # this very second, cut off
        ("2026-11-22T10:00:06-08:00", False),
        ("2026-11-22T10:00:04-08:00", True),
        ("2026-11-22T10:00:04.4-08:00", True),  # had it been cut off, it would be older still
        ("2026-11-22T10:00:04.401-08:00", False),
        ("2026-11-21T18:00:05Z", True),
        ("2026-11-22T18:00:04", False),  # of no zone: it cannot be compared
        ("yesterday", False),
        (None, False),
    ],
)
def test_an_answer_about_something_older_than_the_attempt_is_a_replay(
    created: str | None, *, expected: bool
) -> None:
    """By Intuit's clock, which is finer in an answer than in a record."""
    outcome = classified(200, {"TimeActivity": STORED | {"MetaData": {"CreateTime": created}}})
    assert is_replay(outcome, BEFORE) is expected
    assert not is_replay(outcome, None)


def test_what_was_replayed_is_what_it_is_now() -> None:
    """Unchanged, edited since, which is drift and no misunderstanding, or deleted."""
    replay = classified(200, {"TimeActivity": STORED | {"Minutes": 29}})
    assert of_replay(replay, STORED, SENT) == Outcome("sent", quickbooks_id="145", sync_token="0")
    changes = {"SyncToken": "3", "Description": "as agreed"}
    edited = of_replay(replay, STORED | changes | EDITED, SENT)
    assert (edited.state, edited.sync_token, edited.differs) == ("sent", "3", ())
    assert edited.error_message == "drift: description"
    gone = of_replay(replay, None, SENT)
    assert (gone.state, gone.quickbooks_id, gone.differs) == ("gone", "145", ())
    assert "deleted in QuickBooks" in str(gone.error_message)


def test_what_was_stored_otherwise_and_nobody_has_edited_is_no_drift() -> None:
    """Where Intuit's machines disagree by a second each answer looks old; three stop the run."""
    created = EDITED["MetaData"]["CreateTime"]
    wrong = STORED | {"EmployeeRef": {"value": "7"}}
    wrong |= {"MetaData": {"CreateTime": created, "LastUpdatedTime": created}}
    outcome = classified(200, {"TimeActivity": wrong})
    assert is_replay(outcome, BEFORE)
    assert of_replay(outcome, wrong, SENT) == outcome
    assert outcome.differs == ("person",)
    tally = Tally()
    tally.add([(delivery(), of_replay(outcome, wrong, SENT))] * MAY_DIFFER)
    assert "as they were sent" in str(tally.stop())


@pytest.mark.parametrize(
    ("code", "named", "rule"),
    [
        ("6000", True, True),
        ("6999", True, True),
        ("5999", True, False),
        ("7000", True, False),
        ("500", True, False),  # QuickBooks' own code, too: text that it cannot read
        ("6000x", True, False),
        ("200", False, False),  # ours, for an answer without the item
        ("", False, False),
        (None, False, False),
    ],
)
def test_a_fault_that_is_named_is_an_answer(code: str | None, *, named: bool, rule: bool) -> None:
    """A rule of its own is one of them."""
    assert (is_named(code), is_business_rule(code)) == (named, rule)
