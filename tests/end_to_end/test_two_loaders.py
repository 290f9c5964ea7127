"""Two loaders at once, one killed in the middle, a ledger lost or of somebody else."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import duckdb

from pipeline import company
from pipeline.ledger import Ledger
from pipeline.quickbooks.client import BATCH
from tests.end_to_end.books import BATCHES, due, held
from tests.end_to_end.conftest import DAY, House, logged, problems, states
from tests.end_to_end.processes import PROJECT
from tests.end_to_end.stages import CONFIRMED, ENTRIES, LOAD, REVIEW, UP_TO_REVIEW
from tests.end_to_end.test_cutover import press_for
from tests.pipeline.others import holding, until
from tests.pipeline.rows import delivery

NEXT = DAY + timedelta(days=1)
ALL = 32
"""Entries of `reviewed`."""
SCRIPT = str(Path(__file__).with_name("load_process.py"))


def start(house: House, **changes: str) -> "subprocess.Popen[str]":
    """Start a load of both days in a process of its own."""
    return subprocess.Popen(
        [sys.executable, SCRIPT, str(DAY), str(NEXT), house.now.isoformat()],
        env={**os.environ, **house.environment, "PYTHONPATH": str(PROJECT), **changes},
        cwd=house.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def elsewhere(house: House) -> House:
    """The same pipeline with a copy of its files in another folder, as on a second machine."""
    folder = house.folder / "elsewhere"
    shutil.copytree(house.folder, folder)
    return replace(house, folder=folder, changes=dict(house.changes))


def test_of_two_loads_that_meet_one_waits_and_all_is_sent_once(reviewed: House) -> None:
    """Of two processes one waits for the other, says for whom, and then has nothing to send."""
    reviewed.changes["LOCK_SECONDS"] = "60"
    reviewed.sandbox.fail("batch", "delay", delay_seconds=2)
    with start(reviewed) as other:
        until(lambda: reviewed.sandbox.calls(BATCHES) == 1)
        done = reviewed.run(DAY, NEXT, LOAD)
        said = other.communicate(timeout=90)[0]
    assert other.returncode == 0, said
    assert problems(done) == []
    assert "waiting: The warehouse " in logged(reviewed, done)
    assert f"(process {other.pid})" in logged(reviewed, done)
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)
    assert reviewed.sandbox.calls(BATCHES) == 2
    assert states(reviewed) == {"sent": ALL}


def test_a_load_from_another_warehouse_waits_for_the_ledger(reviewed: House) -> None:
    """The ledger's lock is what makes one writer, wherever the entries were judged."""
    other = elsewhere(reviewed)
    other.changes |= {"LEDGER": str(reviewed.settings.ledger), "LOCK_SECONDS": "60"}
    reviewed.sandbox.fail("batch", "delay", delay_seconds=1.5)
    with start(reviewed, LOCK_SECONDS="60") as first:
        until(lambda: reviewed.sandbox.calls(BATCHES) == 1)
        other.prepare(DAY, NEXT, LOAD)
        said = first.communicate(timeout=60)[0]
    assert first.returncode == 0, said
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)
    assert reviewed.sandbox.calls(BATCHES) == 2


def test_a_load_killed_in_the_middle_of_a_batch_is_never_sent_again(reviewed: House) -> None:
    """What it had sent is pending until the next run finds it; what it had not is sent."""
    reviewed.sandbox.fail("batch", "delay", delay_seconds=20, when="after")
    with start(reviewed, HTTP_PATIENCE_SECONDS="60") as process:
        until(lambda: len(reviewed.activities) == BATCH)
        process.kill()
    reviewed.prepare(DAY, NEXT, LOAD)
    assert held(reviewed.sandbox.world) == due(reviewed.sandbox.world, DAY, NEXT)
    assert reviewed.sandbox.calls(BATCHES) == 2
    assert states(reviewed) == {"sent": ALL}


def test_a_lost_ledger_and_a_second_pipeline_adopt_what_is_there(reviewed: House) -> None:
    """Neither sends anything, since QuickBooks is read first."""
    second = elsewhere(reviewed)
    reviewed.prepare(DAY, NEXT, LOAD)
    sent, batches = held(reviewed.sandbox.world), reviewed.sandbox.calls(BATCHES)
    reviewed.lose_ledger()
    for house in (second, reviewed):
        house.prepare(DAY, NEXT, *REVIEW, LOAD)
        assert states(house) == {"adopted": ALL}
    assert held(reviewed.sandbox.world) == sent
    assert reviewed.sandbox.calls(BATCHES) == batches


