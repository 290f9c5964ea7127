"""Reconciliation: the last step of a load, when everything is settled.

What was ever sent of some days is compared with its entries and with QuickBooks, read completely
for it, also when there was nothing to send. Holds the order of the steps and what the ledger
learns. Keeps out the reading (`pairing`), what counts as drift (`drift`), how QuickBooks may be
brought into line (`following`) and the tables (`books`). Nothing is sent anew here: what somebody
deleted in QuickBooks is `gone`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from pipeline.delivery import drift, following, pairing, strays
from pipeline.delivery.breaker import Tally
from pipeline.delivery.desk import Desk
from pipeline.delivery.following import BILLED
from pipeline.delivery.pairing import Pair
from pipeline.fields import Row
from pipeline.ledger import DELIVERED, Delivery
from pipeline.quickbooks.activities import Body, differences, facts, identity, parse
from pipeline.quickbooks.rows import activity_row
from pipeline.reports import books


def reconcile(desk: Desk, first: date, last: date) -> None:
    """Compare what was sent of some days with both sides as they are now, and keep what differs.

    Days that were never read from Clockify are left out: of their entries nothing is known.

    Raises:
        Stop: one of the services cannot be read, or stores three updates otherwise than sent.
    """
    with desk.company.warehouse.connect() as connection:
        days = books.days_read(connection)
        likened = [entry_id for entry_id, day in books.likened(connection) if first <= day <= last]
    activities: dict[str, Body] = {**desk.quickbooks.time_activities(first, last)}
    deliveries = pairing.deliveries(desk, first, last, activities)
    known = [each for each in deliveries if each.work_date in days]
    activities |= pairing.elsewhere(desk, known, activities)
    known = _heard(desk, known, activities)
    pairs = pairing.pairs(desk, known, activities)
    pairs = _in_line(desk, _gone(desk, pairs))
    activities |= {str(pair.activity["Id"]): pair.activity for pair in pairs if pair.activity}
    about = [*strays.about(desk, first, last, likened)]
    found = [
        *(row for pair in pairs for row in _changes_of(desk, pair)),
        *strays.rows(desk, about, pairs, activities),
    ]
    owners = {each.quickbooks_id: each.entry_id for each in deliveries}
    now = desk.company.now()
    rows = [
        activity_row(
            dict(body),
            currency=_currency(body, desk),
            entry_id=owners.get(key),
            read_at=now,
        )
        for key, body in activities.items()
    ]
    with desk.company.warehouse.connect() as connection:
        books.store(connection, rows, found, known, (first, last), now)
    warnings = sum(row["is_warning"] for row in found)
    desk.log(f"{first} to {last}: {len(pairs)} deliveries compared, {warnings} warnings")


def _heard(desk: Desk, known: Sequence[Delivery], activities: Mapping[str, Body]) -> list[Delivery]:
    """The deliveries; of one whose update nobody heard of, the ledger learns that it was made.

    A run that dies between an update and its outcome leaves QuickBooks with what the run was about
    to write: nobody else's change.
    """
    unlike = {
        row.entry_id: (row, body)
        for row in known
        if row.state in DELIVERED
        and (body := activities.get(row.quickbooks_id or ""))
        and differences(row.facts, facts(body))
    }
    learnt = {}
    for entry_id, payload in desk.ledger.last_payloads(unlike).items():
        row, body = unlike[entry_id]
        if not differences(facts(parse(payload)), facts(body)):
            meant = desk.noted(row, payload=payload)
            made = following.amended(row, meant, is_priced_by_item=False)
            learnt[entry_id] = replace(made, **identity(body))
    desk.ledger.record([*learnt.values()])
    return [learnt.get(row.entry_id, row) for row in known]


def _currency(activity: Body, desk: Desk) -> str:
    """The currency of a time activity: its customer's, or else the company's."""
    currency = desk.lists.customer.get(facts(activity).customer, {}).get("currency")
    return currency if isinstance(currency, str) else desk.rules.home_currency


def _gone(desk: Desk, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs; that somebody has deleted its activity is recorded of a delivery."""
    gone = {
        pair.delivery.entry_id: desk.noted(pair.delivery, state="gone", error_code=None)
        for pair in pairs
        if pair.activity is None and pair.delivery.state in DELIVERED
    }
    desk.ledger.record([*gone.values()])
    return [
        replace(pair, delivery=gone.get(pair.delivery.entry_id, pair.delivery)) for pair in pairs
    ]


