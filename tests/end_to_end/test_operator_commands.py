"""`status`, `why`, `doctor` and `disconnect`, as a person types them."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import duckdb
import pytest
from click.testing import CliRunner

from pipeline import terminal
from pipeline.__main__ import Commands
from pipeline.sandbox.seed.oddities import add_entry, user_of
from tests.conftest import Server
from tests.end_to_end.conftest import DAY, House, Kept, Type, building, kept, restored
from tests.end_to_end.processes import PROJECT, script
from tests.end_to_end.stages import DAILY, LOAD
from tests.end_to_end.test_cutover import billed, change, press_for, reworded

FIRST_DELIVERED = "SELECT entry_id, quickbooks_id FROM deliveries ORDER BY entry_id LIMIT 1"
NOBODY = 65534
ODD = "[b]Odd[/b] | *work*"


@pytest.fixture(scope="module")
def morning_company(
    sandbox_server: Server, judged_company: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """What `loaded` begins with."""
    folder = tmp_path_factory.mktemp("morning")
    with building(sandbox_server, judged_company[0], folder) as house:
        restored(house, judged_company)
        world = house.sandbox.world
        user_of(world, "daniel").time_zone = "Pacific/Auckland"
        add_entry(world, DAY, project=None, seconds=7230, description=ODD)
        add_entry(world, DAY, project=None, seconds=30)
        house.prepare(DAY, DAY, "clockify_users", *DAILY)
        return kept(house)


@pytest.fixture
def loaded(reviewed: House, morning_company: Kept) -> House:
    """The same after a load of the first day, on which two entries more have no project.

    Where the person of these entries lives, the day is another one.
    """
    return restored(reviewed, morning_company)


def test_status_shows_one_screen_of_what_the_copy_knows(loaded: House, shell: Type) -> None:
    """What was sent, what waits, what is at risk, and of when all that is."""
    [(run_id,)] = loaded.rows("SELECT DISTINCT run_id FROM delivery_attempts")
    said = shell("status", code=3).stdout
    assert len(said.splitlines()) <= 24
    assert run_id in said
    for shown in ("sent 16 (", "rejected 2 (2:01 h)", "oldest from 2026-11-17", "As of 2026-11-"):
        assert shown in said
    known = json.loads(shell("status", "--json", code=3).stdout)
    [in_run] = known["in_run"]
    assert in_run == {"name": "sent", "entries": 16, "minutes": in_run["minutes"]}
    assert known["at_risk"]["entries"] == 18  # the two that are rejected, and all of the day after
    assert loaded.rows("SELECT count(*) FROM fix_list") == [(known["fixes"],)]
    [(seconds,)] = loaded.rows("SELECT sum(duration_seconds) FROM hours_at_risk")
    assert known["at_risk"]["minutes"] == seconds // 60
    [(waits,)] = loaded.rows(
        "SELECT max(entry_id) FROM hours_at_risk SEMI JOIN accepted_time_entries USING (entry_id)"
    )
    shell("decide", waits, "skip")
    after = json.loads(shell("status", "--json", code=3).stdout)
    assert after["published_at"] > known["published_at"]
    ran = ("run_id", "ended_at", "in_run")
    assert [after[name] for name in ran] == [known[name] for name in ran], "a command is no run"


def test_status_tells_of_no_day_that_is_still_to_come(loaded: House, shell: Type) -> None:
    """One was read for an entry of a mistyped year; it would stand there whatever stopped since."""
    known = json.loads(shell("status", "--json", code=3).stdout)["read_until"]
    with duckdb.connect(str(loaded.settings.analysis)) as connection:
        connection.execute(
            "INSERT INTO days BY NAME SELECT * REPLACE (DATE '2062-11-08' AS "
            "work_date) FROM days LIMIT 1"
        )
    assert json.loads(shell("status", "--json", code=3).stdout)["read_until"] == known


def test_status_ends_well_where_nothing_is_left_to_do(loaded: House, shell: Type) -> None:
    """By its exit code alone a script can tell; what is before the cut-over is no one's task."""
    loaded.changes["SEND_FROM"] = str(DAY + timedelta(days=2))
    loaded.prepare(DAY, DAY, LOAD)
    assert json.loads(shell("status", "--json", code=0).stdout)["fixes"] == 0


def test_less_than_no_time_is_said_as_people_say_it() -> None:
    """A sum of corrections may be; -30 minutes were shown as `-1:30`."""
    assert [terminal.hours(minutes) for minutes in (-30, 90)] == ["-0:30", "1:30"]


