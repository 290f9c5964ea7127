"""Runs of the pipeline's stages without Dagster, and decisions, on real files, over real HTTP."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from pipeline import company as companies
from pipeline.delivery import deciding, opening
from pipeline.delivery.decisions import Decision
from pipeline.delivery.desk import Desk
from pipeline.delivery.loading import Wishes
from pipeline.ledger import ASKED_TO_RETRY
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage.ledger_file import backups
from tests.end_to_end.stages import LOAD, take
from tests.properties.killing import EXECUTIONER, KilledError

MINUTES = 5
"""From one run to the next."""
LOOKED_AT = Wishes(confirm_cutover=True, rebind=True)
BY_A_PERSON = "decide by somebody"
"""In the place of a run's id."""


class Clock:
    """This machine's clock, which moves on by some minutes whenever something is done."""

    ahead = timedelta()

    @classmethod
    def now(cls, zone: tzinfo) -> datetime:
        """As `datetime.now`."""
        return datetime.now(zone) + cls.ahead


def silent(_: str) -> None:
    """A log that nobody reads."""


@dataclass
class Runs:
    """One company's runs: its settings, its clock, its files."""

    settings: Settings
    number: int = 0
    stop: Stop | None = None
    """What stopped the last run; nothing if it came through."""
    done: list[str] = field(default_factory=list)
    """The assets whose work the last run got through."""
    was_killed: bool = False
    """Whether the last run was."""

    def run(self, first: date, last: date, *assets: str, killed_at: int | None = None) -> None:
        """Do the work of some assets over some days; a person has looked at what is sent.

        Args:
            first: the first day.
            last: the last one, included.
            assets: by name, in their order.
            killed_at: before which of its doings the load dies (`killing`); none lets it live.
        """
        self.stop, self.done, self.was_killed = None, [], False
        run_id = f"run {self.number}"
        try:
            with companies.opened(self.settings, run_id, silent, lambda: Clock.now(UTC)) as company:
                for asset in assets:
                    if asset == LOAD:
                        EXECUTIONER.left = killed_at
                    take(company, silent, first, last, [asset], LOOKED_AT)
                    self.done.append(asset)
        except Stop as stop:
            self.stop = stop
        except KilledError:
            self.was_killed = True
        finally:
            EXECUTIONER.left = None

    @property
    def minutes(self) -> int:
        """How far the clocks have gone on."""
        return MINUTES * self.number

    def go_on(self) -> None:
        """Let some minutes pass before what is done next."""
        self.number += 1
        Clock.ahead = timedelta(minutes=self.minutes)

    def decide(self, entry_id: str, verb: str, quickbooks_id: str = "") -> None:
        """A person decides of an entry.

        Raises:
            Stop: it cannot be decided so.
        """
        with self._desk() as desk:
            deciding.decide(desk, [Decision(entry_id, verb, quickbooks_id)], "somebody")

    def retry(self, entry_id: str) -> None:
        """A person wants tried again what was refused."""
        with self._desk() as desk:
            [row] = desk.ledger.deliveries([entry_id]).values()
            asked = desk.noted(row, error_code=ASKED_TO_RETRY, error_message="asked to try again")
            desk.ledger.record([asked])

    @contextmanager
    def _desk(self) -> Iterator[Desk]:
        start = self.settings.start_date
        with (
            companies.opened(
                self.settings, BY_A_PERSON, silent, lambda: Clock.now(UTC), is_all_or_nothing=True
            ) as company,
            opening.desk(company, silent, start, company.today()) as desk,
        ):
            opening.bind(desk)
            yield desk

    def restore(self, back: int) -> bool:
        """Put a copy of the ledger in its place, so many runs old; whether there was one."""
        copies = sorted(backups(self.settings.ledger).glob("*.duckdb"))[::-1]
        if copies:
            shutil.copyfile(copies[min(back, len(copies) - 1)], self.settings.ledger)
        return bool(copies)
