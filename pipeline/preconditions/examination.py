"""What `doctor` looks at: facts of both services, of this machine and of Dagster, each read once.

A fact that cannot be had is the `Stop` that says why, and so is every fact that depends on it.
Keeps out what speaks for or against going on (`preconditions`). Changes nothing, but for a token
that is due to be renewed.
"""

import os
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from dagster._core.errors import DagsterHomeNotSetError
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType

from pipeline import files
from pipeline.clockify.client import Clockify, is_free
from pipeline.company import utc_now
from pipeline.extract.pieces import pieces
from pipeline.extract.reading import NOT_ROUNDED, Reading, read, workspace_row
from pipeline.ledger import Binding
from pipeline.orchestration.windows import DRY_RUN, SCHEDULE
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.reports.analysis import copy_of
from pipeline.schemas import ClockifyProjects, ClockifyUsers, QuickbooksCustomers, Table, framed
from pipeline.schemas import QuickbooksEmployees as Employees
from pipeline.settings import Settings, settings_file
from pipeline.stops import Stop
from pipeline.storage import ledger_file, rows

Facts = dict[str, Any]
"""Facts by name, as `preconditions` asks for them; a `Stop` for one that cannot be had."""

DAYS = 7
"""How many days of entries are looked at: a week shows who works and what is rounded."""
PATIENCE_SECONDS = 20
"""A person waits for the answer."""
LOAD = dg.AssetKey("quickbooks_time_activities")
PAGE = 400
"""Materializations that are asked for at once: a run's range has one a day."""
ALIVE_SECONDS = 300
"""Dagster's daemons give a sign of life every 30 seconds."""
PAST = """
SELECT (SELECT workspace_id FROM clockify_workspace) AS workspace_id, count(*) AS adopted
FROM deliveries WHERE state = 'adopted'
    AND work_date > (SELECT min(sent_at)::DATE FROM deliveries WHERE state = 'sent')
"""
"""Of `Past`, but for the binding."""


@dataclass(frozen=True)
class Automation:
    """What Dagster knows of the pipeline."""

    is_schedule_on: bool
    is_daemon_alive: bool
    loaded_at: datetime | None
    """When the load last went through."""


@dataclass(frozen=True)
class Past:
    """What the analysis copy knows of earlier runs; nothing before the first."""

    binding: Binding | None = None
    """What the ledger is bound to; none if it is not bound yet."""
    workspace_id: str | None = None
    """Whose entries the warehouse holds; none if none were read yet."""
    adopted: int = 0
    """Activities that were in QuickBooks before us on days after our first load."""


def facts(settings: Settings, today: date, log: Callable[[str], object]) -> Facts:
    """Read everything that speaks for or against going on.

    Args:
        settings: the settings.
        today: the calendar date now in `TIME_ZONE`.
        log: told what is being read.
    """
    hasty = {"http_patience_seconds": min(settings.http_patience_seconds, PATIENCE_SECONDS)}
    settings = settings.model_copy(update=hasty)
    known: Facts = {"settings": settings}
    take = partial(_take, known)
    log("reading Clockify")
    with Clockify(settings) as clockify:
        take("workspace", clockify.workspace)
        take("clockify_ahead", lambda: clockify.http.ahead, "workspace")
        take("owner_id", clockify.owner_id, "workspace")
        take("users", lambda: _frame(ClockifyUsers, clockify.users()), "workspace")
        take("projects", lambda: _frame(ClockifyProjects, clockify.projects()), "workspace")
        take("entries", lambda: _entries(clockify, settings, known, today), "workspace", "users")
        take("far", lambda: _far(clockify, settings, known, today), "entries")
    log("reading QuickBooks")
    tokens = Tokens(settings)
    with QuickBooks(settings, tokens) as quickbooks:
        take("pair", lambda: (tokens.access_token(), tokens.stored())[1])
        take("company", lambda: quickbooks.company(is_alone=True), "pair")
        take("quickbooks_ahead", lambda: quickbooks.http.ahead, "company")
        take("item", quickbooks.service_item, "company")
        take("employees", lambda: _frame(Employees, quickbooks.employees()), "company")
        take("customers", lambda: _frame(QuickbooksCustomers, quickbooks.customers()), "company")
    log("looking at this machine")
    take("blocked", lambda: blocked_places(settings))
    take("readable", lambda: readable_by_all(settings))
    take("written_at", lambda: _written(settings.ledger))
    take("copied_at", lambda: _copied_at(settings.ledger))
    take("past", lambda: _past(settings.analysis))
    take("automation", _automation)
    return known


