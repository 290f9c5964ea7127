"""Opening a load: the desk at which it works, and what must hold before anything is sent.

What is stored must be of the company, the workspace, the service item and the clock that the
settings name: a load may be launched alone, long after what it sends was read. Keeps out the load's
steps (`loading`) and what is right about an entry (`reasons`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from pipeline import schemas
from pipeline.company import Company
from pipeline.delivery.desk import Desk
from pipeline.extract.entries import work_dates
from pipeline.extract.reading import NOT_ROUNDED
from pipeline.extract.stored import refuse_other_workspace
from pipeline.ledger import Binding
from pipeline.quickbooks import eligibility
from pipeline.review import verdicts
from pipeline.review.lists import Lists
from pipeline.stops import Stop
from pipeline.storage import Connection, doors, queries

ZERO = timedelta()
CLOCK_ERROR = timedelta(hours=6)
"""Beyond which a clock is not merely imprecise: it may be another day's."""


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
            refuse_other_workspace(company.warehouse, company.settings.clockify_workspace_id)
            _refuse_other_item(company.settings.service_item, row["service_item_name"])
            lists = Lists.read(connection)
            rules = verdicts.rules_of_run(
                connection, ledger, company.settings, company.today(), (first, last)
            )
        yield Desk(
            company=company,
            ledger=ledger,
            quickbooks=quickbooks,
            lists=lists,
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


def refuse_other_dates(desk: Desk, first: date, last: date) -> None:
    """Stop where a load alone would send on a date that is another clock's.

    Raises:
        Stop: some of what may be sent of these days was read by another `TIME_ZONE`, or before its
            rules changed.
    """
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
            f"Entries were read by another TIME_ZONE than {zone}, or by other rules of it: "
            f"{len(other)}, such as {entry['entry_id']}, which is stored on "
            f"{entry['work_date']:%Y-%m-%d}",
            f"launch clockify_time_entries and the review of {days} again",
        )


def refuse_other_rounding(desk: Desk, first: date, last: date) -> None:
    """Stop where a load alone would send time that was rounded otherwise, or not at all.

    Raises:
        Stop: `ROUNDING` is not what entries were read by, or some that may be sent of these days
            were read by another.
    """
    wanted, known = desk.company.settings.rounding, desk.rounding
    fix = "launch clockify_time_entries and the review of {days} again"
    if wanted != "workspace" and (wanted == "on") != (known != NOT_ROUNDED):
        raise Stop(
            f"ROUNDING is `{wanted}`, but entries were last read when it was `{known}`",
            fix.format(days=f"{first} to {last}"),
        )
    with desk.company.warehouse.connect() as connection:
        waiting = verdicts.waiting_by_another_rounding(connection, first, last, known)
    settled = desk.ledger.settled(entry_id for entry_id, *_ in waiting)
    others = {day: rounding for entry_id, day, rounding in waiting if entry_id not in settled}
    if others:
        raise Stop(
            f"Entries of {len(others)} of these days were read with the rounding "
            f"`{others[min(others)]}`, but it is `{known}` now",
            fix.format(days=f"{min(others)} to {max(others)}"),
        )


def refuse_other_clock(desk: Desk) -> None:
    """Stop where this machine takes another time for now: what is over is decided by it.

    Raises:
        Stop: its clock and Intuit's are more than six hours apart.
    """
    ahead = desk.quickbooks.http.ahead
    if ahead and abs(ahead) > CLOCK_ERROR:
        where = "behind" if ahead > ZERO else "ahead of"
        raise Stop(
            f"This machine's clock is {abs(ahead) // timedelta(hours=1):,} hours {where} Intuit's, "
            "and it decides which days are over",
            "have the system set its clock by NTP, and launch the load again",
        )


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


def _workspace(connection: Connection) -> dict[str, Any]:
    """The stored workspace, or one without rounding if it was never read."""
    stored = queries.rows(connection, "SELECT rounding, rounding_minutes FROM clockify_workspace")
    return stored[0] if stored else {"rounding": NOT_ROUNDED, "rounding_minutes": 1}
