"""Following an edited entry: what of a time activity is replaced, and what is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.delivery.classification import Outcome
from pipeline.delivery.desk import Desk
from pipeline.delivery.following import amended, followed, obstacle, renaming, update
from pipeline.quickbooks.activities import Body, parse
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.pipeline.delivery.desks import intent, typed
from tests.pipeline.quickbooks.test_activities import SENT, sent
from tests.pipeline.rows import DAY, NOW, delivery

STORED: dict[str, Any] = {
    **parse(SENT),
    "Id": "7",
    "SyncToken": "3",
    "sparse": False,
    "ClassRef": {"value": "5"},
    "DepartmentRef": {"value": "6"},
    "PayrollItemRef": {"value": "9"},
    "TransactionLocationType": "WithinFrance",
    "ItemRef": {"value": "8", "name": "Hours"},
    "Taxable": True,
    "CostRate": 20,
}
KEPT = (*(STORED.keys() - parse(SENT).keys()), "ItemRef", "Taxable")


def test_what_the_entry_decides_is_replaced_and_the_rest_stays() -> None:
    """A full update clears what it leaves out."""
    found = followed(STORED, parse(sent(hours=2, minutes=5, sent_rate_minor=100)))
    assert (found["Hours"], found["Minutes"], float(found["HourlyRate"])) == (2, 5, 1.0)
    assert all(found[key] == STORED[key] for key in KEPT)
    assert found.keys() == STORED.keys()


def test_what_cannot_be_written_is_not_sent_back() -> None:
    """QuickBooks refuses a key that it does not know, also one from an answer of its own."""
    read = {**STORED, "domain": "QBO", "MetaData": {}, "SourceSystem": "QBO", "TimeChargeId": 3}
    assert followed(read, parse(SENT)) == followed(STORED, parse(SENT))


def test_with_its_customer_goes_the_project_that_quickbooks_added() -> None:
    """It is the customer's before; where the customer stays, it stays too."""
    base = {**STORED, "ProjectRef": {"value": "39298045"}}
    assert "ProjectRef" in followed(base, parse(sent(hours=2)))
    assert "ProjectRef" not in followed(base, parse(sent(quickbooks_customer_id="99")))


def test_what_is_followed_is_the_entrys_of_today_and_the_deliverys_of_before() -> None:
    """What was said of it no longer holds."""
    written = {"state": "adopted", "quickbooks_id": "7", "sync_token": "3", "attempts": 2}
    said = {"error_code": "told_apart", "error_message": "drift: rate"}
    before = delivery(payload=SENT, currency="USD", sent_for="u1/p1", **written, **said)
    payload = sent(hours=2, work_date=pd.Timestamp("2024-05-15"))
    of_today: dict[str, Any] = {
        "fingerprint": "g",
        "currency": "EUR",
        "is_sent_approved": True,
        "sent_for": "u1/p2",
        "updated_at": NOW + timedelta(days=1),
        "run_id": "next",
    }
    today = delivery(payload=payload, request_id="another", revision=9, **of_today)
    work: dict[str, Any] = {"work_date": DAY + timedelta(days=1), "minutes": 150}
    nothing = {"error_code": None, "error_message": None}
    assert amended(before, today, is_priced_by_item=False) == replace(
        before, payload=payload, amount_minor=34313, **work, **of_today, **nothing
    )


@pytest.mark.parametrize("is_approved", [True, False])
def test_what_is_followed_is_as_approved_as_the_entry_that_it_follows(*, is_approved: bool) -> None:
    """A later withdrawal is of that approval."""
    before = delivery(payload=SENT, is_sent_approved=not is_approved)
    today = delivery(payload=sent(hours=2), is_sent_approved=is_approved)
    assert amended(before, today, is_priced_by_item=False).is_sent_approved is is_approved


@pytest.mark.parametrize(
    ("changes", "sent_for", "now", "kind"),
    [
        ({}, "u1/p1", "u1/p1", None),
        ({"hours": 2}, None, "u1/p1", None),
        ({"quickbooks_customer_id": "99"}, "u1/p1", "u1/p2", None),
        ({"quickbooks_customer_id": "99"}, "u1/p1", "u1/p1", "customer"),
        ({"quickbooks_customer_id": "99"}, "u1/", "u1/p1", None),
        ({"quickbooks_customer_id": "99"}, None, "u1/p1", "customer"),
        ({"quickbooks_employee_id": "99"}, "u1/p1", "u1/p2", "person"),
        ({"quickbooks_employee_id": "99"}, "u1/p1", "u2/p1", None),
    ],
)
def test_another_person_or_customer_is_followed_only_where_the_entry_is_anothers(
    changes: dict[str, Any], sent_for: str | None, now: str, kind: str | None
) -> None:
    """Else a name was given to another in QuickBooks, whose invoice would bear the time."""
    before = delivery(payload=SENT, sent_for=sent_for)
    said = renaming(before, delivery(payload=sent(**changes), sent_for=now))
    assert (said is None) is (kind is None)
    assert said is None or f"another {kind} now" in said or f"its {kind} is another now" in said


def test_a_description_that_was_emptied_is_left_out() -> None:
    """Which clears it."""
    assert "Description" not in followed(STORED, parse(sent(description="")))


def test_time_made_billable_takes_its_price_and_tax_from_the_entry() -> None:
    """It had none before."""
    unbilled = {**STORED, "BillableStatus": "NotBillable"}
    del unbilled["HourlyRate"]
    found = followed(unbilled, parse(SENT), is_priced_by_item=True)
    assert (found["Taxable"], float(found["HourlyRate"])) == (False, 137.25)


