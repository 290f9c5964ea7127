"""What lies about a desk: candidates to be compared, and time activities in QuickBooks."""

import json
from dataclasses import replace
from typing import Any

from pipeline.delivery.candidates import Candidate
from pipeline.delivery.desk import Desk
from pipeline.delivery.look import other_roundings
from pipeline.ledger import Delivery
from pipeline.schemas import QuickbooksActivities
from pipeline.storage import doors
from tests.conftest import Sandbox
from tests.pipeline.quickbooks.test_activities import sent
from tests.pipeline.rows import delivery, frame, valid


def work(number: int) -> dict[str, object]:
    """What an entry says: of one person, whom the sandbox's QuickBooks knows, as the customers."""
    customer = {"quickbooks_customer_id": str(24 + number)}
    return {"quickbooks_employee_id": "9", **customer, "description": f"Work {number}"}


def intent(number: int = 1, **changes: object) -> Delivery:
    """What an entry would be sent as, with changes to the entry; each does other work."""
    payload = sent(item_id=None, **{**work(number), **changes})
    row = delivery(number, payload=payload, fingerprint=payload, sent_for="u1/p1")
    return replace(row, work_date=row.facts.work_date, minutes=row.facts.minutes)


def known(number: int = 1, **changes: Any) -> Delivery:  # noqa: ANN401 - fields of any type
    """What the ledger may hold of it, with changes to the delivery."""
    return replace(intent(number), **changes)


def candidate(
    number: int = 1, *, is_sendable: bool = True, is_ours: bool = True, **changes: object
) -> Candidate:
    """An entry as a load compares it, with changes to the entry."""
    meant = intent(number, **changes)
    return Candidate(
        entry_id=meant.entry_id,
        facts=meant.facts,
        roundings=other_roundings(60 * meant.minutes),
        intent=meant if is_ours else None,
        is_sendable=is_sendable,
    )


def typed(sandbox: Sandbox, number: int = 1, **changes: object) -> str:
    """Have QuickBooks hold, as if somebody had typed it, what an entry would be sent as; its id.

    Args:
        sandbox: whose QuickBooks.
        number: of the entry.
        changes: keys of QuickBooks' own.
    """
    body = json.loads(intent(number).payload) | changes
    return str(sandbox.admin("POST", "activities", **body)["Id"])


def compared(desk: Desk, made: dict[int, str]) -> None:
    """Let the warehouse know the activities that entries had when QuickBooks was last compared."""
    rows = [
        valid(QuickbooksActivities, number, entry_id=intent(number).entry_id, quickbooks_id=key)
        for number, key in made.items()
    ]
    with desk.company.warehouse.connect() as connection:
        doors.insert(connection, QuickbooksActivities, frame(QuickbooksActivities, *rows))
