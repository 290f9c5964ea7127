"""Any history of one small company: what people did, how QuickBooks answered, and what ran when.

A machine for hypothesis: its rules make a history, and after every run the oracle judges. At the
end everything works again, and runs follow until they change nothing.
"""

import pickle
import shutil
import tempfile
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pipeline.sandbox.app import build
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed.old_button import press_old_button
from pipeline.sandbox.world import Entry
from pipeline.settings import Settings
from pipeline.stops import Stop
from tests.conftest import Sandbox, Server
from tests.end_to_end.stages import ENTRIES, LOAD, REFERENCES, REVIEW
from tests.properties import people, tables
from tests.properties.answers import FAULTS, fault
from tests.properties.choices import BY_DEFAULT, CHOICES, Chosen
from tests.properties.oracle import Oracle, check_steps, tag
from tests.properties.people import DAYS, FIRST, LAST
from tests.properties.runs import Runs
from tests.settings import settings_of

MOST_ENTRIES = 10
MOST_DOINGS = 16
"""Of a load, most have fewer (`killing`)."""
FAR_EAST = "Asia/Tokyo"
END = LAST + timedelta(days=1)
"""The last work date of an entry, which may be the next one's in the far east."""
RUNS_TO_REST = 8
"""More than it takes to reopen the books of each day and to try again what was refused."""
DAILY = (ENTRIES, REVIEW[0], LOAD)
WAITING = {"doubtful", "gone", "refused"}
"""States of deliveries of which a person may decide."""
PICK = st.integers(0, MOST_ENTRIES - 1)
DAY = st.integers(0, DAYS - 1)
TRACKED = st.tuples(DAY, st.integers(0, 2), st.integers(0, 2), st.sampled_from([1, 30, 30, 95]))
SWITCHES = st.fixed_dictionaries(
    {},
    optional={
        "charset": st.sampled_from(["latin1", "refuse"]),
        "request_ids": st.sampled_from(["ignore", "refuse_600", "refuse_6000"]),
        "omit_zeros": st.just(value=True),
        "clock_skew_seconds": st.sampled_from([-90, 90]),
    },
)


