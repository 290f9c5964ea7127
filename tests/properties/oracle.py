"""What must hold after every run, whatever happened before it.

Told from the sandbox's world, and from the tables that a person would read, by plain rules written
apart from the product. An entry is known in QuickBooks by the number in its description, which
nobody edits: `#7 as agreed`. Twins share a number.

It lets pass what nobody could know: an activity that no delivery remembers, because its answer was
lost or the ledger was restored, and that people have since deleted or changed beyond recognition.
"""

import json
import pickle
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from operator import itemgetter

from pipeline.sandbox.world import Entry, World
from tests.end_to_end.books import Activity, as_stored
from tests.properties import choices
from tests.properties.choices import Chosen
from tests.properties.tables import Delivery, Steps
from tests.sandbox.seed_rules import Rules, work_date

NEVER_SEEN = "never seen"
ALLOWED = {
    NEVER_SEEN: {"pending", "adopted", "doubtful"},
    "pending": {"pending", "sent", "refused", "unknown", "doubtful", "gone"},
    "unknown": {"sent", "refused", "doubtful"},
    "refused": {"pending", "adopted", "doubtful"},
    "sent": {"sent", "gone"},
    "adopted": {"adopted", "gone"},
    "doubtful": set(),
    "gone": set(),
    "skipped": {"doubtful"},
}
"""A delivery's state and those that may follow (`delivery.md`). Pending follows pending while
throttled, sent follows sent when an old answer was read anew, and adopted adopted when the entry
became what QuickBooks holds, which the ledger learns; what was settled as not stored is `refused`,
and may be claimed anew. What was skipped and is other work is asked of again."""
DECIDED = {
    "doubtful": {"refused", "adopted", "skipped"},
    "refused": {"refused", "adopted", "skipped"},
    "gone": {"adopted", "skipped"},
    "sent": {"sent"},
    "adopted": {"adopted"},
}
"""The same of what a person decides: what is to be sent is `refused` until the next load, and what
is in QuickBooks stays so where they say that its look-alike is other work."""
OWNING = {"sent", "adopted", "gone"}
"""States in which a delivery knows its activity for certain."""
TO_BE_EXPLAINED = {"refused", "doubtful", "unknown"}
FOR_THE_MOMENT = {"3001", "6200", "6210", "not_stored", "decided_to_send", "asked_to_retry"}
"""Codes of refusals that a later run tries again by itself."""