def test_status_says_when_there_is_nothing_to_show(reviewed: House, shell: Type) -> None:
    """Before the first run, with the fix."""
    reviewed.settings.analysis.unlink()
    assert "launch a first run" in shell("status", code=1).stderr.lower()


def test_why_tells_a_rejected_entry_from_reading_to_fix(loaded: House, shell: Type) -> None:
    """Both dates where the person's own zone has another."""
    entries = loaded.sandbox.world.workspace.entries.values()
    [odd] = [entry for entry in entries if entry.description == ODD]
    said = shell("why", odd.id.upper()).stdout
    for shown in (
        "Daniel",
        "2026-11-17 in America/New_York, 2026-11-18 in the person's own zone",
        ODD,
        "time         2:00:30",
        "Verdict: rejected",
        "no_project:",
        "Delivery: none",
    ):
        assert shown in said
    known = json.loads(shell("why", odd.id, "--json").stdout)
    assert (known["verdict"], known["rejected"]["reasons"]) == ("rejected", ["no_project"])
    with duckdb.connect(str(loaded.settings.analysis)) as copy:
        copy.execute("UPDATE clockify_time_entries SET user_name = NULL, duration_seconds = -1800")
    said = shell("why", odd.id).stdout
    assert "time         -0:30:00" in said
    assert "person       without a name (" in said


def test_why_tells_a_delivered_entry_to_its_activity(loaded: House, shell: Type) -> None:
    """With the item that QuickBooks chose for it; also after it was deleted in Clockify."""
    [(entry_id, activity)] = loaded.rows(FIRST_DELIVERED)
    said = shell("why", entry_id).stdout
    assert "Verdict: accepted" in said
    assert ", service item Hours\n" in said
    assert f"Delivery: sent, time activity {activity}, " in said
    assert "Attempts" in said
    del loaded.sandbox.world.workspace.entries[entry_id]
    loaded.prepare(DAY, DAY, *DAILY)
    said = shell("why", entry_id).stdout
    assert "no longer in Clockify" in said
    assert "Verdict: none" in said


