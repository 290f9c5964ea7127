"""QuickBooks' names of one kind, found by exactly their names and suggested by likeness.

Holds what a name in Clockify can come to; keeps out which names are asked for (`matching`) and
how two names differ in looks (`names`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Literal

from rapidfuzz import fuzz, process

from pipeline.review.names import difference, folded, odd_sides

Names = tuple[str, ...]
"""What is compared: one name, or a client's and a project's."""

LIKENESS = 75
"""Percent of two names that must agree for the one to be worth suggesting for the other."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a name in Clockify came to: an id in QuickBooks, or a problem with a hint about it."""

    id: str | None = None
    problem: Literal["unknown", "inactive", "ambiguous"] | None = None
    hint: str = ""
    act: str = ""
    """What to do about it, where more is known than that names must be the same, or apart."""
    nearest: str = ""
    """The label of the candidate that is suggested for an unknown name."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An employee or customer: the names it answers to, and the label it is shown by."""

    id: str
    names: Names
    label: str
    is_active: bool


class Directory:
    """The candidates of one kind."""

    def __init__(self, kind: str, asked_for: str, candidates: Iterable[Candidate]) -> None:
        """Take the candidates in.

        Args:
            kind: What a hint calls one of them, such as `QuickBooks employee`.
            asked_for: Whose name is looked for, such as `Clockify user`.
            candidates: All of them, inactive ones included.
        """
        self._kind, self._asked_for = kind, asked_for
        self._named: dict[Names, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            self._named[candidate.names].append(candidate)

    def named(self, names: Names) -> list[Candidate]:
        """Everyone who bears exactly these names: the active ones, or else the inactive."""
        found = self._named.get(names, [])
        return [candidate for candidate in found if candidate.is_active] or found

    def match(self, names: Names) -> Match:
        """The one active candidate of exactly these names, or what is in the way."""
        found = self.named(names)
        labels = " and ".join(f"`{one.label}` (id {one.id})" for one in found)
        if not found:
            return self._nearly(names)
        state = "" if found[0].is_active else ", inactive"
        if len(found) > 1:
            return Match(problem="ambiguous", hint=f"QuickBooks has {labels}{state}")
        if state:
            return Match(problem="inactive", hint=f"{labels} is inactive in QuickBooks")
        return Match(id=found[0].id)

    def _nearly(self, names: Names) -> Match:
        near = self._nearest(names)
        if near is None:
            return Match(problem="unknown", hint=f"no {self._kind} has a similar name")
        state = "" if near.is_active else " (inactive)"
        looks = _looks(names, near.names)
        verb = "differs" if len(looks) == 1 else "differ"
        named = f"; only {' and '.join(looks)} {verb}" if looks else ""
        hint = f"the nearest {self._kind} is `{near.label}`{state}{named}"
        act = self._renaming(names, near) if looks and near.is_active else ""
        return Match(problem="unknown", hint=hint, act=act, nearest=near.label)

    def _renaming(self, names: Names, near: Candidate) -> str:
        """To rename what is odd, on the side on which it is; a client's name is the client's."""
        *clients, last = names
        of = "".join(f" of client `{client}`" for client in clients)
        ours = [f"the Clockify client `{client}`" for client in clients]
        theirs = [f"the QuickBooks customer `{above}`" for above in near.names[:-1]]
        ours.append(f"the {self._asked_for} `{last}`{of}")
        theirs.append(f"the {self._kind} `{near.label}`")
        wrong = map(_odd, names, near.names, ours, theirs)
        return f"Rename {' and '.join(filter(None, wrong))}"

    def _nearest(self, names: Names) -> Candidate | None:
        """The likeliest: one that only looks different, else of the same client, else active."""
        wanted = tuple(map(folded, names))
        rated: list[tuple[tuple[bool, bool, bool, float], Candidate]] = []
        for _, _, index in process.extract(
            wanted[-1], self._last_names, scorer=fuzz.ratio, score_cutoff=LIKENESS, limit=None
        ):
            candidate, theirs = self._folded[index]
            likeness = min(map(fuzz.ratio, wanted, theirs))
            if likeness >= LIKENESS:
                looks_same, same_client = wanted == theirs, wanted[:-1] == theirs[:-1]
                rated.append(((looks_same, same_client, candidate.is_active, likeness), candidate))
        return max(rated, key=itemgetter(0))[1] if rated else None

    @cached_property
    def _folded(self) -> list[tuple[Candidate, Names]]:
        """Every candidate with its names levelled; made when the first name fails to match."""
        return [
            (candidate, tuple(map(folded, names)))
            for names, candidates in self._named.items()
            for candidate in candidates
        ]

    @cached_property
    def _last_names(self) -> list[str]:
        return [names[-1] for _, names in self._folded]


def _odd(ours: str, theirs: str, our_label: str, their_label: str) -> str:
    """Which of two names may be the odd one, by its label; nothing if they are equal."""
    labels = {"Clockify": our_label, "QuickBooks": their_label}
    sides = odd_sides(ours, theirs)
    return " or ".join(label for side, label in labels.items() if side in sides)


def _looks(ours: Names, theirs: Names) -> list[str]:
    """Every unseen difference, saying so where it is not in the last name."""
    *clients, last = map(difference, ours, theirs)
    return [f"{look} (the client's name)" for client in clients for look in client] + [*last]
