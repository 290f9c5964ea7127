"""How QuickBooks may answer: faults that the sandbox injects, and batches with items out of place.

Nothing here lies about what was stored: that no client could survive.
"""

import json
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.sandbox.edge import Fault

Items = list[dict[str, Any]]


def _said(code: str, *, items: int = 0) -> str:
    fault = {"Error": [{"Message": "No", "Detail": "", "code": code}], "type": "Fault"}
    if not items:
        return json.dumps({"Fault": fault})
    answers = [{"bId": str(place), "Fault": fault} for place in range(items)]
    return json.dumps({"BatchItemResponse": answers})


FAULTS: dict[str, dict[str, Any]] = {
    "stored, then dropped": {"fault": "drop_after_store"},
    "dropped before storing": {"fault": "drop_before_store"},
    "stored, half an answer": {"fault": "truncate"},
    "stored, 503": {"fault": "status", "status": 503, "when": "after"},
    "stored, HTML with 200": {"fault": "status", "status": 200, "when": "after"},
    "500 before storing": {"fault": "status", "status": 500},
    "refused as a whole": {"fault": "status", "status": 400, "body": _said("2020")},
    "a fault inside 200": {"fault": "status", "status": 200, "body": _said("10000")},
    "throttled": {"fault": "status", "status": 429, "headers": {"Retry-After": "0"}},
    "the first item throttled": {"fault": "status", "status": 200, "body": _said("3001", items=1)},
    "the first item refused": {"fault": "status", "status": 200, "body": _said("2050", items=1)},
    "reads refused": {"route": "query", "fault": "status", "status": 400, "body": _said("4001")},
}
ORDERS: dict[str, Callable[[Items], Items]] = {
    "reversed": lambda items: items[::-1],
    "the first missing": lambda items: items[1:],
    "an unknown bId": lambda items: [{**item, "bId": f"x{item['bId']}"} for item in items],
    "one answered twice": lambda items: [*items, *items[:1]],
}


def fault(name: str, skip: int) -> Fault:
    """A fault by its name, after so many requests that pass."""
    times = None if name == "reads refused" else 1
    return Fault(**{"route": "batch", "skip": skip, "times": times} | FAULTS[name])


class Shuffled:
    """The sandbox, with the items of its next batch's answer out of place.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.order: str | None = None
        """One of `ORDERS`, for one batch."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if self.order is None or not scope["path"].endswith("/batch"):
            await self._app(scope, receive, send)
            return
        order, self.order = ORDERS[self.order], None
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        for message in _reordered(kept, order):
            await send(message)


def _reordered(answer: list[Message], order: Callable[[Items], Items]) -> list[Message]:
    start, *rest = answer
    body = b"".join(message.get("body", b"") for message in rest)
    parsed = json.loads(body) if body.startswith(b"{") else {}
    if "BatchItemResponse" not in parsed:
        return answer
    parsed["BatchItemResponse"] = order(parsed["BatchItemResponse"])
    text = json.dumps(parsed).encode()
    headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    headers.append((b"content-length", str(len(text)).encode()))
    return [{**start, "headers": headers}, {"type": "http.response.body", "body": text}]