def test_the_service_items_new_price_does_not_follow() -> None:
    """`RATE_SOURCE=service_item`: the amount is that of the price as sent."""
    longer = delivery(payload=sent(hours=2, minutes=0, sent_rate_minor=1), currency="USD")
    found = amended(delivery(payload=SENT), longer, is_priced_by_item=True)
    assert parse(found.payload) == parse(sent(hours=2, minutes=0))
    assert (found.minutes, found.amount_minor) == (120, 27450)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"Description": " Garden   Lighting"}, None),
        ({"BillableStatus": "HasBeenBilled"}, "it is billed"),
        ({"Minutes": 31}, "it was changed in QuickBooks too: minutes"),
        ({"ItemRef": {"value": "9"}}, "it was changed in QuickBooks too: item"),
        (
            {"StartTime": "2024-05-14T09:00:00-07:00", "EndTime": "2024-05-14T10:30:00-07:00"},
            "it was changed in QuickBooks too: start and end",
        ),
    ],
    ids=str,
)
def test_only_what_we_last_wrote_and_nobody_billed_is_followed(
    changes: dict[str, object], expected: str | None
) -> None:
    """Anything else is for a person."""
    assert obstacle(delivery(payload=SENT), {**STORED, **changes}) == expected


@pytest.mark.parametrize(
    ("changes", "version", "message", "expected"),
    [
        ({}, "3", "stored otherwise than sent: description", None),
        ({}, "2", "stored otherwise than sent: description", "description"),
        ({}, "3", "stored otherwise than sent: minutes", "description"),
        ({}, "3", None, "description"),
        ({"Minutes": 31}, "3", "stored otherwise than sent: description", "minutes"),
    ],
    ids=str,
)
def test_a_letter_that_quickbooks_did_not_keep_is_nobodys_change(
    changes: dict[str, object], version: str, message: str | None, expected: str | None
) -> None:
    """Only of the version that we wrote, and only of the description."""
    before = delivery(payload=SENT, sync_token=version, error_message=message)
    said = obstacle(before, {**STORED, "Description": "Garden ?", **changes})
    assert said == (expected and f"it was changed in QuickBooks too: {expected}")


@pytest.fixture
def activity(desk: Desk, sandbox: Sandbox) -> Body:
    """A time activity as it is read before it is updated, with what a bookkeeper has added."""
    read = desk.quickbooks.time_activity(typed(sandbox, CostRate=20))
    assert read
    return read


def updated(desk: Desk, activity: Body) -> tuple[Outcome, Body]:
    """What becomes of its entry's time being half an hour longer."""
    row = replace(intent(hours=2, minutes=0), quickbooks_id=activity["Id"], state="sent")
    return update(desk, row, activity)


def test_an_update_is_checked_in_its_answer(
    desk: Desk, sandbox: Sandbox, activity: Body, capsys: pytest.CaptureFixture[str]
) -> None:
    """What QuickBooks holds now is what the entry says, with what is the bookkeeper's."""
    outcome, stored = updated(desk, activity)
    assert (outcome.state, outcome.sync_token, outcome.differs) == ("sent", "1", ())
    held = sandbox.world.company.activities[activity["Id"]]
    assert {stored[key] == held[key] for key in ("Hours", "Minutes", "CostRate")} == {True}
    assert (stored["Hours"], stored["Minutes"], stored["CostRate"]) == (2, 0, 20)
    assert capsys.readouterr().out == f"time activity {activity['Id']} updated: sent\n"


def test_an_update_for_somebody_else_is_told(desk: Desk, sandbox: Sandbox, activity: Body) -> None:
    """QuickBooks takes an employee's id for a vendor's."""
    company = sandbox.world.company
    company.vendors["9"] = company.employees.pop("9")
    outcome, stored = updated(desk, activity)
    assert (outcome.state, outcome.differs, stored["SyncToken"]) == ("sent", ("person",), "1")


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"status": 400, "body": {"Fault": {"Error": [{"code": "2050"}]}}}, "refused"),
        ({"status": 429}, "throttled"),
        ({"status": 500}, "unknown"),
    ],
    ids=["refused", "throttled", "unknown"],
)
def test_what_was_not_updated_stands_as_it_was_read(
    desk: Desk, sandbox: Sandbox, activity: Body, fault: dict[str, Any], state: str
) -> None:
    """One refusal is of one entry, and the next run tries again what was not answered."""
    sandbox.fail("timeactivity", "status", **fault)
    outcome, stored = updated(desk, activity)
    assert (outcome.state, stored) == (state, activity)


def test_an_update_of_which_nobody_heard_is_read_again(
    desk: Desk, sandbox: Sandbox, activity: Body
) -> None:
    """It was written all the same."""
    sandbox.fail("timeactivity", "drop_after_store")
    outcome, stored = updated(desk, activity)
    key = activity["Id"]
    assert outcome == Outcome("sent", quickbooks_id=key, sync_token="1")
    assert (stored["Hours"], stored["SyncToken"]) == (2, "1")


def test_what_was_deleted_after_an_update_of_which_nobody_heard_is_not_known(
    desk: Desk, sandbox: Sandbox, activity: Body
) -> None:
    """The next run finds it gone."""
    sandbox.fail("timeactivity", "drop_before_store")
    del sandbox.world.company.activities[activity["Id"]]
    outcome, stored = updated(desk, activity)
    assert (outcome.state, stored) == ("unknown", activity)


def test_an_update_that_nobody_may_make_stops_the_run(
    desk: Desk, sandbox: Sandbox, activity: Body
) -> None:
    """With Intuit's trace."""
    sandbox.fail("timeactivity", "status", status=403)
    with pytest.raises(Stop, match=r"does not let this app .*\[intuit_tid 1-"):
        updated(desk, activity)
