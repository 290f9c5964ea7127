"""Batches: up to thirty independent items, each answered by itself inside one 200.

Keeps out: what an item does.
"""

import json
from typing import Any

from pipeline.sandbox.quickbooks import request_ids
from pipeline.sandbox.quickbooks.books import Books, Record, missing
from pipeline.sandbox.quickbooks.faults import FaultError, fault_body, stamp
from pipeline.sandbox.quickbooks.operations import ENTITIES, perform
from pipeline.sandbox.quickbooks.query import run
from pipeline.sandbox.switches import setting

_ENTITY_NAMES = set(ENTITIES.values())
_OWN_KEYS = {"bId", "operation", "optionsData"}


def batch(body: Record, request_id: str | None, books: Books) -> Record:
    """Return the whole answer to a batch.

    Args:
        body: The request's object.
        request_id: The request id of the batch, where there is one.
        books: The company.

    Raises:
        FaultError: 1040, 2010, 2020 or 2130: the batch as a whole is refused and nothing is stored.
    """
    items = _items(body, setting(books.world, "batch_limit"))
    request_ids.check_batch(request_id, [str(item.get("bId", "")) for item in items])
    answers = [_answer(item, request_id, books) for item in items]
    return {"BatchItemResponse": answers, "time": _time(request_id, books)}


def _time(request_id: str | None, books: Books) -> str:
    """Return the envelope's time, which a replay has from the first answer."""
    is_replaying = setting(books.world, "request_ids") == "honour" and request_id is not None
    key = f"{request_id} " if is_replaying else None
    return str(request_ids.once(key, books, lambda: stamp(books.now)))


def _items(body: Record, limit: int) -> list[Record]:
    for name in body:
        if name != "BatchItemRequest":
            raise FaultError("2010", f"Property Name:Unrecognized field {name!r} is unsupported")
    items = body.get("BatchItemRequest")
    if not isinstance(items, list) or not items:
        raise missing("BatchItemRequest")
    if not all(isinstance(item, dict) for item in items):
        raise FaultError("2010", "A batch item is not a JSON object")
    if len(items) > limit:
        raise FaultError("1040", f"The batch has {len(items)} items; the limit is {limit}")
    return items


def _answer(item: Record, request_id: str | None, books: Books) -> Record:
    """Answer one item; its fault, if it has one, is its answer."""
    item_id = str(item.get("bId", ""))
    key = None if request_id is None or "Query" in item else request_id + item_id
    try:
        answer = request_ids.once(key, books, lambda: _remembered(item, books))
    except FaultError as fault:
        answer = {"Fault": fault_body(fault)}
    return {**answer, "bId": item_id}


def _remembered(item: Record, books: Books) -> Record:
    try:
        return _perform(item, books)
    except FaultError as fault:
        if not setting(books.world, "remember_faults"):
            raise
        return {"Fault": fault_body(fault)}


def _perform(item: Record, books: Books) -> Record:
    if "Query" in item:
        return {"QueryResponse": run(str(item["Query"]), books)}
    entity, body = _entity(item)
    return {entity: perform(str(item.get("operation")), entity, body, books)}


def _entity(item: Record) -> tuple[str, Any]:
    for name, value in item.items():
        if name in _ENTITY_NAMES and isinstance(value, dict):
            return name, value
        if name not in _OWN_KEYS:
            raise FaultError("2010", f"Property Name:Unrecognized field {name!r} is unsupported")
    raise missing("BatchItemRequest entity")


def reads_and_writes(body: Record) -> tuple[int, int]:
    """Return how many of a batch's items are metered as reads, and how many are not."""
    items = body.get("BatchItemRequest")
    rows = items if isinstance(items, list) else []
    reads = sum(1 for item in rows if isinstance(item, dict) and "Query" in item)
    return reads, len(rows) - reads


def as_text(body: Record) -> str:
    """Return a body as it travels."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
