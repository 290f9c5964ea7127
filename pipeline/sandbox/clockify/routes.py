"""The local Clockify's routes: the core under `/api/v1`, the reports under `/report/v1`.

Holds paths, query parameters and answers. What is in an answer is made by the pure modules beside
this one; who may ask at all is decided by `gate.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route

from pipeline.sandbox.clockify import core_rows, entry_writes
from pipeline.sandbox.clockify.gate import Gate
from pipeline.sandbox.clockify.page_mutation import mutate_between_pages
from pipeline.sandbox.clockify.refusals import (
    DOMAIN,
    NO_ROUTE,
    RefusalError,
    broken_rule,
    not_in_workspace,
    unreadable,
)
from pipeline.sandbox.clockify.report_request import read_request, wall_clock
from pipeline.sandbox.clockify.reports import detailed_report
from pipeline.sandbox.clockify.selections import Selections
from pipeline.sandbox.clockify.switches import Holder, spend, switch
from pipeline.sandbox.world import Entry, World

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 5000


def routes(holder: Holder) -> list[BaseRoute]:
    """Return the routes of both hosts, the unknown ones included."""
    gate, api = Gate(holder), Clockify(holder)
    table = [
        ("GET", "/user", api.user),
        ("GET", "/workspaces", api.workspaces),
        ("GET", "/workspaces/{workspace}", api.workspace),
        ("GET", "/workspaces/{workspace}/users", api.users),
        ("GET", "/workspaces/{workspace}/projects", api.projects),
        ("GET", "/workspaces/{workspace}/clients", api.clients),
        ("GET", "/workspaces/{workspace}/user/{user}/time-entries", api.entries),
        ("POST", "/workspaces/{workspace}/user/{user}/time-entries", api.create),
        ("POST", "/workspaces/{workspace}/time-entries", api.create),
        ("PATCH", "/workspaces/{workspace}/time-entries/invoiced", api.mark_invoiced),
        ("GET", "/workspaces/{workspace}/time-entries/{entry}", api.entry),
        ("PUT", "/workspaces/{workspace}/time-entries/{entry}", api.replace),
        ("DELETE", "/workspaces/{workspace}/time-entries/{entry}", api.delete),
    ]
    core: list[BaseRoute] = [
        Route(path, gate.guard(handler), methods=[method]) for method, path, handler in table
    ]
    detailed = Route(
        "/workspaces/{workspace}/reports/detailed", gate.guard(api.detailed), methods=["POST"]
    )
    return [
        Mount("/api/v1", routes=[*core, _unknown(gate, core)]),
        Mount("/report/v1", routes=[detailed, _unknown(gate, [detailed])]),
    ]


class Clockify:
    """What each route answers; a method takes the request and its parsed body."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._selections = Selections()

    @property
    def _world(self) -> World:
        return self._holder.world

    def user(self, _request: Request, _body: object) -> Response:
        """Answer with the key's owner."""
        owner = self._world.workspace.users[self._world.workspace.owner_id]
        return JSONResponse(core_rows.user_row(self._world, owner, has_memberships=False))

    def workspaces(self, _request: Request, _body: object) -> Response:
        """Answer with all workspaces; this list is not paged."""
        return JSONResponse([core_rows.workspace_row(self._world)])

    def workspace(self, _request: Request, _body: object) -> Response:
        """Answer with the workspace and its settings."""
        return JSONResponse(core_rows.workspace_row(self._world))

    def users(self, request: Request, _body: object) -> Response:
        """Answer with the members; former ones only where the status asks for them."""
        wanted = request.query_params.get("status", "")
        has_memberships = request.query_params.get("memberships", "NONE") in ("ALL", "WORKSPACE")
        rows = [
            core_rows.user_row(self._world, user, has_memberships=has_memberships)
            for user in self._world.workspace.users.values()
            if wanted in ("ALL", user.status) or (not wanted and user.status != "INACTIVE")
        ]
        return _paged(request, rows)

    def projects(self, request: Request, _body: object) -> Response:
        """Answer with the projects, archived ones included unless they are refused."""
        wanted = request.query_params.get("archived")
        rows = [
            core_rows.project_row(self._world, project)
            for project in self._world.workspace.projects.values()
            if wanted is None or project.is_archived is (wanted == "true")
        ]
        return _paged(request, rows)

    def clients(self, request: Request, _body: object) -> Response:
        """Answer with the clients."""
        return _paged(request, core_rows.client_rows(self._world))

    def entries(self, request: Request, _body: object) -> Response:
        """Answer with one person's entries, the latest first."""
        user_id = request.path_params["user"]
        if user_id not in self._world.workspace.users:
            raise not_in_workspace("User")
        first, last = self._bound(request, "start"), self._bound(request, "end")
        is_running_only = request.query_params.get("in-progress") == "true"
        found = [
            entry
            for entry in self._world.workspace.entries.values()
            if entry.user_id == user_id
            and (first is None or entry.start >= first)
            and (last is None or entry.start <= last)
            and (not is_running_only or entry.end is None)
        ]
        found.sort(key=lambda entry: entry.start, reverse=True)
        return _paged(request, [core_rows.entry_row(self._world, entry) for entry in found])

    def entry(self, request: Request, _body: object) -> Response:
        """Answer with one entry."""
        found = entry_writes.find_entry(self._world, request.path_params["entry"])
        is_others = found.user_id != self._world.workspace.owner_id
        if is_others and switch(self._world, "own_entries_only"):
            told = switch(self._world, "others_by_id")
            if told == "unknown":
                raise not_in_workspace("Time entry")
            if told == "forbidden":
                raise RefusalError(403, DOMAIN, "Access Denied")
        return self._shown(found)

    def create(self, request: Request, body: object) -> Response:
        """Add an entry for the path's person, or for the key's owner."""
        user_id = request.path_params.get("user", self._world.workspace.owner_id)
        created = entry_writes.create_entry(self._world, user_id, body)
        return self._shown(created, status=201, is_changed=True)

    def replace(self, request: Request, body: object) -> Response:
        """Replace an entry."""
        entry_id = request.path_params["entry"]
        replaced = entry_writes.replace_entry(self._world, entry_id, body)
        return self._shown(replaced, is_changed=True)

    def delete(self, request: Request, _body: object) -> Response:
        """Delete an entry."""
        entry_id = request.path_params["entry"]
        entry_writes.delete_entry(self._world, entry_id)
        self._changed(entry_id)
        return Response(status_code=204)

    def mark_invoiced(self, _request: Request, body: object) -> Response:
        """Mark entries as invoiced; the answer is empty."""
        for entry_id in entry_writes.mark_invoiced(self._world, body):
            self._changed(entry_id)
        return Response(status_code=200)

    def detailed(self, _request: Request, body: object) -> Response:
        """Answer with a page of the detailed report."""
        is_later = switch(self._world, "twice_is_later")
        workspace = self._world.workspace
        request = read_request(body, workspace, self._owner_zone, is_later=is_later)
        is_forbidden = switch(self._world, "rates_hidden") == "forbidden"
        if is_forbidden and request.amount_shown != "HIDE_AMOUNT":
            raise RefusalError(403, None, "You don't have permission to see amounts")
        if spend(self._holder, "error_in_200"):
            return JSONResponse({"code": DOMAIN, "message": "Something went wrong"})
        mutate_between_pages(self._holder, request)
        lie = 1 if spend(self._holder, "count_lies") else 0
        found = self._selections.of(self._world, request)
        report, is_last = detailed_report(self._world, request, found, count_error=lie)
        return JSONResponse(report, headers={"Last-Page": str(is_last).lower()})

    @property
    def _owner_zone(self) -> str:
        owner = self._world.workspace.users[self._world.workspace.owner_id]
        return owner.time_zone or "UTC"

    def _bound(self, request: Request, name: str) -> datetime | None:
        """Read a window's bound: a wall clock in the account's zone, whatever offset it has."""
        text = request.query_params.get(name)
        if not text:
            return None
        try:
            return wall_clock(text, ZoneInfo(self._owner_zone))
        except ValueError as error:
            raise unreadable(name, text) from error

    def _changed(self, entry_id: str) -> None:
        self._holder.touch("workspace", "entries", entry_id)
        self._selections.forget()

    def _shown(self, entry: Entry, status: int = 200, *, is_changed: bool = False) -> Response:
        if is_changed:
            self._changed(entry.id)
        return JSONResponse(core_rows.entry_row(self._world, entry), status_code=status)