@dataclass
class Oracle:
    """What has been seen of one company so far."""

    world: World
    chosen: Chosen
    """The settings as they are now."""
    made: dict[str, Activity] = field(default_factory=dict)
    """Every activity that ever stood in QuickBooks, as it first was, or was last brought to be."""
    ours: set[str] = field(default_factory=set)
    """Those that the product made, less those that a restored ledger does not know."""
    entries: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """A number to the ids of all entries that ever had it."""
    read: dict[str, tuple[date, World]] = field(default_factory=dict)
    """Entries as last extracted: the day, and the world as it then was."""
    lists: World | None = None
    """The world as it was when people, projects and customers were last read."""
    standing: dict[str, Activity] = field(default_factory=dict)
    """The activities as they stood when the run began."""
    certain: set[str] = field(default_factory=set)
    """Those that some delivery owned then."""
    known: dict[str, Activity] = field(default_factory=dict)
    """What the ledger took to be in QuickBooks of each entry then."""
    edited: set[str] = field(default_factory=set)
    """Activities that are not as the ledger has them: people's, until somebody looks at them."""

    def see_world(self) -> set[str]:
        """Take in the entries and activities that are there; the ids of the new activities."""
        for entry in self.world.workspace.entries.values():
            self.entries[tag(entry.description)].add(entry.id)
        rows = self.world.company.activities
        new = {key for key in rows if key not in self.made}
        self.made |= {key: as_stored(rows[key]) for key in new}
        return new

    def see_extraction(self, first: date, last: date) -> None:
        """Take in the entries as a read of some days shows them.

        An entry that has left its day is followed, and the day to which it went is read as well.
        """
        there = self.world.workspace.entries
        now = {key: work_date(self.world, entry) for key, entry in there.items()}
        before = {key: day for key, (day, _) in self.read.items()}
        days = set(_days(first, last))
        while further := {now[key] for key in now if before.get(key) in days} - days:
            days |= further
        for key in [key for key, day in before.items() if day in days]:
            del self.read[key]
        world = _copy(self.world)
        self.read |= {key: (day, world) for key, day in now.items() if day in days}

    def see_lists(self) -> None:
        """Take in people, projects and customers, which a run has just read."""
        self.lists = _copy(self.world)

    def see_restored(self, deliveries: Iterable[Delivery]) -> None:
        """Forget the activities that a restored ledger does not know, or not as they are."""
        self.ours &= owned(deliveries)
        self.edited |= {key for key, _ in self._unlike(deliveries)}

    @property
    def is_followed(self) -> bool:
        """Whether QuickBooks is brought into line with what is edited after it was sent."""
        return self.chosen["AFTER_SEND"] == "update"

    def is_due(self, rules: Rules, entry: Entry) -> bool:
        """Whether an entry is to be sent as it stands."""
        return not choices.reasons(rules, entry, self.chosen)

    def _as_read(self, key: str) -> Activity | None:
        """What an entry must become as it was last read; none if it is not to be sent."""
        if key not in self.read:
            return None
        _, world = self.read[key]
        assert self.lists
        rules = Rules(replace(world, company=self.lists.company))
        return choices.activity(rules, world.workspace.entries[key], self.chosen)

    def before_run(self, deliveries: Iterable[Delivery]) -> None:
        """Take in how things stand when a run begins."""
        self.see_world()
        self.standing = {k: as_stored(row) for k, row in self.world.company.activities.items()}
        self.certain = owned(deliveries)
        self.known = {row["entry_id"]: _sent(row) for row in deliveries}

    def after_run(self, deliveries: Iterable[Delivery]) -> None:
        """Judge what a run has put into QuickBooks since `before_run`."""
        new = self.see_world()
        self._check_followed({row["quickbooks_id"]: row for row in deliveries})
        # What nobody but us has touched a run makes good, though it died before it heard.
        self.edited |= {key for key, now in self._unlike(deliveries) if now != self.made[key]}
        sent: dict[str, list[Activity]] = defaultdict(list)
        for key in new:
            sent[tag(self.made[key].description)].append(_plain(self.made[key]))
        for number, activities in sent.items():
            wanted = Counter(self._wanted(number))
            assert Counter(activities) <= wanted, f"{activities} were made of {wanted}"
            total, entries = self._known(number) + len(activities), len(self.entries[number])
            assert total <= entries, f"{number}: {total} activities of {entries} entries"
        self.ours |= new

    def _check_followed(self, owners: Mapping[str, Delivery]) -> None:
        """What was changed is an entry's as it stood for itself, and now is as the entry is."""
        for key, before in self.standing.items():
            now = as_stored(self.world.company.activities[key])
            if now == before:
                continue
            assert self.is_followed, f"{before} became {now}"
            assert owners[key]["state"] in {"sent", "adopted"}, owners[key]
            entry_id = owners[key]["entry_id"]
            assert before.status != "HasBeenBilled", f"billed: {before}"
            last = {_plain(self.made[key]), _plain(self.known[entry_id])}
            assert _plain(before) in last, f"another's: {before}"
            assert now.employee == before.employee, f"{before} became {now}"
            wanted = self._as_read(entry_id)
            assert wanted, f"{before} became {now}, and its entry is not to be sent"
            assert self._is_in_line(now, wanted), f"{now} was made of {wanted}"
            self.made[key] = now

    def _unlike(self, deliveries: Iterable[Delivery]) -> Iterator[tuple[str, Activity]]:
        """The activities that are not as the ledger has them, as they are."""
        rows = self.world.company.activities
        for row in deliveries:
            key = row["quickbooks_id"]
            if key in rows and _plain(as_stored(rows[key])) != _plain(_sent(row)):
                yield key, as_stored(rows[key])

    def _known(self, number: str) -> int:
        """How many activities of a number the run had to know, or to find and recognise."""
        own = {key for key, made in self.made.items() if tag(made.description) == number}
        count = len(own & self.certain)
        for key in own & self.standing.keys() - self.certain:
            if key in self.ours:
                count += _is_related(self.made[key], self.standing[key])
            else:
                count += all(_resembles(self.standing[key], each) for each in self._wanted(number))
        return count

    def own_activity(
        self, row: Delivery, deliveries: Iterable[Delivery]
    ) -> tuple[str | None, bool]:
        """An activity that nobody owns and is an entry's own, and whether it is its person's."""
        sent = json.loads(row["payload"])
        taken = {each["quickbooks_id"] for each in deliveries if each["state"] in OWNING}
        own = [
            (key, activity["EmployeeRef"]["value"] == sent["EmployeeRef"]["value"])
            for key, activity in self.world.company.activities.items()
            if key not in taken and tag(activity["Description"]) == tag(sent["Description"])
        ]
        return max(own, key=itemgetter(1), default=(None, False))

    def at_rest(self, deliveries: Iterable[Delivery]) -> None:
        """Judge what is left when nothing fails any more and runs change nothing."""
        rows = {row["entry_id"]: row for row in deliveries}
        waiting = [row for row in rows.values() if row["state"] in {"pending", "unknown"}]
        assert not waiting
        rules = Rules(self.world)
        for entry in self.world.workspace.entries.values():
            if self.is_due(rules, entry):
                assert entry.id in rows, f"lost: {entry}"
                row = rows[entry.id]
                assert row["state"] != "refused" or row["error_code"] not in FOR_THE_MOMENT, row
                if self.is_followed:
                    self._check_in_line(rules, entry, row)

    def _check_in_line(self, rules: Rules, entry: Entry, row: Delivery) -> None:
        """QuickBooks holds what the entry says, where nobody but us has touched it."""
        key = row["quickbooks_id"]
        if row["state"] == "sent" and key in self.ours - self.edited:
            now = as_stored(self.world.company.activities[key])
            wanted = choices.activity(rules, entry, self.chosen)
            assert wanted
            is_its_person = now.employee == wanted.employee
            is_kept = self.world.switches.get("charset") != "refuse" or wanted == _plain(wanted)
            if is_its_person and is_kept and now.status != "HasBeenBilled":
                assert self._is_in_line(now, wanted), f"not followed: {now}, {wanted}"

    def _is_in_line(self, now: Activity, wanted: Activity) -> bool:
        """Whether QuickBooks holds what an entry says; an item's price stays as it was sent."""
        is_priced_by_item = self.chosen["RATE_SOURCE"] == "service_item"
        goal = wanted._replace(rate=now.rate) if is_priced_by_item else wanted
        return _plain(now) == _plain(goal)

    def at_rest_decided(self, before: Iterable[Delivery], now: Iterable[Delivery]) -> None:
        """Judge what is left once a person has decided all that waited for one."""
        waited = {row["entry_id"] for row in before if row["state"] in {"doubtful", "gone"}}
        rules = Rules(self.world)
        for row in now:
            entry = self.world.workspace.entries.get(row["entry_id"])
            if row["entry_id"] in waited and entry and self.is_due(rules, entry):
                assert row["state"] in {"sent", "adopted", "skipped"}, row

    def check_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        """Each delivery says what is the matter, or owns an activity of its entry for itself."""
        owners: Counter[str] = Counter()
        for row in deliveries:
            assert row["error_message"] or row["state"] not in TO_BE_EXPLAINED, row
            if row["state"] in OWNING:
                owners[row["quickbooks_id"]] += 1
                activity = self.made[row["quickbooks_id"]]
                assert row["entry_id"] in self.entries[tag(activity.description)], row
        assert set(owners.values()) <= {1}, f"owned twice: {owners.most_common(1)}"

    def _wanted(self, number: str) -> Iterator[Activity]:
        """What the entries of a number must become, as they were last read."""
        found = (self._as_read(key) for key in self.entries[number])
        yield from (_plain(each) for each in found if each)


