"""What an answer from QuickBooks proves about one delivery. Pure.

A fault proves that nothing was stored only if it is on the allow-list and answers a first
attempt: a replay's fault says nothing about what the first attempt did. No replay is ever
classified here, since an intent is sent again only after it was throttled and QuickBooks then read
without finding it. Everything that is not proved is `unknown`, and unknown is never sent again
before it is settled.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

from pipeline.quickbooks.activities import (
    UNREADABLE,
    differences,
    facts,
    identity,
    instant,
    parse,
)
from pipeline.quickbooks.faults import THROTTLED, Fault

PROVES_NOTHING_STORED = (
    *range(2010, 2501),
    610,
    *range(6190, 6211),
    *range(6290, 6391),
)
"""Validation faults (QuickBooks' reference, 1.3 and 9.2)."""
BUSINESS_RULES = range(6000, 7000)
"""Faults by which QuickBooks names a rule of its own in free text (its reference, 9.2)."""
OTHERWISE = "stored otherwise than sent: "
TICK = timedelta(seconds=1)
"""QuickBooks cuts the creation time to seconds, the time of an answer to milliseconds."""


class Outcome(NamedTuple):
    """What one answer makes of one delivery."""

    state: Literal["sent", "refused", "unknown", "throttled", "gone"]
    quickbooks_id: str | None = None
    sync_token: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    differs: tuple[str, ...] = ()
    """Fields that are stored otherwise than they were sent."""
    created_at: datetime | None = None
    """When QuickBooks says that it created the time activity."""


def classify(
    status: int, item: Mapping[str, Any] | None, fault: Fault | None, *, sent: str
) -> Outcome:
    """Classify one item of the answer to a first attempt.

    Args:
        status: HTTP status of the whole answer; 0 if none came.
        item: the answer's item for this delivery, if there is one.
        fault: the item's fault, or else the whole answer's.
        sent: the payload's exact JSON.
    """
    if fault is not None:
        return _of_fault(status, fault)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome("throttled", error_code=str(status), error_message="too many requests")
    stored = (item or {}).get("TimeActivity")
    if status != HTTPStatus.OK or not isinstance(stored, dict) or not stored.get("Id"):
        return Outcome(
            "unknown",
            error_code=str(status) if status else None,
            error_message="the answer does not say whether the time activity was stored",
        )
    try:
        return _of_stored(stored, sent)
    except UNREADABLE as error:  # it may be stored all the same
        said = f"the answer holds a time activity that cannot be read: {error}"
        return Outcome("unknown", error_code=str(status), error_message=said)


def stored_otherwise(differing: Sequence[str]) -> str | None:
    """What the ledger keeps of fields that QuickBooks stored otherwise than they were sent."""
    return f"{OTHERWISE}{', '.join(differing)}" if differing else None


def differing_in(said: str | None) -> list[str]:
    """The fields of which the ledger keeps that."""
    _, is_so, names = (said or "").partition(OTHERWISE)
    return names.split(", ") if is_so else []


def is_named(code: str | None) -> bool:
    """Whether QuickBooks has named a fault: an answer, though not each proves anything."""
    return bool(code) and code != str(int(HTTPStatus.OK))


def is_business_rule(code: str | None) -> bool:
    """Whether QuickBooks has named a rule of its own, and said in words which."""
    return bool(code) and str(code).isdecimal() and int(str(code)) in BUSINESS_RULES


def is_replay(outcome: Outcome, intuit_time: datetime | None) -> bool:
    """Whether an answer repeats that to an earlier request: what it tells of is older than ours.

    Args:
        outcome: what the answer makes of a delivery.
        intuit_time: Intuit's clock before the attempt.
    """
    if outcome.created_at is None or intuit_time is None:
        return False
    return outcome.created_at <= intuit_time - TICK


def of_replay(outcome: Outcome, body: Mapping[str, Any] | None, sent: str) -> Outcome:
    """What became of a replayed delivery.

    Args:
        outcome: what the replay said.
        body: the time activity as it is now; none if QuickBooks no longer has it.
        sent: the payload's exact JSON.

    A difference is drift once somebody has changed it; until then it was stored so, which is a
    misunderstanding between QuickBooks and us. Intuit's machines may disagree by a second, and
    then every answer looks like a replay.
    """
    if body is None:
        said = "was sent before and has been deleted in QuickBooks since: it is not sent again"
        return outcome._replace(state="gone", error_message=said, differs=())
    now = _of_stored(body, sent)
    times = body.get("MetaData") or {}
    if times.get("LastUpdatedTime") == times.get("CreateTime"):
        return now
    drift = f"drift: {', '.join(now.differs)}" if now.differs else None
    return now._replace(error_message=drift, differs=())


def _of_fault(status: int, fault: Fault) -> Outcome:
    code = int(fault.code) if fault.code.isdecimal() else 0
    text = f"{fault.message}: {fault.detail}" if fault.detail else fault.message
    text = text or "QuickBooks names a fault but says nothing about it"
    if code == int(THROTTLED) or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome("throttled", error_code=fault.code, error_message=text)
    is_refusal = status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST} and code in PROVES_NOTHING_STORED
    return Outcome(
        "refused" if is_refusal else "unknown", error_code=fault.code, error_message=text
    )


def _of_stored(stored: Mapping[str, Any], sent: str) -> Outcome:
    differs = tuple(differences(facts(parse(sent)), facts(stored)))
    return Outcome(
        "sent",
        error_message=stored_otherwise(differs),
        differs=differs,
        created_at=instant((stored.get("MetaData") or {}).get("CreateTime")),
        **identity(stored),
    )
