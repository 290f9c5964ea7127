"""What the rules need to know besides the entries.

Keeps out where it comes from (the company, the ledger) and the rules (`reasons`).
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.settings import Settings

JUDGED_BY = (
    *("send_from", "send_after_days", "send_up_to", "send_non_billable", "require_approval"),
    *("zero_rates", "max_rate", "rate_source", "customer_matching"),
    *("only_users", "only_clients", "only_projects"),
)
"""The settings that a verdict depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Settings and facts of one review."""

    settings: Settings
    today: date
    """The calendar date now in `TIME_ZONE`."""
    home_currency: str
    service_item_rate_minor: int | None = None
    """Price of the service item an hour, in minor units of the home currency."""
    books_closed_through: date | None = None
    """The last work date that Intuit refused as closed."""
    probe_entry_id: str | None = None
    """The entry by which this run tries whether the books are open again."""
    shared_projects: frozenset[str] = frozenset()
    """Names of projects that Clockify has for several clients, where projects are matched alone."""

    @property
    def judged_by(self) -> str:
        """The settings that a verdict depends on, as JSON: by others it may be another."""
        return json.dumps({name: getattr(self.settings, name) for name in JUDGED_BY}, default=str)

    @property
    def max_rate_minor(self) -> int:
        """`MAX_RATE` in minor units."""
        return int(self.settings.max_rate * 100)

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
        waited = self.today - timedelta(days=self.settings.send_after_days)
        return min(limits[self.settings.send_up_to], waited)
