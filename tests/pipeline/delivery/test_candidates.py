"""Candidates: what of a judged entry is compared, and what may be recorded of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.delivery.candidates import Candidate, candidates, request_id
from pipeline.delivery.desk import Desk
from pipeline.ledger import Delivery
from pipeline.quickbooks.activities import fingerprint, parse
from tests.pipeline.examples import LISTS, START, rules
from tests.pipeline.quickbooks.test_activities import ENTRY, sent
from tests.pipeline.rows import DAY

ITEM = {"service_item_id": "8", "service_item_name": "Design"}
JUDGED: dict[str, Any] = {
    **ENTRY,
    "entry_id": f"{1:024x}",
    "start_at": START,
    "verdict": "accepted",
    "is_sendable": True,
    "quickbooks_employee_id": "1",
    "quickbooks_customer_id": "11",
    "user_id": "u1",
    "project_id": "p1",
    "duration_seconds": 5400,
    "raw_seconds": 5220,
    "sent_amount_minor": 20588,
    "is_approved": True,
}
WHO = {"quickbooks_employee_id": "1", "quickbooks_customer_id": "11"}


def of(desk: Desk, *rows: dict[str, Any]) -> list[Candidate]:
    """The candidates among entries, for a window of three days."""
    frame = pd.DataFrame([JUDGED | row for row in rows])
    return list(candidates(frame, desk, (DAY, DAY + timedelta(days=2))))


def one(desk: Desk, **changes: object) -> Candidate:
    """The candidate that the valid entry makes, with changes."""
    [found] = of(desk, changes)
    return found


@pytest.fixture
def priced(desk: Desk) -> Desk:
    """A desk with a service item."""
    return replace(desk, item=ITEM)


def recorded(desk: Desk, **changes: object) -> Delivery:
    """The intent that the valid entry makes, with changes."""
    intent = one(desk, **changes).intent
    assert intent
    return intent


def test_what_is_sent_of_an_entry_and_whose_it_is(priced: Desk) -> None:
    """All that the ledger will know of it."""
    realm_id, entry_id = priced.company.settings.quickbooks_realm_id, JUDGED["entry_id"]
    found, payload = one(priced), sent(**WHO)
    assert found.intent
    assert (found.entry_id, found.facts, found.is_sendable) == (entry_id, found.intent.facts, True)
    assert found.intent == Delivery(
        entry_id=entry_id,
        realm_id=realm_id,
        work_date=DAY,
        request_id=request_id(realm_id, entry_id, 0, 0),
        payload=payload,
        fingerprint=fingerprint(payload, LISTS.employee["1"], LISTS.customer["11"], ITEM),
        minutes=90,
        amount_minor=20588,
        currency="USD",
        is_sent_approved=True,
        sent_for="u1/p1",
        updated_at=found.intent.updated_at,
        run_id="run",
    )
    assert found.intent.updated_at <= priced.company.now()


def test_its_roundings_are_those_of_the_time_as_tracked(priced: Desk) -> None:
    """Which is not known of every entry."""
    assert one(priced, raw_seconds=None).roundings == {84, 90, 96}
    assert one(priced).roundings == {60, 75, 84, 87, 90, 96}


def test_a_request_id_is_the_intents_own() -> None:
    """It fits, and another company, entry, part or revision has another."""
    ids = [request_id(*key) for key in (("1", "e", 0, 0), ("2", "e", 0, 0), ("1", "f", 0, 0))]
    ids += [request_id("1", "e", 1, 0), request_id("1", "e", 0, 1)]
    assert len({*ids}) == len(ids)
    assert max(map(len, ids)) <= 36
    assert request_id("1", "e", 0, 0) == ids[0]


@pytest.mark.parametrize(
    ("changes", "is_recorded"),
    [
        ({"verdict": "rejected", "is_sendable": False}, True),
        ({"verdict": "excluded", "is_sendable": False}, False),
        ({"work_date": pd.Timestamp("2024-05-13")}, False),
        ({"work_date": pd.Timestamp("2024-05-16")}, True),
        ({"work_date": pd.Timestamp("2024-05-17")}, False),
        ({"sent_rate_minor": None}, False),
        ({"sent_rate_minor": None, "is_billable": False}, True),
        ({"quickbooks_customer_id": None}, False),
        ({"quickbooks_customer_id": None, "project_id": None, "is_billable": False}, True),
    ],
    ids=str,
)
def test_nothing_is_recorded_of_what_is_not_ours_of_another_window_unpriced_or_for_nobody(
    priced: Desk, changes: dict[str, Any], *, is_recorded: bool
) -> None:
    """It is compared all the same."""
    found = one(priced, **changes)
    assert (found.intent is not None) is is_recorded
    assert found.is_sendable is changes.get("is_sendable", True)
    assert found.facts.minutes == 90


def test_an_entry_without_project_is_for_nobody_and_of_no_project(priced: Desk) -> None:
    """It bears no price."""
    unbilled = {"is_billable": False, "sent_rate_minor": None, "sent_amount_minor": None}
    found = recorded(priced, quickbooks_customer_id=None, project_id=None, **unbilled)
    assert (found.sent_for, found.amount_minor, found.currency) == ("u1/", None, None)
    assert found.fingerprint == fingerprint(found.payload, LISTS.employee["1"], {}, ITEM)
    assert "CustomerRef" not in parse(found.payload)


def test_it_is_as_approved_as_the_entry(priced: Desk) -> None:
    """What nobody asked approval for has none that could be withdrawn."""
    given = (True, False, None, pd.NA)
    found = [recorded(priced, is_approved=each).is_sent_approved for each in given]
    assert found == [True, False, False, False]


def test_entries_come_in_the_order_in_which_the_work_was_done(priced: Desk) -> None:
    """Of two at the same moment that of the lesser id first."""
    later = START + pd.Timedelta(hours=1)
    rows = [
        {"entry_id": "c", "start_at": later},
        {"entry_id": "b"},
        {"entry_id": "a"},
    ]
    assert [each.entry_id for each in of(priced, *rows)] == ["a", "b", "c"]


def test_the_price_of_the_service_item_is_in_the_companys_currency(priced: Desk) -> None:
    """Whatever Clockify's rate was in."""
    other = {"currency": "GBP", "sent_rate_minor": 137}
    assert recorded(priced, **other).currency == "GBP"
    settings = priced.company.settings.model_copy(update={"rate_source": "service_item"})
    company = replace(priced.company, settings=settings)
    by_item = replace(priced, company=company, rules=rules(home_currency="EUR"))
    found = recorded(by_item, **other)
    assert found.currency == "EUR"


def test_time_is_taxable_where_it_is_said_to_be(priced: Desk) -> None:
    """`TAXABLE`."""
    settings = priced.company.settings.model_copy(update={"taxable": True})
    taxed = replace(priced, company=replace(priced.company, settings=settings))
    assert (recorded(taxed).payload, recorded(priced).payload) == (
        sent(is_taxable=True, **WHO),
        sent(**WHO),
    )


def test_without_a_service_item_none_is_sent(desk: Desk) -> None:
    """QuickBooks then picks one."""
    assert recorded(desk).payload == sent(item_id=None, **WHO)
    assert one(desk).facts.item == ""
