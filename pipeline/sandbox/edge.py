"""What happens around every request: it is counted, marked with an id, and may be made to fail.

A fault is asked for through the admin routes. `drop_before_store` and `drop_after_store` close the
socket without a byte of answer, before or after the request was carried out. Keeps out: which
faults a test wants.
"""

import asyncio
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.faults import html

_ID = re.compile(r"/(?:\d+|[0-9a-f]{24})(?=/|$)")
KINDS = ("drop_before_store", "drop_after_store", "status", "delay", "truncate")


@dataclass
class Fault:
    """A failure to inject into requests to one route."""

    route: str
    """Whole segments of the path, such as `batch` or `reports/detailed`."""
    fault: str
    """One of `KINDS`."""
    method: str | None = None
    status: int = 503
    body: str | None = None
    """The answer's text; none gives an HTML page."""
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    times: int | None = 1
    """How many requests it hits; none for all that come."""
    skip: int = 0
    """How many requests it lets pass first."""
    when: str = "before"
    """`before`: the request is not carried out. `after`: it is, and then answered otherwise."""

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"fault must be one of {', '.join(KINDS)}, not {self.fault!r}")
        if self.when not in ("before", "after"):
            raise ValueError(f"when must be before or after, not {self.when!r}")

    def hits(self, scope: Scope) -> bool:
        """Return whether it strikes this request, and count the request if it might have."""
        is_route = f"/{self.route.strip('/')}/" in f"{scope['path'].rstrip('/')}/"
        if not is_route or self.method not in (None, scope["method"]) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def label(scope: Scope) -> str:
    """Return the name under which a request is counted: method and path, ids left out."""
    return f"{scope['method']} {_ID.sub('/{id}', scope['path'])}"


class Edge:
    """The outermost layer of the application.

    Args:
        app: What serves the request.
        holder: Where requests are counted and faults are kept.
    """

    def __init__(self, app: ASGIApp, holder: Holder) -> None:
        self._app = app
        self._holder = holder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_admin"):
            await self._app(scope, receive, send)
            return
        self._holder.calls[label(scope)] += 1
        is_intuit = not scope["path"].startswith(("/api/", "/report/"))
        marked = _marked(send, self._holder.now(), is_intuit=is_intuit)
        fault = next((each for each in self._holder.faults if each.hits(scope)), None)
        if fault is None:
            await self._app(scope, receive, marked)
        else:
            await self._fail(fault, scope, receive, marked)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        is_stored = fault.fault in ("drop_after_store", "truncate") or (
            fault.fault in ("status", "delay") and fault.when == "after"
        )
        answer = await self._carried_out(scope, receive) if is_stored else []
        await asyncio.sleep(fault.delay_seconds)
        if fault.fault == "delay" and not is_stored:
            await self._app(scope, receive, send)
        elif fault.fault == "delay":
            await _pass_on(answer, send)
        elif fault.fault == "status":
            await _instead(fault)(scope, receive, send)
        else:
            if not is_stored:
                await _read(receive)
            await _pass_on(_half(answer) if fault.fault == "truncate" else [], send)
            await _drop(receive)

    async def _carried_out(self, scope: Scope, receive: Receive) -> list[Message]:
        """Serve the request and keep what would have been sent."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        return kept


def _marked(send: Send, now: datetime, *, is_intuit: bool) -> Send:
    """Put the service's clock on an answer, and on Intuit's its id, which its support asks for."""

    async def mark(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Date"] = format_datetime(now, usegmt=True)
            if is_intuit:
                headers["intuit_tid"] = f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}"
        await send(message)

    return mark


def _instead(fault: Fault) -> Response:
    body = html(fault.status) if fault.body is None else fault.body
    kinds = {"{": "application/json", "[": "application/json", "<?": "application/xml"}
    kind = next((kinds[start] for start in kinds if body.startswith(start)), "text/html")
    return Response(body, fault.status, {"content-type": kind, **fault.headers})


def _half(answer: Iterable[Message]) -> list[Message]:
    """Cut the body of an answer in the middle, below the length that its head promises."""
    half: list[Message] = []
    for message in answer:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            half.append({**message, "body": body[: len(body) // 2], "more_body": True})
        else:
            half.append(message)
    return half


async def _read(receive: Receive) -> None:
    """Take in the whole request, so that its sender fails in waiting and not in sending."""
    while (await receive()).get("more_body", False):
        pass


async def _pass_on(answer: Iterable[Message], send: Send) -> None:
    for message in answer:
        await send(message)


async def _drop(receive: Receive) -> None:
    """Close the socket under the request, and wait until the server has noticed.

    ASGI has no word for this, so the server's own request object is reached through `receive`.
    """
    cycle = receive.__self__  # type: ignore[attr-defined]
    cycle.transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
