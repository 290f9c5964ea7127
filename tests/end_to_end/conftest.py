"""A whole pipeline on a sandbox: its files, its clock, and runs through Dagster in this process."""

import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from pipeline.__main__ import main
from pipeline.company import opened
from pipeline.definitions import JOB, build_definitions
from pipeline.delivery.loading import Wishes
from pipeline.orchestration.windows import RANGE_END, RANGE_START, SCHEDULE_NAME
from pipeline.sandbox.app import build
from pipeline.sandbox.holder import Holder
from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import World
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage import ledger_file
from pipeline.storage.database import read_only
from tests.conftest import TODAY, Sandbox, Server
from tests.end_to_end.stages import LOAD, UP_TO_LOAD, UP_TO_REVIEW, take
from tests.sandbox.seed_rules import work_date
from tests.settings import settings_of

FORTNIGHT = TODAY - timedelta(days=14), TODAY - timedelta(days=1)
EMPTY = TODAY - timedelta(days=8)
"""The day of `fortnight` on which nobody has tracked time."""
DAY = date(2026, 11, 17)
"""The day that `reviewed` is about; most of what it holds fills one batch."""
ENTRIES_A_DAY = 16
Type = Callable[..., Result]
Kept = tuple[bytes, Path]
"""A world, pickled, and the folder of a pipeline's files."""
STEP = timedelta(minutes=5)
"""From one run to the next."""
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class House:
    """One company's pipeline: settings, files, clock and runs."""

    sandbox: Sandbox
    folder: Path
    instance: dg.DagsterInstance
    changes: dict[str, str] = field(default_factory=dict)
    """Settings that differ from the sandbox's."""
    tags: dict[str, str] = field(default_factory=dict)
    """Tags of a run, beside its range."""
    now: datetime = datetime(TODAY.year, TODAY.month, TODAY.day, 17, tzinfo=UTC)
    """Moves on with each run, as clocks do."""

    @property
    def environment(self) -> dict[str, str]:
        """The settings as a shell would export them."""
        files = {
            "WAREHOUSE": "warehouse.duckdb",
            "LEDGER": "ledger.duckdb",
            "ANALYSIS": "analysis.duckdb",
            "QUICKBOOKS_TOKEN_FILE": "token.json",
        }
        places = {name: str(self.folder / file) for name, file in files.items()}
        quick = {"HTTP_PATIENCE_SECONDS": "2", "LOCK_SECONDS": "2", "SETTLE_SECONDS": "1"}
        return {**self.sandbox.env, **places, **quick, **self.changes}

    @property
    def settings(self) -> Settings:
        """The settings as a pipeline would read them."""
        return settings_of(self.environment)

    def run(
        self, first: date, last: date | None = None, *assets: str, **config: dict[str, Any]
    ) -> dg.ExecuteInProcessResult:
        """Run the job over a range, or only some of its assets, each with its own config."""
        definitions = build_definitions(self.settings, now=lambda: self.now)
        ops = {name: {"config": values} for name, values in config.items()}
        self.now += STEP
        return definitions.resolve_job_def(JOB).execute_in_process(
            asset_selection=[dg.AssetKey(name) for name in assets] or None,
            instance=self.instance,
            run_config={**QUIET, "ops": ops},
            tags={**self.tags, RANGE_START: str(first), RANGE_END: str(last or first)},
            raise_on_error=False,
        )

    def prepare(
        self, first: date, last: date | None = None, *assets: str, **config: dict[str, Any]
    ) -> list[str]:
        """Do the work of assets without Dagster, and see no stop; what was logged.

        For what goes before the run that a test is about: it takes half the time.
        """
        self.now += STEP
        wishes = Wishes(**config.get(LOAD, {}))
        is_scheduled = SCHEDULE_NAME in self.tags
        said: list[str] = []
        with opened(self.settings, "prepared", said.append, lambda: self.now) as company:
            days, chosen = (first, last or first), assets or UP_TO_LOAD
            take(company, said.append, *days, chosen, wishes, is_scheduled=is_scheduled)
        return said

    def stopped(self, first: date, last: date, *assets: str, **config: dict[str, Any]) -> str:
        """Do the work of assets without Dagster; the sentence with which it stops."""
        with pytest.raises(Stop) as stopped:
            self.prepare(first, last, *assets, **config)
        return str(stopped.value)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the analysts' copy answers."""
        with read_only(self.settings.analysis) as connection:
            return connection.execute(query, list(parameters)).fetchall()

    def lose_ledger(self) -> None:
        """As a disk does that died with its copies, or who begins anew."""
        self.settings.ledger.unlink()
        for copy in ledger_file.copies(self.settings.ledger):
            copy.unlink()

    @property
    def activities(self) -> list[dict[str, Any]]:
        """The time activities that the sandbox's QuickBooks holds."""
        return list(self.sandbox.world.company.activities.values())


