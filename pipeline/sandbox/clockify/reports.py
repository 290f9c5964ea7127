"""The detailed report: which entries a request selects, in which order, and what they add up to.

Pure functions on a world and a readable request. The request's rules stand in `report_request.py`,
a row's in `report_rows.py`, HTTP in `routes.py`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from pipeline.sandbox.clockify.readings import Reading, elapsed, reader
from pipeline.sandbox.clockify.report_request import DetailedRequest
from pipeline.sandbox.clockify.report_rows import row_writer
from pipeline.sandbox.clockify.switches import switch
from pipeline.sandbox.world import Entry, World


class Selection(NamedTuple):
    """Every entry of the whole window in the report's order, and what they add up to."""

    readings: list[Reading]
    totals: dict[str, Any] | None


def detailed_report(
    world: World, request: DetailedRequest, selection: Selection, *, count_error: int = 0
) -> tuple[dict[str, Any], bool]:
    """Return a detailed report's body, and whether its page is the last.

    Args:
        world: What the sandbox holds.
        request: What is asked for.
        selection: What `select` found for it.
        count_error: By how much `entriesCount` is to be wrong.
    """
    readings = selection.readings
    first = (request.page - 1) * request.page_size
    shown = readings[first : first + request.page_size]
    write = row_writer(world, request.zone, request.amount_shown)
    body = {
        "totals": _shown_totals(selection, request, count_error),
        switch(world, "rows_key"): [write(reading) for reading in shown],
    }
    return body, first + request.page_size >= len(readings)


def select(world: World, request: DetailedRequest) -> Selection:
    """Return what a request selects."""
    entries = list(world.workspace.entries.values())
    for test in _tests(world, request):
        entries = [entry for entry in entries if test(entry)]
    entries.sort(key=_sort_key(world, request.sort_column), reverse=request.is_descending)
    read = reader(world, is_rounded=request.is_rounded)
    readings = [read(entry) for entry in entries]
    return Selection(readings, _totals(readings, request.amount_shown))


def _tests(world: World, request: DetailedRequest) -> list[Callable[[Entry], bool]]:
    """Return the conditions that an entry must meet, the cheapest first."""
    tests = [_window_test(world, request)]
    if request.approval_state != "ALL":
        is_wanted = request.approval_state == "APPROVED"
        tests.append(lambda entry: entry.is_approved is is_wanted)
    if request.invoicing_state != "ALL":
        is_invoiced = request.invoicing_state == "INVOICED"
        tests.append(lambda entry: entry.is_invoiced is is_invoiced)
    if request.is_billable is not None:
        tests.append(lambda entry: entry.is_billable is request.is_billable)
    if switch(world, "own_entries_only"):
        tests.append(lambda entry: entry.user_id == world.workspace.owner_id)
    if switch(world, "running_in_report") == "left_out":
        tests.append(lambda entry: elapsed(entry) is not None)
    return [*tests, *_id_tests(world, request)]


def _window_test(world: World, request: DetailedRequest) -> Callable[[Entry], bool]:
    first, last = request.first, request.last
    if switch(world, "window_end_exclusive"):
        last -= timedelta(microseconds=1)
    if switch(world, "select_by_overlap"):
        return lambda entry: entry.start <= last and (entry.end or entry.start) >= first
    return lambda entry: first <= entry.start <= last


def _id_tests(world: World, request: DetailedRequest) -> Iterable[Callable[[Entry], bool]]:
    users, projects, clients = request.users, request.projects, request.clients
    known = world.workspace.projects
    if users is not None:
        yield lambda entry: users.admits(entry.user_id)
    if not (request.is_of_all_states or switch(world, "inactive_users_in_report")):
        former = {user.id for user in world.workspace.users.values() if user.status == "INACTIVE"}
        yield lambda entry: entry.user_id not in former
    if not switch(world, "removed_users_in_report"):
        yield lambda entry: entry.user_id in world.workspace.users
    if projects is not None:
        yield lambda entry: projects.admits(entry.project_id)
    if clients is not None:
        client_of = {project.id: project.client_id for project in known.values()}
        yield lambda entry: clients.admits(client_of.get(entry.project_id or ""))


def _sort_key(world: World, column: str) -> Callable[[Entry], Any]:
    users = world.workspace.users
    keys: dict[str, Callable[[Entry], Any]] = {
        "ID": attrgetter("id"),
        "DESCRIPTION": attrgetter("description"),
        "DURATION": lambda entry: elapsed(entry) or 0,
        "USER": lambda entry: (users[entry.user_id].name or "") if entry.user_id in users else "",
    }
    return keys.get(column, attrgetter("start"))


def _totals(readings: list[Reading], shown: str) -> dict[str, Any] | None:
    """Return what the whole window adds up to, not the page; nothing where it is empty."""
    if not readings:
        return None
    billable = (reading.seconds or 0 for reading in readings if reading.entry.is_billable)
    return {
        "_id": "",
        "totalTime": sum(reading.seconds or 0 for reading in readings),
        "totalBillableTime": sum(billable),
        "entriesCount": len(readings),
        **({} if shown == "HIDE_AMOUNT" else _amounts(readings, shown)),
    }


def _shown_totals(
    selection: Selection, request: DetailedRequest, count_error: int
) -> list[dict[str, Any] | None]:
    """Return the totals as the wire has them: `[null]` for an empty window."""
    if not request.has_totals:
        return []
    if selection.totals is None:
        return [None]
    return [selection.totals | {"entriesCount": selection.totals["entriesCount"] + count_error}]


def _amounts(readings: list[Reading], shown: str) -> dict[str, Any]:
    """Return the amounts by currency; the plain total adds currencies up, as the real one does."""
    by_currency: defaultdict[str, float] = defaultdict(float)
    for reading in readings:
        by_currency[reading.entry.currency] += 0.0 if shown == "COST" else reading.amount or 0.0
    listed = [{"currency": currency, "amount": amount} for currency, amount in by_currency.items()]
    total = sum(by_currency.values())
    return {
        "totalAmount": total,
        "totalAmountByCurrency": listed,
        "amounts": [{"type": shown, "value": total, "amountByCurrency": listed}],
        "numOfCurrencies": len(by_currency),
    }
