"""Request ids: the memory by which a repeated write gets its first answer.

An answer is kept as the text that was sent, so that a replay is the same byte for byte. In a batch
the key is the request id followed by the item's `bId`. Keeps out: what an answer is.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.sandbox.quickbooks.books import Books
from pipeline.sandbox.quickbooks.faults import FaultError
from pipeline.sandbox.switches import setting

MAX_SINGLE = 50
MAX_BATCH = 36
MAX_BATCH_ITEM = 10


def check_single(request_id: str | None) -> None:
    """Refuse a request id that is too long for a single call.

    Raises:
        FaultError: 2130.
    """
    if request_id is not None and len(request_id) > MAX_SINGLE:
        raise _too_long("requestid", MAX_SINGLE)


def check_batch(request_id: str | None, item_ids: list[str]) -> None:
    """Refuse a request id, or an item's, that is too long for a batch.

    Raises:
        FaultError: 2130.
    """
    if request_id is None:
        return
    if len(request_id) > MAX_BATCH:
        raise _too_long("requestid", MAX_BATCH)
    if any(len(item_id) > MAX_BATCH_ITEM for item_id in item_ids):
        raise _too_long("bId", MAX_BATCH_ITEM)


def once(key: str | None, books: Books, answer: Callable[[], Any]) -> Any:  # noqa: ANN401  # as given
    """Return the answer given to this key before, or a new one, which is then remembered.

    Args:
        key: The request id, with the `bId` in a batch; none asks for nothing to be remembered.
        books: The company: ids are remembered per realm.
        answer: Makes a new answer, as plain JSON values.

    Raises:
        FaultError: 600 or 6000 where `request_ids` says so; whatever `answer` raises.
    """
    mode = setting(books.world, "request_ids")
    if key is None or mode == "ignore":
        return answer()
    place = f"{books.company.realm_id}/{key}"
    known = _remembered(place, books)
    if known is not None:
        return _again(mode, known["answer"])
    given = answer()
    books.world.replies[place] = {"at": books.now.isoformat(), "answer": given}
    books.touch("replies", place)
    return given


def _again(mode: str, answer: Any) -> Any:  # noqa: ANN401  # as it was stored
    if mode == "refuse_600":
        raise FaultError("600", "Duplicate Request ID : The request ID already exists.")
    if mode == "refuse_6000":
        raise FaultError("6000", "Business Validation Error: This request was already processed.")
    return answer


def _remembered(place: str, books: Books) -> dict[str, Any] | None:
    known: dict[str, Any] | None = books.world.replies.get(place)
    seconds = setting(books.world, "request_id_memory_seconds")
    if known is None or seconds is None:
        return known
    age = books.now.astimezone(UTC) - datetime.fromisoformat(known["at"])
    return known if age < timedelta(seconds=seconds) else None


def _too_long(name: str, limit: int) -> FaultError:
    return FaultError("2130", f"{name} is over {limit} characters", name)
