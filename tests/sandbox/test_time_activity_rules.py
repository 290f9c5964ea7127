"""What the local QuickBooks accepts as a time activity, what it refuses, and what it fills in.

One valid body and single changes to it, each with the code expected.
"""

from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.quickbooks_client import Api, code, valid

CLOCK = {"Hours": None, "Minutes": None}
NINE, FIVE = "2026-11-20T09:00:00-05:00", "2026-11-20T17:00:00-05:00"

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("2010", {"ClockifyId": "x"}),
    ("2010", {"EmployeeRef": {"value": "8", "email": "x"}}),
    ("2010", {"EmployeeRef": "8"}),
    ("2030", {"EmployeeRef": {"value": "1.5"}}),
    ("2030", {"CustomerRef": {"value": "Harborview"}}),
    ("6000", {"CustomerRef": {"value": ""}}),
    ("2020", {"NameOf": None}),
    ("6300", {"NameOf": "Person"}),
    ("6300", {"NameOf": ""}),
    ("6290", {"VendorRef": {"value": "21"}}),
    ("6290", {"EmployeeRef": None}),
    ("2020", {"NameOf": "Vendor"}),
    ("2500", {"EmployeeRef": {"value": "99999"}}),
    ("2500", {"EmployeeRef": {"value": "20"}}),
    ("2500", {"CustomerRef": {"value": "99999"}}),
    ("2500", {"CustomerRef": {"value": "55"}}),
    ("2500", {"ItemRef": {"value": "7"}}),
    ("2500", {"ItemRef": {"value": "6"}}),
    ("2500", {"ClassRef": {"value": "1"}}),
    ("6310", {"CustomerRef": None}),
    ("6320", {"BillableStatus": ""}),
    ("6320", {"BillableStatus": "Maybe"}),
    ("2170", {"BillableStatus": "HasBeenBilled"}),
    ("6330", {"HourlyRate": None}),
    ("6330", {"HourlyRate": -1}),
    ("6330", {"HourlyRate": 100_000_000_000}),
    ("6330", {"HourlyRate": "much"}),
    ("6350", CLOCK),
    ("6340", {"Hours": 0, "Minutes": 0}),
    ("6340", {"Hours": 1.5}),
    ("6380", {"Minutes": 60}),
    ("6380", {"Hours": -1}),
    ("6380", {"Hours": 8761}),
    ("6380", {"Hours": 8760, "Minutes": 1}),
    ("6390", {"StartTime": NINE, "EndTime": FIVE}),
    ("6360", {**CLOCK, "StartTime": NINE}),
    ("6360", {**CLOCK, "StartTime": "nine", "EndTime": FIVE}),
    ("6360", {**CLOCK, "StartTime": NINE, "EndTime": FIVE, "BreakHours": 9}),
    ("6370", {**CLOCK, "StartTime": FIVE, "EndTime": NINE}),
    ("2060", {"TxnDate": "20/11/2026"}),
    ("2060", {"TxnDate": "2026-02-30"}),
    ("2050", {"Description": "x" * 4001}),
]


def test_the_valid_body_is_stored_as_it_was_sent(quickbooks_api: Api) -> None:
    """The answer names what the ids refer to."""
    made = quickbooks_api.create(valid())
    assert {name: made[name] for name in ("Hours", "Minutes", "HourlyRate", "TxnDate")} == {
        "Hours": 3,
        "Minutes": 15,
        "HourlyRate": 95.5,
        "TxnDate": "2026-11-20",
    }
    assert made["EmployeeRef"] == {"value": "8", "name": "Hannah Whitcombe"}
    assert (made["SyncToken"], made["domain"], made["Taxable"]) == ("0", "QBO", False)


