"""`python -m tests.chaos`: try many scenarios, show what they came to, end with 1 if any failed."""

import json
import pickle
import sys
from contextlib import suppress
from math import inf
from pathlib import Path

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.chaos import harness, report
from tests.chaos.scenarios import Scenario, scenarios
from tests.chaos.trial import Trial


@click.command()
@click.option("--runs", default=2000, show_default=True, help="Scenarios to try.")
@click.option("--seed", default=7, show_default=True, help="Makes the same scenarios again.")
@click.option("--workers", default=harness.WORKERS, show_default=True, help="At once.")
@click.option("--minutes", default=inf, help="Begin no further scenario after so long.")
@click.option("--only", multiple=True, type=int, help="Scenarios by number, with their logs.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where the figures go.")
@click.option("--journal", type=click.Path(path_type=Path), help="Go on from what it holds.")
def main(
    runs: int,
    seed: int,
    workers: int,
    minutes: float,
    only: tuple[int, ...],
    path: Path | None,
    journal: Path | None,
) -> None:
    """Strike a pipeline in every way on the list, and count what went wrong."""
    console = Console()
    chosen = (
        [each for each in scenarios(seed, max(runs, *only, 0) + 1) if each.number in only]
        if only
        else list(scenarios(seed, runs))
    )
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    told = _told(journal)
    before = [told[each] for each in chosen if each in told]
    chosen = [each for each in chosen if each not in told]
    with Progress(*columns, TextColumn("{task.fields[failed]} failed"), console=console) as bar:
        task = bar.add_task("scenarios", total=len(chosen), failed=0)
        failed = 0

        def on_end(trial: Trial) -> None:
            nonlocal failed
            failed += report.is_failed(trial)
            if journal:
                with journal.open("ab", buffering=0) as file:
                    file.write(pickle.dumps(trial))  # whole, whichever thread ends a trial now
            bar.update(task, advance=1, failed=failed)
            if report.is_failed(trial):
                console.print_json(data=report.failure(trial))

        trials = before + harness.run(chosen, workers, minutes=minutes, on_end=on_end)
    found = report.summary(trials, seed)
    if only:
        for trial in trials:
            console.print(trial.scenario, *trial.log, sep="\n", markup=False)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")
    console.print(_totals(found))
    console.print(report.table(found), markup=False)
    sys.exit(bool(found["failures"]))


def _told(journal: Path | None) -> dict[Scenario, Trial]:
    """The trials of a campaign that was broken off."""
    told: dict[Scenario, Trial] = {}
    if journal and journal.exists():
        with journal.open("rb") as file, suppress(EOFError):
            while True:
                trial: Trial = pickle.load(file)
                told[trial.scenario] = trial
    return told


def _totals(found: report.Json) -> Table:
    table = Table(show_header=False, title="The fault harness")
    for name, value in found.items():
        if not isinstance(value, list) and name != "matrix":
            table.add_row(name, str(value))
    return table


if __name__ == "__main__":
    main()
