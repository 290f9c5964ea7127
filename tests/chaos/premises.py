"""Where every scenario begins: a small company whose entries are judged and not yet sent.

Made once, then copied: the world as a pickle, the pipeline's files as a folder.
"""

import pickle
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.sandbox.environment import environment
from pipeline.sandbox.seed import invent
from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import World
from tests.chaos import process
from tests.chaos.answers import PATIENCE_SECONDS, SETTLE_SECONDS
from tests.chaos.process import Job
from tests.chaos.witness import Site, Witness

SEED = 7
DAYS_AGO = 6
PEOPLE = ("daniel", "priya", "marcus")
PLACES = ("Marsh Boardwalk", "Play Yard")
SINGLE = 6
TWIN = "99"
"""The mark that two honest equal entries share."""
FILES = {
    "WAREHOUSE": "warehouse.duckdb",
    "LEDGER": "ledger.duckdb",
    "ANALYSIS": "analysis.duckdb",
    "QUICKBOOKS_TOKEN_FILE": "token.json",
}


@dataclass(frozen=True)
class Premises:
    """The judged company."""

    world: bytes
    folder: Path
    first: date
    last: date


def make(site: Site, folder: Path) -> Premises:
    """Invent the company and have its entries read and judged."""
    folder.mkdir()
    today = datetime.now(UTC).date()
    first = today - timedelta(days=DAYS_AGO)
    last = first + timedelta(days=1)
    witness = Witness(_company(today, first))
    site.show(witness)
    job = Job(settings(witness.world, site.url, folder), first, last, "read")
    run = process.start(job).wait()
    assert run.has_ended, run.log
    assert run.problem is None, run.problem
    return Premises(pickle.dumps(witness.world), folder, first, last)


def copied(premises: Premises, site: Site, folder: Path) -> Witness:
    """The company once more, at this address and in this folder."""
    witness = Witness(pickle.loads(premises.world))
    shutil.copytree(premises.folder, folder, dirs_exist_ok=True)
    site.show(witness)
    return witness


def settings(world: World, url: str, folder: Path, **changes: str) -> dict[str, str]:
    """The settings of a pipeline, with its files in a folder."""
    return {
        **environment(world, url),
        **{name: str(folder / file) for name, file in FILES.items()},
        "HTTP_PATIENCE_SECONDS": str(PATIENCE_SECONDS),
        "SETTLE_SECONDS": str(SETTLE_SECONDS),
        "LOCK_SECONDS": "30",
        **changes,
    }


def _company(today: date, first: date) -> World:
    """Six entries of three people on two projects over two days, and a pair of twins."""
    world = invent(SEED, today)
    world.workspace.entries.clear()
    world.company.activities.clear()
    world.tokens.refresh_issued_at = datetime.now(UTC)
    for number in range(SINGLE):
        add_entry(
            world,
            first + timedelta(days=number // 4),
            f"{8 + number:02}:00",
            seconds=1800 + 420 * number,
            mailbox=PEOPLE[number % len(PEOPLE)],
            project=PLACES[number // 2 % len(PLACES)],
            description=f"Redlines \u2013 50% set #{number}",
        )
    for number in range(2):
        add_entry(
            world,
            first,
            "19:00",
            seconds=5400,
            description=f"Site walk \u2013 #{TWIN}",
            id=f"{number + 1:024x}",
        )
    return world
