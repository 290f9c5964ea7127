"""Planning a load: what to send, what QuickBooks already holds, what a person must decide.

Writes nothing, so that a dry run is the same code as a load. What a person has decided to send is
compared like the rest, since QuickBooks may have come to hold it after all; only look-alikes no
longer count. Keeps out what equals what (`look`) and everything that changes the ledger or
QuickBooks (`sending`, `settlement`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from pipeline.delivery.candidates import Candidate, request_id
from pipeline.delivery.desk import Desk
from pipeline.delivery.look import NEAR_DAYS, Look, look, told_apart, without
from pipeline.ledger import DECIDED_TO_SEND, NEVER_CLAIMED_AGAIN, PASSING, Delivery
from pipeline.quickbooks.activities import Body, Facts, differences, facts, identity
from pipeline.reports import books

MATERIAL = ("work_date", "minutes", "is_billable")
"""Fields whose change makes an entry other work than it was when a person decided about it."""
LOST = "was sent before this ledger as time activity {}, which was changed or deleted since"


@dataclass(frozen=True)
class Plan:
    """What a load is about to do; a dry run ends here."""

    send: tuple[Delivery, ...] = ()
    adopt: tuple[Delivery, ...] = ()
    doubt: tuple[Delivery, ...] = ()
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each doubtful entry, the activities that it resembles."""
    free: Mapping[str, Facts] = field(default_factory=dict)
    """Activities around the window that belong to no delivery and no entry, by id."""
    foreign: int = 0
    """How many activities around the window somebody else made, adopted ones included."""

    def rows(self) -> Iterator[tuple[str, Delivery]]:
        """Each delivery with what becomes of it: `send`, `adopt` or `doubt`."""
        for action, rows in (("send", self.send), ("adopt", self.adopt), ("doubt", self.doubt)):
            yield from ((action, row) for row in rows)


def plan(
    desk: Desk, candidates: Iterable[Candidate], *, days: tuple[date, date] | None = None
) -> Plan:
    """Decide what to send, adopt and leave for a person. Writes nothing.

    Args:
        desk: its ledger knows what was sent and whose activities are whose; QuickBooks is read
            around the days.
        candidates: the entries to compare.
        days: the days to read; if not given, those of what is to be sent, if anything is.

    Raises:
        Stop: QuickBooks' activities cannot be read completely.
    """
    ledger, known = desk.ledger, list(candidates)
    before = ledger.deliveries(candidate.entry_id for candidate in known)
    open_ = [
        claimed_anew(each, before.get(each.entry_id))
        for each in known
        if not _is_closed(before.get(each.entry_id))
    ]
    wanted = [each for each in open_ if each.is_sendable]
    reopened_ = tuple(reopened(desk, known, before))
    if not wanted and not days:
        return Plan(doubt=reopened_)
    dates = days or [each.facts.work_date for each in wanted]
    bodies = desk.quickbooks.time_activities(min(dates) - NEAR_DAYS, max(dates) + NEAR_DAYS)
    claimed, ours = ledger.claimed(bodies), ledger.sent_by_us(bodies)
    unsettled = [delivery.facts for delivery in ledger.unsettled()]
    stored = without({k: facts(body) for k, body in bodies.items() if k not in claimed}, unsettled)
    decided = {key: row for key, row in before.items() if row.error_code == DECIDED_TO_SEND}
    decided_at = {key: row.updated_at for key, row in decided.items()}
    apart = told_apart(decided_at, bodies, desk.quickbooks.http.ahead)
    found = _found(open_, apart, stored, desk.rounding_minutes)
    intents = [each.intent for each in open_ if each.intent]
    sendable = {each.entry_id for each in wanted} - found.equal.keys() - found.resembling.keys()
    lost = _lost(desk, sorted(sendable - decided.keys()), found.equal)
    taken = set(found.equal.values())
    return Plan(
        send=tuple(intent for intent in intents if intent.entry_id in sendable - lost.keys()),
        adopt=tuple(_adopted(intents, found, bodies, decided)),
        doubt=(
            *_doubtful(intents, found.resembling, "looks like QuickBooks' time activity {}"),
            *_doubtful(intents, lost, LOST),
            *reopened_,
        ),
        alike=found.resembling | lost,
        free={key: each for key, each in stored.items() if key not in taken},
        foreign=len((stored.keys() | claimed) - ours),
    )


