"""The Clockify client: one workspace with its people, projects and entries.

Keeps out how the report is paged (`detailed_report`), what an answer refuses
(`answers`) and what a row means (`extract.entries`). Facts: clockify-api.md, 1 and 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Self

from pyrate_limiter import Duration, Rate

from pipeline.clockify.answers import DOMAIN, accepted, code_of, parsed
from pipeline.clockify.detailed_report import IN_FLIGHT, DetailedReport
from pipeline.fields import Row, rows_of, value, values
from pipeline.http import Http, Service
from pipeline.settings import Settings
from pipeline.stops import Stop

LIST_PAGE = 5000
_WORKSPACE, _USER, _PROJECT = "Clockify's workspace", "Clockify's user", "Clockify's project"


@dataclass(frozen=True)
class Workspace:
    """What the workspace's settings say."""

    id: str
    name: str
    plan: str | None
    is_rounding_on: bool
    round_mode: str
    """`up`, `nearest` or `down`; empty where the setting is none of these and rounding is off."""
    round_minutes: int
    has_approval: bool
    """Whether the plan has timesheet approval; where Clockify does not say, it may."""
    is_approval_on: bool


@dataclass(frozen=True)
class Whereabouts:
    """Where an entry is that a report no longer has."""

    start: datetime
    """In UTC."""
    is_running: bool


