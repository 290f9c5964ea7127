"""The core API's rows: people, workspaces, projects, clients and entries as JSON objects.

Pure functions on a world. Times are UTC with `Z`, durations ISO 8601, and a project without a
client has `""` for it where a report has null.
"""

from typing import Any

from pipeline.sandbox.clockify.readings import elapsed
from pipeline.sandbox.clockify.report_rows import PROJECT_COLOR, derived_id, in_utc
from pipeline.sandbox.clockify.switches import switch
from pipeline.sandbox.world import Entry, Project, User, World

FEATURES = [
    "APPROVAL",
    "INVOICING",
    "QUICKBOOKS_INTEGRATION",
    "TIME_OFF",
    "WORKSPACE_TIME_ROUNDING",
    "A_FEATURE_NOBODY_LISTED",
]
FREE_FEATURES = ["ONE_MONTH_RANGE_REPORTS"]
BASIC_FEATURES = ["WORKSPACE_TIME_ROUNDING"]


def iso_duration(seconds: int) -> str:
    """Write seconds as Clockify does: `PT2H54M`, `PT1H2M3S`, `PT0S`."""
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "H"), (minutes, "M"), (rest, "S")]
    written = "".join(f"{sign}{number}{unit}" for number, unit in parts if number)
    return f"PT{written or '0S'}"


def user_row(world: World, user: User, *, has_memberships: bool) -> dict[str, Any]:
    """Return a member's row; one who has not registered has neither name nor settings.

    A former member still reads `ACTIVE`: the state of the membership is only in `memberships`.
    """
    settings = {"timeZone": user.time_zone, "weekStart": "MONDAY"} if user.time_zone else None
    membership = {
        "userId": user.id,
        "targetId": world.workspace.id,
        "membershipType": "WORKSPACE",
        "membershipStatus": user.status,
    }
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "activeWorkspace": world.workspace.id,
        "defaultWorkspace": world.workspace.id,
        "status": "ACTIVE" if user.name else "NOT_REGISTERED",
        "memberships": [membership] if has_memberships else [],
        "customFields": [],
        "settings": settings,
    }


def workspace_row(world: World) -> dict[str, Any]:
    """Return the workspace with its settings; `round` holds two strings."""
    workspace = world.workspace
    currency = world.company.home_currency
    return {
        "id": workspace.id,
        "name": workspace.name,
        "hourlyRate": {"amount": 0, "currency": currency},
        "currencies": [{"id": derived_id("currency", currency), "code": currency}],
        "memberships": [],
        "featureSubscriptionType": workspace.plan,
        "features": _features(workspace.plan),
        "subdomain": {"enabled": False, "name": None},
        "workspaceSettings": {
            "timeRoundingInReports": workspace.is_rounding_on,
            "round": {"round": workspace.round_mode, "minutes": workspace.round_minutes},
            "durationFormat": "FULL",
            "onlyAdminsSeeBillableRates": True,
            "onlyAdminsSeeAllTimeEntries": True,
            "forceProjects": False,
            "lockTimeEntries": None,
            "lockTimeZone": None,
            "timeApprovalEnabled": workspace.is_approval_on,
            "workingDays": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
        },
    }


def _features(plan: str) -> list[str]:
    plan = plan.upper()
    if plan.startswith("FREE"):
        return FREE_FEATURES
    return BASIC_FEATURES if plan.startswith("BASIC") else FEATURES


def project_row(world: World, project: Project) -> dict[str, Any]:
    """Return a project's row."""
    return {
        "id": project.id,
        "name": project.name,
        "hourlyRate": {"amount": 0, "currency": world.company.home_currency},
        "clientId": project.client_id or "",
        "clientName": project.client_name or "",
        "workspaceId": world.workspace.id,
        "billable": project.is_billable,
        "memberships": [],
        "color": PROJECT_COLOR,
        "archived": project.is_archived,
        "note": "",
        "template": False,
        "public": True,
    }


def client_rows(world: World) -> list[dict[str, Any]]:
    """Return the clients, which the world knows through their projects."""
    projects = world.workspace.projects.values()
    names = {project.client_id: project.client_name for project in projects if project.client_id}
    return [
        {
            "id": client_id,
            "name": name,
            "email": None,
            "ccEmails": None,
            "workspaceId": world.workspace.id,
            "archived": False,
            "address": None,
            "note": None,
            "currencyCode": world.company.home_currency,
        }
        for client_id, name in names.items()
    ]


def entry_row(world: World, entry: Entry) -> dict[str, Any]:
    """Return an entry's row: no approval, no invoice and no time of change are in it."""
    return {
        "id": entry.id,
        "description": entry.description,
        "tagIds": [derived_id("tag", name) for name in entry.tag_names] or None,
        "userId": entry.user_id,
        "billable": entry.is_billable,
        "taskId": derived_id("task", entry.task_name) if entry.task_name else None,
        "projectId": entry.project_id,
        "workspaceId": world.workspace.id,
        "timeInterval": _interval(world, entry),
        "customFieldValues": [],
        "type": entry.type,
        "kioskId": None,
        "hourlyRate": _rate(world, entry),
        "costRate": None,
        "isLocked": entry.is_locked,
    }


def _interval(world: World, entry: Entry) -> dict[str, Any]:
    seconds = elapsed(entry)
    duration: int | str | None = seconds
    if seconds is not None and not switch(world, "numeric_core_duration"):
        duration = iso_duration(seconds)
    return {"start": in_utc(entry.start), "end": in_utc(entry.end), "duration": duration}


def _rate(world: World, entry: Entry) -> dict[str, Any] | None:
    if entry.rate_minor is None or switch(world, "rates_hidden") in ("null", "forbidden"):
        return None
    is_hidden = switch(world, "rates_hidden") == "zero"
    return {"amount": 0 if is_hidden else entry.rate_minor, "currency": entry.currency}
