"""What happens around every request: it is counted, marked with an id, and may be made to fail.

A fault is asked for through the admin routes. `drop_before_store` and `drop_after_store` close the
socket without a byte of answer, before or after the request was carried out; `delay` carries it out
however late, though the client may have left; `trickle` answers a few bytes at a time. Keeps out:
which faults a test wants, and what is done to the items of a batch (`batch_faults`).
"""

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.sandbox import batch_faults
from pipeline.sandbox.batch_faults import TWISTS
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.faults import html

_ID = re.compile(r"/(?:\d+|[0-9a-f]{24})(?=/|$)")
KINDS = (
    *("drop_before_store", "drop_after_store", "status", "delay", "truncate", "trickle"),
    *TWISTS,
)
TRICKLES = 8
"""Pieces in which a `trickle` sends its answer, `delay_seconds` apart."""


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
        body = await _read(receive)
        is_stored = fault.fault in ("drop_after_store", "truncate", "trickle", *TWISTS) or (
            fault.fault in ("status", "delay") and fault.when == "after"
        )
        answer = await self._carried_out(fault, scope, body) if is_stored else []
        if fault.fault == "trickle":
            await _pass_on(answer, send, _pieces, fault.delay_seconds)
            return
        await asyncio.sleep(fault.delay_seconds)
        if fault.fault == "status":
            await _instead(fault)(scope, receive, send)
        elif fault.fault == "delay" or fault.fault in TWISTS:
            await _pass_on(answer or await self._carried_out(fault, scope, body), send)
        else:
            await _pass_on(_half(answer) if fault.fault == "truncate" else [], send)
            await _drop(receive)

    async def _carried_out(self, fault: Fault, scope: Scope, body: bytes) -> list[Message]:
        """Serve the request, whether or not its client still waits, and keep what would be sent."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        if fault.fault not in TWISTS:
            await self._app(scope, _given(body), keep)
            return kept
        request, employees = json.loads(body), self._holder.world.company.employees.values()
        twisted = batch_faults.asked(fault.fault, request, employees)
        await self._app(scope, _given(json.dumps(twisted).encode()), keep)
        return _rewritten(kept, lambda answer: batch_faults.answered(fault.fault, request, answer))


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


def _pieces(message: Message) -> list[Message]:
    """An answer's body cut into a few, that hold as much together."""
    if message["type"] != "http.response.body":
        return [message]
    body = message.get("body", b"")
    size = len(body) // TRICKLES + 1
    cut = [body[start : start + size] for start in range(0, len(body), size)]
    return [
        {**message, "body": piece, "more_body": number < len(cut)}
        for number, piece in enumerate(cut, 1)
    ]


def _rewritten(
    answer: list[Message], rewrite: Callable[[dict[str, object]], object]
) -> list[Message]:
    """The same answer with another JSON in its body, and the length that goes with it."""
    start, *bodies = answer
    text = b"".join(message.get("body", b"") for message in bodies)
    body = json.dumps(rewrite(json.loads(text)), ensure_ascii=False).encode()
    MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
    return [start, {"type": "http.response.body", "body": body}]


async def _read(receive: Receive) -> bytes:
    """Take in the whole request, so that its sender fails in waiting and not in sending."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _given(body: bytes) -> Receive:
    """A request whose body has been taken in already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _pass_on(
    answer: Iterable[Message],
    send: Send,
    cut: Callable[[Message], list[Message]] = lambda message: [message],
    pause_seconds: float = 0,
) -> None:
    for message in answer:
        for piece in cut(message):
            await send(piece)
            await asyncio.sleep(pause_seconds)


async def _drop(receive: Receive) -> None:
    """Close the socket under the request, and wait until the server has noticed.

    ASGI has no word for this, so the server's own request object is reached through `receive`.
    """
    cycle = receive.__self__  # type: ignore[attr-defined]
    cycle.transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
