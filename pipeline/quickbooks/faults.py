"""QuickBooks' faults: every shape they come in, and which of them stop a run.

Pure. Keeps out what a fault means for one delivery, which is the classifier's. Shapes and codes:
quickbooks-api.md, 9.1 and 9.2.
"""

import html
import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from pipeline.fields import unbroken
from pipeline.redaction import redact
from pipeline.stops import Stop

THROTTLED = "3001"
APPLICATION_ERROR = "10000"
TOO_BIG = "10100"
"""What a query found is too much for one answer."""
THROTTLED_FIX = (
    "Run again in a few minutes; if it lasts, look in Intuit's developer portal whether the app's "
    "monthly quota of reads is used up"
)
THROTTLED_SECONDS = 60.0
"""What Intuit asks for after a 429 without `Retry-After` (quickbooks-api.md, 7.1)."""
SUBSCRIPTION_ENDED = "6190"
_NUMBERS = {
    "AuthenticationFailed": "3200",
    "ApplicationAuthorizationFailed": "3100",
    "ThrottleExceeded": THROTTLED,
}
_XML = {
    "code": r'<Error\b[^>]*\bcode="([^"]*)"',
    "message": "<Message>(.*?)</Message>",
    "detail": "<Detail>(.*?)</Detail>",
}
_LONGEST = 500
"""Characters of a message that are kept."""
_MOST_READ = 10_000
"""Of an answer that is no JSON: looking for what a tag encloses costs the square of its length."""


@dataclass(frozen=True)
class Fault:
    """What QuickBooks says went wrong; holds no secret, and nothing that a table cannot."""

    code: str
    """Digits without leading zeros; empty when the answer gives none."""
    message: str
    detail: str

    def __str__(self) -> str:
        parts = (f"{self.code} {self.message}".strip(), self.detail)
        return ": ".join(part for part in parts if part)


def fault_of(status: int, text: str) -> Fault | None:
    """Return the fault in a whole answer, or None where it is a good one.

    Args:
        status: The HTTP status. A 200 may hold a fault, and may be no JSON at all.
        text: The body.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        begin = max(text.find("<Fault"), 0)
        text = text[begin : begin + _MOST_READ]
        return _xml_fault(text) or _unread(status, text)
    found = fault_in(body) if isinstance(body, dict) else None
    if found is None and (status >= HTTPStatus.BAD_REQUEST or not isinstance(body, dict)):
        return _unread(status, text)
    return found


def fault_in(body: dict[str, Any]) -> Fault | None:
    """Return the fault in a JSON object: an answer, or one item of a batch's answer."""
    keys = {key.lower(): value for key, value in body.items()}
    if isinstance(fault := keys.get("fault"), dict):
        errors: Any = fault.get("Error") or fault.get("error")
        first = errors[0] if isinstance(errors, list) else errors
        if not isinstance(first, dict):
            first = {"message": first}
        return _fault({key.lower(): value for key, value in first.items()}, fault.get("type"))
    if isinstance(keys.get("code"), str) and "detail" in keys:  # the gateway's own form
        return _fault(keys, keys.get("type"))
    return None


def status_of_read(status: int, fault: Fault | None) -> int:
    """The status as which the answer to a read counts.

    What passes may come in a 200 or a 400: throttling, or a failure on Intuit's side; and in a 200
    or a 404 the page of something in between, since QuickBooks itself says in a 400 that a record
    or a path is not there (quickbooks-api.md, 7.1 and 9; edge-cases.md, 87).
    """
    code = fault.code if fault else None
    if code == THROTTLED:
        return HTTPStatus.TOO_MANY_REQUESTS
    is_a_page = code == "" and status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
    if code == APPLICATION_ERROR or is_a_page:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return status


def stop_of(status: int, fault: Fault | None, tid: str | None) -> Stop | None:
    """Return what stops the run, or None where the fault concerns one record only.

    Args:
        status: The HTTP status; for an item of a batch, the batch's. A 429 here has already been
            waited for; one inside a batch's 200 concerns its item and stops nothing.
        fault: The fault, if the answer held one.
        tid: Intuit's trace, for its support.
    """
    code = fault.code if fault else ""
    if code == THROTTLED and status == HTTPStatus.FORBIDDEN:  # as it was answered in 2016
        status = HTTPStatus.TOO_MANY_REQUESTS
    stoppers = (each for known in (code, status) for each in _STOPPERS if known in each.known_by)
    stopper = next(stoppers, None)
    if stopper is None:
        return None
    said = f" ({fault})" if fault else ""
    trace = f" [intuit_tid {tid}]" if tid else ""
    return Stop(stopper.what + said + trace, stopper.fix, is_transient=stopper.is_transient)


class _Stopper(NamedTuple):
    known_by: set[str | int]
    """Codes of faults, and HTTP statuses where no code decides."""
    what: str
    fix: str
    is_transient: bool = False


_SAME_SIDE = "that the app's keys and QUICKBOOKS_API_URL are both production or both sandbox"
_STOPPERS = (
    _Stopper(
        {"3200", 401},
        "QuickBooks refused the access token, also after a refresh",
        f"Connect the company again, and check {_SAME_SIDE}",
    ),
    _Stopper(
        {"5020", "5030"},
        "The company's QuickBooks plan does not include this feature",
        "Time tracking needs QuickBooks Online Essentials, Plus or Advanced",
    ),
    _Stopper(
        {SUBSCRIPTION_ENDED},
        "The company's QuickBooks subscription has ended or has a billing problem",
        "Renew it in QuickBooks, then run again",
    ),
    _Stopper(
        {"10200"},
        "The company was reset in QuickBooks: everything sent to it is gone",
        "Decide with the bookkeeper what to send again, and name a new LEDGER and a new WAREHOUSE",
    ),
    _Stopper(
        {"130", "140", "150"},
        "QuickBooks has locked the company or is maintaining it",
        "Run again later",
        is_transient=True,
    ),
    _Stopper(
        {"3100", "120", 403},
        "QuickBooks does not let this app use the company",
        f"Check QUICKBOOKS_REALM_ID, {_SAME_SIDE}, and that who connected is still an admin",
    ),
    _Stopper(
        {HTTPStatus.TOO_MANY_REQUESTS},
        "QuickBooks takes no more requests for now",
        THROTTLED_FIX,
        is_transient=True,
    ),
)


def _fault(error: dict[str, Any], kind: object) -> Fault:
    message, detail, code = (
        unbroken(redact(str(error.get(key) or ""))) for key in ("message", "detail", "code")
    )
    code = code.lstrip("0")
    if not code and (named := re.search(r"errorCode=0*(\d+)", message)):
        code = named[1]
    return Fault(
        code=_NUMBERS.get(code, code)[:_LONGEST],
        message=(message or unbroken(str(kind or "")))[:_LONGEST],
        detail=detail[:_LONGEST],
    )


def _xml_fault(text: str) -> Fault | None:
    if "<Fault" not in text:
        return None
    found = {key: re.search(pattern, text, re.DOTALL) for key, pattern in _XML.items()}
    return _fault({key: html.unescape(match[1]) for key, match in found.items() if match}, None)


def _unread(status: int, text: str) -> Fault:
    """An answer that says nothing readable: HTML, an empty body, a cut text."""
    plain = " ".join(re.sub(r"<[^<>]*>", " ", text).split())
    return Fault("", f"HTTP {status} without a readable answer", redact(plain)[:_LONGEST])
