"""What a scenario came to, told from the sandbox alone: who made what, and what still stands.

The ledger is read only for what it leaves to a person, to say whether that is right. The rule of
duplicates is strict: a pipeline must never make an activity of a mark while as many already stand
as there are entries of that mark, whoever made those and whatever became of them since; one that a
ledger knew and a person deleted counts as standing.
"""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.world import World
from tests.chaos.answers import Answer
from tests.chaos.people import Deeds
from tests.chaos.witness import Birth, Witness, mark_of
from tests.end_to_end.books import Activity, as_stored, of_entry
from tests.sandbox.seed_rules import Rules

SHARED = 2
"""Fields that an activity must share with an entry, to be a reason to ask a person."""
REFUSED = "refused"
PASSING = ("not_stored", "3001", "6200", "6210")
"""Refusals for the moment."""


@dataclass(frozen=True)
class Row:
    """What a ledger says of an entry."""

    entry_id: str
    state: str
    quickbooks_id: str | None
    error_code: str | None
    error_message: str | None


@dataclass
class Finding:
    """What is wrong, counted, and in words."""

    duplicates: int = 0
    losses: int = 0
    wrong_values: int = 0
    rightly: int = 0
    wrongly: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, what: str, text: str) -> None:
        """Count one more of something, and say which."""
        setattr(self, what, getattr(self, what) + 1)
        if what != "rightly":
            self.notes.append(f"{what}: {text}")


class Oracle:
    """Knows the world as it was before anything was sent."""

    def __init__(self, world: World, answers: Iterable[Answer]) -> None:
        self._world = copy.deepcopy(world)
        self._rules = Rules(self._world)
        self._answers = tuple(answers)
        entries = self._world.workspace.entries.values()
        self._due = {entry.id: [of_entry(self._rules, entry)] for entry in entries}
        self._marks = {entry.id: mark_of(entry.description) for entry in entries}
        self._entries = Counter(self._marks.values())

    def judge(self, witness: Witness, deeds: Deeds, rows: list[Row], told: set[str]) -> Finding:
        """Judge what stands in the end.

        Args:
            witness: the sandbox.
            deeds: what people did.
            rows: what the ledgers say, those of a second pipeline included.
            told: activities that the standing checks show as one too many.
        """
        finding = Finding()
        for entry_id in deeds.edited:
            edited = witness.world.workspace.entries[entry_id]
            self._due[entry_id].append(of_entry(self._rules, edited))
        for birth in witness.births.values():
            is_said = birth.quickbooks_id in told or any(
                _names(row, birth.quickbooks_id) for row in rows
            )
            self._judge_birth(birth, deeds, finding, is_said=is_said)
        left = [row for row in rows if row.state in ("doubtful", "gone") or _is_refused(row)]
        for row in left:
            what = "rightly" if self._is_right(row, witness, deeds) else "wrongly"
            finding.note(what, f"{row.state} {row.entry_id} {row.error_message}")
        self._judge_losses(witness, deeds, left, finding)
        return finding

    def _judge_birth(self, birth: Birth, deeds: Deeds, finding: Finding, *, is_said: bool) -> None:
        if not birth.is_ours:
            return
        buried = deeds.buried[birth.mark] if birth.at > deeds.at else 0
        if birth.standing_before + buried >= self._entries[birth.mark]:
            finding.note("duplicates", f"{birth.quickbooks_id} #{birth.mark}")
        if _plain(birth.record) in set(self._versions(birth.mark)):
            return
        is_nobodys = deeds.is_forgotten and bool(deeds.withdrawn[birth.mark])
        is_changed = birth.quickbooks_id in deeds.touched or bool(deeds.deleted[birth.mark])
        is_altered = any(answer.alters for answer in self._answers)
        if not (is_altered and (is_said or is_changed or is_nobodys)):
            finding.note("wrong_values", f"{birth.record} unsaid")

    def _judge_losses(
        self, witness: Witness, deeds: Deeds, left: list[Row], finding: Finding
    ) -> None:
        """What a person is asked about is not lost; whether rightly so is counted by itself."""
        asked = Counter(self._marks[entry_id] for entry_id in {row.entry_id for row in left})
        for mark, wanted in self._entries.items():
            excused = deeds.withdrawn[mark] + deeds.deleted[mark] + asked[mark]
            missing = wanted - excused - len(witness.standing(mark))
            for _ in range(max(missing, 0)):
                finding.note("losses", f"#{mark}")

    def _is_right(self, row: Row, witness: Witness, deeds: Deeds) -> bool:
        """Whether a person is asked for good reason."""
        mark = self._marks[row.entry_id]
        if row.state == "gone":
            return bool(deeds.deleted[mark])
        if row.state == REFUSED:
            is_refused = any(answer.refuses for answer in self._answers)
            return is_refused or bool(deeds.withdrawn[mark])
        return any(self._is_odd(birth, witness, row) for birth in self._standing(witness))

    def _is_odd(self, birth: Birth, witness: Witness, row: Row) -> bool:
        """Whether an activity is unlike its entry, or one too many, and like this one."""
        stored = _plain(witness.world.company.activities[birth.quickbooks_id])
        is_changed = stored not in self._versions(birth.mark)
        is_too_many = len(witness.standing(birth.mark)) > self._entries[birth.mark]
        has_changed_since = len(self._due[row.entry_id]) > 1
        if not (is_changed or is_too_many or has_changed_since):
            return False
        return any(_shared(stored, due) >= SHARED for due in self._due[row.entry_id])

    @staticmethod
    def _standing(witness: Witness) -> Iterator[Birth]:
        held = witness.world.company.activities
        return (each for each in witness.births.values() if each.quickbooks_id in held)

    def _versions(self, mark: str) -> list[Activity]:
        return [due for key, dues in self._due.items() if self._marks[key] == mark for due in dues]


def _names(row: Row, quickbooks_id: str) -> bool:
    """Whether a ledger's row says that something about an activity is not as it should be."""
    said = row.error_message or ""
    is_its_own = row.quickbooks_id == quickbooks_id and bool(said)
    return is_its_own or quickbooks_id in re.findall(r"\d+", said)


def _is_refused(row: Row) -> bool:
    return row.state == REFUSED and row.error_code not in PASSING


def _plain(record: dict[str, Any]) -> Activity:
    """An activity as it is compared: being billed is no change."""
    stored = as_stored(record)
    return stored._replace(status="Billable") if stored.status == "HasBeenBilled" else stored


def _shared(stored: Activity, due: Activity) -> int:
    names = ("employee", "customer", "day", "minutes", "description")
    return sum(getattr(stored, name) == getattr(due, name) for name in names)
