"""An answer from QuickBooks as plain values, whatever came: a good one, a fault, or none at all.

Keeps out what the answer to a write proves about a delivery (`classification`).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx
import simplejson

from pipeline.http import retry_after
from pipeline.quickbooks.activities import instant
from pipeline.quickbooks.faults import TOO_BIG, Fault, fault_in, fault_of, status_of_read, stop_of
from pipeline.redaction import redact
from pipeline.stops import Stop


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    """The HTTP status; 0 if no whole answer came, and then nobody can tell what was stored."""
    body: dict[str, Any] = field(repr=False)
    """The JSON, fractions as `Decimal`; empty if there was none."""
    time: datetime | None = None
    """Intuit's clock when it answered."""
    tid: str | None = None
    """Intuit's trace."""
    fault: Fault | None = None
    error: str | None = None
    """Why no answer came."""
    retry_after: float | None = None
    """Seconds that it asks us to wait."""

    @cached_property
    def items(self) -> dict[int, dict[str, Any]]:
        """The first answer to each item of a batch, by its position in it."""
        found: dict[int, dict[str, Any]] = {}
        responses = self.body.get("BatchItemResponse")
        for item in responses if isinstance(responses, list) else []:
            place = str(item.get("bId")) if isinstance(item, dict) else ""
            if place.isdecimal():
                found.setdefault(int(place), item)
        return found

    def fault_of(self, place: int) -> Fault | None:
        """Return the fault of one item, or else of the whole batch."""
        item = self.items.get(place)
        return (fault_in(item) if item else None) or self.fault


def answer_of(response: httpx.Response, secrets: Collection[str]) -> Answer:
    """Return what a response says."""
    shown = redact(response.text, secrets)
    fault = fault_of(response.status_code, shown)
    # What was stored must come back to the character; what was refused must not quote a token.
    body = _json(shown if fault else response.text)
    return Answer(
        status=response.status_code,
        body=body,
        time=instant(body.get("time")),
        tid=response.headers.get("intuit_tid"),
        fault=fault,
        retry_after=retry_after(response.headers.get("Retry-After", "")),
    )


def accepted(answer: Answer) -> dict[str, Any]:
    """Return the JSON of a good answer to a read.

    Raises:
        Stop: the answer is a fault.
    """
    if answer.fault is None:
        return answer.body
    status = status_of_read(answer.status, answer.fault)
    fix, is_passing = "Report it to the maintainers with this line", status != answer.status
    if is_passing:
        fix = "Run again later; if it lasts, check QUICKBOOKS_API_URL and the proxy"
    elif answer.fault.code == TOO_BIG:
        fix = "Launch fewer days at once"
    raise stop_of(status, answer.fault, answer.tid) or Stop(
        f"QuickBooks refused a read: {answer.fault} [intuit_tid {answer.tid}]",
        fix,
        is_transient=is_passing,
    )


def no_answer(error: httpx.RequestError) -> Answer:
    """Return what is known when the connection failed after something may have been received."""
    return Answer(status=0, body={}, error=f"{type(error).__name__}: {error}")


def _json(text: str) -> dict[str, Any]:
    try:
        body = simplejson.loads(text, use_decimal=True)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
