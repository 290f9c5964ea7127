"""How QuickBooks may answer: faults that the sandbox injects.

Nothing here lies about what was stored: that no client could survive.
"""

import json
from typing import Any

from pipeline.sandbox.edge import Fault


def _said(code: str, *, items: int = 0) -> str:
    fault = {"Error": [{"Message": "No", "Detail": "", "code": code}], "type": "Fault"}
    if not items:
        return json.dumps({"Fault": fault})
    answers = [{"bId": str(place), "Fault": fault} for place in range(items)]
    return json.dumps({"BatchItemResponse": answers})


_UPDATE: dict[str, Any] = {"route": "timeactivity", "method": "POST"}
FAULTS: dict[str, dict[str, Any]] = {
    "stored, then dropped": {"fault": "drop_after_store"},
    "dropped before storing": {"fault": "drop_before_store"},
    "stored, half an answer": {"fault": "truncate"},
    "stored, 503": {"fault": "status", "status": 503, "when": "after"},
    "stored, HTML with 200": {"fault": "status", "status": 200, "when": "after"},
    "stored, throttled": {
        "fault": "status",
        "status": 429,
        "when": "after",
        "headers": {"Retry-After": "0"},
    },
    "500 before storing": {"fault": "status", "status": 500},
    "refused as a whole": {"fault": "status", "status": 400, "body": _said("2020")},
    "a fault inside 200": {"fault": "status", "status": 200, "body": _said("10000")},
    "throttled": {"fault": "status", "status": 429, "headers": {"Retry-After": "0"}},
    "the first item throttled": {"fault": "status", "status": 200, "body": _said("3001", items=1)},
    "the first item refused": {"fault": "status", "status": 200, "body": _said("2050", items=1)},
    "items reversed": {"fault": "reorder_items"},
    "every second item missing": {"fault": "lose_items"},
    "an unknown bId": {"fault": "rename_item"},
    "one answered twice": {"fault": "repeat_item"},
    "update stored, then dropped": _UPDATE | {"fault": "drop_after_store"},
    "update dropped before storing": _UPDATE | {"fault": "drop_before_store"},
    "update stored, 503": _UPDATE | {"fault": "status", "status": 503, "when": "after"},
    "update refused": _UPDATE | {"fault": "status", "status": 400, "body": _said("2020")},
    "update throttled": _UPDATE
    | {"fault": "status", "status": 429, "headers": {"Retry-After": "0"}},
    "reads refused": {"route": "query", "fault": "status", "status": 400, "body": _said("4001")},
}


def fault(name: str, skip: int) -> Fault:
    """A fault by its name, after so many requests that pass."""
    times = None if name == "reads refused" else 1
    return Fault(**{"route": "batch", "skip": skip, "times": times} | FAULTS[name])
