"""Following: QuickBooks brought into line with an entry that was edited after it was sent.

Only by `AFTER_SEND=update`, and only an activity that nobody else has touched: what QuickBooks
holds must be what we last wrote, and not be billed. A full update clears what it leaves out, so it
is built on the body just read, as far as that can be written. Keeps out what counts as a change
(`drift`). A crash between the update and the ledger's commit heals by itself: what was about to be
written was kept before, and the next run finds it in QuickBooks (`reconciliation`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from pipeline.delivery.classification import Outcome, classify, stored_otherwise
from pipeline.delivery.desk import Desk
from pipeline.ledger import Delivery
from pipeline.money import amount_minor
from pipeline.quickbooks.activities import Body, as_json, differences, facts, identity, parse
from pipeline.quickbooks.faults import stop_of

BILLED = "HasBeenBilled"
PRICES = ("Taxable", "HourlyRate")
OF_THE_ENTRY = (
    *("TxnDate", "NameOf", "EmployeeRef", "CustomerRef", "BillableStatus"),
    *("Hours", "Minutes", "Description", *PRICES),
)
"""Keys that an entry decides."""
OF_THE_BOOKKEEPER = (
    *("Id", "SyncToken", "sparse", "ItemRef", "ClassRef", "DepartmentRef", "ProjectRef"),
    *("PayrollItemRef", "CostRate", "TransactionLocationType"),
)
"""What else is written back, each as it was read. Answers may grow keys that QuickBooks refuses
when they are sent (its reference, 1.2 and 8)."""


def followed(base: Body, today: Body, *, is_priced_by_item: bool = False) -> dict[str, Any]:
    """A body with what the entry says today, and all else as it was.

    Args:
        base: what QuickBooks holds, or what we last wrote.
        today: what would be sent today.
        is_priced_by_item: whether rates are the service item's: the price then stays as it was.
    """
    kept: set[str] = set()
    if base.get("BillableStatus") == today["BillableStatus"]:
        kept = set(PRICES if is_priced_by_item else PRICES[:1])
    decided = {key for key in OF_THE_ENTRY if key not in kept}
    if facts(base).customer != facts(today).customer:
        decided.add("ProjectRef")  # QuickBooks' project of the customer before
    kept |= set(OF_THE_BOOKKEEPER) - decided
    return {key: value for key, value in base.items() if key in kept} | {
        key: value for key, value in today.items() if key in decided
    }


def amended(before: Delivery, today: Delivery, *, is_priced_by_item: bool) -> Delivery:
    """A delivery as it stands once QuickBooks holds what its entry says today.

    Args:
        before: the delivery as the ledger has it.
        today: the intent that the entry would be sent by now.
        is_priced_by_item: as `followed`.
    """
    body = followed(
        parse(before.payload), parse(today.payload), is_priced_by_item=is_priced_by_item
    )
    found = facts(body)
    return replace(
        before,
        payload=as_json(body),
        fingerprint=today.fingerprint,
        work_date=found.work_date,
        minutes=found.minutes,
        amount_minor=amount_minor(found.minutes, found.rate) if found.is_billable else None,
        currency=today.currency,
        is_sent_approved=today.is_sent_approved,
        sent_for=today.sent_for,
        error_code=None,
        error_message=None,
        updated_at=today.updated_at,
        run_id=today.run_id,
    )


def renaming(before: Delivery, wanted: Delivery) -> str | None:
    """Why another person or customer is not followed; none if it is the entry's, or is the same.

    The name of the one who was sent may have been given to another in QuickBooks, or matching been
    set otherwise: then the entry has not changed, and its time is not to be billed to another.
    """
    was, is_now = (row.facts for row in (before, wanted))
    then, now = ((row.sent_for or "/").split("/") for row in (before, wanted))
    for kind, place in (("person", 0), ("customer", 1)):
        if getattr(was, kind) == getattr(is_now, kind):
            continue
        if before.sent_for is None:
            return f"its {kind} is another now, and whose it was when it was sent is not known"
        if then[place] == now[place]:
            return f"its name leads to another {kind} now, though the entry is as it was"
    return None


def obstacle(before: Delivery, activity: Body) -> str | None:
    """Why an activity may not be brought into line; none if it may.

    QuickBooks may not keep a letter of a description. What it made of it is its own, and nobody's
    change, while the activity is of the version that we wrote.
    """
    if activity.get("BillableStatus") == BILLED:
        return "it is billed"
    differing = differences(before.facts, facts(activity))
    is_as_written = before.sync_token == identity(activity)["sync_token"]
    if is_as_written and before.error_message == stored_otherwise(["description"]):
        differing = [name for name in differing if name != "description"]
    if activity.get("StartTime"):
        differing.append("start and end")
    return f"it was changed in QuickBooks too: {', '.join(differing)}" if differing else None


def update(desk: Desk, delivery: Delivery, activity: Body) -> tuple[Outcome, Body]:
    """Write what a delivery says over the activity just read; its outcome, and what is stored now.

    Unanswered, it is read again. Throttled, it is not followed this time, and the next run tries
    again, as where it cannot be told at all. The request's id is new each time: QuickBooks may
    remember a refusal for what it would take by now, such as of books that are open again. What is
    written twice all the same, it refuses for its version (5010).

    Raises:
        Stop: QuickBooks refuses everything.
    """
    body = followed(activity, parse(delivery.payload))
    answer = desk.quickbooks.update_time_activity(body, str(uuid4()))
    outcome = classify(answer.status, answer.body, answer.fault, sent=delivery.payload)
    stored: Mapping[str, Any] = answer.body.get("TimeActivity", activity)
    if outcome.state == "unknown":
        stored = desk.quickbooks.time_activity(str(activity["Id"])) or activity
        if not differences(delivery.facts, facts(stored)):
            outcome = Outcome("sent", **identity(stored))
    desk.log(f"time activity {delivery.quickbooks_id} updated: {outcome.state}")
    stop = stop_of(answer.status, answer.fault, answer.tid)
    if stop and outcome.state != "throttled":
        raise stop
    return outcome, stored if outcome.state == "sent" else activity
