"""What the rules need to know besides the entries, as plain values.

Keeps out where they come from (`settings`, the company, the ledger) and the rules (`reasons`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Settings and facts of one review; what is not given asks for nothing."""

    today: date
    """The calendar date now in `TIME_ZONE`."""
    home_currency: str
    max_rate_minor: int
    send_from: date | None = None
    send_after_days: int = 0
    send_up_to: Literal["yesterday", "last_week", "last_month"] = "yesterday"
    send_non_billable: bool = False
    zero_rates: Literal["reject", "send"] = "reject"
    rate_source: Literal["clockify", "service_item"] = "clockify"
    service_item_rate_minor: int | None = None
    """Price of the service item an hour, in minor units of the home currency."""
    require_approval: bool = False
    customer_matching: Literal["auto", "project", "client_project"] = "auto"
    only_users: tuple[str, ...] = ()
    only_clients: tuple[str, ...] = ()
    only_projects: tuple[str, ...] = ()
    books_closed_through: date | None = None
    """The last work date that Intuit refused as closed."""
    probe_entry_id: str | None = None
    """The entry by which this run tries whether the books are open again."""

    @property
    def settled_through(self) -> date:
        """The last work date that `SEND_AFTER_DAYS` and `SEND_UP_TO` let through.

        A week ends on its Sunday, a month on its last day, and both only when that day has passed.
        """
        limits = {
            "yesterday": self.today - timedelta(days=1),
            "last_week": self.today - timedelta(days=self.today.isoweekday()),
            "last_month": self.today - timedelta(days=self.today.day),
        }
        return min(limits[self.send_up_to], self.today - timedelta(days=self.send_after_days))
