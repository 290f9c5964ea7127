"""The QuickBooks client: complete reads, and writes whose outcome is returned, never guessed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import httpx
import pandas as pd
import pytest

from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.rows import NOT_WHOLE
from pipeline.quickbooks.tokens import Tokens
from pipeline.schemas import QuickbooksCompany, QuickbooksCustomers, QuickbooksEmployees
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.pipeline.conftest import SettingsFor

BATCH = "POST /v3/company/{id}/batch"
QUERY = "GET /v3/company/{id}/query"
REFRESH = "POST /oauth2/v1/tokens/bearer"
MARCH = (date(2027, 3, 1), date(2027, 3, 31))
"""Dates on which the invented company has no time activity."""


@pytest.fixture
def patient(settings_for: SettingsFor) -> Iterator[QuickBooks]:
    """A client that waits longer than a test is slow."""
    settings = settings_for(HTTP_PATIENCE_SECONDS="30")
    with QuickBooks(settings, Tokens(settings)) as client:
        yield client


def activity(sandbox: Sandbox, **changes: object) -> str:
    """A valid time activity as exact JSON, with some of it changed."""
    company = sandbox.world.company
    body = {
        "TxnDate": "2027-03-10",
        "NameOf": "Employee",
        "EmployeeRef": {"value": next(iter(company.employees))},
        "CustomerRef": {"value": next(iter(company.customers))},
        "BillableStatus": "Billable",
        "HourlyRate": 12.25,
        "Hours": 1,
        "Minutes": 30,
        "Description": "O'Neil & Söhne",
    }
    return json.dumps({**body, **changes})


def stored(sandbox: Sandbox, count: int) -> None:
    """Put time activities of one day into the books."""
    activities = sandbox.world.company.activities
    some = next(iter(activities.values()))
    for number in range(count):
        made = deepcopy(some)
        made |= {"Id": str(100_000 + number), "TxnDate": "2027-03-10"}
        activities[made["Id"]] = made


def held(sandbox: Sandbox) -> int:
    """How many time activities of March the books hold."""
    activities = sandbox.world.company.activities.values()
    return sum(each["TxnDate"].startswith("2027-03") for each in activities)


def test_the_company_fits_its_table(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """Name, plan, payroll, time tracking and currency, from two pages."""
    row = quickbooks.company()
    QuickbooksCompany.validate(pd.DataFrame([row | {"read_at": datetime.now(UTC)}]))
    company = sandbox.world.company
    assert (row["realm_id"], row["company_name"]) == (company.realm_id, company.name)
    assert (row["plan"], row["home_currency"]) == (company.plan, company.home_currency)
    assert (row["is_payroll_enabled"], row["is_time_tracking_enabled"]) == (False, True)
    assert row["service_item_id"] is None


def test_payroll_and_time_tracking_are_seen(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """Each turned the other way."""
    company = sandbox.world.company
    company.is_payroll_on, company.is_time_tracking_on, company.plan = True, False, "Simple"
    row = quickbooks.company()
    assert (row["is_payroll_enabled"], row["is_time_tracking_enabled"]) == (True, False)
    assert row["plan"] == "Simple"


def items(sandbox: Sandbox) -> None:
    """Give the company service items with names that are easily confused."""
    kinds = {
        "901": {"Name": "Design", "UnitPrice": 95.5},
        "902": {"Name": "Design", "FullyQualifiedName": "Old:Design", "UnitPrice": 1},
        "903": {"Name": "Twice", "FullyQualifiedName": "A:Twice"},
        "904": {"Name": "Twice", "FullyQualifiedName": "B:Twice"},
        "905": {"Name": "Bulbs", "Type": "NonInventory"},
        "906": {"Name": "Former", "Active": False},
        "907": {"Name": "Thirds", "UnitPrice": 33.333},
        "908": {"Name": "Free"},
    }
    for item_id, changes in kinds.items():
        own = {"Id": item_id, "Type": "Service", "Active": True, "SyncToken": "0", **changes}
        own.setdefault("FullyQualifiedName", own["Name"])
        sandbox.world.company.items[item_id] = own


@pytest.mark.parametrize(
    ("name", "item_id", "rate_minor"),
    [
        ("Design", "901", 9550),
        ("Old:Design", "902", 100),
        ("A:Twice", "903", None),
        ("Thirds", "907", NOT_WHOLE),
    ],
)
def test_the_service_item_is_found_by_exactly_its_name(
    sandbox: Sandbox,
    settings_for: SettingsFor,
    name: str,
    item_id: str,
    rate_minor: int | None,
) -> None:
    """Its full path first; a price with parts of a cent is known to be there."""
    items(sandbox)
    settings = settings_for(SERVICE_ITEM=name)
    with QuickBooks(settings, Tokens(settings)) as quickbooks:
        row = quickbooks.company()
    assert (row["service_item_id"], row["service_item_rate_minor"]) == (item_id, rate_minor)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("design", "no active service item named exactly `design` (SERVICE_ITEM). Set one of: "),
        ("Twice", "more than one active service item named exactly `Twice`"),
        ("Bulbs", "no active service item named exactly `Bulbs`"),
        ("Former", "no active service item named exactly `Former`"),
    ],
)
def test_a_service_item_that_is_not_there_stops_the_run(
    sandbox: Sandbox, settings_for: SettingsFor, name: str, says: str
) -> None:
    """With near names, never with the nearest taken."""
    items(sandbox)
    settings = settings_for(SERVICE_ITEM=name)
    with QuickBooks(settings, Tokens(settings)) as quickbooks, pytest.raises(Stop) as raised:
        quickbooks.company()
    assert says in str(raised.value)
    if name == "design":
        assert "Design" in raised.value.fix


def test_employees_fit_their_table_inactive_ones_included(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """With the suffix that QuickBooks gives to inactive names."""
    rows = quickbooks.employees()
    QuickbooksEmployees.validate(pd.DataFrame(rows))
    assert len(rows) == len(sandbox.world.company.employees)
    inactive = [row["display_name"] for row in rows if not row["is_active"]]
    assert inactive
    assert all(name.endswith(" (deleted)") for name in inactive)


def test_customers_fit_their_table_with_parents_and_projects(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """A sub-customer knows its parent; a top-level customer has level 0."""
    rows = quickbooks.customers()
    QuickbooksCustomers.validate(pd.DataFrame(rows))
    by_id = {row["quickbooks_customer_id"]: row for row in rows}
    assert by_id.keys() == sandbox.world.company.customers.keys()
    for row in rows:
        assert (row["parent_id"] is None) == (row["level"] == 0)
        if row["parent_id"] and row["is_active"]:
            parent = by_id[row["parent_id"]]["fully_qualified_name"]
            assert row["fully_qualified_name"] == f"{parent}:{row['display_name']}"
    assert (
        {row["is_project"] for row in rows} == {row["is_active"] for row in rows} == {True, False}
    )


def test_keys_that_are_left_out_mean_their_defaults(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """Answers only have attributes with values."""
    body = {"QueryResponse": {"Customer": [{"Id": "5", "DisplayName": "Acme"}], "totalCount": 1}}
    sandbox.fail("query", "status", status=200, body=json.dumps(body), times=None)
    assert quickbooks.customers() == [
        {
            "quickbooks_customer_id": "5",
            "display_name": "Acme",
            "fully_qualified_name": "Acme",
            "parent_id": None,
            "level": 0,
            "is_active": True,
            "is_project": False,
            "currency": None,
            "sync_token": None,
        }
    ]


def test_time_activities_of_a_range_are_read_to_the_last_page(
    sandbox: Sandbox, patient: QuickBooks
) -> None:
    """1,000 rows a page, ordered by id, counted before and after; decimals stay exact."""
    stored(sandbox, 2100)
    rows = patient.time_activities(*MARCH).values()
    assert [int(row["Id"]) for row in rows] == list(range(100_000, 102_100))
    assert sandbox.calls(QUERY) == 5
    assert not any(isinstance(value, float) for row in rows for value in row.values())


def test_the_bounds_of_a_range_of_dates_are_included(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """And nothing beyond them."""
    for day in ("2027-02-28", "2027-03-01", "2027-03-31", "2027-04-01"):
        stored(sandbox, 1)
        made = sandbox.world.company.activities.pop("100000")
        made |= {"Id": day.replace("-", ""), "TxnDate": day}
        sandbox.world.company.activities[made["Id"]] = made
    rows = quickbooks.time_activities(*MARCH).values()
    assert [row["TxnDate"] for row in rows] == ["2027-03-01", "2027-03-31"]


def test_time_activities_are_found_by_when_they_were_created(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """By Intuit's clock, whatever their date."""
    quickbooks.company()
    before = quickbooks.last_time
    assert before is not None
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert answer.time is not None
    rows = quickbooks.time_activities_created(before - timedelta(seconds=1), answer.time)
    assert [*rows] == [answer.items[0]["TimeActivity"]["Id"]]
    later = answer.time + timedelta(minutes=5)
    assert quickbooks.time_activities_created(later, later) == {}


