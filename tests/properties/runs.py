"""Runs of the pipeline's stages without Dagster, on real files, over real HTTP."""

import shutil
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pipeline import company as companies
from pipeline.delivery.loading import Wishes
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage.ledger_file import backups
from tests.end_to_end.stages import take

MINUTES = 5
"""From one run to the next."""
LOOKED_AT = Wishes(confirm_cutover=True)


def silent(_: str) -> None:
    """A log that nobody reads."""


@dataclass
class Runs:
    """One company's runs: its settings, its clock, its files."""

    settings: Settings
    now: datetime
    number: int = 0
    stop: Stop | None = None
    """What stopped the last run; nothing if it came through."""
    done: list[str] = field(default_factory=list)
    """The assets whose work the last run got through."""

    def run(self, first: date, last: date, *assets: str) -> None:
        """Do the work of some assets over some days; a person has looked at what is sent."""
        self.number += 1
        self.now += timedelta(minutes=MINUTES)
        self.stop, self.done = None, []
        run_id = f"run {self.number}"
        try:
            with companies.opened(self.settings, run_id, silent, lambda: self.now) as company:
                for asset in assets:
                    take(company, silent, first, last, [asset], LOOKED_AT)
                    self.done.append(asset)
        except Stop as stop:
            self.stop = stop

    def restore(self, back: int) -> bool:
        """Put a copy of the ledger in its place, so many runs old; whether there was one."""
        copies = sorted(backups(self.settings.ledger).glob("*.duckdb"))[::-1]
        if copies:
            shutil.copyfile(copies[min(back, len(copies) - 1)], self.settings.ledger)
        return bool(copies)
