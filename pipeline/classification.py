"""What an answer from QuickBooks proves about one delivery. Pure.

A fault proves that nothing was stored only if it is on the allow-list and answers a first
attempt: a replay's fault says nothing about what the first attempt did. Everything that is not
proved is `unknown`, and unknown is never sent again before it is settled.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pipeline.activities import differences, facts, parse
from pipeline.faults import Fault

HTTP_OK = 200
HTTP_BAD_REQUEST = 400
HTTP_TOO_MANY = 429
THROTTLED = 3001
PROVES_NOTHING_STORED = (
    *range(2010, 2501),
    610,
    *range(6190, 6211),
    *range(6290, 6391),
)
"""Validation faults (QuickBooks' reference, 1.3 and 9.2)."""


class Outcome(NamedTuple):
    """What one answer makes of one delivery."""

    state: Literal["sent", "refused", "unknown", "throttled"]
    quickbooks_id: str | None = None
    sync_token: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    differs: tuple[str, ...] = ()
    """Fields that are stored otherwise than they were sent."""


def classify(
    status: int,
    item: Mapping[str, Any] | None,
    fault: Fault | None,
    *,
    sent: str,
    is_first_attempt: bool,
) -> Outcome:
    """Classify one item of an answer.

    Args:
        status: HTTP status of the whole answer; 0 if none came.
        item: the answer's item for this delivery, if there is one.
        fault: the item's fault, or else the whole answer's.
        sent: the payload's exact JSON.
        is_first_attempt: whether no earlier attempt may have reached QuickBooks.
    """
    if fault is not None:
        return _of_fault(status, fault, is_first_attempt=is_first_attempt)
    if status == HTTP_TOO_MANY:
        return Outcome("throttled", error_code="429", error_message="too many requests")
    stored = (item or {}).get("TimeActivity") or {}
    if status != HTTP_OK or not stored.get("Id"):
        return Outcome(
            "unknown",
            error_code=str(status) if status else None,
            error_message="the answer does not say whether the time activity was stored",
        )
    return _of_stored(stored, sent)


def _of_fault(status: int, fault: Fault, *, is_first_attempt: bool) -> Outcome:
    code = int(fault.code) if fault.code.isdecimal() else 0
    text = f"{fault.message}: {fault.detail}" if fault.detail else fault.message
    if code == THROTTLED or status == HTTP_TOO_MANY:
        return Outcome("throttled", error_code=fault.code, error_message=text)
    is_refusal = (
        is_first_attempt and status in {HTTP_OK, HTTP_BAD_REQUEST} and code in PROVES_NOTHING_STORED
    )
    return Outcome(
        "refused" if is_refusal else "unknown", error_code=fault.code, error_message=text
    )


def _of_stored(stored: Mapping[str, Any], sent: str) -> Outcome:
    differs = tuple(differences(facts(parse(sent)), facts(stored)))
    return Outcome(
        "sent",
        quickbooks_id=str(stored["Id"]),
        sync_token=str(stored.get("SyncToken", "0")),
        error_message=f"stored otherwise than sent: {', '.join(differs)}" if differs else None,
        differs=differs,
    )
