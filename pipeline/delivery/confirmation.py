"""The cut-over's confirmation: before a company's first loads send beside another's activities.

A rule that we misjudge, such as another way to name customers, would make everything that the
vendor's button had sent look new. So a person looks once at what would be sent. Keeps out how it
is shown (`cutover`).
"""

from datetime import date

from pipeline.delivery.breaker import is_settling_in
from pipeline.delivery.desk import Desk
from pipeline.delivery.planning import Plan
from pipeline.stops import Stop


def needed(desk: Desk, plan: Plan, first: date, last: date) -> Stop | None:
    """What stops a load that nobody has confirmed; none where nothing needs to be.

    Nothing is asked where QuickBooks holds no activities but ours about these days, where nothing
    is to be sent, and once our own first delivery is twenty days old.
    """
    if (
        not plan.send
        or not plan.foreign
        or desk.ledger.is_confirmed(desk.company.settings.quickbooks_realm_id)
    ):
        return None
    sent_by_day = desk.ledger.sent_by_day(desk.company.settings.time_zone)
    if not is_settling_in(sent_by_day, desk.company.today()):
        return None
    return Stop(
        f"From {first} to {last} QuickBooks holds {plan.foreign} time activities that this "
        f"pipeline did not send, and {len(plan.send)} entries that look new would be sent beside "
        "them",
        f"look at them with `python -m pipeline cutover {first} {last}`, then run it again with "
        "`--confirm`, or launch the load once with `confirm_cutover: true`; it is asked once",
    )


def confirm(desk: Desk, first: date, last: date, who: str) -> None:
    """Keep that a person has seen what is to be sent of some days."""
    desk.ledger.confirm(
        {
            "realm_id": desk.company.settings.quickbooks_realm_id,
            "first_day": first,
            "last_day": last,
            "confirmed_at": desk.company.now(),
            "confirmed_by": who,
        }
    )