def problems(result: dg.ExecuteInProcessResult) -> list[str]:
    """What turned a run red: the sentences of its failed steps and blocking checks."""
    failures = result.filter_events(lambda event: event.is_step_failure)
    said = []
    for event in failures:
        data = event.step_failure_data
        described = data.user_failure_data.description if data.user_failure_data else None
        said.append(f"{event.step_key}: {described or data.error}")
    said += [
        f"run: {event.message} {event.event_specific_data}"
        for event in result.filter_events(lambda event: event.is_run_failure)
    ]
    checks = [check for check in result.get_asset_check_evaluations() if not check.passed]
    return said + [
        f"{check.check_name}: {check.description}"
        for check in checks
        if check.severity == dg.AssetCheckSeverity.ERROR
    ]


def check(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    """What a check of this name came to in a run."""
    [found] = [each for each in result.get_asset_check_evaluations() if each.check_name == name]
    return found


def logged(house: House, result: dg.ExecuteInProcessResult) -> str:
    """What the pipeline itself wrote into a run's log."""
    entries = house.instance.all_logs(result.run_id)
    return "\n".join(entry.user_message for entry in entries if not entry.is_dagster_event)


def states(house: House) -> dict[str, int]:
    """How many deliveries the ledger has in each state."""
    return dict(house.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))


@pytest.fixture(scope="session")
def event_log() -> Iterator[dg.DagsterInstance]:
    """What Dagster remembers: emptied after each test, since making one costs more."""
    with _instance() as instance:
        yield instance


@pytest.fixture
def house(
    sandbox: Sandbox,
    tmp_path: Path,
    event_log: dg.DagsterInstance,
    no_rates: None,  # noqa: ARG001
) -> Iterator[House]:
    """A pipeline with empty files on a fresh sandbox."""
    yield House(sandbox, tmp_path, event_log)
    event_log.wipe()


@pytest.fixture
def quiet(house: House) -> House:
    """A pipeline on a sandbox where nobody has tracked time, and whose books hold none."""
    silence(house.sandbox.world)
    return house


@pytest.fixture
def reviewed(house: House, judged_company: Kept) -> House:
    """A pipeline that has judged two days of 16 entries, all accepted, and has sent nothing."""
    return restored(house, judged_company)


@pytest.fixture
def shell(reviewed: House) -> Type:
    """Types a command of `python -m pipeline` with the house's settings."""
    return typing(reviewed)


def typing(house: House, columns: int = 200) -> Type:
    """Types commands with a house's settings; one that crashes has no exit code of its own."""
    environment = {"COLUMNS": str(columns)}

    def typed(*words: str, code: int = 0) -> Result:
        result = CliRunner(env={**house.environment, **environment}).invoke(main, words)
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit | None), repr(result.exception)
        return result

    return typed


@pytest.fixture(scope="session")
def fortnight(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A pipeline after one run over 14 days, of which one holds nothing: only to be looked at."""
    folder = tmp_path_factory.mktemp("fortnight")
    with building(sandbox_server, invented_world, folder) as house:
        world = house.sandbox.world
        for key, entry in list(world.workspace.entries.items()):
            if work_date(world, entry) == EMPTY:
                del world.workspace.entries[key]
        house.changes["METADATA_ROWS"] = "500"
        assert problems(house.run(*FORTNIGHT)) == []
        yield house


@pytest.fixture
def after_a_fortnight(house: House, fortnight: House) -> House:
    """The same, to go on with; its event log is empty."""
    return restored(house, kept(fortnight))


def kept(house: House) -> Kept:
    """A pipeline to begin with: made once for many tests, since a run takes seconds."""
    return pickle.dumps(house.sandbox.world), house.folder


def restored(house: House, company: Kept) -> House:
    """The pipeline as it was kept, an hour later."""
    world, folder = company
    house.sandbox.holder.world = pickle.loads(world)
    shutil.copytree(folder, house.folder, dirs_exist_ok=True)
    house.now += timedelta(hours=1)
    return house


@contextmanager
def building(server: Server, world: bytes, folder: Path) -> Iterator[House]:
    """A pipeline that is to be kept, on a sandbox that later tests replace."""
    holder = Holder(pickle.loads(world))
    server.app = build(holder)
    with _instance() as instance:
        yield House(Sandbox(server.url, holder), folder, instance)


@pytest.fixture(scope="session")
def judged_company(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """The world and the files that `reviewed` begins with."""
    people, places = ("daniel", "priya", "marcus"), ("Marsh Boardwalk", "Play Yard")
    folder = tmp_path_factory.mktemp("judged")
    with building(sandbox_server, invented_world, folder) as house:
        world = house.sandbox.world
        silence(world)
        for number in range(2 * ENTRIES_A_DAY):
            days, turn = divmod(number, ENTRIES_A_DAY)
            add_entry(
                world,
                DAY + timedelta(days=days),
                f"{8 + turn // 2:02}:{30 * (turn % 2):02}",
                seconds=600 + 60 * number,
                mailbox=people[number % 3],
                project=places[number % 2],
                description=f"Work number {number:02}",
            )
        house.prepare(DAY, DAY + timedelta(days=1), *UP_TO_REVIEW)
        return kept(house)


def silence(world: World) -> None:
    """Nobody has tracked time, and the books hold none."""
    world.workspace.entries.clear()
    world.company.activities.clear()


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
