"""The cut-over's confirmation: before a company's first loads send beside another's activities.

A rule that we misjudge, such as another way to name customers, would make everything that the
vendor's button had sent look new. So a person looks once at what would be sent. Keeps out how it
is shown (`cutover`).
"""

from datetime import date
from zoneinfo import ZoneInfo

from pipeline.breaker import is_settling_in
from pipeline.candidates import Terms
from pipeline.ledger import Ledger
from pipeline.planning import Plan
from pipeline.stops import Stop


def needed(
    plan: Plan, ledger: Ledger, terms: Terms, window: tuple[date, date], zone: ZoneInfo
) -> Stop | None:
    """What stops a load that nobody has confirmed; none where nothing needs to be.

    Nothing is asked where QuickBooks holds no activities but ours about these days, where nothing
    is to be sent, and once our own first delivery is twenty days old.
    """
    if not plan.send or not plan.foreign or ledger.is_confirmed(terms.realm_id):
        return None
    if not is_settling_in(ledger.sent_by_day(zone.key), terms.now().astimezone(zone).date()):
        return None
    first, last = window
    return Stop(
        f"From {first} to {last} QuickBooks holds {plan.foreign} time activities that this "
        f"pipeline did not send, and {len(plan.send)} entries that look new would be sent beside "
        "them",
        f"look at them with `python -m pipeline cutover {first} {last}`, then run it again with "
        "`--confirm`, or launch the load once with `confirm_cutover: true`; it is asked once",
    )


def confirm(ledger: Ledger, terms: Terms, first: date, last: date, who: str) -> None:
    """Keep that a person has seen what is to be sent of some days."""
    ledger.confirm(
        {
            "realm_id": terms.realm_id,
            "first_day": first,
            "last_day": last,
            "confirmed_at": terms.now(),
            "confirmed_by": who,
        }
    )