class Clockify:
    """One workspace of Clockify; a context manager.

    Args:
        settings: Name the workspace, the key, the hosts and the time zone.
        on_progress: Told how far a long read has come.
    """

    def __init__(
        self, settings: Settings, on_progress: Callable[[str], object] = lambda _: None
    ) -> None:
        key = settings.clockify_api_key.get_secret_value()
        service = Service(
            "Clockify",
            settings.clockify_api_url,
            Rate(10, Duration.SECOND),
            in_flight=IN_FLIGHT,
            throttled_fix="Run again later; a workspace on the free plan has 30 requests an hour",
        )
        headers = {"X-Api-Key": key}
        self.http = Http(service, settings.http_patience_seconds, {key}, headers=headers)
        self._path = f"/workspaces/{settings.clockify_workspace_id}"
        url = f"{settings.clockify_reports_url}{self._path}/reports/detailed"
        needs_amounts = settings.rate_source == "clockify"
        self.reports = DetailedReport(
            self.http, url, settings.time_zone, on_progress, needs_amounts
        )

    def __enter__(self) -> Self:
        self.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__()

    def owner_id(self) -> str:
        """Return the id of the user whose key this is."""
        row = accepted(self.http.read("GET", "/user"))
        owner: str = value(row, "id", str, of=_USER)
        return owner

    def workspace(self) -> Workspace:
        """Return the workspace's name, plan and rounding.

        Raises:
            Stop: the key or the workspace is wrong, or the rounding is of an unknown kind.
        """
        row = accepted(self.http.read("GET", self._path))
        path = "workspaceSettings.round"
        is_on = value(row, "workspaceSettings.timeRoundingInReports", bool, of=_WORKSPACE)
        mode = value(row, f"{path}.round", str, of=_WORKSPACE, default="")
        minutes = str(value(row, f"{path}.minutes", str, int, of=_WORKSPACE, default=""))
        known = [word for word in ("up", "nearest", "down") if word in mode.lower().split()]
        if is_on and not (known and minutes.isdecimal()):
            raise Stop(
                f"Clockify rounds in a way not known here: `{mode}`, `{minutes}` minutes",
                "Choose another rounding in Clockify's workspace settings",
            )
        plan = value(row, "featureSubscriptionType", str, of=_WORKSPACE, is_optional=True)
        features = value(row, "features", list, of=_WORKSPACE, default=[])
        approval = "workspaceSettings.timeApprovalEnabled"
        return Workspace(
            id=value(row, "id", str, of=_WORKSPACE),
            name=value(row, "name", str, of=_WORKSPACE),
            plan=plan,
            is_rounding_on=is_on,
            round_mode="".join(known[:1]),
            round_minutes=int(minutes) if minutes.isdecimal() else 0,
            has_approval="APPROVAL" in features if features else not plan or not is_free(plan),
            is_approval_on=value(row, approval, bool, of=_WORKSPACE, default=True),
        )

    def users(self) -> list[Row]:
        """Return the members as rows of `clockify_users`, former ones included."""
        # Without `memberships` the list of memberships is empty (clockify-api.md, 4.2).
        asked = {"status": "ALL", "memberships": "WORKSPACE", "include-roles": "false"}
        rows = self._list("/users", asked, _USER)
        return rows_of(
            user_id=values(rows, "id", str, of=_USER),
            user_name=values(rows, "name", str, of=_USER, is_nullable=True),
            user_email=values(rows, "email", str, of=_USER, is_optional=True),
            is_active=[_is_member(each) for each in values(rows, "memberships", list, of=_USER)],
            time_zone=values(rows, "settings.timeZone", str, of=_USER, is_optional=True),
        )

    def projects(self) -> list[Row]:
        """Return the projects as rows of `clockify_projects`, archived ones included."""
        rows = self._list("/projects", {}, _PROJECT)
        ids, names = (
            [text or None for text in values(rows, key, str, of=_PROJECT, is_optional=True)]
            for key in ("clientId", "clientName")
        )
        return rows_of(
            project_id=values(rows, "id", str, of=_PROJECT),
            project_name=values(rows, "name", str, of=_PROJECT),
            client_id=ids,
            client_name=names,
            is_billable=values(rows, "billable", bool, of=_PROJECT),
            is_archived=values(rows, "archived", bool, of=_PROJECT),
        )

    def whereabouts(self, entry_id: str) -> Whereabouts | None:
        """Return where an entry is now, or None if it was deleted.

        Clockify answers 400 with code 501 for a deleted id, never 404 (clockify-api.md, 9).

        Raises:
            Stop: any other refusal; a 404 without a code is of a workspace, or of a proxy's page.
        """
        response = self.http.read("GET", f"{self._path}/time-entries/{entry_id}")
        status, code = response.status_code, code_of(parsed(response))
        if (status, code) == (400, DOMAIN):
            return None
        if (status, code) == (404, None):
            raise Stop(
                f"Clockify answers 404 for the entry {entry_id}, which does not say that it was "
                "deleted",
                "run again; if it stays, check CLOCKIFY_WORKSPACE_ID and CLOCKIFY_API_URL",
                is_transient=True,
            )
        row = accepted(response)
        start = value(row, "timeInterval.start", str, of="Clockify's entry")
        end = value(row, "timeInterval.end", str, of="Clockify's entry", is_nullable=True)
        return Whereabouts(datetime.fromisoformat(start).astimezone(UTC), is_running=end is None)

    def _list(self, path: str, asked: dict[str, str], of: str) -> list[Row]:
        rows: dict[str, Row] = {}
        for page in count(1):
            params = {**asked, "page": page, "page-size": LIST_PAGE}
            response = self.http.read("GET", f"{self._path}{path}", params=params)
            found = value({path: accepted(response)}, path, list, of="Clockify's answer")
            known = len(rows)
            rows |= zip(values(found, "id", str, of=of), found, strict=True)
            # Where paging is ignored, the same rows come again.
            if response.headers.get("Last-Page") == "true" or len(rows) == known:
                break
        return list(rows.values())


def is_free(plan: str | None) -> bool:
    """Whether a plan, by its name, is the free one: 30 requests an hour, and few features."""
    return (plan or "FREE").upper().startswith("FREE")


def _is_member(memberships: list[Row]) -> bool:
    active = {"membershipType": "WORKSPACE", "membershipStatus": "ACTIVE"}
    return any(active.items() <= each.items() for each in memberships)
