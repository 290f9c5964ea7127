"""The cut-over's confirmation: when a load asks for it, and what is kept of it."""

from datetime import timedelta

import pytest

from pipeline.delivery.confirmation import confirm, needed
from pipeline.delivery.desk import Desk
from pipeline.delivery.planning import Plan
from tests.pipeline.delivery.desks import intent, known
from tests.pipeline.rows import DAY

PLAN = Plan(send=(intent(1), intent(2)), foreign=3)
LAST = DAY + timedelta(days=4)


def test_a_first_load_beside_what_others_made_is_asked_about(desk: Desk) -> None:
    """With both counts, and the two ways to say yes."""
    stop = needed(desk, PLAN, DAY, LAST)
    assert stop
    said = str(stop)
    assert "From 2024-05-14 to 2024-05-18 QuickBooks holds 3 time activities" in said
    assert "2 entries that look new would be sent" in said
    assert "`python -m pipeline cutover 2024-05-14 2024-05-18`" in said
    assert "`confirm_cutover: true`" in said


@pytest.mark.parametrize("plan", [Plan(foreign=3), Plan(send=(intent(),))], ids=str)
def test_nothing_is_asked_where_nothing_is_sent_or_nothing_is_there(desk: Desk, plan: Plan) -> None:
    """Most loads."""
    assert needed(desk, plan, DAY, LAST) is None


def test_it_is_asked_once_for_a_company(desk: Desk) -> None:
    """And who said yes to what is kept."""
    settings = desk.company.settings
    query = "SELECT realm_id, first_day, last_day, confirmed_by, confirmed_at <= $1 FROM "
    desk.ledger.confirm(
        {
            "realm_id": "another",
            "first_day": DAY,
            "last_day": DAY,
            "confirmed_at": desk.company.now(),
            "confirmed_by": "Ann",
        }
    )
    assert needed(desk, PLAN, DAY, LAST)
    confirm(desk, DAY, LAST, "Bob")
    assert needed(desk, PLAN, DAY, LAST) is None
    rows = desk.ledger._connection.execute(
        f"{query} cutover_confirmations ORDER BY confirmed_at", [desk.company.now()]
    ).fetchall()
    assert rows[1] == (settings.quickbooks_realm_id, DAY, LAST, "Bob", True)


@pytest.mark.parametrize(("days", "is_asked"), [(19, True), (21, False)])
def test_nothing_is_asked_once_our_first_delivery_is_twenty_days_old(
    desk: Desk, days: int, *, is_asked: bool
) -> None:
    """By the company's calendar; what was adopted is none that we sent."""
    at = desk.company.now() - timedelta(days=days)
    desk.ledger.record([known(1, state="sent", quickbooks_id="7", updated_at=at)])
    long_ago = at - timedelta(days=90)
    desk.ledger.record([known(2, state="adopted", quickbooks_id="8", updated_at=long_ago)])
    assert bool(needed(desk, PLAN, DAY, LAST)) is is_asked