class History(RuleBasedStateMachine):
    """One history; `server` and `first_world` are set by the test."""

    server: Server
    first_world: bytes

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="history-"))
        self.holder = Holder(pickle.loads(self.first_world))
        self.world = self.holder.world
        self.world.workspace.entries.clear()
        self.world.company.activities.clear()
        self.server.app = build(self.holder)
        self.home = self.world.time_zone
        self.number = 0
        self.are_names_read = False
        self.last: list[tables.Delivery] = []
        """The deliveries at rest."""
        self.decided: list[tables.Delivery] = []
        """The same, once a person has decided what waited for one."""

    @initialize(
        tracked=st.lists(TRACKED, min_size=2, max_size=5),
        switches=SWITCHES,
        chosen=st.lists(st.sampled_from(CHOICES), max_size=2),
    )
    def begin(
        self, tracked: list[tuple[int, ...]], switches: dict[str, Any], chosen: list[Chosen]
    ) -> None:
        """A company with some entries, on a QuickBooks of some kind."""
        self.world.switches |= switches
        self.skew = switches.get("clock_skew_seconds", 0)
        self.oracle = Oracle(self.world, BY_DEFAULT)
        self.runs = Runs(self._settings())
        for choice in chosen:
            self.choose(choice)
        for values in tracked:
            self.track(values)

    def teardown(self) -> None:
        """Come to rest, and judge what is left."""
        try:
            if hasattr(self, "runs"):
                self.last = self._come_to_rest()
                self.decided = self._decide_all()
        finally:
            shutil.rmtree(self.folder)

    # What people do.

    @rule(choice=st.sampled_from(CHOICES))
    def choose(self, choice: Chosen) -> None:
        """Change a setting; of a service item that is named anew, the company must be read."""
        self.are_names_read = False
        self.oracle.chosen = {**self.oracle.chosen, **choice}
        self.runs.settings = self._settings()

    @rule()
    def round_otherwise(self) -> None:
        """Switch rounding on or off in Clockify."""
        workspace = self.world.workspace
        workspace.is_rounding_on = not workspace.is_rounding_on

    @rule()
    def move_to_another_zone(self) -> None:
        """Keep the books in another time zone, where the end of a day's work is of the next day."""
        is_there = self.world.time_zone == FAR_EAST
        self.world.time_zone = self.home if is_there else FAR_EAST
        self.runs.settings = self._settings()

    @precondition(lambda self: self.number < MOST_ENTRIES)
    @rule(values=TRACKED)
    def track(self, values: tuple[int, ...]) -> None:
        """Track time."""
        self.number += 1
        people.track(self.world, self.number, *values)

    @precondition(lambda self: self.number < MOST_ENTRIES)
    @rule(pick=PICK)
    def track_again(self, pick: int) -> None:
        """Track the same once more: an honest twin."""
        if entry := self._entry(pick):
            self.number += 1
            twin = Entry(**vars(entry) | {"id": f"{self.number:024x}", "is_sent": False})
            self.world.workspace.entries[twin.id] = twin

    @rule(pick=PICK, change=st.sampled_from(sorted(people.ENTRY_CHANGES)))
    def edit_entry(self, pick: int, change: str) -> None:
        """Change one thing about an entry."""
        if entry := self._entry(pick):
            people.ENTRY_CHANGES[change](entry)

    @rule(pick=PICK, project=st.sampled_from(people.PROJECTS))
    def choose_project(self, pick: int, project: str) -> None:
        """Put an entry on a project."""
        if entry := self._entry(pick):
            people.to_project(self.world, entry, project)

    @rule(pick=PICK)
    def delete_entry(self, pick: int) -> None:
        """Delete an entry in Clockify, not the last of all people but one: that stops a run."""
        self.oracle.see_world()
        entries = self.world.workspace.entries
        entry = self._entry(pick)
        if entry and len({each.user_id for each in entries.values() if each is not entry}) > 1:
            del entries[entry.id]

    @rule(what=st.sampled_from(people.RENAMES))
    def rename(self, what: str) -> None:
        """Rename a person or project, or make one inactive; the next time, undo it."""
        self.are_names_read = False
        people.rename(self.world, what)

    @rule()
    def exchange_names(self) -> None:
        """Give two employees each other's name in QuickBooks."""
        self.are_names_read = False
        people.exchange_names(self.world)

    @precondition(lambda self: self.world.company.activities)
    @rule(pick=PICK, change=st.sampled_from(sorted(people.ACTIVITY_CHANGES)))
    def edit_activity(self, pick: int, change: str) -> None:
        """Change one thing about a time activity in QuickBooks."""
        key = self._activity(pick)
        row = self.world.company.activities[key]
        people.ACTIVITY_CHANGES[change](row)
        self.oracle.edited.add(key)
        row["SyncToken"] = str(int(row["SyncToken"]) + 1)
        row["MetaData"] = {**row["MetaData"], "LastUpdatedTime": self.holder.now().isoformat()}

    @precondition(lambda self: self.world.company.activities)
    @rule(pick=PICK)
    def delete_activity(self, pick: int) -> None:
        """Delete a time activity in QuickBooks."""
        del self.world.company.activities[self._activity(pick)]

    @rule(day=DAY)
    def press_old_button(self, day: int) -> None:
        """Press the vendor's own button for a day."""
        if not self.world.company.books_closed_through:
            press_old_button(self.world, _day(day), _day(day), self.holder.now())
            self.oracle.see_world()

    @rule(day=DAY, change=st.sampled_from(sorted(people.ACTIVITY_CHANGES)))
    def press_old_button_and_edit(self, day: int, change: str) -> None:
        """The same, and the bookkeeper changes one thing about all that came of it."""
        before = set(self.world.company.activities)
        self.press_old_button(day)
        for key in set(self.world.company.activities) - before:
            people.ACTIVITY_CHANGES[change](self.world.company.activities[key])
            self.oracle.edited.add(key)

    @rule(day=DAY)
    def close_books(self, day: int) -> None:
        """Close the books through a day, or open them."""
        company = self.world.company
        company.books_closed_through = None if company.books_closed_through else _day(day)

    @rule(pick=PICK)
    def decide(self, pick: int) -> None:
        """Settle what waits for a person, by somebody who knows whose each activity is."""
        waiting = [row for row in self._deliveries() if row["state"] in WAITING]
        if waiting:
            self._go_on()
            with suppress(Stop):  # such as of faults that meet its reads
                self._decide(waiting[pick % len(waiting)])

    def _decide(self, row: tables.Delivery) -> None:
        """Adopt what is the entry's own; else send it, or leave it where it was deleted."""
        mine, is_persons = self.oracle.own_activity(row, self._deliveries())
        was_gone = "gone" in tables.states(self.runs.settings.ledger, row["entry_id"])
        if mine:
            verb = ["adopt", mine] if is_persons else ["skip"]
            self.runs.decide(row["entry_id"], *verb)
        elif row["state"] == "refused":
            self.runs.retry(row["entry_id"])
        else:
            self.runs.decide(row["entry_id"], "skip" if was_gone else "send")

    @rule(pick=PICK)
    def tell_apart(self, pick: int) -> None:
        """Say of an activity that resembles one of ours what it is, by somebody who knows."""
        if likened := self._likened():
            self._go_on()
            with suppress(Stop):
                self._tell_apart(*likened[pick % len(likened)])

    def _tell_apart(self, entry_id: str, key: str) -> None:
        """Delete what stands twice; other work is kept."""
        rows = self.world.company.activities
        numbers = {number for number, ids in self.oracle.entries.items() if entry_id in ids}
        if key in rows and tag(rows[key]["Description"]) in numbers:
            del rows[key]
        else:
            self.runs.decide(entry_id, "keep")

    # What goes wrong.

    @rule(name=st.sampled_from(sorted(FAULTS)), skip=st.integers(0, 2))
    def break_answers(self, name: str, skip: int) -> None:
        """Make QuickBooks fail soon."""
        self.holder.faults.append(fault(name, skip))

    @rule(back=st.integers(0, 3))
    def restore_ledger(self, back: int) -> None:
        """Put an older copy of the ledger in its place."""
        if self.runs.restore(back):
            self.oracle.see_restored(self._deliveries())

    @rule()
    def lose_warehouse(self) -> None:
        """Lose all that was read and compared."""
        self.runs.settings.warehouse.unlink(missing_ok=True)
        self.are_names_read = False
        self.oracle.read.clear()

    # What runs.

    @rule(killed_at=st.none() | st.integers(0, MOST_DOINGS))
    def run_all(self, killed_at: int | None = None) -> None:
        """Run everything over all days, or until the load dies."""
        self._run(FIRST, END, *DAILY, killed_at=killed_at)

    @rule(first=DAY, length=DAY, steps=st.sampled_from([DAILY, DAILY[:2], DAILY[2:]]))
    def run_some(self, first: int, length: int, steps: tuple[str, ...]) -> None:
        """Run some days, or some of the steps over them."""
        if self.runs.number or ENTRIES in steps:
            self._run(_day(first), min(END, _day(first + length)), *steps)

    def _run(self, first: date, last: date, *steps: str, killed_at: int | None = None) -> None:
        if not self.are_names_read and ENTRIES in steps:
            steps = (*REFERENCES, *steps)
        self.oracle.before_run(self._deliveries())
        self._go_on()
        self.runs.run(first, last, *steps, killed_at=killed_at)
        if {*REFERENCES} <= {*self.runs.done}:
            self.are_names_read = True
            self.oracle.see_lists()
        if ENTRIES in self.runs.done:
            self.oracle.see_extraction(first, last)
        self.oracle.after_run(self._deliveries())
        self.oracle.check_deliveries(self._deliveries())
        check_steps(tables.history(self.runs.settings.ledger))
        if REVIEW[0] in self.runs.done:
            tables.check_verdicts(self.runs.settings.warehouse)
        self.holder.faults = [each for each in self.holder.faults if each.times]

    def _go_on(self) -> None:
        """Both sides' clocks go on."""
        self.runs.go_on()
        self.world.switches["clock_skew_seconds"] = self.skew + self.runs.minutes * 60

    def _come_to_rest(self) -> list[tables.Delivery]:
        self.holder.faults.clear()
        self.world.company.books_closed_through = None
        self._run(FIRST, END, *DAILY)
        assert self.runs.stop is None, self.runs.stop
        for _ in range(RUNS_TO_REST):
            before = self._deliveries()
            self._run(FIRST, END, *DAILY[1:])
            assert self.runs.stop is None, self.runs.stop
            if self._deliveries() == before:
                self.oracle.at_rest(before)
                return before
        raise AssertionError("the runs never come to rest")

    def _decide_all(self) -> list[tables.Delivery]:
        """A person decides all that waits, and then nothing waits any more."""
        for row in self.last:
            if row["state"] in {"doubtful", "gone"}:
                self._go_on()
                self._decide(row)
        decided = self._come_to_rest()
        self.oracle.at_rest_decided(self.last, decided)
        for _ in range(MOST_ENTRIES):  # told apart from one, it may resemble another
            for likened in self._likened():
                self._go_on()
                self._tell_apart(*likened)
            decided = self._come_to_rest()
            if not self._likened():
                return decided
        raise AssertionError("what resembles others is never told apart")

    def _likened(self) -> list[tuple[str, str]]:
        return tables.likened(self.runs.settings.warehouse)

    def _settings(self) -> Settings:
        sandbox = Sandbox(self.server.url, self.holder)
        files = {
            "WAREHOUSE": "warehouse.duckdb",
            "LEDGER": "ledger.duckdb",
            "ANALYSIS": "analysis.duckdb",
            "QUICKBOOKS_TOKEN_FILE": "token.json",
        }
        quick = {"HTTP_PATIENCE_SECONDS": "1", "LOCK_SECONDS": "2", "SETTLE_SECONDS": "0"}
        places = {name: str(self.folder / file) for name, file in files.items()}
        return settings_of({**sandbox.env, **places, **quick, **self.oracle.chosen})

    def _deliveries(self) -> list[tables.Delivery]:
        return tables.deliveries(self.runs.settings.ledger)

    def _entry(self, pick: int) -> Entry | None:
        there = list(self.world.workspace.entries.values())
        return there[pick % len(there)] if there else None

    def _activity(self, pick: int) -> str:
        there = list(self.world.company.activities)
        return there[pick % len(there)]


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)
