"""One company's pipeline as a scenario sees it: a folder, its settings, its processes, its ledger.

Acts as a data engineer would who does what a message says, and no more. Keeps out scenarios.
"""

import shutil
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from pipeline.sandbox.world import World
from tests.chaos import premises, process
from tests.chaos.crash_points import Strike
from tests.chaos.oracle import Row
from tests.chaos.process import Job, Running

ANOTHER_REALM = "4711"
OPEN = ("pending", "unknown")
OURS = ("sent", "adopted")


@dataclass
class Pipeline:
    """A pipeline's files and settings."""

    folder: Path
    world: World
    url: str
    days: tuple[date, date]
    sabotage: str = ""
    changes: dict[str, str] = field(default_factory=dict)
    is_confirmed: bool = False
    """Whether the next run is told that a person has looked at what it would send."""
    runs: list[Running] = field(default_factory=list)

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / premises.FILES["LEDGER"]

    def start(self, strike: Strike | None = None, **changes: object) -> Running:
        """Start a run, that may be struck."""
        job = Job(
            environment=premises.settings(self.world, self.url, self.folder, **self.changes),
            first=self.days[0],
            last=self.days[1],
            strike=strike,
            sabotage=self.sabotage,
            is_confirmed=self.is_confirmed,
        )
        self.is_confirmed = False
        running = process.start(replace(job, **changes))  # type: ignore[arg-type]
        self.runs.append(running)
        return running

    def rows(self) -> list[Row]:
        """What the ledger says of each entry; nothing where there is none."""
        if not self.ledger.exists():
            return []
        with duckdb.connect(str(self.ledger)) as connection:
            found = connection.execute(
                "SELECT entry_id, state, quickbooks_id, error_code, error_message FROM deliveries"
            ).fetchall()
        return [Row(*row) for row in found]

    def told(self) -> set[str]:
        """The activities, by QuickBooks' id, that the table `drift` calls one too many."""
        with duckdb.connect(str(self.folder / premises.FILES["WAREHOUSE"])) as connection:
            found = connection.execute(
                "SELECT quickbooks_id FROM drift WHERE kind IN ('duplicated', 'resembling')"
            ).fetchall()
        return {quickbooks_id for (quickbooks_id,) in found}

    def known(self) -> set[str]:
        """The activities, by QuickBooks' id, that stand in the ledger as ours."""
        ours = [row for row in self.rows() if row.state in OURS]
        return {row.quickbooks_id for row in ours if row.quickbooks_id}

    def is_settled(self) -> bool:
        """Whether nothing waits any more."""
        return not any(row.state in OPEN for row in self.rows())

    def follow(self, run: Running) -> None:
        """Do what a run's message asks for.

        A limit on files is not told as a full disk is, whose fix is to make room: nothing to do.
        """
        problem = run.problem or ""
        if "no longer accepts the connection" in problem:
            (self.folder / premises.FILES["QUICKBOOKS_TOKEN_FILE"]).unlink(missing_ok=True)
        self.is_confirmed = self.is_confirmed or "confirm_cutover: true" in problem
        if "put the newest copy from" in problem and run.action != "fill":
            self.restore(newest(self.folder / "backups"))

    def restore(self, copy: Path | None) -> None:
        """Put a copy in the ledger's place; without one, the next run makes a new ledger."""
        for path in (self.ledger, self.ledger.with_name(f"{self.ledger.name}.wal")):
            path.unlink(missing_ok=True)
        if copy:
            shutil.copyfile(copy, self.ledger)

    def truncate(self) -> None:
        """Cut the ledger's file in half."""
        with self.ledger.open("r+b") as file:
            file.truncate(self.ledger.stat().st_size // 2)

    def rebind(self, realm_id: str) -> None:
        """Make the ledger another company's, or give it back."""
        with duckdb.connect(str(self.ledger)) as connection:
            connection.execute("UPDATE ledger_binding SET realm_id = $1", [realm_id])

    def is_bound(self) -> bool:
        """Whether a load has bound the ledger."""
        with duckdb.connect(str(self.ledger)) as connection:
            return bool(connection.execute("FROM ledger_binding").fetchall())


def newest(backups: Path) -> Path | None:
    """The newest copy of a ledger; none if there are none."""
    return max(backups.glob("*.duckdb"), default=None)
