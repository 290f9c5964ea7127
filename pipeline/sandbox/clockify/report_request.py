"""What a detailed report is asked for: the request's body, read strictly where Clockify is strict.

Holds the window's odd rule and the limits. Which entries a request selects stands in `reports.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.sandbox.clockify.refusals import RefusalError, broken_rule, missing, unreadable
from pipeline.sandbox.world import Workspace

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
FREE_DAYS = 31

SORT_COLUMNS = (
    "ID",
    "DESCRIPTION",
    "USER",
    "DURATION",
    "DATE",
    "ZONED_DATE",
    "NATURAL",
    "USER_DATE",
)
AMOUNTS = ("EARNED", "COST", "PROFIT", "HIDE_AMOUNT", "EXPORT")
APPROVAL_STATES = ("ALL", "APPROVED", "UNAPPROVED")
INVOICING_STATES = ("ALL", "INVOICED", "UNINVOICED")
FORMER_TOO = ("ALL", "INACTIVE")
CONTAINS = ("CONTAINS", "DOES_NOT_CONTAIN", "CONTAINS_ONLY")


@dataclass(frozen=True)
class IdFilter:
    """One of the filters by id: `users`, `projects` or `clients`."""

    ids: frozenset[str]
    is_excluding: bool

    def admits(self, value: str | None) -> bool:
        """Whether an entry with this id passes."""
        return (value in self.ids) is not self.is_excluding


@dataclass(frozen=True)
class DetailedRequest:
    """A readable request. Instants are UTC."""

    first: datetime
    last: datetime
    zone: ZoneInfo
    is_rounded: bool
    amount_shown: str
    approval_state: str
    invoicing_state: str
    is_billable: bool | None
    users: IdFilter | None
    is_of_all_states: bool
    """Whether the filter of users asks for former members, by their status."""
    projects: IdFilter | None
    clients: IdFilter | None
    sort_column: str
    is_descending: bool
    page: int
    page_size: int
    has_totals: bool


def wall_clock(text: str, zone: ZoneInfo, *, is_later: bool = False) -> datetime:
    """The instant that Clockify makes of a written time.

    The text is parsed to an instant, then the UTC wall clock of it is read again in the zone: a `Z`
    or an offset selects no instant (`clockify-api.md`, 2.2, recorded live). Of a time that comes
    twice it is the earlier instant, unless the later is asked for.

    Raises:
        ValueError: If the text is no ISO 8601 time.
    """
    written = datetime.fromisoformat(text)
    if written.tzinfo is not None:
        written = written.astimezone(UTC).replace(tzinfo=None)
    return written.replace(tzinfo=zone, fold=int(is_later)).astimezone(UTC)


def read_request(
    body: object, workspace: Workspace, owner_zone: str, *, is_later: bool = False
) -> DetailedRequest:
    """Reads a request's body; keys that Clockify does not know are passed over, as it does.

    Raises:
        RefusalError: With status 400, for what Clockify refuses.
    """
    if not isinstance(body, Mapping):
        raise unreadable("body", type(body).__name__)
    detailed = body.get("detailedFilter")
    if not isinstance(detailed, Mapping):
        raise missing("detailedFilter")
    zone = _zone(body.get("timeZone") or owner_zone)
    first, last = _window(body, zone, workspace, is_later=is_later)
    rounding = body.get("rounding")
    return DetailedRequest(
        first=first,
        last=last,
        zone=zone,
        is_rounded=_is_rounded(rounding, workspace),
        amount_shown=_choice(body, "amountShown", AMOUNTS, "EARNED"),
        approval_state=_choice(body, "approvalState", APPROVAL_STATES, "ALL"),
        invoicing_state=_choice(body, "invoicingState", INVOICING_STATES, "ALL"),
        is_billable=body.get("billable"),
        users=_ids(body.get("users")),
        is_of_all_states=(body.get("users") or {}).get("status") in FORMER_TOO,
        projects=_ids(body.get("projects")),
        clients=_ids(body.get("clients")),
        sort_column=_choice(detailed, "sortColumn", SORT_COLUMNS, "DATE"),
        is_descending=_choice(body, "sortOrder", ("ASCENDING", "DESCENDING"), "DESCENDING")
        == "DESCENDING",
        page=_positive(detailed, "page", 1),
        page_size=_page_size(detailed),
        has_totals=(detailed.get("options") or {}).get("totals") != "EXCLUDE",
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise unreadable("timeZone", name) from error


def _window(
    body: Mapping[str, Any], zone: ZoneInfo, workspace: Workspace, *, is_later: bool
) -> tuple[datetime, datetime]:
    first = _instant(body, "dateRangeStart", zone, is_later=is_later)
    last = _instant(body, "dateRangeEnd", zone, is_later=is_later)
    if last < first:
        raise broken_rule("Start date must be before end date")
    # Strictly: a window of 31 local days is an hour too long where clocks go back.
    is_too_wide = last - first > timedelta(days=FREE_DAYS)
    if workspace.plan.upper().startswith("FREE") and is_too_wide:
        raise broken_rule(f"Date range must not be longer than {FREE_DAYS} days")
    return first, last


def _instant(body: Mapping[str, Any], name: str, zone: ZoneInfo, *, is_later: bool) -> datetime:
    text = body.get(name)
    if not text:
        raise missing(name)
    try:
        return wall_clock(text, zone, is_later=is_later)
    except (ValueError, TypeError) as error:
        raise unreadable(name, text) from error


def _is_rounded(asked: object, workspace: Workspace) -> bool:
    """The request's wish, else the workspace's setting; a plan without the feature never rounds."""
    if workspace.plan.upper().startswith("FREE"):
        return False
    return workspace.is_rounding_on if asked is None else bool(asked)


def _choice(body: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = body.get(name) or default
    if value not in allowed:
        raise unreadable(name, value)
    return str(value)


def _ids(value: Mapping[str, Any] | None) -> IdFilter | None:
    if not value or not value.get("ids"):
        return None
    contains = _choice(value, "contains", CONTAINS, "CONTAINS")
    return IdFilter(frozenset(value["ids"]), contains == "DOES_NOT_CONTAIN")


def _positive(detailed: Mapping[str, Any], name: str, default: int) -> int:
    value = detailed.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise unreadable(name, value)
    if value < 1:
        raise broken_rule(f"{name} must be a positive value")
    return value


def _page_size(detailed: Mapping[str, Any]) -> int:
    """The page's size: a wrong key is passed over and leaves 50 rows; over 1,000 is a bare 400."""
    size = detailed.get("pageSize", DEFAULT_PAGE_SIZE)
    if size == 0:
        raise broken_rule("Page size must be a positive value")
    if isinstance(size, int) and size > MAX_PAGE_SIZE:
        raise RefusalError(400, None, "Bad Request")
    return _positive(detailed, "pageSize", DEFAULT_PAGE_SIZE)