@pytest.mark.parametrize(("expected", "change"), REFUSED)
def test_one_wrong_property_is_refused_by_its_code(
    quickbooks_api: Api, expected: str, change: dict[str, Any]
) -> None:
    """Nothing is stored."""
    before = quickbooks_api.count()
    answer = quickbooks_api.post("timeactivity", valid(**change))
    assert (answer.status_code, code(answer)) == (400, expected)
    assert quickbooks_api.count() == before


@pytest.mark.parametrize(
    "change",
    [
        {"HourlyRate": 0},
        {"HourlyRate": "95.50"},
        {"Hours": None},
        {"Hours": 8760, "Minutes": 0},
        {"Description": "x" * 4000},
        {"Description": None},
        {"TxnDate": "2026-11-20Z"},
        {"SyncToken": 0, "domain": "QBO", "sparse": False},
        {"CustomerRef": {"value": "25", "name": "", "type": ""}},
        {"BillableStatus": "NotBillable", "CustomerRef": None, "HourlyRate": None},
        {"NameOf": "Vendor", "EmployeeRef": None, "VendorRef": {"value": "21"}},
        {**CLOCK, "StartTime": NINE, "EndTime": FIVE, "BreakMinutes": 30},
    ],
)
def test_one_unusual_property_is_accepted(quickbooks_api: Api, change: dict[str, Any]) -> None:
    """What documented limits allow, and what published clients send."""
    assert quickbooks_api.create(valid(**change))["Id"]


def test_what_is_not_sent_is_filled_in(quickbooks_api: Api) -> None:
    """The item is filled in silently; what is empty is left out."""
    made = quickbooks_api.create(
        {"NameOf": "Employee", "EmployeeRef": {"value": "8"}, "Minutes": 20}
    )
    assert made["ItemRef"] == {"value": "2", "name": "Hours"}
    assert (made["BillableStatus"], made["HourlyRate"], made["Hours"]) == ("NotBillable", 0, 0)
    assert "Description" not in made
    assert "CustomerRef" not in made


def test_clock_times_lose_their_date_and_move_to_the_company_zone(quickbooks_api: Api) -> None:
    """As recorded in minimul/qbo_api issue 16."""
    sent = valid(
        **CLOCK, StartTime="2015-07-05T08:00:00-08:00", EndTime="2013-07-05T17:00:00-08:00"
    )
    made = quickbooks_api.create(sent)
    assert made["StartTime"] == "2026-11-20T12:00:00-05:00"
    assert made["EndTime"] == "2026-11-20T21:00:00-05:00"


def test_an_employee_id_that_is_a_customer_becomes_another_name(quickbooks_api: Api) -> None:
    """As recorded in minimul/qbo_api issue 16: no error is given."""
    made = quickbooks_api.create(valid(EmployeeRef={"value": "28"}))
    assert made["NameOf"] == "Other"
    assert made["OtherNameRef"] == {"value": "28", "name": "Town of Eastbrook"}
    assert "EmployeeRef" not in made


@pytest.mark.parametrize(
    ("switch", "change", "expected"),
    [
        ({"inactive_reference": "610"}, {"EmployeeRef": {"value": "20"}}, "610"),
        ({"wrong_person": "refuse"}, {"EmployeeRef": {"value": "28"}}, "2500"),
        ({"charset": "refuse"}, {"Description": "tree \U0001f333"}, "2040"),
    ],
)
def test_a_switch_changes_the_refusal(
    sandbox: Sandbox,
    quickbooks_api: Api,
    switch: dict[str, str],
    change: dict[str, Any],
    expected: str,
) -> None:
    """Where the real service is unconfirmed, each answer can be had."""
    sandbox.switch(**switch)
    assert code(quickbooks_api.post("timeactivity", valid(**change))) == expected