def check_steps(history: Steps) -> None:
    """Every delivery only took steps that are allowed, and was claimed anew only when refused."""
    for entry_id, steps in history.items():
        before, revision = NEVER_SEEN, 0
        for state, now, is_persons in steps:
            allowed = DECIDED if is_persons else ALLOWED
            assert state in allowed[before], f"{entry_id}: {before} became {state}"
            claims = not is_persons and before in {"refused", "skipped"}
            assert now == revision + claims, f"{entry_id}: claimed while {before}"
            before, revision = state, now


def _copy(world: World) -> World:
    copied: World = pickle.loads(pickle.dumps(world))
    return copied


def tag(text: str) -> str:
    """The number by which an entry and its activities are known."""
    found = re.search(r"#\d+", text)
    assert found, text
    return found[0]


def _sent(row: Delivery) -> Activity:
    """What a delivery says was sent."""
    return as_stored(json.loads(row["payload"]))


def owned(deliveries: Iterable[Delivery]) -> set[str]:
    """The activities that some delivery knows for certain."""
    return {row["quickbooks_id"] for row in deliveries if row["state"] in OWNING}


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _plain(activity: Activity) -> Activity:
    """As it is where letters outside ISO-8859-1 become question marks."""
    text = activity.description.encode("latin-1", "replace").decode("latin-1")
    return activity._replace(description=text)


def _is_related(made: Activity, stands: Activity) -> bool:
    """Whether what stands still shares two fields with what was stored: delivery.md, "Settling".

    A description with a question mark may have been changed by the charset, so it says nothing.
    """
    shared = [
        made.employee == stands.employee,
        made.customer == stands.customer,
        made.day == stands.day,
        made.minutes == stands.minutes,
        made.description == stands.description and "?" not in made.description,
    ]
    return sum(shared) >= 2


def _resembles(stands: Activity, wanted: Activity) -> bool:
    """Whether the one may be the other by delivery.md, "Equal, resembling"."""
    apart = date.fromisoformat(stands.day) - date.fromisoformat(wanted.day)
    alike = [
        abs(stands.minutes - wanted.minutes) <= 1,
        stands.description == wanted.description and "?" not in wanted.description,
        stands.customer == wanted.customer,
    ]
    return stands.employee == wanted.employee and abs(apart.days) <= 1 and sum(alike) >= 2
