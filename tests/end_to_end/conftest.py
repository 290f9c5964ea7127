"""A whole pipeline on a sandbox: its files, its clock, and runs through Dagster in this process."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.definitions import JOB, build_definitions
from pipeline.settings import Settings
from pipeline.warehouse import read_only
from pipeline.windows import RANGE_END, RANGE_START
from tests.conftest import TODAY, Sandbox

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class House:
    """One company's pipeline: settings, files, clock and runs."""

    sandbox: Sandbox
    folder: Path
    instance: dg.DagsterInstance
    changes: dict[str, str] = field(default_factory=dict)
    """Settings that differ from the sandbox's."""
    now: datetime = datetime(TODAY.year, TODAY.month, TODAY.day, 17, tzinfo=UTC)
    """Moves on with each run, as clocks do."""

    @property
    def settings(self) -> Settings:
        """The settings as a pipeline would read them."""
        files = {
            "WAREHOUSE": "warehouse.duckdb",
            "LEDGER": "ledger.duckdb",
            "ANALYSIS": "analysis.duckdb",
            "QUICKBOOKS_TOKEN_FILE": "token.json",
        }
        places = {name: str(self.folder / file) for name, file in files.items()}
        quick = {"HTTP_PATIENCE_SECONDS": "2", "LOCK_SECONDS": "2"}
        return Settings.load({**self.sandbox.env, **places, **quick, **self.changes})

    def run(
        self, first: date, last: date | None = None, *assets: str, **config: dict[str, Any]
    ) -> dg.ExecuteInProcessResult:
        """Run the job over a range, or only some of its assets, each with its own config."""
        definitions = build_definitions(self.settings, now=lambda: self.now)
        job = definitions.resolve_job_def(JOB)
        ops = {name: {"config": values} for name, values in config.items()}
        self.now += timedelta(minutes=5)
        return job.execute_in_process(
            instance=self.instance,
            run_config={**QUIET, "ops": ops},
            asset_selection=[dg.AssetKey(name) for name in assets] or None,
            tags={RANGE_START: str(first), RANGE_END: str(last or first)},
            raise_on_error=False,
        )

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the analysts' copy answers."""
        with read_only(self.settings.analysis) as connection:
            return connection.execute(query, list(parameters)).fetchall()

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
    for event in result.filter_events(lambda event: event.is_run_failure):
        said.append(f"run: {event.message} {event.event_specific_data}")
    checks = [check for check in result.get_asset_check_evaluations() if not check.passed]
    return said + [
        f"{check.check_name}: {check.description}"
        for check in checks
        if check.severity == dg.AssetCheckSeverity.ERROR
    ]


@pytest.fixture
def house(sandbox: Sandbox, tmp_path: Path) -> Iterator[House]:
    """A pipeline with empty files on a fresh sandbox."""
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    with dg.DagsterInstance.ephemeral() as instance:
        yield House(sandbox, tmp_path, instance)


@pytest.fixture
def quiet(house: House) -> House:
    """A pipeline on a sandbox where nobody has tracked time, and whose books hold none."""
    house.sandbox.world.workspace.entries.clear()
    house.sandbox.world.company.activities.clear()
    return house
