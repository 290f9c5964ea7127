"""Preconditions in Clockify: the key, what it may see, and what the entries look like."""

import pandas as pd

from pipeline.clockify.client import Workspace, is_free
from pipeline.extract.reading import no_approval, workspace_row
from pipeline.preconditions.examination import DAYS, Past
from pipeline.preconditions.precondition import Doubt, listed
from pipeline.review.reasons import NOT_WORK
from pipeline.settings import Settings
from pipeline.stops import Stop


def _key(workspace: Workspace) -> str | Stop:
    """Clockify accepts the key."""
    return f"the workspace {workspace.name}"


def _plan(workspace: Workspace, settings: Settings) -> str | Stop:
    """Clockify's plan allows it."""
    if no_approval(workspace, settings):
        return f"{workspace.plan}; see the next line"
    if is_free(workspace.plan):
        return Doubt(
            "The workspace is on Clockify's free plan, which gives a new workspace 30 requests "
            "an hour and no approval or rounding",
            "Keep LOOKBACK_DAYS small, or move to a paid plan",
        )
    return str(workspace.plan)


def _approvals(workspace: Workspace, settings: Settings) -> str | Stop:
    """Approvals are available."""
    if not settings.require_approval:
        return "REQUIRE_APPROVAL is off"
    if not workspace.is_approval_on and workspace.has_approval:
        return Stop(
            "REQUIRE_APPROVAL is `true`, and approval is switched off in the workspace: every "
            "entry would wait for ever",
            "Switch it on in Clockify's workspace settings, or set REQUIRE_APPROVAL=false",
        )
    return no_approval(workspace, settings) or "REQUIRE_APPROVAL is on"


def _rates(entries: pd.DataFrame, settings: Settings) -> str | Stop:
    """The key sees rates."""
    if settings.rate_source != "clockify":
        return "rates are the service item's: Clockify's are not needed"
    billable = entries[entries["is_billable"] & entries["end_at"].notna()]
    rated = billable["hourly_rate_minor"].fillna(0) != 0
    if len(billable) and not rated.any():
        return Stop(
            f"The key sees no rate on any of the {len(billable)} billable entries of the last "
            f"{DAYS} days",
            "Set CLOCKIFY_API_KEY to the key of an admin who may see billable rates, or set "
            "hourly rates in Clockify",
        )
    return f"{int(rated.sum())} of {len(billable)} billable entries of {DAYS} days have a rate"


def _everybody(entries: pd.DataFrame, users: pd.DataFrame, owner_id: str) -> str | Stop:
    """The key sees everybody's time."""
    people, members = set(entries["user_id"]), int(users["is_active"].sum())
    if people <= {owner_id} and members > 1:
        return Stop(
            f"The key shows nobody's entries of the last {DAYS} days but its owner's, though the "
            f"workspace has {members} members",
            "Set CLOCKIFY_API_KEY to the key of an admin of the workspace",
        )
    return f"entries of {len(people)} people in the last {DAYS} days, of {members} members"


def _rounding(
    workspace: Workspace, settings: Settings, entries: pd.DataFrame, past: Past
) -> str | Stop:
    """Rounding is as it was."""
    now = str(workspace_row(workspace, settings.rounding)["rounding"])
    bound = past.binding
    if bound and bound.rounding != now:
        return Stop(
            f"Clockify's rounding is now `{now}`, but the ledger was bound to `{bound.rounding}`",
            "Set it back in Clockify's workspace settings (or ROUNDING), or load once with "
            "`rebind: true` if the change is meant",
        )
    moved = entries["duration_seconds"].fillna(0) - entries["raw_seconds"].fillna(0)
    return f"{now}: in the last {DAYS} days it changes the time by {int(moved.sum()) // 60:+} min"


def _bound(workspace: Workspace, settings: Settings, past: Past) -> str | Stop:
    """Workspace and zone are as they were."""
    now = settings.clockify_workspace_id, settings.time_zone
    filled, bound = past.workspace_id, past.binding
    if filled and filled != now[0]:
        return Stop(
            f"The settings name the workspace {now[0]}, but the warehouse holds the entries of "
            f"{filled}",
            "Set CLOCKIFY_WORKSPACE_ID back; or, if the change is meant, name another WAREHOUSE, "
            "and load once with `rebind: true`",
        )
    if bound and (bound.workspace_id, bound.time_zone) != now:
        return Stop(
            f"The settings name the workspace {now[0]} in {now[1]}, but the ledger was bound to "
            f"{bound.workspace_id} in {bound.time_zone}",
            "Set CLOCKIFY_WORKSPACE_ID and TIME_ZONE back, name the ledger of this company in "
            "LEDGER, or load once with `rebind: true` if the change is meant",
        )
    return f"{workspace.name} in {settings.time_zone}"


def _one_date(entries: pd.DataFrame, settings: Settings) -> str | Stop:
    """Work dates are the same in everybody's zone."""
    is_other = (entries["person_work_date"] != entries["work_date"]).fillna(value=False)
    if not is_other.any():
        return f"work dates are those of {settings.time_zone} and of everybody's own zone"
    names = entries.loc[is_other, "user_name"].dropna().unique().tolist()
    return Doubt(
        f"{int(is_other.sum())} of {len(entries)} entries of the last {DAYS} days fall on another "
        f"day in the person's own zone ({listed(names)})",
        f"Do nothing if {settings.time_zone} is the time zone of the books; else set TIME_ZONE "
        "before anything is sent",
    )


def _far_ahead(far: pd.DataFrame | None) -> str | Stop:
    """No work is dated far ahead."""
    if far is None:
        return "not looked at: it takes 12 of the 30 requests that a free plan may have an hour"
    work = far[~far["entry_type"].isin(NOT_WORK)]
    if work.empty:
        return "none lies in the year after tomorrow"
    named = (work["user_name"].fillna("?") + work["work_date"].dt.strftime(" on %Y-%m-%d")).tolist()
    return Doubt(
        f"{len(work)} entries lie in the year after tomorrow ({listed(named)}): each is in no list "
        "until its day has come",
        "Correct the dates in Clockify where a wrong year was typed",
    )


PRECONDITIONS = (
    *(_key, _plan, _approvals, _rates, _everybody, _rounding, _bound, _one_date),
    _far_ahead,
)