def _in_line(desk: Desk, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, those followed that may be.

    Raises:
        Stop: QuickBooks stored three of them otherwise than they were sent.
    """
    found = []
    tally = Tally()
    for pair in pairs:
        found.append(_followed(desk, pair, tally))
        if stop := tally.stop():
            raise stop
    return found


def _followed(desk: Desk, pair: Pair, tally: Tally) -> Pair:
    """The pair once QuickBooks and the ledger follow its entry; as it is where they may not.

    Where QuickBooks already holds what the entry says, the ledger learns it: somebody made the
    same change there, or a run was killed after its update.
    """
    is_update = desk.company.settings.after_send == "update"
    if not pair.activity:
        return pair
    if not pair.today:
        return replace(pair, not_followed=_not_acceptable(pair)) if is_update else pair
    if pair.today.payload == pair.delivery.payload:  # as of nearly all: to amend takes a while
        return _sent_for(desk, pair, pair.today.sent_for)
    by_item = desk.company.settings.rate_source == "service_item"
    wanted = following.amended(pair.delivery, pair.today, is_priced_by_item=by_item)
    goal = wanted.facts
    if not differences(goal, pair.delivery.facts):
        return _sent_for(desk, pair, wanted.sent_for)
    if not differences(goal, facts(pair.activity)):
        wanted = replace(wanted, **identity(pair.activity))
        desk.ledger.record([wanted])
        return replace(pair, delivery=wanted)
    return _updated(desk, pair, wanted, tally) if is_update else pair


def _sent_for(desk: Desk, pair: Pair, now: str | None) -> Pair:
    """The pair, by whose entry it is now where another's says the same."""
    if pair.delivery.sent_for in {None, now}:
        return pair
    row = desk.noted(pair.delivery, sent_for=now)
    desk.ledger.record([row])
    return replace(pair, delivery=row)


def _not_acceptable(pair: Pair) -> str:
    if pair.entry is None:
        return "the entry is not there to be read"
    return f"the entry would not be sent now: {', '.join(pair.entry['reasons'])}"


def _updated(desk: Desk, pair: Pair, wanted: Delivery, tally: Tally) -> Pair:
    """The pair after an update of its activity, which is read once more for it."""
    assert wanted.quickbooks_id
    if reason := following.renaming(pair.delivery, wanted):
        return replace(pair, not_followed=reason)
    activity = desk.quickbooks.time_activity(wanted.quickbooks_id)
    if activity is None:
        return replace(pair, not_followed="it was deleted in QuickBooks just now")
    if reason := following.obstacle(pair.delivery, activity):
        return replace(pair, activity=activity, not_followed=reason)
    desk.ledger.intend(desk.noted(wanted, error_message="about to be updated"))
    outcome, stored = following.update(desk, wanted, activity)
    if outcome.state != "sent":
        return replace(pair, not_followed=f"QuickBooks did not say yes: {outcome.error_message}")
    now = desk.noted(
        wanted,
        attempts=wanted.attempts + 1,
        sync_token=outcome.sync_token,
        error_message=outcome.error_message,
    )
    desk.ledger.record([now])
    tally.add([(now, outcome)])
    return replace(pair, delivery=now, activity=stored)


def _changes_of(desk: Desk, pair: Pair) -> Iterator[Row]:
    """The rows of `drift` about one delivery; none if both sides have deleted it."""
    if pair.said is None and pair.activity is None:
        return
    is_billed = (pair.activity or {}).get("BillableStatus") == BILLED
    stored = facts(pair.activity) if pair.activity else None
    changes = drift.of_activity(pair.delivery.facts, stored, is_billed=is_billed)
    by_item = desk.company.settings.rate_source == "service_item"
    changes += drift.of_entry(pair.delivery.facts, pair.said, is_priced_by_item=by_item)
    is_approved = pair.entry and pair.entry["is_approved"]
    was_approved = pair.delivery.is_sent_approved is not False
    if desk.company.settings.require_approval and is_approved is False and was_approved:
        changes.append(drift.UNAPPROVED)
    for change in changes:
        yield drift.row(change, pair.delivery.facts, desk.lists.names, desk.company.now()) | {
            "work_date": pair.delivery.work_date,
            "entry_id": pair.delivery.entry_id,
            "quickbooks_id": pair.delivery.quickbooks_id,
            "is_billed": is_billed,
            "not_followed": pair.not_followed if change.side == "clockify" else None,
        }
