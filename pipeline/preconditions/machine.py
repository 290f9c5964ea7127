"""Preconditions on this machine: its clock, its files, Dagster, and what earlier runs tell."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.preconditions.examination import Automation, Past
from pipeline.preconditions.precondition import Doubt
from pipeline.settings import Settings
from pipeline.stops import Stop

DRIFT = timedelta(seconds=60)
"""Half of what a token is renewed before its end."""
LOADED_WITHIN = timedelta(hours=36)
"""As the load's freshness policy."""
COPIED_WITHIN = timedelta(days=1)


def _clocks(clockify_ahead: timedelta | None, quickbooks_ahead: timedelta | None) -> str | Stop:
    """Clocks agree."""
    ahead = {"Clockify's": clockify_ahead, "Intuit's": quickbooks_ahead}
    known = {whose: by for whose, by in ahead.items() if by is not None}
    shown = ", ".join(f"{whose} {round(by.total_seconds()):+} s" for whose, by in known.items())
    if any(abs(by) > DRIFT for by in known.values()):
        return Stop(
            f"This machine's clock is wrong: {shown}",
            "Have the system set its clock by NTP",
        )
    return shown


def _writable(blocked: dict[Path, str]) -> str | Stop:
    """Files can be written."""
    if blocked:
        named = ", ".join(f"{path} ({why})" for path, why in blocked.items())
        return Stop(
            f"These files cannot be written: {named}",
            "Correct the owner and permissions of their folders, or name others in the settings",
        )
    return "warehouse, ledger, analysis copy and token file"


def _closed(readable: list[Path]) -> str | Stop:
    """No other account reads the files."""
    if readable:
        return Doubt(
            "Every account on this machine may read files that hold keys, names and rates: "
            f"{', '.join(map(str, readable))}",
            f"Close them, as with `chmod 600 {' '.join(map(str, readable))}`",
        )
    return "as the permissions of the files and their folders stand"


def _copied(written_at: datetime | None, copied_at: datetime | None) -> str | Stop:
    """The ledger is backed up."""
    if written_at is None:
        if copied_at is None:
            return "there is no ledger yet"
        return Stop(
            f"The ledger is missing, though there is a copy of {copied_at:%Y-%m-%d}",
            "Check that LEDGER and the disk are the right ones; if so, put the newest copy back",
        )
    if copied_at is None or written_at - copied_at > COPIED_WITHIN:
        copied = f"last copied on {copied_at:%Y-%m-%d}" if copied_at else "never copied"
        return Stop(
            f"The ledger was last written on {written_at:%Y-%m-%d} and {copied}",
            "Launch a run, which copies it at its end, and check the run's log for an error",
        )
    return f"last copied {copied_at:%Y-%m-%d %H:%M} UTC; have the copies backed up too"


def _cutover(settings: Settings) -> str | Stop:
    """The cut-over is set."""
    if settings.is_real and settings.send_from is None:
        return Stop(
            "SEND_FROM is not set, so nothing is sent",
            "Set it to the first day of the oldest month that is not yet invoiced",
        )
    if settings.dry_run:
        return Stop(
            "DRY_RUN is on, so nothing is sent",
            "Remove DRY_RUN from the settings once the plan is right",
        )
    return f"work dates from {settings.send_from or settings.start_date} are sent"


def _scheduled(automation: Automation) -> str | Stop:
    """The schedule is on."""
    if not automation.is_schedule_on:
        return Stop(
            "The schedule every_morning is off",
            "Switch it on in the Dagster UI under Automation",
        )
    if not automation.is_daemon_alive:
        return Stop(
            "The schedule is on, but Dagster's daemon does not run",
            "Start it with `dagster dev`, which starts the UI too, or with `dagster-daemon run`",
        )
    return "on, and the daemon runs"


def _loaded(automation: Automation) -> str | Stop:
    """The last load is recent."""
    at = automation.loaded_at
    if at is None:
        return Stop(
            "No load has succeeded yet",
            "Launch a first run with DRY_RUN=true, look at its plan, then launch one without; if a "
            "run failed, open it in the Dagster UI",
        )
    if datetime.now(UTC) - at > LOADED_WITHIN:
        return Stop(
            f"The last load that succeeded was on {at:%Y-%m-%d %H:%M} UTC",
            "Open the latest run in the Dagster UI: its error names the fix; then launch it again",
        )
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _button(past: Past) -> str | Stop:
    """The vendor's button is disconnected."""
    if past.adopted:
        return Stop(
            f"{past.adopted} entries of days after the first load were in QuickBooks before us",
            "Disconnect the vendor's QuickBooks integration in Clockify under Workspace settings "
            "> Integrations: somebody still uses it, or types time into QuickBooks",
        )
    return "nothing has come from it since the first load; make sure it is disconnected in Clockify"


PRECONDITIONS = (_clocks, _writable, _closed, _copied, _cutover, _scheduled, _loaded, _button)
