"""What QuickBooks answers to a batch, kind by kind, as faults and switches of the sandbox.

Each kind strikes one batch of a scenario's first loads. `leaves_open` says whether it leaves
deliveries that the two reads must find missing, which is what the crash points of settling need.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BATCH = "batch"
PATIENCE_SECONDS = 2
"""`HTTP_PATIENCE_SECONDS` of the pipelines: a write is awaited for a tenth more."""
SETTLE_SECONDS = 2
LATE_SECONDS = 2.6
"""Beyond the time-out of a write."""
LONG_SETTLE_SECONDS = 5
"""For a write stored late: as in production, the server's limit lies within `SETTLE_SECONDS`."""


@dataclass(frozen=True)
class Answer:
    """One kind of answer."""

    fault: Mapping[str, Any] = field(default_factory=dict)
    """What the sandbox is asked to do to the batch; nothing if it answers as it should."""
    switches: Mapping[str, Any] = field(default_factory=dict)
    leaves_open: bool = False
    is_late: bool = False
    """Whether the batch is stored after the client gave up."""
    alters: bool = False
    """Whether the server itself stores otherwise than it was asked."""
    refuses: bool = False
    """Whether it says, in a way that proves it, that nothing was stored."""


def _status(status: int, *, when: str = "before", **more: Any) -> Answer:  # noqa: ANN401 - a fault's
    fault = {"fault": "status", "status": status, "when": when, **more}
    return Answer(fault, leaves_open=when == "before")


def _said(code: str, *, when: str = "before") -> Answer:
    error = {"Message": "of some kind", "Detail": "", "code": code}
    body = {"Fault": {"Error": [error], "type": "Fault"}}
    return _status(200, when=when, body=json.dumps(body))


def _throttled(*, headers: dict[str, str], is_json: bool, when: str = "before") -> Answer:
    said = {"Error": [{"Message": "ThrottleExceeded", "Detail": "", "code": "003001"}]}
    body = json.dumps({"Fault": said}) if is_json else ""
    fault = {"fault": "status", "status": 429, "headers": headers, "body": body, "when": when}
    return Answer(fault)


RETRY_AFTER = {"Retry-After": "1"}
ANSWERS: dict[str, Answer] = {
    "as it should": Answer(),
    "stored, then dropped": Answer({"fault": "drop_after_store"}),
    "dropped before storing": Answer({"fault": "drop_before_store"}, leaves_open=True),
    "stored long after our time-out": Answer(
        {"fault": "delay", "delay_seconds": LATE_SECONDS}, is_late=True
    ),
    "stored, answered after our time-out": Answer(
        {"fault": "delay", "delay_seconds": LATE_SECONDS, "when": "after"}
    ),
    **{
        f"{status} {when} storing": _status(status, when=when)
        for status in (500, 502, 503, 504)
        for when in ("before", "after")
    },
    "429 JSON, Retry-After": _throttled(headers=RETRY_AFTER, is_json=True),
    "429 JSON": _throttled(headers={}, is_json=True),
    "429 empty, Retry-After": _throttled(headers=RETRY_AFTER, is_json=False),
    "429 empty": _throttled(headers={}, is_json=False),
    "429 after storing": _throttled(headers=RETRY_AFTER, is_json=True, when="after"),
    "401 in mid-run": Answer({"fault": "status", "status": 401}),
    "HTML with 200, not stored": _status(200),
    "HTML with 200, stored": _status(200, when="after"),
    "truncated JSON": Answer({"fault": "truncate"}),
    "Fault with 200, not stored": _said("10000"),
    "Fault with 200, stored": _said("10000", when="after"),
    "refusal with 200": Answer(_said("2010").fault, refuses=True),
    "items throttled": Answer({"fault": "throttle_items"}),
    "items missing": Answer({"fault": "lose_items"}),
    "items reordered": Answer({"fault": "reorder_items"}),
    "unknown bId": Answer({"fault": "rename_item"}),
    "wrong person substituted": Answer({"fault": "swap_person"}, alters=True),
    "text changed by the charset": Answer(switches={"charset": "latin1"}, alters=True),
    "slow trickle": Answer({"fault": "trickle", "delay_seconds": 0.1}),
}
MISSING = {"fault": "drop_before_store", "route": BATCH}
"""What strikes a later batch where the answer itself leaves nothing that settling will miss."""


def faults(answer: Answer, *, needs_missing: bool) -> list[dict[str, Any]]:
    """The faults of a scenario's batches: the first gets the answer, the third may go missing.

    Not the second: two batches in a row of which nothing is known would stop the run.
    """
    found = [{"route": BATCH, **answer.fault}] if answer.fault else []
    if needs_missing and not answer.leaves_open:
        found.append({**MISSING, "skip": 2 - len(found)})
    return found
