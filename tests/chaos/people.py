"""What people do between two runs, in QuickBooks and in Clockify.

Each act is recorded, so that the oracle can tell people's work from the pipeline's.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from pipeline.sandbox.quickbooks.books import Books, open_books
from pipeline.sandbox.quickbooks.names import settle_paths
from pipeline.sandbox.seed import press_old_button
from pipeline.sandbox.world import Entry, World
from tests.chaos.witness import Birth, Witness, mark_of

PRESSED = "old button pressed"
FAR_DAYS, NEAR_DAYS = 9, 1
"""An activity moved far is found as long as the ledger knows it, or by its creation time; where the
ledger is lost, only a near one is: a limit that the README names."""
BUTTONS = {
    "one entry": (100, False),
    "half": (2, False),
    "wholly": (1, False),
    "wholly, 80 % billed": (1, True),
}
"""What the vendor's button had sent before: one entry of so many, and whether it is billed since.

The entries that are equal twins come first, next to each other: of a half, one of them."""
BILLED_OF = 5
"""Of so many billed activities one is not."""


@dataclass
class Deeds:
    """What people did in a scenario."""

    touched: set[str] = field(default_factory=set)
    """Activities that they changed, by QuickBooks' id."""
    deleted: Counter[str] = field(default_factory=Counter)
    """How many activities of a mark they deleted."""
    buried: Counter[str] = field(default_factory=Counter)
    """How many of those a ledger knew as sent: none of them may ever come again."""
    is_forgotten: bool = False
    """Whether the ledger, or the pipeline that comes next, knows nothing of what was sent."""
    at: float = field(default_factory=time.time)
    withdrawn: Counter[str] = field(default_factory=Counter)
    """How many entries of a mark need not be sent any more."""
    edited: dict[str, Entry] = field(default_factory=dict)
    """Entries as they were before they were edited, by id."""


@dataclass(frozen=True)
class Scene:
    """Who acts on what."""

    witness: Witness
    world: World
    deeds: Deeds
    choose: random.Random
    days: tuple[date, date]
    known: set[str] | None
    """Activities that the ledger knows as sent or adopted; none if it is about to forget."""

    def activity(self) -> Birth | None:
        """One of ours that stands; of the last ones first, which are those not yet confirmed."""
        held = self.world.company.activities
        ours = [
            each
            for each in self.witness.births.values()
            if each.is_ours and each.quickbooks_id in held
        ]
        return self.choose.choice(ours[-2:]) if ours else None

    def entry(self) -> Entry:
        """One that may be in doubt: that of a late activity, or any."""
        birth = self.activity()
        entries = list(self.world.workspace.entries.values())
        own = [each for each in entries if birth and mark_of(each.description) == birth.mark]
        return self.choose.choice(own or entries)

    @property
    def books(self) -> Books:
        """QuickBooks, to change a record as its own pages do."""
        return open_books(self.witness)

    def delete(self, birth: Birth) -> None:
        """Delete one activity."""
        self.books.remove("TimeActivity", birth.quickbooks_id)
        self.deeds.deleted[birth.mark] += 1
        self.deeds.buried[birth.mark] += birth.quickbooks_id in (self.known or ())

    def change(self, birth: Birth | None, **fields: Any) -> None:  # noqa: ANN401 - JSON
        """Change one activity, if there is one."""
        if birth:
            record = self.world.company.activities[birth.quickbooks_id]
            self.books.replace("TimeActivity", record, {**record, **fields})
            self.deeds.touched.add(birth.quickbooks_id)


def act(
    name: str,
    witness: Witness,
    choose: random.Random,
    days: tuple[date, date],
    known: set[str] | None,
) -> Deeds:
    """Have people do something."""
    deeds = Deeds(is_forgotten=known is None)
    if name:
        with witness.people() as world:
            ACTS[name](Scene(witness, world, deeds, choose, days, known))
    return deeds


def press(witness: Witness, first: date, last: date, how: str = "wholly") -> None:
    """Press the vendor's button, in one of the ways of `BUTTONS`."""
    step, is_billed = BUTTONS[how]
    with witness.people() as world:
        entries = dict(world.workspace.entries)
        world.workspace.entries = {key: entries[key] for key in sorted(entries)[::step]}
        press_old_button(world, first, last, witness.now())
        world.workspace.entries = entries
        for number, (key, record) in enumerate(world.company.activities.items()):
            witness.touch("company", "activities", key)
            if is_billed and number % BILLED_OF:
                record["BillableStatus"] = "HasBeenBilled"


def _edit_description(scene: Scene) -> None:
    scene.change(scene.activity(), Description="as agreed on the phone")


def _move_activity(scene: Scene) -> None:
    birth = scene.activity()
    if birth is None:
        return
    if scene.deeds.is_forgotten:
        day = date.fromisoformat(birth.record["TxnDate"]) - timedelta(days=NEAR_DAYS)
    else:
        day = scene.days[0] - timedelta(days=FAR_DAYS)
    scene.change(birth, TxnDate=str(day))


def _bill(scene: Scene) -> None:
    scene.change(scene.activity(), BillableStatus="HasBeenBilled")


def _delete_activity(scene: Scene) -> None:
    if birth := scene.activity():
        scene.delete(birth)


def _merge_customer(scene: Scene) -> None:
    """All that is one customer's becomes another's, and the first is no more."""
    birth = scene.activity()
    if birth is None:
        return
    held, customers = scene.world.company.activities, scene.world.company.customers
    merged = held[birth.quickbooks_id]["CustomerRef"]["value"]
    into = next(key for key, row in customers.items() if row["Active"] and key != merged)
    for key, record in list(held.items()):
        if record["CustomerRef"]["value"] == merged:
            scene.books.replace("TimeActivity", record, {**record, "CustomerRef": {"value": into}})
            scene.deeds.touched.add(key)
    customer = customers[merged]
    changed = scene.books.replace("Customer", customer, {**customer, "Active": False})
    settle_paths("Customer", changed, scene.books)
    for entry in scene.world.workspace.entries.values():
        project = scene.world.workspace.projects[entry.project_id or ""]
        if project.name == customer["DisplayName"].removesuffix(" (deleted)"):
            scene.deeds.withdrawn[mark_of(entry.description)] += 1


def _edit_entry(scene: Scene) -> None:
    entry = scene.entry()
    scene.deeds.edited[entry.id] = replace(entry)
    assert entry.end is not None
    entry.end += timedelta(minutes=25)


def _delete_entry(scene: Scene) -> None:
    entry = scene.entry()
    del scene.world.workspace.entries[entry.id]
    scene.deeds.withdrawn[mark_of(entry.description)] += 1


def _unbill_entry(scene: Scene) -> None:
    entry = scene.entry()
    entry.is_billable = False
    scene.deeds.withdrawn[mark_of(entry.description)] += 1


def _press_button(scene: Scene) -> None:
    press(scene.witness, *scene.days)


ACTS: dict[str, Callable[[Scene], None]] = {
    "activity edited": _edit_description,
    "activity moved to another date": _move_activity,
    "activity billed": _bill,
    "activity deleted": _delete_activity,
    "customer merged": _merge_customer,
    "entry edited": _edit_entry,
    "entry deleted": _delete_entry,
    "entry made non-billable": _unbill_entry,
    PRESSED: _press_button,
}
IN_CLOCKIFY = ("entry edited", "entry deleted", "entry made non-billable", "customer merged")
"""After these the entries must be read and judged again."""
