"""What every request to the local Clockify passes: its key, its workspace, its budget.

Holds the one place that turns a refusal into an answer. What a route does stands in `routes.py`.
"""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from pipeline.sandbox.clockify.refusals import DOMAIN, RefusalError, unreadable
from pipeline.sandbox.clockify.switches import Holder, HourBudget
from pipeline.sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Request, object], Response]
"""A route's own work: the request and its parsed JSON body, or nothing where it has none."""


class Gate:
    """Wraps handlers into endpoints."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._budget = HourBudget()

    def guard(self, handler: Handler) -> Endpoint:
        """Return the endpoint that checks a request, then hands it over with its body."""

        async def endpoint(request: Request) -> Response:
            content = await request.body()
            with self._holder.changing() as world:
                try:
                    self._admit(world, request)
                    return handler(request, _parsed(content))
                except RefusalError as refusal:
                    return refusal.response()

        return endpoint

    def _admit(self, world: World, request: Request) -> None:
        check_key(world, request)
        self._budget.take(world)
        workspace = request.path_params.get("workspace", world.workspace.id)
        if workspace != world.workspace.id:
            raise RefusalError(403, DOMAIN, "Access Denied")


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content) if content else None
    except ValueError as error:
        raise unreadable("body", "JSON") from error


def check_key(world: World, request: Request) -> None:
    """Check that a request carries exactly one key, and that it is the workspace's.

    Raises:
        RefusalError: With status 401 and code 1000, 4003 or 4017.
    """
    key, addon = request.headers.get("x-api-key"), request.headers.get("x-addon-token")
    is_bearer = "authorization" in request.headers
    if is_bearer or (key is None) == (addon is None):
        raise RefusalError(401, 1000, "Multiple or none auth tokens present")
    if addon is not None:
        raise RefusalError(401, 4017, "Token is not valid")
    if key != world.workspace.api_key:
        raise RefusalError(401, 4003, "Api key does not exist")
