"""Loading: a window's accepted entries on their way into QuickBooks, step by step.

Holds the order of the steps. Keeps out Dagster, what must hold beforehand (`opening`), what is to
be sent (`planning`), how it is sent (`sending`) and settling (`settlement`).
"""

from datetime import date

import pandas as pd
from pydantic import BaseModel

from pipeline.delivery import (
    breaker,
    confirmation,
    opening,
    planning,
    reconciliation,
    sending,
    settlement,
)
from pipeline.delivery.breaker import Tally
from pipeline.delivery.candidates import Candidate, candidates
from pipeline.delivery.desk import Desk
from pipeline.delivery.planning import Plan
from pipeline.extract.pieces import pieces, pieces_of
from pipeline.reports import books
from pipeline.review import verdicts


class Wishes(BaseModel, frozen=True):
    """What a person may ask of one load."""

    dry_run: bool = False
    """Decide and store what would be sent, and send nothing; `DRY_RUN` asks for it too."""
    rebind: bool = False
    """Bind the ledger to this workspace, zone and rounding, whatever it was bound to before."""
    override_breaker: bool = False
    """Send however many rows are due, and go on however many rows meet the same fault."""
    confirm_cutover: bool = False
    """Send beside activities that somebody else made; asked once, in a company's first loads."""


def load(desk: Desk, first: date, last: date, wishes: Wishes, *, is_scheduled: bool) -> None:
    """Settle what earlier runs left, send, settle what this run left, send what was not stored.

    What was not stored is sent alone and after all else: what QuickBooks never answers may stop the
    run, and then holds nothing else back. What is still open waits for the next run. At the end,
    even if there was nothing to send, everything ever sent for these days is compared with Clockify
    and QuickBooks as they are now; so is any other day that was read, or on which a person decided
    something, since it was last compared.

    Args:
        desk: what the load works with.
        first: first work date.
        last: last work date, included.
        wishes: what a person asks of this run.
        is_scheduled: whether nobody chose these days, so that an unusual number of rows stops it.

    Raises:
        Stop: this run must not go on, or nobody has confirmed a first load beside another's
            activities; what was sent until then is recorded.
    """
    tally = Tally(is_overridden=wishes.override_breaker)
    settlement.settle(desk)
    opening.refuse_other_dates(desk, first, last)
    if is_scheduled and not wishes.override_breaker:
        if stop := breaker.misunderstood(desk.ledger.said_of_last()):
            raise stop
        _refuse_unusual(desk, first, last)
    alone: set[date] = set()
    for start, end in pieces(first, last):
        alone |= _send(desk, start, end, tally, wishes)
    alone |= {row.work_date for row in settlement.settle(desk) if first <= row.work_date <= last}
    for day in sorted(alone):
        _send(desk, day, day, tally, wishes, is_alone=True)
    if alone:
        settlement.settle(desk)
    stale = [day for day in _stale_days(desk) if not first <= day <= last]
    for start, end in [*pieces(first, last), *pieces_of(stale)]:
        reconciliation.reconcile(desk, start, end)


def _stale_days(desk: Desk) -> list[date]:
    """Days to compare again; also those with a look-alike of an entry that was decided on."""
    changed = desk.ledger.last_changes()
    with desk.company.warehouse.connect() as connection:
        likened = books.likened(connection)
        known = desk.ledger.deliveries(entry_id for entry_id, _ in likened)
        for entry_id, day in likened:
            if row := known.get(entry_id):
                changed[day] = max(row.updated_at, changed.get(day, row.updated_at))
        return books.stale_days(connection, changed)


def plans(desk: Desk, first: date, last: date, *, is_complete: bool = False) -> list[Plan]:
    """What a load would do, piece by piece. Sends and writes nothing.

    Args:
        desk: what a load works with.
        first: first work date.
        last: last work date, included.
        is_complete: read QuickBooks for all days, even those with nothing to send.

    Raises:
        Stop: some of what may be sent was read with another `TIME_ZONE` or rounding.
    """
    opening.refuse_other_dates(desk, first, last)
    opening.refuse_other_rounding(desk, first, last)
    return [_plan(desk, start, end, is_complete=is_complete) for start, end in pieces(first, last)]


def _refuse_unusual(desk: Desk, first: date, last: date) -> None:
    """Stop before anything is sent if the whole range would send far more than is usual."""
    settings, today = desk.company.settings, desk.company.today()
    sent_by_day = desk.ledger.sent_by_day(settings.time_zone)
    if breaker.is_settling_in(sent_by_day, today):
        return
    rows = sum(len(_plan(desk, start, end).send) for start, end in pieces(first, last))
    comes_in_bulk = settings.require_approval or settings.send_up_to != "yesterday"
    if stop := breaker.unusual(rows, sent_by_day, today, comes_in_bulk=comes_in_bulk):
        raise stop


def _send(
    desk: Desk, first: date, last: date, tally: Tally, wishes: Wishes, *, is_alone: bool = False
) -> set[date]:
    plan = _plan(desk, first, last)
    opening.refuse_other_clock(desk)
    if stop := confirmation.needed(desk, plan, first, last):
        if not wishes.confirm_cutover:
            raise stop
        # Stored only where somebody else's activities are: else nobody would ever be asked.
        confirmation.confirm(desk, first, last, f"run {desk.company.run_id}")
    return sending.carry_out(desk, plan, tally, is_alone=is_alone)


def _plan(desk: Desk, first: date, last: date, *, is_complete: bool = False) -> Plan:
    days = (first, last) if is_complete else None
    plan = planning.plan(desk, candidates_of(desk, first, last), days=days)
    desk.log(
        f"{first} to {last}: {len(plan.send)} to send, {len(plan.adopt)} already in QuickBooks, "
        f"{len(plan.doubt)} to be decided by a person"
    )
    return plan


def candidates_of(desk: Desk, first: date, last: date) -> list[Candidate]:
    """What may be sent of a window, and every other finished entry up to a day around it."""
    with desk.company.warehouse.connect() as connection:
        # Apart: by the name it was last read with, the day before may hold a namesake of today's.
        judged = [
            verdicts.judged(connection, desk.ledger, desk.lists, desk.rules, first, last, days)
            for days in (verdicts.WINDOW, verdicts.AROUND)
        ]
        again = pd.concat(judged, ignore_index=True)
        if again.empty:
            return []
        sendable = verdicts.sendable(connection, again, first, last)
        others = verdicts.others(connection, again, sendable["entry_id"])
    return [
        candidate
        for entries, is_sendable in ((sendable, True), (others, False))
        for candidate in candidates(entries.assign(is_sendable=is_sendable), desk, (first, last))
    ]
