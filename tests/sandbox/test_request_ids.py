"""Request ids: a repeated write is answered as the first was, and stored once."""

from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.quickbooks_client import Api, code, valid


def _batch(*bodies: dict[str, Any], first: int = 0) -> dict[str, Any]:
    items = [
        {"bId": str(number), "operation": "create", "TimeActivity": body}
        for number, body in enumerate(bodies, first)
    ]
    return {"BatchItemRequest": items}


def test_a_replay_is_the_same_byte_for_byte(quickbooks_api: Api) -> None:
    """Even a changed body gets the first answer."""
    before = quickbooks_api.count()
    first = quickbooks_api.post("timeactivity", valid(), requestid="one")
    other = quickbooks_api.post("timeactivity", valid(Hours=7), requestid="one")
    assert first.content == other.content
    assert quickbooks_api.count() == before + 1


def test_a_replayed_batch_is_the_same_byte_for_byte(quickbooks_api: Api) -> None:
    """The time in the envelope is the first one's too."""
    before, sent = quickbooks_api.count(), _batch(valid(), valid(Hours=4))
    first = quickbooks_api.post("batch", sent, requestid="two")
    assert first.content == quickbooks_api.post("batch", sent, requestid="two").content
    assert quickbooks_api.count() == before + 2


def test_the_key_in_a_batch_is_the_request_id_with_the_item_id(quickbooks_api: Api) -> None:
    """An item with a new id is new, under an old request id."""
    before = quickbooks_api.count()
    quickbooks_api.post("batch", _batch(valid(), valid()), requestid="a")
    quickbooks_api.post("batch", _batch(valid(), valid(), first=1), requestid="a")
    assert quickbooks_api.count() == before + 3


def test_without_a_request_id_two_writes_are_two(quickbooks_api: Api) -> None:
    """Nothing else keeps the service from storing duplicates."""
    before = quickbooks_api.count()
    for _ in range(2):
        quickbooks_api.create(valid())
    assert quickbooks_api.count() == before + 2


def test_a_refused_write_is_judged_anew_unless_faults_are_remembered(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """Intuit does not say which: both can be had."""
    assert quickbooks_api.post("timeactivity", valid(Minutes=61), requestid="b").status_code == 400
    assert quickbooks_api.post("timeactivity", valid(), requestid="b").status_code == 200
    sandbox.switch(remember_faults=True)
    for body in (valid(Minutes=61), valid()):
        assert code(quickbooks_api.post("timeactivity", body, requestid="c")) == "6380"


@pytest.mark.parametrize(
    ("mode", "expected"), [("refuse_600", "600"), ("refuse_6000", "6000"), ("ignore", None)]
)
def test_the_service_may_treat_repeats_otherwise(
    sandbox: Sandbox, quickbooks_api: Api, mode: str, expected: str | None
) -> None:
    """The error codes for it exist, so a client must expect them."""
    sandbox.switch(request_ids=mode)
    before = quickbooks_api.count()
    quickbooks_api.create(valid(), requestid="d")
    again = quickbooks_api.post("timeactivity", valid(), requestid="d")
    assert (None if again.status_code == 200 else code(again)) == expected
    assert quickbooks_api.count() == before + (2 if expected is None else 1)


def test_ids_may_be_forgotten_after_a_while(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """Intuit does not say for how long it remembers."""
    sandbox.switch(request_id_memory_seconds=60)
    first = quickbooks_api.create(valid(), requestid="e")
    assert quickbooks_api.create(valid(), requestid="e")["Id"] == first["Id"]
    sandbox.switch(clock_skew_seconds=61)
    assert quickbooks_api.create(valid(), requestid="e")["Id"] != first["Id"]


def test_ids_that_are_too_long_are_refused(quickbooks_api: Api) -> None:
    """50 characters alone, 36 and 10 in a batch."""
    before = quickbooks_api.count()
    assert code(quickbooks_api.post("timeactivity", valid(), requestid="x" * 51)) == "2130"
    assert code(quickbooks_api.post("batch", _batch(valid()), requestid="x" * 37)) == "2130"
    long = {"BatchItemRequest": [{"bId": "x" * 11, "operation": "create", "TimeActivity": valid()}]}
    assert code(quickbooks_api.post("batch", long, requestid="x")) == "2130"
    assert quickbooks_api.count() == before
    assert quickbooks_api.post("batch", long).status_code == 200


def test_a_batch_of_more_than_thirty_is_refused_whole(quickbooks_api: Api) -> None:
    """Nothing of it is stored."""
    before = quickbooks_api.count()
    assert code(quickbooks_api.post("batch", _batch(*[valid()] * 31))) == "1040"
    assert quickbooks_api.count() == before


def test_a_batch_may_hold_queries_and_deletions(quickbooks_api: Api) -> None:
    """Each kind of item is answered in its own form."""
    made = quickbooks_api.create(valid())
    items = [
        {"bId": "q", "Query": "select count(*) from Employee"},
        {"bId": "d", "operation": "delete", "TimeActivity": made},
        {"bId": "x", "operation": "void", "TimeActivity": made},
    ]
    answer = quickbooks_api.post("batch", {"BatchItemRequest": items}).json()
    query, deletion, void = answer["BatchItemResponse"]
    assert query == {"QueryResponse": {"totalCount": 12}, "bId": "q"}
    assert deletion["TimeActivity"]["status"] == "Deleted"
    assert void["Fault"]["Error"][0]["code"] == "500"
