"""Faults on demand, counters, limits: what happens around a request."""

import time
from datetime import datetime

import httpx
import pytest

from tests.conftest import Sandbox
from tests.pipeline.others import until
from tests.sandbox.quickbooks_client import Api, code, valid

DROPPED = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.mark.parametrize(("fault", "stored"), [("drop_before_store", 0), ("drop_after_store", 1)])
def test_a_dropped_connection_gives_no_byte(
    sandbox: Sandbox, quickbooks_api: Api, fault: str, stored: int
) -> None:
    """The client cannot tell whether its write was stored; here the test can."""
    before = quickbooks_api.count()
    sandbox.fail("timeactivity", fault)
    with pytest.raises(DROPPED):
        quickbooks_api.post("timeactivity", valid(), requestid="x")
    assert quickbooks_api.count() == before + stored
    assert quickbooks_api.post("timeactivity", valid(), requestid="x").status_code == 200
    assert quickbooks_api.count() == before + 1


def test_half_an_answer_is_no_answer(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """The connection ends below the length that the head promised."""
    sandbox.fail("query", "truncate")
    with pytest.raises(DROPPED):
        quickbooks_api.count()


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_a_status_can_stand_before_or_after_the_work(
    sandbox: Sandbox, quickbooks_api: Api, when: str, stored: int
) -> None:
    """A 503 proves nothing about what was stored."""
    before = quickbooks_api.count()
    sandbox.fail("timeactivity", "status", status=503, when=when, headers={"Retry-After": "1"})
    answer = quickbooks_api.post("timeactivity", valid())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.text.startswith("<html>")
    assert quickbooks_api.count() == before + stored


def test_a_fault_strikes_as_often_as_asked_and_where_asked(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """The first request passes, two fail, the rest pass; other routes are not touched."""
    sandbox.fail("preferences", "status", status=429, body={"Fault": {}}, times=2, skip=1)
    statuses = [quickbooks_api.get("preferences").status_code for _ in range(5)]
    assert statuses == [200, 429, 429, 200, 200]
    sandbox.fail("batch", "status", times=None)
    assert quickbooks_api.get("preferences").status_code == 200
    sandbox.admin("DELETE", "faults")
    assert sandbox.admin("GET", "faults") == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_can_be_late(sandbox: Sandbox, quickbooks_api: Api, when: str) -> None:
    """The write is stored all the same, before or after a client gave up."""
    before = quickbooks_api.count()
    sandbox.fail("timeactivity", "delay", delay_seconds=0.2, when=when)
    started = time.monotonic()
    assert quickbooks_api.post("timeactivity", valid()).status_code == 200
    assert time.monotonic() - started >= 0.2
    assert quickbooks_api.count() == before + 1


def test_a_fault_that_makes_no_sense_is_refused(sandbox: Sandbox) -> None:
    """With a sentence that names what is wrong."""
    for wrong in ({"fault": "explode"}, {"fault": "status", "colour": 1}, {"fault": "status"}):
        route = {} if wrong == {"fault": "status"} else {"route": "batch"}
        answer = httpx.post(f"{sandbox.url}/_admin/faults", json={**wrong, **route})
        assert answer.status_code == 400
        assert answer.json()["error"]


def test_calls_are_counted_by_address_and_as_intuit_meters_them(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """Reads are CorePlus, writes are Core, a batch is its items."""
    quickbooks_api.count()
    quickbooks_api.create(valid())
    items = [
        {"bId": "1", "Query": "select * from Item"},
        {"bId": "2", "operation": "create", "TimeActivity": valid()},
        {"bId": "3", "operation": "create", "TimeActivity": valid()},
    ]
    quickbooks_api.post("batch", {"BatchItemRequest": items})
    assert (sandbox.calls("core_plus"), sandbox.calls("core")) == (2, 3)
    assert sandbox.calls("POST /v3/company/{id}/batch") == 1
    sandbox.admin("DELETE", "calls")
    assert sandbox.admin("GET", "calls") == {}


def test_every_answer_of_intuit_has_an_id_and_a_time(quickbooks_api: Api) -> None:
    """The time has Pacific's offset; refusals have both too."""
    for path in ("preferences", "timeactivity/1"):
        answer = quickbooks_api.get(path)
        offset = datetime.fromisoformat(answer.json()["time"]).utcoffset()
        assert offset is not None
        assert offset.total_seconds() in (-8 * 3600, -7 * 3600)
        assert answer.headers["intuit_tid"].startswith("1-")


def test_over_the_limits_is_429(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """Ten a second; what is refused stores nothing."""
    sandbox.switch(throttle=True)
    before = len(sandbox.world.company.activities)
    answers = [quickbooks_api.post("timeactivity", valid()) for _ in range(15)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {(answer.status_code, code(answer)) for answer in refused} == {(429, "3001")}
    assert len(sandbox.world.company.activities) - before == len(answers) - len(refused)


def test_another_company_is_forbidden(quickbooks_api: Api) -> None:
    """Status 403, code 3100."""
    answer = quickbooks_api.http.get("/v3/company/999/preferences")
    assert (answer.status_code, code(answer)) == (403, "3100")


@pytest.mark.parametrize(("how", "status"), [("ended", 400), ("ended_in_200", 200)])
def test_without_a_subscription_everything_is_refused(
    sandbox: Sandbox, quickbooks_api: Api, how: str, status: int
) -> None:
    """Code 6190, sometimes inside a 200."""
    sandbox.switch(subscription=how)
    answer = quickbooks_api.get("preferences")
    assert (answer.status_code, code(answer)) == (status, "6190")


def test_an_address_that_nothing_answers_is_a_400(quickbooks_api: Api) -> None:
    """Not a 404: the code is 500, the status is not."""
    for path in ("timeactivities", "TimeActivity"):
        answer = quickbooks_api.post(path, valid())
        assert (answer.status_code, code(answer)) == (400, "500")


def test_a_body_that_cannot_be_read_is_refused(quickbooks_api: Api) -> None:
    """Bytes that are no UTF-8 have a code of their own."""
    url = f"{quickbooks_api.company}/timeactivity"
    unreadable = {b"\xff": "500", b"{": "2010", b"[]": "2010", b'{"Id": "\\ud800"}': "2040"}
    for content, expected in unreadable.items():
        assert code(quickbooks_api.http.post(url, content=content)) == expected


def test_a_foreign_host_name_is_not_served(sandbox: Sandbox) -> None:
    """A page in a browser cannot reach the admin routes under a name of its own."""
    answer = httpx.get(f"{sandbox.url}/_admin/calls", headers={"Host": "evil.example"})
    assert answer.status_code == 400


def test_a_write_may_be_carried_out_long_after_its_client_has_gone(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """The client gave up; the service did not."""
    before = quickbooks_api.count()
    sandbox.fail("batch", "delay", delay_seconds=1)
    items = [{"bId": "0", "operation": "create", "TimeActivity": valid()}]
    with pytest.raises(httpx.ReadTimeout):
        quickbooks_api.http.post(
            f"{quickbooks_api.company}/batch", json={"BatchItemRequest": items}, timeout=0.1
        )
    assert quickbooks_api.count() == before
    until(lambda: quickbooks_api.count() > before)
    assert quickbooks_api.count() == before + 1


def test_an_answer_may_come_a_few_bytes_at_a_time(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """Whole in the end, however slowly."""
    sandbox.fail("timeactivity", "trickle", delay_seconds=0.05)
    started = time.monotonic()
    assert quickbooks_api.post("timeactivity", valid()).json()["TimeActivity"]["Id"]
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("fault", "stored", "answered"),
    [
        ("throttle_items", 2, ["0", "1 3001", "2", "3 3001"]),
        ("lose_items", 4, ["0", "2"]),
        ("reorder_items", 4, ["3", "2", "1", "0"]),
        ("rename_item", 4, ["stranger", "1", "2", "3"]),
        ("repeat_item", 4, ["0", "1", "2", "3", "0"]),
        ("swap_person", 4, ["0", "1", "2", "3"]),
    ],
)
def test_a_batch_may_be_carried_out_or_answered_awry(
    sandbox: Sandbox, quickbooks_api: Api, fault: str, stored: int, answered: list[str]
) -> None:
    """Items throttled, left out, in another order, under a foreign id, for somebody else."""
    before = set(sandbox.world.company.activities)
    items = [
        {"bId": str(place), "operation": "create", "TimeActivity": valid()} for place in range(4)
    ]
    sandbox.fail("batch", fault)
    given = quickbooks_api.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    codes = [each["Fault"]["Error"][0]["code"] if "Fault" in each else "" for each in given]
    assert [
        f"{each['bId']} {said}".strip() for each, said in zip(given, codes, strict=True)
    ] == answered
    made = [row for key, row in sandbox.world.company.activities.items() if key not in before]
    assert len(made) == stored
    is_other = {row["EmployeeRef"]["value"] != valid()["EmployeeRef"]["value"] for row in made}
    assert is_other == {fault == "swap_person"}
