"""`make demo` and `make dev`: the whole job on a local sandbox, and the UI on its data.

Starts the sandbox as a process of its own; everything talks to it over HTTP. Holds what a newcomer
sees in the terminal. Keeps out the pipeline, which does not know that it is a demo.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline import terminal
from pipeline.definitions import JOB, build_definitions
from pipeline.files import is_there, make_folder
from pipeline.orchestration.windows import RANGE_END, RANGE_START
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.storage import Connection, queries, read_only

FOLDER = Path("data/demo")
DAYS = 14
UI = ("dagster", "dev", "--workspace", "workspace.yaml")
HOME = Path("dagster_home")
ASK = f"set -a; . {FOLDER}/env; set +a; .venv/bin/python -m pipeline status"
FILES = {
    "WAREHOUSE": "warehouse.duckdb",
    "LEDGER": "ledger.duckdb",
    "ANALYSIS": "analysis.duckdb",
    "QUICKBOOKS_TOKEN_FILE": "quickbooks-token.json",
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
console = Console(highlight=False)


def main() -> int:
    """Run what was asked for; the exit code is not 0 if a run failed."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="open the Dagster UI with its daemon")
    parser.add_argument(
        "--check-definitions", action="store_true", help="load the definitions as Dagster would"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    # A script's background ignores it, and so would what is started: Dagster ends its own by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for category in (dg.BetaWarning, dg.PreviewWarning):
        warnings.filterwarnings("ignore", category=category)
    if asked.ui and _has_accounts():
        console.print("Using your accounts, from the environment or .env.")
        os.environ["DAGSTER_HOME"] = str(HOME.resolve())
        return _called(*UI)
    try:
        with sandbox() as settings:
            os.environ.update(settings)
            if asked.ui:
                return _called(*UI)
            if asked.check_definitions:
                return _called("dg", "check", "defs")
            return run()
    except Stop as stop:
        console.print(str(stop), style="red", markup=False)
        return 1


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """A sandbox on a free port that keeps its state; yields the settings to talk to it.

    Raises:
        Stop: it did not start; its own message was printed.
    """
    make_folder(FOLDER.parent)  # which is that of the real data, too
    make_folder(FOLDER)
    env_file = FOLDER / "env"
    command = [sys.executable, "-m", "pipeline.sandbox", "--port", "0"]
    command += ["--state", str(FOLDER / "world.json"), "--env-file", str(env_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            if not said.startswith("sandbox ready"):
                raise Stop(
                    "The sandbox did not start",
                    "end the demo or demo UI that is already running: only one can run at a time",
                )
            console.print(f"[dim]{said}[/dim]")
            lines = env_file.read_text().splitlines()
            names = dict(line.split("=", 1) for line in lines if "=" in line)
            places = {
                **{name: str(FOLDER / file) for name, file in FILES.items()},
                "DAGSTER_HOME": str(_demo_home()),
                "ENV_FILE": str(env_file),
            }
            with env_file.open("a") as file:  # so that a shell that reads it has all of the demo's
                file.writelines(f"{name}={shlex.quote(path)}\n" for name, path in places.items())
            yield names | places
        finally:
            process.terminate()


def run() -> int:
    """The job over the sandbox's last days, with its progress and what came of it."""
    settings = Settings.load()
    today = terminal.today(settings)
    first = today - timedelta(days=DAYS - 1)
    job = build_definitions(settings).resolve_job_def(JOB)
    run_id = str(uuid4())
    with dg.DagsterInstance.get() as instance, _progress(instance, run_id, len(job.nodes)):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config=QUIET,
            tags={RANGE_START: first.isoformat(), RANGE_END: today.isoformat()},
            raise_on_error=False,
        )
    if is_there(settings.analysis):
        with read_only(settings.analysis) as connection:
            _report(connection, first, today, run_id)
    _checks(result)
    console.print(f"\nFiles: {settings.warehouse}, {settings.ledger}, {settings.analysis}")
    console.print("Open the Dagster UI on them: [bold]make dev[/bold]")
    console.print(f"Ask in a shell: [bold]{ASK}[/bold]", soft_wrap=True)
    return 0 if result.success else 1


@contextmanager
def _progress(instance: dg.DagsterInstance, run_id: str, steps: int) -> Iterator[None]:
    """A bar over the run's steps, with the one that goes on."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Starting", total=steps)

        def show(entry: dg.EventLogEntry) -> None:
            event = entry.dagster_event
            if event and event.is_step_start:
                bar.update(task, description=event.step_key)
            elif event and event.is_step_success:
                bar.advance(task)

        instance.add_event_listener(run_id, show)
        yield


def _report(connection: Connection, first: date, last: date, run_id: str) -> None:
    window = [first, last]
    verdicts = queries.rows(
        connection,
        "SELECT verdict, reason, count(*) AS entries, currency, "
        "coalesce(sum(duration_seconds), 0)::BIGINT // 60 AS minutes, "
        "coalesce(sum(coalesce(sent_amount_minor, amount_minor)), 0)::BIGINT AS amount_minor "
        "FROM verdicts WHERE work_date BETWEEN $1 AND $2 GROUP BY ALL "
        "ORDER BY verdict, entries DESC",
        window,
    )
    deliveries = queries.rows(
        connection,
        "SELECT state, if(run_id = $3, 'this one', 'an earlier one') AS run, currency, "
        "count(*) AS entries, sum(minutes)::BIGINT AS minutes, "
        "coalesce(sum(amount_minor), 0)::BIGINT AS amount_minor "
        "FROM deliveries WHERE work_date BETWEEN $1 AND $2 GROUP BY ALL ORDER BY entries DESC",
        [*window, run_id],
    )
    sums = ("entries", "hours", "amount")
    for title, rows, columns in (
        (f"Clockify entries from {first} to {last}", verdicts, ("verdict", "reason")),
        ("What became of the accepted ones", deliveries, ("state", "run")),
    ):
        terminal.print_table(title, terminal.with_amounts(rows), [*columns, *sums])
    if not any(row["run"] == "this one" and row["state"] == "sent" for row in deliveries):
        console.print("[bold]Nothing new was sent[/bold]: QuickBooks holds all it should.")


def _checks(result: dg.ExecuteInProcessResult) -> None:
    evaluations = result.get_asset_check_evaluations()
    failed = [evaluation for evaluation in evaluations if not evaluation.passed]
    console.print(
        f"\n{len(evaluations) - len(failed)} of {len(evaluations)} checks passed. "
        "The invented company's data is untidy on purpose, as real data is."
    )
    for evaluation in failed:
        name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
        described = escape(evaluation.description or "")
        console.print(f"  {evaluation.severity.value.lower():<5} {name}: {described}")
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        said = failure.user_failure_data.description if failure.user_failure_data else failure.error
        console.print(f"[red]{event.step_key} stopped the run:[/red] {escape(str(said))}")


def _called(name: str, *arguments: str) -> int:
    """Run a command to its end, however we are told to end: it has processes of its own to stop."""
    command = Path(sys.executable).with_name(name)
    with subprocess.Popen([command, *arguments]) as process:  # noqa: S603 - our own
        try:
            return process.wait()
        except KeyboardInterrupt:  # the terminal has told the command as well
            signal.signal(signal.SIGINT, lambda *_: process.terminate())
            return process.wait()
        except SystemExit:
            process.terminate()
            raise


def _end(*_: object) -> None:
    """On SIGTERM, leave as on an error, so that what was started is stopped."""
    sys.exit(128 + signal.SIGTERM)


def _has_accounts() -> bool:
    """Whether the environment or `.env` names a company; a half-filled one is not the demo's.

    What a shell has of the demo's own settings is no company.
    """
    if os.environ.get("ENV_FILE") == str(FOLDER / "env"):
        return False
    try:
        Settings.load()
    except Stop:
        return bool(os.environ.get("QUICKBOOKS_CLIENT_ID")) or is_there(Path(".env"))
    return True


def _demo_home() -> Path:
    """The demo's own `DAGSTER_HOME`, so that its runs never mix with real ones."""
    home = (FOLDER / "dagster_home").resolve()
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(HOME / "dagster.yaml", home / "dagster.yaml")
    return home


if __name__ == "__main__":
    sys.exit(main())