def _paged(request: Request, rows: Sequence[Mapping[str, Any]]) -> Response:
    """Answer with one page of a list and the header that says whether it is the last."""
    page = _number(request, "page", 1)
    size = min(_number(request, "page-size", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
    if size < 1:
        raise broken_rule("Page size must be a positive value")
    first = (max(page, 1) - 1) * size
    is_last = first + size >= len(rows)
    return JSONResponse(
        list(rows[first : first + size]), headers={"Last-Page": str(is_last).lower()}
    )


def _number(request: Request, name: str, default: int) -> int:
    """Read a number; one that cannot be read is passed over in silence, as Clockify does."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.lstrip("-").isdigit() else default


def _unknown(gate: Gate, known: list[BaseRoute]) -> Route:
    """Return the route for every other path: 404, or 405 where only the method is wrong."""

    def refuse(request: Request, _body: object) -> Response:
        partial = [route for route in known if route.matches(request.scope)[0] is Match.PARTIAL]
        if partial:
            allowed = sorted({method for route in partial for method in _methods(route)})
            message = f"Request method '{request.method}' is not supported"
            raise RefusalError(405, NO_ROUTE, message, {"Allow": ", ".join(allowed)})
        path = request.path_params["path"]
        raise RefusalError(404, NO_ROUTE, f"No static resource {path}.")

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Route("/{path:path}", gate.guard(refuse), methods=methods)


def _methods(route: BaseRoute) -> set[str]:
    return set(getattr(route, "methods", None) or ())