def test_a_missing_rate_can_fall_back_to_the_price_of_the_item(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """As one production report has it, against the documentation."""
    sandbox.switch(missing_rate="item_price")
    made = quickbooks_api.create(valid(HourlyRate=None))
    assert made["HourlyRate"] == sandbox.world.company.items["2"]["UnitPrice"]


def test_characters_outside_latin_1_can_become_question_marks(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """Documented for companies in the United States."""
    sandbox.switch(charset="latin1")
    assert quickbooks_api.create(valid(Description="Müller 日"))["Description"] == "Müller ?"


def test_zeros_can_be_left_out_and_new_keys_appear(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """A reader must bear both."""
    sandbox.switch(omit_zeros=True, extra_keys=True)
    made = quickbooks_api.create(valid(Minutes=0, HourlyRate=0))
    assert not {"Minutes", "HourlyRate"} & made.keys()
    assert "SourceSystem" in made


def test_nothing_is_written_into_a_closed_period(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """Neither created nor deleted; the next day is open."""
    old = quickbooks_api.create(valid(TxnDate="2026-10-31"))
    sandbox.admin("PATCH", "company", books_closed_through="2026-10-31")
    assert code(quickbooks_api.post("timeactivity", valid(TxnDate="2026-10-31"))) == "6210"
    assert code(quickbooks_api.post("timeactivity", old, operation="delete")) == "6210"
    assert quickbooks_api.create(valid(TxnDate="2026-11-01"))


def test_a_full_update_forgets_what_it_leaves_out(quickbooks_api: Api) -> None:
    """The documented way of updating."""
    made = quickbooks_api.create(valid())
    changed = quickbooks_api.create(valid(Description=None, Id=made["Id"], SyncToken="0"))
    assert (changed["Id"], changed["SyncToken"]) == (made["Id"], "1")
    assert "Description" not in changed


def test_a_sparse_update_keeps_what_it_leaves_out(quickbooks_api: Api) -> None:
    """Undocumented for activities, and used."""
    made = quickbooks_api.create(valid())
    changed = quickbooks_api.create(
        {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Minutes": 45}
    )
    assert (changed["Hours"], changed["Minutes"], changed["HourlyRate"]) == (3, 45, 95.5)


def test_an_outdated_copy_is_stale(quickbooks_api: Api) -> None:
    """For updates and deletions alike."""
    made = quickbooks_api.create(valid())
    quickbooks_api.create({**made, "Hours": 4})
    assert code(quickbooks_api.post("timeactivity", {**made, "Hours": 5})) == "5010"
    assert code(quickbooks_api.post("timeactivity", made, operation="delete")) == "5010"


def test_a_billed_activity_stands_still(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """Billing changes the status and leaves the sync token."""
    made = quickbooks_api.create(valid())
    billed = sandbox.admin("POST", f"activities/{made['Id']}/bill")
    assert (billed["BillableStatus"], billed["SyncToken"]) == ("HasBeenBilled", "0")
    assert code(quickbooks_api.post("timeactivity", {**made, "Hours": 5})) == "6000"
    assert code(quickbooks_api.post("timeactivity", made, operation="delete")) == "6000"


def test_what_was_deleted_is_gone(quickbooks_api: Api) -> None:
    """Reading it says that somebody deleted it."""
    made = quickbooks_api.create(valid())
    answer = quickbooks_api.post("timeactivity", made, operation="delete").json()
    assert answer["TimeActivity"] == {"status": "Deleted", "domain": "QBO", "Id": made["Id"]}
    assert code(quickbooks_api.get(f"timeactivity/{made['Id']}")) == "610"
    assert code(quickbooks_api.get("timeactivity/1.5")) == "2030"


def test_a_renamed_customer_is_renamed_on_its_activities(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """References are shown under the name of today."""
    made = quickbooks_api.create(valid(CustomerRef={"value": "25"}))
    assert made["CustomerRef"]["name"] == "Harborview Land Trust:Marsh Boardwalk"
    sandbox.admin("PATCH", "customers/24", DisplayName="Harbor View")
    read = quickbooks_api.get(f"timeactivity/{made['Id']}").json()["TimeActivity"]
    assert read["CustomerRef"]["name"] == "Harbor View:Marsh Boardwalk"