def test_why_tells_who_decided_what_and_what_changed_since(reviewed: House, shell: Type) -> None:
    """A cut-over confirmed, a doubtful entry adopted, then reworded on one side and billed."""
    entries = sorted(reviewed.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    [activity] = press_for(reviewed, entries[:1], DAY, DAY)
    reworded(reviewed, activity)
    shell("cutover", str(DAY), str(DAY), "--confirm", code=3)
    shell("decide", entries[0].id, "adopt", activity["Id"])
    change(reviewed, activity, Hours=9, Minutes=1)
    billed(reviewed, activity)
    reviewed.prepare(DAY, DAY, LOAD)
    said = shell("why", entries[0].id).stdout
    for shown in (
        f"{DAY} to {DAY}: send what QuickBooks does not hold",
        f"decide by {terminal.who()}",
        f": adopt {activity['Id']}; drift: description",
        f"time activity {activity['Id']}, 9:01 on {DAY}",
        ", billed",
        "(as agreed)",
        "minutes",
    ):
        assert shown in said
    known = json.loads(shell("why", entries[0].id, "--json").stdout)
    assert [row["state"] for row in known["decisions"]] == ["adopted"]
    assert [row["confirmed_by"] for row in known["confirmations"]] == [terminal.who()]
    assert [row["is_billed"] for row in known["activities"]] == [True]
    assert {"minutes", "description"} <= {row["field"] for row in known["drift"]}


def test_what_was_deleted_in_quickbooks_is_settled_by_skipping_it(
    loaded: House, shell: Type
) -> None:
    """Then it blocks no month any more and is no drift, whatever days the next load is of.

    Nothing has it sent again.
    """
    [(entry_id, activity_id)] = loaded.rows(FIRST_DELIVERED)
    activities = loaded.sandbox.world.company.activities
    others = json.loads(shell("status", "--json", code=3).stdout)["fixes"]
    del activities[activity_id]
    loaded.prepare(DAY, DAY, LOAD)
    assert json.loads(shell("status", "--json", code=3).stdout)["fixes"] == others + 1
    blocked = "SELECT count(*) FROM statement WHERE list_contains(blocks, 'accepted: gone (1)')"
    assert loaded.rows(blocked) == [(1,)]
    assert "Delivery: gone" in shell("why", entry_id).stdout
    assert "`decide ENTRY skip` settles it" in shell("why", entry_id).stdout
    shell("decide", entry_id, "skip")
    assert "never sent again" in shell("decide", entry_id, "send", code=1).stderr
    shell("decide", entry_id, "skip")  # as before
    before = len(activities)
    another = DAY + timedelta(days=40)
    loaded.prepare(another, another, *DAILY)
    assert len(activities) == before
    assert loaded.rows(blocked) == [(0,)]
    assert loaded.rows("SELECT * FROM drift WHERE entry_id = $1", entry_id) == []
    assert "Delivery: skipped, time activity " in shell("why", entry_id).stdout
    assert json.loads(shell("status", "--json", code=3).stdout)["fixes"] == others


def test_what_resembles_a_sent_entry_can_be_told_to_be_other_work(
    loaded: House, shell: Type
) -> None:
    """Until then it keeps its month from being invoiced, and is in the fix list."""
    [(entry_id, activity_id)] = loaded.rows(FIRST_DELIVERED)
    activities = loaded.sandbox.world.company.activities
    assert "nothing resembles the entry" in shell("decide", entry_id, "keep", code=1).stderr
    like = {**activities[activity_id], "Id": "99999", "Description": "A call of her own"}
    activities["99999"] = like
    loaded.prepare(DAY, DAY, LOAD)
    fixes = "SELECT entries, entries_freed, fix FROM fix_list WHERE reason = $1"
    blocked = "SELECT count(*) FROM statement WHERE list_contains(blocks, $1)"
    line = "in QuickBooks and like one of ours (1)"
    [(entries, freed, fix)] = loaded.rows(fixes, "resembling")
    assert (entries, freed, loaded.rows(blocked, line)) == (1, 0, [(1,)])
    assert "`python -m pipeline decide ENTRY keep`" in fix
    assert "99999" in shell("why", entry_id).stdout
    shell("decide", entry_id, "keep")
    shell("decide", entry_id, "keep")  # as before
    another = DAY + timedelta(days=40)
    loaded.prepare(another, another, *DAILY)
    assert (loaded.rows(fixes, "resembling"), loaded.rows(blocked, line)) == ([], [(0,)])
    said = shell("why", entry_id).stdout
    assert f"Delivery: sent, time activity {activity_id}" in said
    assert "keep: what resembles it is other work (sent)" in said
    like["Description"] = activities[activity_id]["Description"]
    loaded.prepare(DAY, DAY, LOAD)
    [(entries, *_)] = loaded.rows(fixes, "duplicated")
    assert (entries, loaded.rows(blocked, "in QuickBooks twice (1)")) == (1, [(1,)])


@pytest.mark.parametrize("after", [-1, 1, 5])
def test_what_stands_on_another_day_resembles_whatever_days_are_looked_at(
    loaded: House, shell: Type, after: int
) -> None:
    """As by a clock of another zone; and is told apart on whichever day it stands.

    On a day about it also where that one alone is looked at first.
    """
    [(entry_id, activity_id)] = loaded.rows(FIRST_DELIVERED)
    activities = loaded.sandbox.world.company.activities
    day = DAY + timedelta(days=after)
    alone, both = [(day, day), (DAY, DAY)], (min(day, DAY), max(day, DAY))
    loaded.prepare(*both, *DAILY)
    activities["99999"] = {**activities[activity_id], "Id": "99999", "TxnDate": str(day)}
    kinds = "SELECT kind FROM drift WHERE quickbooks_id = '99999'"
    for days in [*alone, both] if abs(after) == 1 else [both, *alone]:
        loaded.prepare(*days, LOAD)
        assert loaded.rows(kinds) == [("resembling",)], days
    shell("decide", entry_id, "keep")
    loaded.prepare(DAY, DAY, LOAD)
    assert loaded.rows(kinds) == [("not_ours",)]


def test_why_asks_quickbooks_when_told_to(loaded: House, shell: Type) -> None:
    """What the last load read may have changed, or be gone, by now."""
    [(entry_id, activity_id)] = loaded.rows(FIRST_DELIVERED)
    activity = loaded.sandbox.world.company.activities[activity_id]
    change(loaded, activity, Description="Reworded since")
    billed(loaded, activity)
    assert "Reworded since" not in shell("why", entry_id).stdout
    said = shell("why", entry_id, "--live").stdout
    assert f"QuickBooks, now: time activity {activity_id}, " in said
    assert ", billed" in said
    assert "Reworded since" in said
    del loaded.sandbox.world.company.activities[activity_id]
    said = shell("why", entry_id, "--live").stdout
    assert f"QuickBooks: time activity {activity_id} is not there" in said


def test_why_names_the_nearest_ids_and_the_days_read(reviewed: House, shell: Type) -> None:
    """For an id that was copied badly, and for one of elsewhere."""
    [(known,)] = reviewed.rows("SELECT min(entry_id) FROM clockify_time_entries")
    said = shell("why", known[:-1] + ("0" if known[-1] != "0" else "1"), code=1).stderr
    assert f"The nearest ids are {known}" in said
    assert "2 days from 2026-11-17 to 2026-11-18 were read" in said
    assert "Look it up in Clockify" in shell("why", "x" * 24, code=1).stderr


def test_doctor_says_that_the_analysis_copy_is_broken(reviewed: House, shell: Type) -> None:
    """As a sentence with its fix, beside all that it found without the copy."""
    reviewed.settings.analysis.write_bytes(b"no database" * 999)
    said = " ".join(shell("doctor", code=1).stdout.split())
    assert "cannot be read" in said
    assert "delete it, and the next run of any asset publishes it again" in said


@pytest.fixture
def stranger(reviewed: House) -> Iterator[None]:
    """Another user of this machine, to whom the pipeline's folder is closed."""
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in PROJECT.parents):
        pytest.skip("the project lies in a folder where no other user could run it")
    user = os.geteuid()
    reviewed.folder.chmod(0)
    os.seteuid(user or NOBODY)
    yield
    os.seteuid(user)
    reviewed.folder.chmod(0o700)