def _lost(desk: Desk, entry_ids: Sequence[str], equal: Mapping[str, str]) -> dict[str, list[str]]:
    """The entries without an equal that had a time activity which only the warehouse knows.

    The ledger is older than the warehouse: the newer ledger was lost, and a copy put in its place.
    Somebody may since have changed the activity too much for it to resemble the entry. Where an
    equal entry has taken over this one's activity, the one that is now nobody's is that entry's.
    """
    with desk.company.warehouse.connect() as connection:
        made = books.made_of(connection, [*entry_ids, *equal])
    takers = {key: entry_id for entry_id, key in equal.items()}
    found = {}
    for entry_id in entry_ids:
        key = made.get(entry_id)
        while key in takers:
            key = made.get(takers[key])
        if key:
            found[entry_id] = [key]
    owned = desk.ledger.claimed(key for [key] in found.values())
    return {entry_id: keys for entry_id, keys in found.items() if not owned.intersection(keys)}


def _is_closed(before: Delivery | None) -> bool:
    return before is not None and before.state in NEVER_CLAIMED_AGAIN


def claimed_anew(candidate: Candidate, before: Delivery | None) -> Candidate:
    """A candidate that was refused before, with its next revision; sent only if that may help."""
    if before is None or candidate.intent is None:
        return candidate
    revision = before.revision + 1
    id_ = request_id(before.realm_id, before.entry_id, before.part, revision)
    intent = replace(candidate.intent, revision=revision, request_id=id_)
    is_sendable = candidate.is_sendable and _may_retry(before, intent)
    return replace(candidate, intent=intent, is_sendable=is_sendable)


def _may_retry(before: Delivery, intent: Delivery) -> bool:
    """A refused one is tried again if it has changed, or if it was refused only for the moment."""
    return before.error_code in PASSING or before.fingerprint != intent.fingerprint


def reopened(
    desk: Desk, candidates: Iterable[Candidate], before: Mapping[str, Delivery]
) -> Iterator[Delivery]:
    """What a person skipped and has become other work since: it is not what they decided about.

    Leaves out what would not be sent anyway, such as an entry since marked not billable.

    Args:
        desk: has the warehouse, the lists and the rules.
        candidates: the entries as they are now.
        before: the deliveries by entry id.
    """
    changed = {
        each.entry_id: (claimed_anew(each, row).intent, fields)
        for each in candidates
        if (row := before.get(each.entry_id)) and row.state == "skipped"
        if each.is_sendable and each.intent and (fields := _material(row, each.intent))
    }
    if not changed:
        return
    today = desk.of_today(changed)
    for entry_id in today.loc[today["verdict"] == "accepted", "entry_id"]:
        intent, fields = changed[entry_id]
        assert intent
        said = f"changed since it was skipped ({', '.join(fields)}): a person must decide"
        yield replace(intent, state="doubtful", error_message=said)


def _material(skipped: Delivery, intent: Delivery) -> list[str]:
    """In what an entry is other work; a name given to another in QuickBooks makes it none."""
    changed = differences(skipped.facts, intent.facts)
    is_anothers = skipped.sent_for not in {None, intent.sent_for}
    return [
        name
        for name in changed
        if name in MATERIAL or (is_anothers and name in {"person", "customer"})
    ]


def _found(
    candidates: Sequence[Candidate],
    apart: Mapping[str, Collection[str]],
    stored: Mapping[str, Facts],
    rounding_minutes: int,
) -> Look:
    return look(
        {each.entry_id: each.facts for each in candidates if each.is_sendable},
        stored,
        rounding_minutes,
        others={each.entry_id: each.facts for each in candidates if not each.is_sendable},
        roundings={each.entry_id: each.roundings for each in candidates},
        apart=apart,
    )


def as_adopted(row: Delivery, body: Body, said: str) -> Delivery:
    """A delivery that has taken a time activity for its own: why, and what of it is otherwise."""
    differing = differences(row.facts, facts(body))
    drift = f"drift: {', '.join(differing)}" if differing else ""
    why = "; ".join(filter(None, [said, drift])) or None
    return replace(row, state="adopted", error_message=why, **identity(body))


def _adopted(
    intents: Sequence[Delivery],
    found: Look,
    bodies: Mapping[str, Body],
    decided: Mapping[str, Delivery],
) -> Iterator[Delivery]:
    """The adopted; of one that was to be sent it is said why it is not."""
    for intent in intents:
        if key := found.equal.get(intent.entry_id):
            said = ""
            if row := decided.get(intent.entry_id):
                said = f"{row.error_message}; not sent: time activity {key} is its equal"
            yield as_adopted(intent, bodies[key], said)


def _doubtful(
    intents: Sequence[Delivery], alike: Mapping[str, Sequence[str]], said: str
) -> Iterator[Delivery]:
    for intent in intents:
        if keys := alike.get(intent.entry_id):
            yield replace(
                intent,
                state="doubtful",
                quickbooks_id=keys[0],
                error_message=f"{said.format(', '.join(keys))}: a person must decide",
            )
