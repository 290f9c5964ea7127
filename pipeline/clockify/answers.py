"""What Clockify's answers say: their JSON, or the refusal that stops a run.

Refusals are told apart by status and code, never by their text (clockify-api.md, 9).
"""

from typing import Any

import httpx
import simplejson

from pipeline.redaction import redact
from pipeline.stops import Stop

OK = 200
DOMAIN = 501
"""Clockify's code for most broken rules: with 400 an unknown id, with 403 a foreign workspace."""
_RATES_FIX = "Use the key of an admin who may see billable rates and everybody's time"
_WORKSPACE_FIX = "Check CLOCKIFY_WORKSPACE_ID, and that the key's owner belongs to that workspace"
_KEY_FIX = "Set CLOCKIFY_API_KEY to a key from the owner's profile settings"
_REFUSALS = {
    (401, 1000): ("Clockify saw no key", _KEY_FIX),
    (401, 4003): ("Clockify does not know the key", _KEY_FIX),
    (401, None): ("Clockify does not accept the key", _KEY_FIX),
    (402, None): ("The Clockify plan does not allow this", "Check the workspace's plan"),
    (403, DOMAIN): ("The Clockify workspace is not open to the key", _WORKSPACE_FIX),
    (403, None): ("The Clockify key may not see rates or reports", _RATES_FIX),
    (404, None): ("Clockify knows no such workspace", f"{_WORKSPACE_FIX}, and the API's URLs"),
}


def parsed(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    """Return the body's JSON with its decimals exact, or None where it has none."""
    try:
        return simplejson.loads(response.content, use_decimal=True)
    except (ValueError, RecursionError):
        return None


def code_of(body: object) -> int | None:
    """Return Clockify's own code of an error; None where the body has none."""
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None


def accepted(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON of a good answer.

    Raises:
        Stop: the answer is a refusal; one may stand inside a 200 too (clockify-api.md, 2.6).
    """
    body, status = parsed(response), response.status_code
    code = code_of(body)
    if status == OK and body is not None and code is None:
        return body
    known = _REFUSALS.get((status, code)) or _REFUSALS.get((status, None))
    if known:
        raise Stop(f"{known[0]} (HTTP {status}, code {code})", known[1])
    message = str(body.get("message") or "") if isinstance(body, dict) else ""
    said = redact(message, {response.request.headers.get("X-Api-Key", "")})
    raise Stop(
        f"Clockify answers {status}, code {code}, to {response.url.path}: {said[:200]}",
        "Check CLOCKIFY_API_URL and CLOCKIFY_REPORTS_URL, then run again",
    )
