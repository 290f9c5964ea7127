"""Pipelines broken on purpose, each in one rule, to see that the harness notices.

Installed in the process that runs, like the crash points. Keeps out which scenarios show it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pipeline.delivery import settlement, settling
from pipeline.delivery.desk import Desk
from pipeline.ledger import NOT_STORED, Delivery, Ledger
from pipeline.quickbooks.activities import facts, stamp
from pipeline.quickbooks.client import QuickBooks
from tests.chaos.crash_points import kind_of


def install(name: str) -> None:
    """Break the pipeline in this process; nothing without a name."""
    if name:
        SABOTAGES[name]()


def _intent_after_send() -> None:
    """The intent is committed after the request, not before it."""
    record, create = Ledger.record, QuickBooks.create_batch
    held: list[tuple[Ledger, Sequence[Delivery], str | None]] = []

    def recorded(self: Ledger, rows: Sequence[Delivery], batch_id: str | None = None) -> None:
        if kind_of(rows, batch_id) == "intent":
            held.append((self, rows, batch_id))
        else:
            record(self, rows, batch_id)

    def created(self: QuickBooks, *batch: Any) -> Any:  # noqa: ANN401
        answer = create(self, *batch)
        record(*held.pop())
        return answer

    Ledger.record = recorded  # type: ignore[method-assign]
    QuickBooks.create_batch = created  # type: ignore[method-assign]


def _no_settling() -> None:
    """What nobody knows is taken for not stored, without a look."""

    def settle(desk: Desk) -> list[Delivery]:
        closed = [
            replace(row, state="refused", error_code=NOT_STORED) for row in desk.ledger.unsettled()
        ]
        desk.ledger.record(closed)
        return closed

    settlement.settle = settle


def _creation_time_permits() -> None:
    """What was not created, by our own clock, while we sent is taken for somebody else's."""

    def span(intent: Delivery, _: int) -> tuple[Any, Any]:
        assert intent.sent_at is not None
        return intent.sent_at - timedelta(seconds=5), intent.updated_at + timedelta(seconds=5)

    def may_be(wanted: Any, activity: Any, when: tuple[Any, Any]) -> bool:  # noqa: ANN401
        is_then: bool = when[0] <= stamp(activity, "CreateTime") <= when[1]
        return is_then and _alike(wanted, facts(activity))

    settling.creation_span = span  # type: ignore[assignment]
    settlement.creation_span = span  # type: ignore[assignment,attr-defined]
    settling._may_be = may_be  # type: ignore[assignment]


def _forgetting() -> None:
    """What earlier runs sent is forgotten on both sides: only a look can tell what still stands."""
    settle = settlement.settle

    def forgetful(desk: Desk) -> list[Delivery]:
        settlement.settle = settle
        desk.ledger._connection.execute("DELETE FROM deliveries WHERE state IN ('sent', 'gone')")
        with desk.company.warehouse.connect() as connection:  # which would tell
            connection.execute("DELETE FROM quickbooks_activities")
        return settle(desk)

    settlement.settle = forgetful


def _alike(one: Any, other: Any) -> bool:  # noqa: ANN401 - facts
    return len([a for a, b in zip(one, other, strict=True) if a == b]) > 1


SABOTAGES: dict[str, Callable[[], None]] = {
    "the intent is committed after the send": _intent_after_send,
    "settling is switched off": _no_settling,
    "creation time permits a re-send": _creation_time_permits,
    "what was sent is forgotten": _forgetting,
}
