"""One read of Clockify's report, as this run is to read it.

Holds how durations are rounded and which entries count as approved. Keeps out HTTP (`clockify`),
what a row of the report means (`entries`) and what becomes of it (`extraction`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import pandas as pd

from pipeline.clockify.client import Clockify, Workspace
from pipeline.clockify.detailed_report import READS
from pipeline.extract.entries import differing, frame_of
from pipeline.fields import Row
from pipeline.settings import Settings
from pipeline.stops import Stop

NOT_ROUNDED = "off"
"""The rounding by which entries are read as they were tracked."""


@dataclass(frozen=True)
class Reading:
    """Whom this run asks for the report, and how it reads it."""

    clockify: Clockify
    settings: Settings
    rounding: str
    """As `clockify_workspace` has it."""
    log: Callable[[str], object]
    now: Callable[[], datetime]

    @property
    def is_rounding_on(self) -> bool:
        """Whether durations are rounded."""
        return self.rounding != NOT_ROUNDED


def workspace_row(workspace: Workspace, setting: str) -> dict[str, object]:
    """The row of `clockify_workspace`, with the rounding by which entries are read.

    Args:
        workspace: says what Clockify's own setting is.
        setting: `ROUNDING`.
    """
    is_on = setting == "on" or (setting == "workspace" and workspace.is_rounding_on)
    step = workspace.round_minutes if is_on else 1
    return {
        "workspace_id": workspace.id,
        "workspace_name": workspace.name,
        "plan": workspace.plan,
        "rounding": f"{workspace.round_mode} {step}" if is_on else NOT_ROUNDED,
        "rounding_minutes": max(step, 1),
    }


def no_approval(workspace: Workspace, settings: Settings) -> Stop | None:
    """What stops an extraction that waits for approvals which the plan does not have."""
    if not settings.require_approval or workspace.has_approval:
        return None
    return Stop(
        f"REQUIRE_APPROVAL is `true`, and the Clockify plan, {workspace.plan or 'free'}, has no "
        "approval: every entry would wait for ever",
        "move the workspace to a plan with approval, or set REQUIRE_APPROVAL=false",
    )


def read(reading: Reading, users: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Read at most 31 days as `ClockifyTimeEntries`, rounded as the reading says.

    Only a read of approved entries is evidence of approval: a request id or a lock is not.

    Args:
        reading: says whom to ask, and how.
        users: rows of `clockify_users`, for their zones, and for the former members among them.
        first: the first work date.
        last: the last one, included.

    Raises:
        Stop: the read is incomplete, or the key may not see rates.
    """
    former = set(users.loc[~users["is_active"], "user_id"])
    read_at = reading.now()
    raw = reading.clockify.reports.rows(first, last, rounding=False, former=former)
    former &= {row["userId"] for row in raw}  # the others have no time here: ask no further
    rows_of = partial(reading.clockify.reports.rows, first, last, former=former)
    rows, raw = _rounded(rows_of, raw) if reading.is_rounding_on else (raw, raw)
    approved = _approved(rows_of, raw) if reading.settings.require_approval else None
    zoned = users.dropna(subset="time_zone")
    return frame_of(
        rows,
        raw,
        approved,
        zone=reading.settings.zone,
        user_zones=dict(zip(zoned["user_id"], zoned["time_zone"], strict=True)),
        read_at=read_at,
        first=first,
        last=last,
    )


def _approved(rows_of: Callable[..., list[Row]], raw: Sequence[Row]) -> set[str]:
    """Ids of the entries that were approved as they were read.

    One that was corrected and approved after the first read waits for the next run.
    """
    rows = rows_of(rounding=False, only_approved=True)
    ids = {str(row["_id"]) for row in rows}
    return ids - differing(rows, [row for row in raw if row["_id"] in ids])


def _rounded(rows_of: Callable[..., list[Row]], raw: list[Row]) -> tuple[list[Row], list[Row]]:
    """The report rounded, and unrounded, of entries that did not change in between.

    Rounding may move an end (clockify-api.md, 2.5). So where the two tell an entry otherwise, it is
    read unrounded once more: what did not change from before to after was rounded as it is.

    Raises:
        Stop: entries change with every read.
    """
    for _ in range(READS):
        rows, before = rows_of(rounding=True), raw
        if not differing(rows, raw):
            return rows, raw
        raw = rows_of(rounding=False)
        # That may have come and gone between: then only the rounded read has it, or has it not.
        only_one_has = {row["_id"] for row in rows} ^ {row["_id"] for row in raw}
        if not (changed := differing(before, raw) | only_one_has):
            return rows, raw
    raise Stop(
        f"Incomplete read: entries change while they are read, such as {min(changed)}",
        "run again when nobody is editing these days",
        is_transient=True,
    )
