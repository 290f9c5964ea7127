"""Deciding: what each decision of a person makes of a delivery.

All of them are looked at before any is kept. Keeps out how they are spelled (`decisions`), the
ledger's SQL and how they are asked for.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from rapidfuzz import process

from pipeline.delivery import loading, pairing
from pipeline.delivery.decisions import Decision, refuse
from pipeline.delivery.desk import Desk
from pipeline.delivery.look import look
from pipeline.delivery.planning import as_adopted, reopened
from pipeline.ledger import DECIDED_TO_SEND, SETTLED, TOLD_APART, UNSETTLED, Delivery
from pipeline.quickbooks.activities import Body, facts

NEAR = 80
"""How like an id, in per cent, one must be to be named in its place."""
PLANNED = "planned"
"""In the place of a state: accepted, and no load has met it yet."""
VERBS = {
    "send": (PLANNED, "doubtful", "adopted", "skipped"),
    "adopt": (PLANNED, "doubtful", "adopted", "skipped", "refused", "gone"),
    "skip": (PLANNED, "doubtful", "adopted", "refused", "gone"),
    "keep": ("sent", "adopted"),
}
"""Each decision with the states of which it can be made. What was adopted was not sent by us, and a
mistyped id must not be for ever; what is decided to be sent is compared once more before it is."""
INSTEAD = {
    "sent": "it is in QuickBooks already, as time activity {quickbooks_id}",
    "pending": "its outcome is not known yet: launch the load of {work_date}, which settles it",
    "unknown": "its outcome is not known yet: launch the load of {work_date}, which settles it",
    "gone": "it was in QuickBooks and was deleted there, and is never sent again: `adopt` what was "
    "made in its place, or `skip` it",
    "refused": "QuickBooks refused it: use `retry`, which says if loads try it by themselves",
}
WHAT_IT_IS = (
    *("work_date", "payload", "fingerprint", "minutes", "amount_minor", "currency"),
    *("is_sent_approved", "sent_for"),
)
"""What a delivery says of its entry, as it would be sent."""
NOT_THERE = "it is not in QuickBooks yet: decide `send` to have it sent beside its look-alike"


def decide(desk: Desk, decisions: Sequence[Decision], who: str) -> list[Delivery]:
    """Record decisions, all or none; the deliveries as they are then. One made before stays so.

    Raises:
        Stop: one of them cannot be made; names all that cannot, and nothing is recorded.
    """
    ids = [each.entry_id for each in decisions]
    skipped = [each.entry_id for each in decisions if each.verb == "skip"]
    known = desk.ledger.deliveries(ids)
    known |= _met_by_no_load(desk, ids, known)
    known |= _as_today(desk, [known[id_] for id_ in skipped if id_ in known])
    bodies = {
        each.quickbooks_id: desk.quickbooks.time_activity(each.quickbooks_id)
        for each in decisions
        if each.verb == "adopt"
    }
    resembled = _resembled(desk, ids)
    sent = [each.entry_id for each in decisions if each.verb == "send"]
    equals = _equals(desk, [known[entry_id] for entry_id in sent if entry_id in known], bodies)
    wrong = _repeated(ids) + _repeated(each.quickbooks_id for each in decisions)
    new = [each for each in decisions if not _is_made(each, known.get(each.entry_id), resembled)]
    for each in new:
        row, body = known.get(each.entry_id), bodies.get(each.quickbooks_id)
        problem = _problem(desk, each, row, body, resembled) or equals.get(each.entry_id)
        if problem:
            wrong.append(f"{each.place}: {problem}" if each.place else problem)
    refuse(wrong)
    made = {each.entry_id: _decided(desk, known[each.entry_id], each, bodies, who) for each in new}
    desk.ledger.record([*made.values()])
    return [(known | made)[entry_id] for entry_id in ids]


def _repeated(ids: Iterable[str]) -> list[str]:
    counts = Counter(filter(None, ids))
    return [f"{id_} is named {count} times" for id_, count in counts.items() if count > 1]


def _met_by_no_load(
    desk: Desk, entry_ids: Sequence[str], known: Mapping[str, Delivery]
) -> dict[str, Delivery]:
    """What the next load would make of entries: of accepted ones, as after a `cutover` alone.

    Of what was skipped and has changed since, that it is to be decided.
    """
    asked = [id_ for id_ in entry_ids if id_ not in known or known[id_].state == "skipped"]
    with desk.company.warehouse.connect() as connection:
        days = connection.execute(
            "SELECT DISTINCT work_date FROM accepted_time_entries WHERE entry_id = ANY($1)",
            [asked],
        ).fetchall()
    found = [
        each
        for (day,) in days
        for each in loading.candidates_of(desk, day, day)
        if each.entry_id in asked and each.is_sendable
    ]
    never = {
        each.entry_id: replace(each.intent, state=PLANNED)
        for each in found
        if each.intent and each.entry_id not in known
    }
    return never | {row.entry_id: row for row in reopened(desk, found, known)}


def _as_today(desk: Desk, rows: Sequence[Delivery]) -> dict[str, Delivery]:
    """Those that are gone, as of what their entries are today, if these would be accepted.

    A person who skips one leaves out what is there now, and no load has said that it changed. What
    is adopted in its place is compared with what was sent: a name may be another's by now.
    """
    rows = [row for row in rows if row.state == "gone"]
    intents = pairing.intents_of(desk, desk.of_today(row.entry_id for row in rows))
    return {
        row.entry_id: replace(row, **{name: getattr(intent, name) for name in WHAT_IT_IS})
        for row in rows
        if (intent := intents.get(row.entry_id))
    }


def _equals(desk: Desk, rows: Sequence[Delivery], adopted: Iterable[str]) -> dict[str, str]:
    """Of those to be sent whose equal stands in QuickBooks, why they would not be.

    The next load would adopt it, whatever was said: it is refused while the person looks.
    """
    days = [row.work_date for row in rows]
    stored = desk.quickbooks.time_activities(min(days), max(days)) if days else {}
    owned = desk.ledger.claimed(stored) - {row.quickbooks_id for row in rows} | {*adopted}
    free = {key: facts(body) for key, body in stored.items() if key not in owned}
    found = look({row.entry_id: row.facts for row in rows}, free, 0).equal
    return {
        entry_id: f"the time activity {key} equals the entry {entry_id}: adopt it, or, if it is "
        "other work, change its description in QuickBooks first"
        for entry_id, key in found.items()
    }


def _problem(
    desk: Desk,
    each: Decision,
    row: Delivery | None,
    body: Body | None,
    resembled: Collection[str],
) -> str | None:
    """Why a decision cannot be made; none if it can."""
    if row is None:
        return _unknown(desk, each.entry_id)
    if each.place and each.verb != "keep" and _is_decided(row):
        # Whoever filled in the file has seen an older list.
        return (
            f"the entry {row.entry_id} was decided otherwise meanwhile, and is `{row.state}` "
            f"({row.error_message or 'adopted by a load'}): if that is wrong, decide it by itself"
        )
    is_send = each.verb == "send"
    state = "gone" if is_send and desk.ledger.ever_gone(row.entry_id) else row.state
    if state not in VERBS[each.verb]:
        why = INSTEAD.get(state, NOT_THERE).format(**vars(row))
        return f"the entry {row.entry_id} is `{row.state}`: {why}"
    if each.verb == "keep":
        return None if row.entry_id in resembled else f"nothing resembles the entry {row.entry_id}"
    if each.verb != "adopt":
        return None
    owners = desk.ledger.holding([each.quickbooks_id], (*SETTLED, *UNSETTLED))
    problem = None
    if body is None:
        problem = "is not in QuickBooks"
    elif any(owner.entry_id != row.entry_id for owner in owners):
        problem = "is another entry's already"
    elif facts(body).person != row.facts.person:
        problem = f"is another person's than the entry {each.entry_id}"
    return f"the time activity {each.quickbooks_id} {problem}" if problem else None


def _is_decided(row: Delivery) -> bool:
    """Whether a person, or a load, has settled what a list of doubtful entries asks for."""
    return row.state in {"adopted", "skipped"} or row.error_code == DECIDED_TO_SEND


def _resembled(desk: Desk, entry_ids: Sequence[str]) -> set[str]:
    """Those of the entries of which another activity is still taken to be the like."""
    query = "SELECT entry_id FROM drift WHERE kind = 'resembling' AND entry_id = ANY($1)"
    with desk.company.warehouse.connect() as connection:
        return {entry_id for (entry_id,) in connection.execute(query, [entry_ids]).fetchall()}


def _is_made(each: Decision, row: Delivery | None, resembled: Collection[str]) -> bool:
    """Whether a person has decided so before, as where a file is read a second time."""
    if row is None:
        return False
    return {
        "send": row.error_code == DECIDED_TO_SEND,
        "adopt": row.state == "adopted" and row.quickbooks_id == each.quickbooks_id,
        "skip": row.state == "skipped",
        "keep": row.error_code == TOLD_APART and row.entry_id not in resembled,
    }[each.verb]


def _unknown(desk: Desk, entry_id: str) -> str:
    with desk.company.warehouse.connect() as connection:
        rows = connection.execute(
            "SELECT entry_id, 'was accepted, but it or what it refers to has changed since: launch "
            "the review of ' || work_date || ' again' FROM accepted_time_entries UNION ALL "
            "SELECT entry_id, 'is ' || verdict || ' (' || reasons[1] || '), so it is not about to "
            "be sent' FROM rejected_time_entries"
        ).fetchall()
    verdicts = dict(rows)
    if entry_id in verdicts:
        return f"the entry {entry_id} {verdicts[entry_id]}"
    nearest = process.extractOne(entry_id, verdicts.keys(), score_cutoff=NEAR)
    named = f"; the nearest is {nearest[0]}" if nearest else ""
    return f"there is no entry `{entry_id}`{named}"


def _decided(
    desk: Desk,
    row: Delivery,
    each: Decision,
    bodies: Mapping[str, Body | None],
    who: str,
) -> Delivery:
    if each.verb == "keep":
        return desk.noted(row, error_code=TOLD_APART)
    said = f"decided by {who}: {each.verb} {each.quickbooks_id}".rstrip()
    made = desk.noted(row, error_code=None, error_message=said, quickbooks_id=None, sync_token=None)
    if each.verb == "skip":
        # What was deleted keeps the id of what it was, for whoever looks it up.
        deleted = row.quickbooks_id if row.state == "gone" else None
        return replace(made, state="skipped", quickbooks_id=deleted)
    if each.verb == "send":
        return replace(made, state="refused", error_code=DECIDED_TO_SEND)
    body = bodies[each.quickbooks_id]
    assert body
    return as_adopted(made, body, said)