def _take(known: Facts, name: str, read: Callable[[], object], *needs: str) -> None:
    """Read a fact, or what keeps it from being had; not if one that it needs could not be had."""
    missing = [known[need] for need in needs if isinstance(known[need], Stop)]
    try:
        known[name] = missing[0] if missing else read()
    except Stop as stop:
        known[name] = stop
    except OSError as error:
        known[name] = files.out_of_reach(error)


def _entries(clockify: Clockify, settings: Settings, known: Facts, today: date) -> pd.DataFrame:
    """The entries of the last days, as a run would read them."""
    rounding = str(workspace_row(known["workspace"], settings.rounding)["rounding"])
    reading = _reading(clockify, settings, rounding)
    return read(reading, known["users"], today - timedelta(days=DAYS), today)


def _far(clockify: Clockify, settings: Settings, known: Facts, today: date) -> pd.DataFrame | None:
    """The members' entries of the year after tomorrow, which no run reads; none of a free plan."""
    if is_free(known["workspace"].plan):
        return None
    reading, users = _reading(clockify, settings, NOT_ROUNDED), known["users"]
    ahead = pieces(today + timedelta(days=2), today + timedelta(days=366))
    return pd.concat([read(reading, users[users["is_active"]], *days) for days in ahead])


def _reading(clockify: Clockify, settings: Settings, rounding: str) -> Reading:
    asking_no_approval = settings.model_copy(update={"require_approval": False})
    return Reading(clockify, asking_no_approval, rounding, log=lambda _: None, now=utc_now)


def _frame(model: type[Table], rows: list[dict[str, Any]]) -> pd.DataFrame:
    return model.validate(framed(model, rows))


def blocked_places(settings: Settings) -> dict[Path, str]:
    """The files that could not be written, each with the reason."""
    return {path: why for path in settings.files.values() if (why := _why_not(path))}


def readable_by_all(settings: Settings) -> list[Path]:
    """The files with keys, names or rates that any account may read; analysts have their copy."""
    keys = (settings_file(), settings.quickbooks_token_file)
    there = [path.resolve() for path in (*keys, settings.ledger, settings.warehouse)]
    return [
        path
        for path in there
        if files.is_there(path)
        and path.stat().st_mode & stat.S_IROTH
        and all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    ]


def _why_not(path: Path) -> str | None:
    path = path.resolve()  # where its lock and its draft are, too
    try:
        files.make_folder(path.parent)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        return str(error.strerror)
    if files.is_there(path) and not os.access(path, os.W_OK):
        return "the file is read-only"
    return None


def _copied_at(ledger: Path) -> datetime | None:
    copies = ledger_file.copies(ledger)
    return _written(copies[-1]) if copies else None


def _written(path: Path) -> datetime | None:
    """When a file was last written, if it is there."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if files.is_there(path) else None


def _past(analysis: Path) -> Past:
    """What earlier runs left."""
    if not files.is_there(analysis):
        return Past()
    with copy_of(analysis) as connection:
        bound = rows(connection, "FROM ledger_binding")
        [known] = rows(connection, PAST)
    return Past(binding=Binding(**bound[0]) if bound else None, **known)


def _automation() -> Automation:
    try:
        instance = dg.DagsterInstance.get()
    except DagsterHomeNotSetError:
        raise Stop(
            "DAGSTER_HOME is not set, so nothing is known about the schedule and the runs",
            "export DAGSTER_HOME=$PWD/dagster_home in the shell, as for every command",
        ) from None
    on = (InstigatorStatus.RUNNING, InstigatorStatus.DECLARED_IN_CODE)
    since = utc_now().timestamp() - ALIVE_SECONDS
    with instance:
        states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        heartbeats = instance.get_daemon_heartbeats().values()
        return Automation(
            is_schedule_on=any(s.name == SCHEDULE and s.status in on for s in states),
            is_daemon_alive=any(beat.timestamp > since for beat in heartbeats),
            loaded_at=_loaded_at(instance),
        )


def _loaded_at(instance: dg.DagsterInstance) -> datetime | None:
    """When a run that went through, and did more than plan, last loaded; none if none ever did."""

    @cache
    def is_load(run_id: str) -> bool:
        run = instance.get_run_by_id(run_id)
        return run is not None and run.is_success and run.tags.get(DRY_RUN) != "true"

    cursor = None
    while (page := instance.fetch_materializations(LOAD, PAGE, cursor)).records:
        for record in page.records:
            if is_load(record.run_id):
                return datetime.fromtimestamp(record.timestamp, UTC)
        cursor = page.cursor
    return None