@pytest.mark.usefixtures("stranger")
def test_another_user_is_told_what_is_closed_to_them(reviewed: House, shell: Type) -> None:
    """In one sentence that names the file; and doctor looks at all the rest."""
    for command in (
        "status",
        "why x",
        "statement 2026-11",
        f"plan {DAY} {DAY}",
        "disconnect --yes",
    ):
        said = shell(*command.split(), code=1).stderr
        assert str(reviewed.folder) in said, command
        assert "Permission denied" in said, command
        assert "permissions" in said, command
    said = shell("doctor", code=1).stdout
    assert "✓ Clockify accepts the key" in said
    assert said.count("Permission denied") > 1
    assert "delete it" not in said, "what is somebody else's, such as the tokens"
    reviewed.changes["ENV_FILE"] = str(reviewed.folder / ".env")
    assert f"The settings file {reviewed.folder}" in shell("status", code=1).stderr


def test_whatever_file_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    """Also one that no command expects."""

    class Reading(Commands):
        def get_command(self, *_: object) -> click.Command:
            return click.Command("read", callback=tmp_path.read_bytes)

    done = CliRunner().invoke(Reading(), ["read"])
    assert done.exit_code == 1
    assert f"{tmp_path} cannot be accessed (Is a directory). Run this as" in done.stderr


def test_doctor_prints_marks_and_fixes(reviewed: House, shell: Type) -> None:
    """As JSON too; the exit code says whether anything is wrong."""
    reviewed.changes["SERVICE_ITEM"] = "Site Visits"
    said = shell("doctor", code=1).stdout
    assert "✓ Clockify accepts the key: the workspace Fernhill Landscape & Engineering" in said
    assert "✗ The service item exists: QuickBooks has no active service item" in said
    assert "  Set one of: Site Visit" in said
    known = json.loads(shell("doctor", "--json", code=1).stdout)
    assert {"claim", "state", "said", "fix"} == set(known[0])


def test_a_terminal_that_is_not_utf_8_is_written_to_all_the_same(reviewed: House) -> None:
    """By what each letter is called; names of people and customers hold any."""
    environment = {**reviewed.environment, "PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [script("python"), "-m", "pipeline", "doctor"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "\\u2713 Clockify accepts the key" in done.stdout
    assert "Traceback" not in done.stderr


def test_disconnect_asks_first_and_forgets(reviewed: House, shell: Type) -> None:
    """Twice is no error."""
    assert not reviewed.sandbox.world.tokens.is_revoked
    asked = shell("disconnect", "--json", code=1)
    assert "Disconnect? [y/N]" in asked.stderr
    assert not asked.stdout
    assert not reviewed.sandbox.world.tokens.is_revoked
    assert "Disconnected" in shell("disconnect", "--yes").stdout
    assert reviewed.sandbox.world.tokens.is_revoked
    assert not reviewed.settings.quickbooks_token_file.exists()
    reviewed.changes["QUICKBOOKS_REFRESH_TOKEN"] = ""
    assert "There was no connection" in shell("disconnect", "--yes").stdout
    said = shell("disconnect", "--yes", "--json").stdout
    assert json.loads(said) == {"was_connected": False}
