"""The admin routes under `/_admin`: look at the world, change it, make requests fail.

Not part of either service: tests, demos and fault harnesses talk to it, from this machine only.
Holds the addresses. Keeps out: how a change is made.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.sandbox import admin_changes
from pipeline.sandbox.admin_changes import AdminError
from pipeline.sandbox.holder import Holder

Action = Callable[[Holder, dict[str, str], Any], Any]
"""What one address does: the holder, the path's parameters and the JSON sent in, the answer out."""


def routes(holder: Holder) -> list[Route]:
    """Return the admin routes.

    Args:
        holder: The world that they show and change.
    """
    table: list[tuple[str, str, Action]] = [
        ("GET", "/_admin", _state),
        ("GET", "/_admin/calls", _calls),
        ("DELETE", "/_admin/calls", _forget_calls),
        ("GET", "/_admin/faults", _faults),
        ("POST", "/_admin/faults", admin_changes.add_fault),
        ("DELETE", "/_admin/faults", admin_changes.clear_faults),
        ("POST", "/_admin/vendor-button", admin_changes.press_button),
        ("POST", "/_admin/activities/{id}/bill", admin_changes.bill),
        ("GET", "/_admin/{part}", admin_changes.part),
        ("PATCH", "/_admin/{part}", admin_changes.patch_part),
        ("POST", "/_admin/{part}", admin_changes.add),
        ("GET", "/_admin/{part}/{id}", admin_changes.one),
        ("PATCH", "/_admin/{part}/{id}", admin_changes.patch_one),
        ("DELETE", "/_admin/{part}/{id}", admin_changes.remove),
    ]
    return [_route(holder, method, path, action) for method, path, action in table]


def _route(holder: Holder, method: str, path: str, action: Action) -> Route:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        with holder.changing():
            try:
                answer = action(holder, request.path_params, from_json(body or b"{}"))
            except AdminError as error:
                return _json({"error": str(error)}, error.status)
            except (ValidationError, ValueError) as error:
                return _json({"error": str(error)}, 400)
            return _json(answer, 200)

    return Route(path, endpoint, methods=[method])


def _json(value: object, status: int) -> Response:
    return Response(to_json(value, indent=1), status, media_type="application/json")


def _state(holder: Holder, _: dict[str, str], __: object) -> object:
    return holder.world


def _calls(holder: Holder, _: dict[str, str], __: object) -> object:
    return dict(holder.calls)


def _forget_calls(holder: Holder, _: dict[str, str], __: object) -> object:
    holder.calls.clear()
    return {}


def _faults(holder: Holder, _: dict[str, str], __: object) -> object:
    return [asdict(fault) for fault in holder.faults]