def test_a_ledger_of_another_workspace_or_clock_is_refused_until_rebound(reviewed: House) -> None:
    """The sentence names both; `rebind` is needed once, since it is then bound to the new."""
    bound = "SELECT realm_id, workspace_id, time_zone, rounding <> 'off' FROM ledger_binding"
    reviewed.prepare(DAY, DAY, LOAD)
    [(realm, workspace, zone, is_rounded)] = reviewed.rows(bound)
    assert not is_rounded
    reviewed.changes["ROUNDING"] = "on"
    reviewed.prepare(DAY, NEXT, ENTRIES)
    reviewed.sandbox.world.workspace.id = "another"
    elsewhere = str(reviewed.folder / "another.duckdb")
    reviewed.changes |= {"TIME_ZONE": "Europe/Lisbon", "WAREHOUSE": elsewhere}
    reviewed.prepare(DAY, NEXT, *UP_TO_REVIEW)
    batches = reviewed.sandbox.calls(BATCHES)
    said = reviewed.stopped(NEXT, NEXT, LOAD)
    for word in ("ledger is bound to", workspace, zone, "another", "Lisbon", "`rebind: true`"):
        assert word in said
    assert reviewed.stopped(NEXT, NEXT, LOAD, **{LOAD: {"dry_run": True}}) == said
    assert reviewed.sandbox.calls(BATCHES) == batches
    reviewed.prepare(NEXT, NEXT, LOAD, **{LOAD: {"rebind": True}})
    assert reviewed.rows(bound) == [(realm, "another", "Europe/Lisbon", True)]
    reviewed.prepare(NEXT, NEXT, LOAD)
    assert held(reviewed.sandbox.world).total() == ALL


def test_another_company_needs_another_ledger_also_to_rebind(reviewed: House) -> None:
    """Its time activities bear the ids of ours: none of them is taken for one that we sent."""
    world = reviewed.sandbox.world
    reviewed.prepare(DAY, DAY, LOAD)
    ids = sorted(world.company.activities)
    world.company.activities.clear()
    world.replies.clear()
    world.company.realm_id = "4711"
    entries = sorted(world.workspace.entries.values(), key=lambda each: each.start)
    made = press_for(reviewed, entries[16:], NEXT, NEXT)
    world.company.activities = {key: row | {"Id": key} for key, row in zip(ids, made, strict=True)}
    reviewed.changes["QUICKBOOKS_TOKEN_FILE"] = str(reviewed.folder / "token-4711.json")
    reviewed.prepare(DAY, NEXT, *UP_TO_REVIEW)
    again = {"rebind": True, "confirm_cutover": True}
    for config in ({**again, "dry_run": True}, again):
        said = reviewed.stopped(DAY, NEXT, LOAD, **{LOAD: config})
        assert "holds deliveries to a QuickBooks company other than 4711" in said
        assert "Name another LEDGER" in said
    reviewed.changes["LEDGER"] = str(reviewed.folder / "ledger-4711.duckdb")
    reviewed.prepare(DAY, NEXT, *REVIEW, LOAD, **CONFIRMED)
    assert held(world) == due(world, DAY, NEXT)


def test_a_day_that_was_never_compared_is_compared_by_the_next_load(reviewed: House) -> None:
    """As where another company's lists were read by mistake in between."""
    reviewed.prepare(DAY, DAY, LOAD)
    compared = "SELECT count(*) FROM compared_days WHERE work_date = $1"
    with duckdb.connect(str(reviewed.settings.warehouse)) as connection:
        connection.execute("DELETE FROM compared_days")
    reviewed.prepare(NEXT, NEXT, LOAD)
    assert reviewed.rows(compared, DAY) == [(1,)]


def test_whoever_must_wait_is_told_for_whom(reviewed: House) -> None:
    """The run that holds the warehouse, or the program that holds the ledger."""
    reviewed.changes["LOCK_SECONDS"] = "0"
    with company.opened(reviewed.settings, "of-the-morning", print):
        said = reviewed.stopped(DAY, NEXT, LOAD)
    assert f"held by run of-the-morning (process {os.getpid()})" in said
    with holding(reviewed.settings.ledger) as holder:
        said = reviewed.stopped(DAY, NEXT, LOAD)
    assert f"PID {holder.pid}" in said
    assert "The ledger" in said
    assert reviewed.sandbox.calls(BATCHES) == 0


def test_a_ledger_that_several_make_at_the_same_moment_is_one(tmp_path: Path) -> None:
    """On the first run there is none yet: what each of them writes is kept."""
    path, start_together = tmp_path / "ledger.duckdb", Barrier(8)

    def write(number: int) -> None:
        start_together.wait()
        with Ledger.opened(path, 20, print) as ledger:
            ledger.record([delivery(number, work_date=DAY)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with Ledger.opened(path, 0, print) as ledger:
        assert len(ledger.between(DAY, DAY)) == 8
