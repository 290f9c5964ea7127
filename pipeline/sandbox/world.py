"""What the two invented services hold: plain values, no HTTP.

Instants are aware datetimes in UTC, money is integer minor units, ids are strings as each API
spells them (24 hex digits in Clockify, decimal digits in QuickBooks).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass
class User:
    """A Clockify member."""

    id: str
    name: str | None
    email: str
    time_zone: str | None
    status: str = "ACTIVE"
    """`ACTIVE`, `INACTIVE` or `PENDING`: the membership's state."""


@dataclass
class Project:
    """A Clockify project, with the name of its client where it has one."""

    id: str
    name: str
    client_id: str | None = None
    client_name: str | None = None
    is_billable: bool = True
    is_archived: bool = False


@dataclass
class Entry:
    """A Clockify time entry. A running one has no end."""

    id: str
    user_id: str
    start: datetime
    end: datetime | None
    project_id: str | None = None
    task_name: str | None = None
    tag_names: list[str] = field(default_factory=list)
    description: str = ""
    type: str = "REGULAR"
    is_billable: bool = True
    rate_minor: int | float | None = None
    """The resolved hourly rate in minor units, as the report gives it."""
    currency: str = "USD"
    is_locked: bool = False
    is_approved: bool = False
    reported_seconds: int | None = None
    """Overrides the duration that the API reports: for entries that contradict themselves."""
    approval_request_id: str | None = None
    """The approval request it belongs to, approved or not."""
    is_invoiced: bool = False
    is_sent: bool = False
    """Clockify's own mark that the vendor's button sent it: no API shows it."""


@dataclass
class Workspace:
    """The Clockify side."""

    id: str
    name: str
    plan: str
    """`featureSubscriptionType`, such as `STANDARD_2021` or `FREE`."""
    api_key: str
    owner_id: str
    is_rounding_on: bool
    round_mode: str
    """`Round to nearest`, `Round up to`, `Round down to`."""
    round_minutes: str
    """Minutes, as a string: the API's own type."""
    is_approval_on: bool = True
    users: dict[str, User] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass
class Company:
    """The QuickBooks side. Name lists and activities are stored as the API's own JSON objects."""

    realm_id: str
    name: str
    plan: str
    """`OfferingSku`, such as `QuickBooks Online Plus`."""
    is_payroll_on: bool
    is_time_tracking_on: bool
    home_currency: str
    books_closed_through: date | None = None
    employees: dict[str, dict[str, Any]] = field(default_factory=dict)
    vendors: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    activities: dict[str, dict[str, Any]] = field(default_factory=dict)
    next_id: int = 1
    """Names and transactions share one number space, as in the real service."""


@dataclass
class Tokens:
    """Intuit's OAuth: the application's keys and every token given out."""

    client_id: str
    client_secret: str
    refresh_token: str
    """The refresh token that is valid now; an older one is dead."""
    refresh_issued_at: datetime
    access_tokens: dict[str, datetime] = field(default_factory=dict)
    """Access token to the instant at which it expires."""
    codes: dict[str, str] = field(default_factory=dict)
    """Authorization code to the redirect address it was issued for."""
    dead_refresh_tokens: list[str] = field(default_factory=list)
    """Refresh tokens that were replaced."""
    is_revoked: bool = False


@dataclass
class World:
    """Everything the sandbox holds; what a state file keeps."""

    seed: int
    today: date
    time_zone: str
    start_date: date
    """The first work date that a pipeline should read."""
    send_from: date
    """The first work date that a pipeline should send: older ones went through the old button."""
    workspace: Workspace
    company: Company
    tokens: Tokens
    switches: dict[str, Any] = field(default_factory=dict)
    """Behaviours that the real services leave unconfirmed, by name; see `switches.py`."""
    replies: dict[str, Any] = field(default_factory=dict)
    """Request ids that QuickBooks remembers, with the answer given then."""
