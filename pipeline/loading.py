"""Loading: a window's accepted entries on their way into QuickBooks, step by step.

Holds what is opened for a load and the order of its steps; `delivery.md`, "One load". Keeps out
Dagster, what is to be sent (`planning`), sending (`delivery`) and settling (`settlement`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pandas as pd
from pydantic import BaseModel

from pipeline import (
    books,
    breaker,
    confirmation,
    delivery,
    doors,
    eligibility,
    extraction,
    figures,
    planning,
    reconciliation,
    schemas,
    settlement,
    verdicts,
)
from pipeline.breaker import Tally
from pipeline.candidates import Candidate, Lists, candidates
from pipeline.company import Company
from pipeline.database import Connection
from pipeline.desk import Desk
from pipeline.entries import work_dates
from pipeline.extraction import NOT_ROUNDED, pieces, pieces_of
from pipeline.ledger import Binding
from pipeline.planning import Plan
from pipeline.stops import Stop


class Wishes(BaseModel, frozen=True):
    """How a person wants one load to be."""

    dry_run: bool = False
    """Decide and keep what would be sent, and send nothing; also by `DRY_RUN`."""
    rebind: bool = False
    """Bind the ledger to this workspace, zone and rounding, whatever it was bound to."""
    override_breaker: bool = False
    """Send however many rows are due, and go on whatever one fault is given for."""
    confirm_cutover: bool = False
    """Send beside activities that somebody else made; asked of a company's first loads, once."""


@contextmanager
def desk(company: Company, log: Callable[[str], object], first: date, last: date) -> Iterator[Desk]:
    """Everything that a load of some days needs; the ledger is held until the end.

    Raises:
        Stop: QuickBooks' company may not be written, or was read with another service item; the
            entries are another workspace's, or whom they may be sent for is not what was read; or
            the ledger cannot be had.
    """
    with company.ledger(log) as ledger, company.quickbooks() as quickbooks:
        with company.warehouse.connect() as connection:
            row = verdicts.company(connection)
            workspace = _workspace(connection)
            _refuse_ineligible(company, row)
            extraction.refuse_other_workspace(
                company.warehouse, company.settings.clockify_workspace_id
            )
            _refuse_other_item(company.settings.service_item, row["service_item_name"])
            for names in (schemas.QuickbooksEmployees, schemas.QuickbooksCustomers):
                doors.read_valid(connection, names)
            rules = verdicts.rules_of_run(
                connection, ledger, company.settings, company.today(), (first, last)
            )
        yield Desk(
            company=company,
            ledger=ledger,
            quickbooks=quickbooks,
            rules=rules,
            item={name: value for name, value in row.items() if name.startswith("service_item_")},
            **workspace,
            log=log,
        )


def bind(desk: Desk, *, rebind: bool = False, is_dry: bool = False) -> None:
    """Make sure that the ledger is this company's before anything is sent.

    Args:
        desk: what the load works with.
        rebind: bind it to this clock and workspace, whatever it was bound to.
        is_dry: refuse what a load would refuse, and bind nothing.

    Raises:
        Stop: there is no cut-over date, or the ledger is bound to another company or clock.
    """
    settings = desk.company.settings
    if settings.is_real and settings.send_from is None:
        raise Stop(
            "SEND_FROM is not set, so old entries might be sent a second time",
            "set it to the first day of the oldest month that is not yet invoiced",
        )
    binding = Binding(
        settings.quickbooks_realm_id,
        settings.clockify_workspace_id,
        settings.time_zone,
        desk.rounding,
    )
    check = desk.ledger.refuse_other if is_dry else desk.ledger.bind
    check(binding, rebind=rebind)


def load(desk: Desk, first: date, last: date, wishes: Wishes, *, is_scheduled: bool) -> None:
    """Settle what earlier runs left, send, settle what this run left, send what was not stored.

    What is still open then waits for the next run. Last, also if there was nothing to send, all
    that was ever sent of these days is compared with Clockify and QuickBooks as they are now, and
    of any other day that was read since it was compared.

    Args:
        desk: what the load works with.
        first: first work date.
        last: last work date, included.
        wishes: whether this run may send however much, whatever is refused.
        is_scheduled: whether nobody chose these days, so that how many rows is worth a look.

    Raises:
        Stop: this run must not go on, or nobody has confirmed a first load beside another's
            activities; what was sent until then is recorded.
    """
    tally = Tally(is_overridden=wishes.override_breaker)
    _refuse_other_dates(desk, first, last)
    settlement.settle(desk)
    if is_scheduled and not wishes.override_breaker:
        _refuse_unusual(desk, first, last)
    for start, end in pieces(first, last):
        _send(desk, start, end, tally)
    not_stored = {delivery.work_date for delivery in settlement.settle(desk)}
    for day in sorted(day for day in not_stored if first <= day <= last):
        _send(desk, day, day, tally)
    if not_stored:
        settlement.settle(desk)
    with desk.company.warehouse.connect() as connection:
        stale = [day for day in books.stale_days(connection) if not first <= day <= last]
    for start, end in [*pieces(first, last), *pieces_of(stale)]:
        reconciliation.reconcile(desk, start, end)


