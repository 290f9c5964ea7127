"""The stages of a run without Dagster: what its assets do, in the order in which they do it.

Each takes the company's run, the log, and the first and last work date. Keeps out how each day's
facts are shown, which the assets add, and the steps themselves.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from pipeline import schemas
from pipeline.clockify.client import Clockify
from pipeline.company import Company, Log
from pipeline.delivery import loading, opening
from pipeline.delivery.loading import Wishes
from pipeline.delivery.planning import Plan
from pipeline.extract import extraction, history
from pipeline.extract.extraction import Extracted
from pipeline.extract.history import Watched
from pipeline.extract.pieces import pieces, pieces_of
from pipeline.extract.reading import Reading, no_approval, workspace_row
from pipeline.extract.stored import days_to_come, refuse_other_workspace, refuse_unread
from pipeline.quickbooks.client import QuickBooks
from pipeline.review import verdicts
from pipeline.review.lists import Lists

LISTS: Mapping[type[schemas.Table], tuple[str, Callable[[Any], list[dict[str, Any]]]]] = {
    schemas.ClockifyUsers: ("clockify", Clockify.users),
    schemas.ClockifyProjects: ("clockify", Clockify.projects),
    schemas.QuickbooksEmployees: ("quickbooks", QuickBooks.employees),
    schemas.QuickbooksCustomers: ("quickbooks", QuickBooks.customers),
    schemas.QuickbooksCompany: ("quickbooks", lambda quickbooks: [quickbooks.company()]),
}
"""The lists that entries refer to: the service each is from, and what reads it with a client."""
COMPARISONS = (schemas.QuickbooksActivities, schemas.Drift, schemas.ComparedDays)
"""What loads learn about one company's activities."""


def snapshot(company: Company, log: Log, model: type[schemas.Table]) -> int:
    """Replace a stored list by the whole of what its service holds now; returns its rows' number.

    If QuickBooks' company has changed, all its lists are read and stored together, and what was
    compared with the other company's books is dropped: the same ids mean other things there.

    Raises:
        Stop: the service does not give it, or not as its table says; or what is stored is another
            workspace's.
    """
    service, _ = LISTS[model]
    if service == "clockify":
        refuse_other_workspace(company.warehouse, company.settings.clockify_workspace_id)
    is_other = service == "quickbooks" and _is_other_company(company)
    models = [each for each in LISTS if LISTS[each][0] == service] if is_other else [model]
    frames = {}
    with company.clockify(log) if service == "clockify" else company.quickbooks() as client:
        for each in models:
            rows = [row | {"read_at": company.now()} for row in LISTS[each][1](client)]
            frames[each] = schemas.framed(each, rows)
    dropped = {each: each.empty() for each in COMPARISONS if is_other}
    company.warehouse.replace_all(frames | dropped)
    return len(frames[model])


def _is_other_company(company: Company) -> bool:
    """Whether what is stored of QuickBooks may be another company's."""
    stored = company.warehouse.read(schemas.QuickbooksCompany)["realm_id"]
    return list(stored) != [company.settings.quickbooks_realm_id]


def extract(
    company: Company, log: Log, first: date, last: date, *, watch_history: bool = False
) -> Extracted:
    """Read the entries of some days, of later days that hold any, and of days that one moved to.

    Args:
        company: the run.
        log: told of each piece.
        first: the first work date.
        last: the last one, included.
        watch_history: compare older months by their totals, and read again what has changed.

    Raises:
        Stop: a read is incomplete, or the key sees no rates where it saw some before; or what is
            stored is another workspace's; or approval is required, and the plan has none.
    """
    settings, warehouse = company.settings, company.warehouse
    refuse_other_workspace(warehouse, settings.clockify_workspace_id)
    with company.clockify(log) as clockify:
        workspace = clockify.workspace()
        if stop := no_approval(workspace, settings):
            raise stop
        row = workspace_row(workspace, settings.rounding)
        warehouse.replace(schemas.ClockifyWorkspace, pd.DataFrame([row]))
        reading = Reading(clockify, settings, str(row["rounding"]), log, company.now)
        watched = _watched(company, reading, first) if watch_history else []
        ahead = days_to_come(warehouse, company.today())
        found = extraction.extract(warehouse, reading, first, last, ahead)
        for month in watched:
            if month.again:
                extraction.extract(warehouse, reading, *month.again)
            warehouse.replace(schemas.WatchedMonths, month.months)
    return found


def _watched(company: Company, reading: Reading, before: date) -> list[Watched]:
    """Which of the days before a range are to be read again."""
    return history.watch(
        company.warehouse.read(schemas.WatchedMonths),
        partial(reading.clockify.reports.totals, rounding=reading.is_rounding_on),
        company.settings.since,
        before,
        company.now(),
    )


def review(company: Company, log: Log, first: date, last: date) -> None:
    """Judge some days, and any other day read since it was judged or judged by other settings.

    Raises:
        Stop: a day, or QuickBooks' company, was never read; the ledger cannot be had; or employees
            or customers are not stored as their tables say.
    """
    with company.ledger(log) as ledger, company.warehouse.connect() as connection:
        refuse_unread(connection, first, last)
        rules = verdicts.rules_of_run(
            connection, ledger, company.settings, company.today(), (first, last)
        )
        lists = Lists.read(connection)
        stale = [day for day in verdicts.stale_days(connection, rules) if not first <= day <= last]
        for start, end in [*pieces(first, last), *pieces_of(stale)]:
            judged = verdicts.judged(connection, ledger, lists, rules, start, end)
            verdicts.store(connection, judged, rules, start, end, company.now())
            log(f"judged {start} to {end}")


def load(
    company: Company,
    log: Log,
    first: date,
    last: date,
    wishes: Wishes,
    *,
    is_scheduled: bool = False,
) -> list[Plan]:
    """Send what is accepted of some days, once each; a dry run returns what would be sent.

    Raises:
        Stop: a day was never read, or this run must not send, or not go on; what was sent until
            then is recorded.
    """
    is_dry = wishes.dry_run or company.settings.dry_run
    with company.warehouse.connect() as connection:
        refuse_unread(connection, first, last)
    with opening.desk(company, log, first, last) as desk:
        opening.refuse_other_rounding(desk, first, last)
        opening.bind(desk, rebind=wishes.rebind, is_dry=is_dry)
        if not is_dry:
            loading.load(desk, first, last, wishes, is_scheduled=is_scheduled)
            return []
        planned = loading.plans(desk, first, last)
    rows = [{**vars(row), "action": action} for plan in planned for action, row in plan.rows()]
    company.warehouse.replace(schemas.DeliveryPlan, schemas.framed(schemas.DeliveryPlan, rows))
    return planned
