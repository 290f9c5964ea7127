"""What is planned of what was met before: refused and tried again, or skipped and other work."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline.delivery.candidates import Candidate, request_id
from pipeline.delivery.planning import _is_closed, _material, claimed_anew
from pipeline.ledger import PASSING
from tests.pipeline.quickbooks.test_activities import SENT, sent
from tests.pipeline.rows import STATES, delivery

AFTER = pd.Timestamp("2024-05-20")
REFUSED = delivery(state="refused", error_code="2500", revision=1)
INTENT = delivery(fingerprint="another")
CHANGED = Candidate(
    entry_id=INTENT.entry_id,
    facts=delivery().facts,
    roundings=frozenset(),
    intent=INTENT,
    is_sendable=True,
)


def test_what_was_never_tried_is_sent_as_it_is() -> None:
    """Nothing is known of it."""
    assert claimed_anew(CHANGED, None) is CHANGED


def test_what_has_changed_since_is_sent_as_its_next_revision() -> None:
    """By a request of its own: QuickBooks may remember what it said to the one before."""
    found = claimed_anew(CHANGED, REFUSED)
    assert found.is_sendable
    assert found.intent == replace(
        INTENT, revision=2, request_id=request_id(INTENT.realm_id, INTENT.entry_id, 0, 2)
    )


@pytest.mark.parametrize(
    ("code", "is_sendable"), [("2500", False), *((code, True) for code in sorted(PASSING))]
)
def test_what_is_as_it_was_is_sent_only_if_it_was_refused_for_the_moment(
    code: str, *, is_sendable: bool
) -> None:
    """Else it would be refused every morning."""
    same = replace(CHANGED, intent=replace(INTENT, fingerprint=REFUSED.fingerprint))
    assert claimed_anew(same, replace(REFUSED, error_code=code)).is_sendable is is_sendable


def test_what_may_not_be_sent_is_not_sent_because_it_has_changed() -> None:
    """It was refused, and is rejected or not finished by now."""
    assert not claimed_anew(replace(CHANGED, is_sendable=False), REFUSED).is_sendable


def test_what_nothing_may_be_recorded_of_any_more_stays_as_it_is() -> None:
    """It was refused, and left to others since."""
    left = replace(CHANGED, intent=None, is_sendable=False)
    assert claimed_anew(left, REFUSED) is left


def test_only_what_was_refused_is_compared_again() -> None:
    """All else is in QuickBooks, may be, or was decided about."""
    assert [state for state in STATES if not _is_closed(delivery(state=state))] == ["refused"]
    assert not _is_closed(None)


@pytest.mark.parametrize(
    ("changes", "sent_for", "now", "expected"),
    [
        ({}, "u1/p1", "u2/p2", []),
        ({"description": "Phone"}, "u1/p1", "u2/p2", []),
        ({"sent_rate_minor": 1}, "u1/p1", "u2/p2", []),
        ({"minutes": 31}, None, "u1/p1", ["minutes"]),
        ({"work_date": AFTER}, None, "u1/p1", ["work_date"]),
        ({"is_billable": False}, None, "u1/p1", ["is_billable"]),
        ({"quickbooks_customer_id": "99"}, "u1/p1", "u1/p2", ["customer"]),
        ({"quickbooks_customer_id": "99"}, "u1/p1", "u1/p1", []),
        ({"quickbooks_customer_id": "99"}, None, "u1/p1", []),
        ({"quickbooks_employee_id": "99"}, "u1/p1", "u2/p1", ["person"]),
        ({"quickbooks_employee_id": "99"}, "u1/p1", "u1/p1", []),
    ],
    ids=str,
)
def test_what_was_skipped_is_other_work_at_another_time_or_of_another_person_or_project(
    changes: dict[str, Any], sent_for: str | None, now: str, expected: list[str]
) -> None:
    """Not in other words or at another price, nor where a name leads to another in QuickBooks."""
    skipped = delivery(payload=SENT, sent_for=sent_for)
    assert _material(skipped, delivery(payload=sent(**changes), sent_for=now)) == expected