def plans(desk: Desk, first: date, last: date, *, is_complete: bool = False) -> list[Plan]:
    """What a load would do, piece by piece. Sends and writes nothing.

    Args:
        desk: what a load works with.
        first: first work date.
        last: last work date, included.
        is_complete: read QuickBooks of all days, also where nothing is to be sent.

    Raises:
        Stop: some of what may be sent was read when `TIME_ZONE` was another.
    """
    _refuse_other_dates(desk, first, last)
    return [_plan(desk, start, end, is_complete=is_complete) for start, end in pieces(first, last)]


def _refuse_unusual(desk: Desk, first: date, last: date) -> None:
    """Stop before anything is sent if it is far more than is usual, over the whole range."""
    settings, today = desk.company.settings, desk.company.today()
    sent_by_day = desk.ledger.sent_by_day(settings.time_zone)
    if breaker.is_settling_in(sent_by_day, today):
        return
    rows = sum(len(_plan(desk, start, end).send) for start, end in pieces(first, last))
    comes_in_bulk = settings.require_approval or settings.send_up_to != "yesterday"
    if stop := breaker.unusual(rows, sent_by_day, today, comes_in_bulk=comes_in_bulk):
        raise stop


def _send(desk: Desk, first: date, last: date, tally: Tally) -> None:
    plan = _plan(desk, first, last)
    if stop := confirmation.needed(desk, plan, first, last):
        raise stop
    delivery.carry_out(desk, plan, tally)


def _plan(desk: Desk, first: date, last: date, *, is_complete: bool = False) -> Plan:
    days = (first, last) if is_complete else None
    plan = planning.plan(desk, candidates_of(desk, first, last), days=days)
    desk.log(
        f"{first} to {last}: {len(plan.send)} to send, {len(plan.adopt)} already in QuickBooks, "
        f"{len(plan.doubt)} to be decided by a person"
    )
    return plan


def candidates_of(desk: Desk, first: date, last: date) -> list[Candidate]:
    """What may be sent of a window, and every other finished entry from a day about it."""
    with desk.company.warehouse.connect() as connection:
        # Apart: by the name it was last read with, the day before may hold a namesake of today's.
        judged = [
            verdicts.judged(connection, desk.ledger, desk.rules, first, last, days)
            for days in (verdicts.WINDOW, verdicts.AROUND)
            if verdicts.has_entries(connection, first, last, days)
        ]
        if not judged:
            return []
        again = pd.concat(judged, ignore_index=True)
        sendable = verdicts.sendable(connection, again, first, last)
        others = verdicts.others(connection, again, sendable["entry_id"])
        lists = Lists.read(connection)
    return [
        candidate
        for entries, is_sendable in ((sendable, True), (others, False))
        for candidate in candidates(
            entries.assign(is_sendable=is_sendable), lists, desk, (first, last)
        )
    ]


def _refuse_ineligible(company: Company, row: dict[str, Any]) -> None:
    """Stop before anything is read of, or sent to, books that must not be written."""
    if refusals := eligibility.refusals(row, company.settings):
        raise Stop(refusals[0], "launch quickbooks_company again once that is done")


def _refuse_other_item(wanted: str, known: str | None) -> None:
    """Stop where a load alone would send on the item, and at the price, of an older setting."""
    path = known or ""
    if wanted not in {path, path.rpartition(":")[2]}:
        raise Stop(
            f"SERVICE_ITEM is `{wanted}`, but the company was read when it was `{path}`",
            "launch quickbooks_company, and the review of these days, again",
        )


def _refuse_other_dates(desk: Desk, first: date, last: date) -> None:
    """Stop where a load alone would send on a date that is another clock's."""
    zone = desk.company.settings.zone
    with desk.company.warehouse.connect() as connection:
        waiting = doors.read(
            connection,
            schemas.ClockifyTimeEntries,
            verdicts.WAITING,
            [first, last],
            ["entry_id", "work_date", "start_at"],
        )
    other = waiting[work_dates(waiting["start_at"], zone) != waiting["work_date"]]
    if not other.empty:
        entry = other.iloc[0]
        days = f"{other['work_date'].min():%Y-%m-%d} to {other['work_date'].max():%Y-%m-%d}"
        raise Stop(
            f"Entries were read when TIME_ZONE was not {zone}: {len(other)}, such as "
            f"{entry['entry_id']}, which is stored on {entry['work_date']:%Y-%m-%d}",
            f"launch clockify_time_entries and the review of {days} again",
        )


def _workspace(connection: Connection) -> dict[str, Any]:
    """The stored workspace, or one without rounding if it was never read."""
    stored = figures.rows(connection, "SELECT rounding, rounding_minutes FROM clockify_workspace")
    return stored[0] if stored else {"rounding": NOT_ROUNDED, "rounding_minutes": 1}