def count_of(count: int) -> str:
    """What QuickBooks answers to a count."""
    return json.dumps({"QueryResponse": {"totalCount": count}, "time": "2026-11-22T00:00:00Z"})


@pytest.mark.parametrize("skip", [0, 2])
def test_a_read_that_disagrees_with_its_count_is_done_again(
    sandbox: Sandbox, patient: QuickBooks, skip: int
) -> None:
    """Whether the count before or the count after is the one that differs."""
    stored(sandbox, 3)
    sandbox.fail("query", "status", status=200, body=count_of(4), skip=skip)
    assert len(patient.time_activities(*MARCH)) == 3
    assert sandbox.calls(QUERY) == 6


def test_a_read_that_stays_incomplete_stops_the_run(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """After three tries, with both counts."""
    sandbox.fail("query", "status", status=200, body=count_of(4), times=None)
    with pytest.raises(Stop, match="incomplete read: QuickBooks counts 4 TimeActivity") as raised:
        quickbooks.time_activities(*MARCH)
    assert raised.value.is_transient
    assert sandbox.calls(QUERY) == 9


def test_no_record_slips_between_two_pages(sandbox: Sandbox, patient: QuickBooks) -> None:
    """One is deleted and another added after the first page, so that both counts are the same."""
    stored(sandbox, 1500)
    activities = sandbox.world.company.activities

    def change(response: httpx.Response) -> None:
        if "STARTPOSITION 1 " in response.url.params["query"] and "100000" in activities:
            activities["200000"] = activities.pop("100000") | {"Id": "200000"}

    patient.http.client.event_hooks["response"].append(change)
    ids = [int(key) for key in patient.time_activities(*MARCH)]
    assert ids == [*range(100_001, 101_500), 200_000]


@pytest.mark.parametrize("body", [{}, {"TimeActivity": {}}, {"TimeActivity": None}], ids=str)
def test_an_answer_without_the_time_activity_is_not_taken_for_its_end(
    sandbox: Sandbox, quickbooks: QuickBooks, body: dict[str, object]
) -> None:
    """What is gone is never sent again, so only QuickBooks' own word for it counts."""
    sandbox.fail("timeactivity", "status", status=200, body=json.dumps(body))
    with pytest.raises(Stop, match="The API has changed"):
        quickbooks.time_activity("1")


TIMED = {"StartTime": "2027-03-10T09:00:00", "EndTime": "2027-03-10T11:00:00", "Hours": 0}
EVERY_READ_OF_ACTIVITIES: list[Callable[[QuickBooks], Any]] = [
    lambda quickbooks: quickbooks.time_activities(*MARCH),
    lambda quickbooks: quickbooks.time_activities_created(*CREATED),
    lambda quickbooks: quickbooks.time_activity("100000"),
]
CREATED = (datetime(2027, 3, 10, tzinfo=UTC), datetime(2027, 3, 11, tzinfo=UTC))


@pytest.mark.parametrize("read", EVERY_READ_OF_ACTIVITIES)
@pytest.mark.parametrize(
    "odd",
    [
        {**TIMED, "StartTime": "2027-03-10T09:00:00-07:00"},
        {**TIMED, "StartTime": "09:00"},
        {"Hours": 1.5},
        {"Hours": "1.5"},
        {"Minutes": "half"},
        {"Description": 7},
        {"TxnDate": "2027-03-10T24:00", "HourlyRate": "dear"},
    ],
    ids=str,
)
def test_a_time_activity_that_cannot_be_read_is_named_by_every_read(
    sandbox: Sandbox,
    quickbooks: QuickBooks,
    read: Callable[[QuickBooks], Any],
    odd: dict[str, object],
) -> None:
    """Another program wrote it; left out, it might be what an entry became."""
    stored(sandbox, 1)
    made = sandbox.world.company.activities["100000"]
    made |= {"Minutes": 0, "MetaData": {"CreateTime": "2027-03-10T10:00:00-08:00"}, **odd}
    with pytest.raises(Stop, match="time activity 100000 of 2027-03-10") as said:
        read(quickbooks)
    assert "cannot be read" in said.value.what
    assert "Correct its hours" in said.value.fix


def test_one_time_activity_is_read_until_it_is_deleted(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """With its decimals exact."""
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    activity_id = answer.items[0]["TimeActivity"]["Id"]
    found = quickbooks.time_activity(activity_id)
    assert found is not None
    assert found["HourlyRate"] == Decimal("12.25")
    sandbox.admin("DELETE", f"activities/{activity_id}")
    assert quickbooks.time_activity(activity_id) is None


def test_a_time_activity_is_replaced(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """And refused if somebody was faster."""
    [made] = quickbooks.create_batch(
        quickbooks.await_turn(), "r1", [activity(sandbox)]
    ).items.values()
    body = {**made["TimeActivity"], "Minutes": 45}
    answer = quickbooks.update_time_activity(body, "r2")
    assert answer.body["TimeActivity"]["Minutes"] == 45
    stale = quickbooks.update_time_activity(body, "r3")
    assert stale.fault is not None
    assert stale.fault.code == "5010"


def test_a_batch_answers_each_item_by_its_place(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """A good one and a refused one in one answer, with Intuit's clock and trace."""
    refused = activity(sandbox, CustomerRef={"value": "99999"})
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [refused, activity(sandbox)])
    assert answer.status == 200
    assert sorted(answer.items) == [0, 1]
    assert answer.items[1]["TimeActivity"]["Description"] == "O'Neil & Söhne"
    assert (fault := answer.fault_of(0)) is not None
    assert fault.code == "2500"
    assert answer.fault_of(1) is None
    assert answer.fault is None
    assert answer.error is None
    assert answer.tid
    assert answer.time is not None
    assert answer.time == quickbooks.last_time
    assert abs(answer.time - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_batch_sent_again_is_answered_as_before(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """The same id and items make the same bytes."""
    first = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    again = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert first.items == again.items
    assert held(sandbox) == 1


def test_answers_to_unknown_items_are_left_out(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """An id not sent, one answered twice, one without any."""
    ids = ["0", "7", "0", None]
    responses = [{"bId": b_id, "TimeActivity": {"Id": str(at)}} for at, b_id in enumerate(ids)]
    body = json.dumps({"BatchItemResponse": responses})
    sandbox.fail("batch", "status", status=200, body=body)
    answer = quickbooks.create_batch(
        quickbooks.await_turn(), "r1", [activity(sandbox), activity(sandbox)]
    )
    assert answer.items[0]["TimeActivity"]["Id"] == "0"
    assert answer.items.get(1) is None
    assert answer.fault_of(1) is None


@pytest.mark.parametrize(
    ("fault", "error", "is_stored"),
    [
        ({"fault": "drop_before_store"}, "RemoteProtocolError", False),
        ({"fault": "drop_after_store"}, "RemoteProtocolError", True),
        ({"fault": "truncate"}, "RemoteProtocolError", True),
        ({"fault": "delay", "delay_seconds": 3, "when": "after"}, "ReadTimeout", True),
    ],
)
def test_an_outcome_that_nobody_knows_is_returned_and_not_sent_again(
    sandbox: Sandbox,
    quickbooks: QuickBooks,
    fault: dict[str, Any],
    error: str,
    is_stored: bool,  # noqa: FBT001 - what the case is about
) -> None:
    """The client sees the same whether something was stored or not."""
    sandbox.fail("batch", **fault)
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert (answer.status, answer.items, answer.fault) == (0, {}, None)
    assert answer.error is not None
    assert answer.error.startswith(error)
    assert held(sandbox) == int(is_stored)
    assert sandbox.calls(BATCH) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, "", ""),
        (503, None, ""),
        (500, '{"Fault": {"Error": [{"code": "10000"}], "type": "SystemFault"}}', "10000"),
        (200, "<html>ok</html>", ""),
        (200, '{"Fault": {"Error": [{"code": "6190"}], "type": "ValidationFault"}}', "6190"),
    ],
)
def test_an_answer_to_a_write_is_returned_whatever_it_says(
    sandbox: Sandbox, quickbooks: QuickBooks, status: int, body: str | None, code: str
) -> None:
    """What it proves is the classifier's to say; a 429 is the loader's to wait for."""
    sandbox.fail("batch", "status", status=status, body=body)
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert (answer.status, answer.items, answer.error) == (status, {}, None)
    assert (fault := answer.fault_of(0)) is not None
    assert fault.code == code
    assert sandbox.calls(BATCH) == 1


def test_a_write_that_certainly_never_arrived_stops_the_run(
    sandbox: Sandbox, settings_for: SettingsFor, closed_port: int
) -> None:
    """It is no open question, so the intent may simply be sent later."""
    settings = settings_for(QUICKBOOKS_API_URL=f"http://127.0.0.1:{closed_port}")
    with (
        QuickBooks(settings, Tokens(settings)) as quickbooks,
        pytest.raises(Stop, match=f"QuickBooks cannot be reached at 127.0.0.1:{closed_port}"),
    ):
        quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])


def test_an_expired_token_is_renewed_and_the_same_batch_sent_again(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """A 401 has stored nothing."""
    quickbooks.company()
    sandbox.world.tokens.access_tokens.clear()
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert answer.status == 200
    assert held(sandbox) == 1
    assert (sandbox.calls(BATCH), sandbox.calls(REFRESH)) == (2, 2)


@pytest.mark.parametrize(("seconds", "is_late"), [(59, False), (61, True)])
def test_a_batch_that_was_held_up_for_half_our_patience_is_not_sent_at_all(
    sandbox: Sandbox,
    settings_for: SettingsFor,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    *,
    is_late: bool,
) -> None:
    """Its outcome would be looked for too early, and it would be sent twice."""

    class HeldUp(Tokens):
        """Waits for another process that is renewing them."""

        def refresh(self, *, rejected: str | None = None) -> str:
            token = super().refresh(rejected=rejected)
            then = time.time() + seconds
            monkeypatch.setattr(time, "time", lambda: then)
            return token

    settings = settings_for(HTTP_PATIENCE_SECONDS="120")
    with QuickBooks(settings, HeldUp(settings)) as quickbooks:
        quickbooks.company()
        sandbox.world.tokens.access_tokens.clear()
        with pytest.raises(Stop, match="was held up here") if is_late else nullcontext():
            quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert held(sandbox) == (not is_late)


def test_who_has_awaited_a_turn_sends_without_another_wait(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """What is written down as begun then goes out at once: the token was had before."""
    turn = quickbooks.await_turn()
    assert sandbox.calls(REFRESH) == 1
    quickbooks.create_batch(turn, "r1", [activity(sandbox)])
    assert (sandbox.calls(BATCH), sandbox.calls(REFRESH)) == (1, 1)


def test_an_expired_token_is_renewed_in_the_middle_of_a_read(
    sandbox: Sandbox, patient: QuickBooks
) -> None:
    """And the page is read again."""
    patient.company()
    stored(sandbox, 3)
    sandbox.world.tokens.access_tokens.clear()
    assert len(patient.time_activities(*MARCH)) == 3
    assert sandbox.calls(REFRESH) == 2


def test_a_token_refused_again_after_a_refresh_is_returned_as_an_answer(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """Refreshed once, not for ever."""
    sandbox.fail("batch", "status", status=401, body='{"fault": {}}', times=None)
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert answer.status == 401
    assert (sandbox.calls(BATCH), sandbox.calls(REFRESH)) == (2, 2)


Call = Callable[[QuickBooks], Any]
EVERY_READ: list[Call] = [
    lambda quickbooks: quickbooks.company(),
    lambda quickbooks: quickbooks.employees(),
    lambda quickbooks: quickbooks.customers(),
    lambda quickbooks: quickbooks.time_activities(*MARCH),
    lambda quickbooks: quickbooks.time_activity("5"),
]


@pytest.mark.parametrize("call", EVERY_READ)
def test_a_wrong_realm_stops_every_read(settings_for: SettingsFor, call: Call) -> None:
    """With the setting to correct."""
    settings = settings_for(QUICKBOOKS_REALM_ID="1")
    with QuickBooks(settings, Tokens(settings)) as quickbooks, pytest.raises(Stop) as raised:
        call(quickbooks)
    assert "QuickBooks does not let this app use the company (3100" in raised.value.what
    assert "Check QUICKBOOKS_REALM_ID" in raised.value.fix
    assert "[intuit_tid 1-" in raised.value.what


@pytest.mark.parametrize("call", EVERY_READ)
@pytest.mark.parametrize("how", ["ended", "ended_in_200"])
def test_an_ended_subscription_stops_every_read(
    sandbox: Sandbox, quickbooks: QuickBooks, call: Call, how: str
) -> None:
    """Also where the fault stands inside a 200."""
    sandbox.switch(subscription=how)
    with pytest.raises(Stop, match="subscription has ended"):
        call(quickbooks)


@pytest.mark.parametrize(
    "call", [*EVERY_READ, lambda it: it.create_batch(it.await_turn(), "r1", ["{}"])]
)
def test_a_revoked_connection_stops_every_call_and_says_how_to_reconnect(
    sandbox: Sandbox, quickbooks: QuickBooks, call: Call
) -> None:
    """The customer has disconnected the app."""
    quickbooks.company()
    sandbox.world.tokens.is_revoked = True
    with pytest.raises(Stop, match="invalid_grant") as raised:
        call(quickbooks)
    assert "Connect the company again" in raised.value.fix


def test_a_token_refused_again_after_a_refresh_stops_a_read(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """Keys of the other environment do this."""
    sandbox.fail("companyinfo", "status", status=401, body="", times=None)
    with pytest.raises(Stop, match="refused the access token, also after a refresh"):
        quickbooks.company()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<html></html>", "QuickBooks refused a read: HTTP 200 without a readable answer"),
        ("{}", "QuickBooks' answer without an id has no `QueryResponse`"),
        ('{"QueryResponse": {}}', "QuickBooks' count without an id has no `totalCount`"),
        (
            '{"QueryResponse": {"totalCount": 1, "Employee": [{"Id": "5"}]}}',
            "QuickBooks' employee 5 has no `DisplayName`",
        ),
        (
            '{"QueryResponse": {"totalCount": 1, "Employee": [{"DisplayName": "A"}]}}',
            "QuickBooks' Employee without an id has no `Id`",
        ),
    ],
)
def test_an_answer_that_cannot_be_used_stops_the_run(
    sandbox: Sandbox, quickbooks: QuickBooks, body: str, says: str
) -> None:
    """It names what is missing."""
    sandbox.fail("query", "status", status=200, body=body, times=None)
    with pytest.raises(Stop) as raised:
        quickbooks.employees()
    assert says in str(raised.value)


THROTTLED = '{"Fault": {"Error": [{"Message": "ThrottleExceeded", "code": "003001"}]}}'
FAILED = '{"Fault": {"Error": [{"Message": "Application Error", "code": "10000"}]}}'
PAGE = "<html></html>"
PASSING = [(200, THROTTLED), (400, THROTTLED), (400, FAILED), (200, PAGE), (200, ""), (404, PAGE)]


@pytest.mark.parametrize(("status", "body"), PASSING)
def test_what_passes_is_read_again_however_it_is_told(
    sandbox: Sandbox, patient: QuickBooks, naps: list[float], status: int, body: str
) -> None:
    """Throttling and failures of Intuit's own come in a 200 or a 400 too, or as anybody's page.

    QuickBooks itself never answers 404 (its reference, 9).
    """
    seconds = {"Retry-After": "0"}
    sandbox.fail("query", "status", status=status, body=body, headers=seconds, times=2)
    assert patient.employees()
    assert (sandbox.calls(QUERY), len(naps)) == (5, 2)


@pytest.mark.parametrize(("status", "body"), PASSING)
def test_what_lasts_longer_than_our_patience_may_still_pass(
    sandbox: Sandbox, quickbooks: QuickBooks, status: int, body: str
) -> None:
    """It is nobody's mistake: a later run goes on."""
    sandbox.fail("query", "status", status=status, body=body, times=None)
    with pytest.raises(Stop) as raised:
        quickbooks.employees()
    assert raised.value.is_transient
    assert raised.value.fix.startswith("Run again")


TOO_BIG = '{"Fault": {"Error": [{"Message": "Result Set Big", "code": "10100"}]}}'


def test_a_page_that_is_too_big_is_read_in_halves(sandbox: Sandbox, patient: QuickBooks) -> None:
    """From the first row on."""
    stored(sandbox, 1001)
    sandbox.fail("query", "status", status=400, body=TOO_BIG, skip=2)
    assert len(patient.time_activities(*MARCH)) == 1001
    assert sandbox.calls(QUERY) == 3 + 3 + 1


def test_what_is_too_big_in_any_size_stops_the_run(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """With what makes it less."""
    stored(sandbox, 1)
    sandbox.fail("query", "status", status=400, body=TOO_BIG, skip=1, times=None)
    with pytest.raises(Stop, match="10100 Result Set Big") as raised:
        quickbooks.time_activities(*MARCH)
    assert raised.value.fix == "Launch fewer days at once"


def test_a_throttled_read_waits_and_succeeds(
    sandbox: Sandbox, patient: QuickBooks, naps: list[float]
) -> None:
    """As long as the answer asks for."""
    sandbox.fail("preferences", "status", status=429, body="", headers={"Retry-After": "7"})
    assert patient.company()["company_name"]
    assert naps == [7]
    assert sandbox.calls("GET /v3/company/{id}/preferences") == 2


def test_a_quota_used_up_stops_the_run_for_now(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """The month's quota of reads looks like any throttling, so both are named."""
    sandbox.fail("preferences", "status", status=429, body="", times=None)
    with pytest.raises(Stop, match="monthly quota") as raised:
        quickbooks.company()
    assert raised.value.is_transient


def test_the_limits_of_the_service_are_kept(sandbox: Sandbox, patient: QuickBooks) -> None:
    """Ten requests a second, enforced by the other side, are never reached."""
    sandbox.switch(throttle=True)
    for _ in range(12):
        patient.employees()
    assert sandbox.calls(QUERY) == 36


@pytest.mark.parametrize(("request_id", "count"), [("r" * 37, 1), ("r1", 26), ("r1", 0)])
def test_a_batch_that_intuit_would_not_take_is_a_mistake_of_ours(
    sandbox: Sandbox, quickbooks: QuickBooks, request_id: str, count: int
) -> None:
    """Nothing is sent."""
    with pytest.raises(ValueError, match="items under request id"):
        quickbooks.create_batch(quickbooks.await_turn(), request_id, [activity(sandbox)] * count)
    assert sandbox.calls(BATCH) == 0


def test_intuits_clock_does_not_go_back_for_a_replay(
    sandbox: Sandbox, quickbooks: QuickBooks
) -> None:
    """A replayed answer has the time of the first, which says nothing about now."""
    first = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    sandbox.switch(clock_skew_seconds=60)
    quickbooks.company()
    before = quickbooks.last_time
    assert (
        quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)]).time
        == first.time
    )
    assert quickbooks.last_time == before


def in_two_minutes() -> str:
    """A date as HTTP writes it."""
    return format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (in_two_minutes, 120), ("soon", None), ("", None)]
)
def test_a_throttled_batch_says_how_long_to_wait(
    sandbox: Sandbox, quickbooks: QuickBooks, header: object, seconds: float | None
) -> None:
    """In seconds or as a date; what is neither says nothing."""
    text = header() if callable(header) else header
    sandbox.fail("batch", "status", status=429, headers={"Retry-After": text})
    answer = quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)])
    assert answer.retry_after == pytest.approx(seconds, abs=5)


def test_a_batch_is_late_by_when_its_turn_came(
    quickbooks: QuickBooks, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between that and its first byte the intents are recorded, on a disk that may hang."""
    quickbooks.company()
    turn = quickbooks.await_turn()
    then = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: then)
    with pytest.raises(Stop, match="was held up here"):
        quickbooks.create_batch(turn, "r1", [activity(sandbox)])
    assert sandbox.calls(BATCH) == 0
    assert quickbooks.create_batch(quickbooks.await_turn(), "r1", [activity(sandbox)]).items
