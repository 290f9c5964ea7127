"""`cutover`, `decide`, `retry` and `plan`, as a person types them, beside real loads."""

import csv
import json
import shutil
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

from pipeline import company, terminal
from pipeline.__main__ import main
from pipeline.ledger import Ledger
from pipeline.storage import ledger_file
from tests.conftest import Server
from tests.end_to_end.books import BATCHES, as_stored, due, held, move
from tests.end_to_end.conftest import (
    DAY,
    House,
    Kept,
    Type,
    building,
    kept,
    restored,
    states,
)
from tests.end_to_end.stages import CONFIRMED, DAILY, ENTRIES, LOAD, REFERENCES, REVIEW
from tests.end_to_end.test_cutover import change, press, press_for, reworded

NEXT = DAY + timedelta(days=1)
SPAN = (str(DAY), str(DAY))


@pytest.fixture
def doubtful(reviewed: House) -> list[dict[str, Any]]:
    """The button had sent five entries of the day, of which two were reworded."""
    return half_told(reviewed)


@pytest.fixture
def loaded(reviewed: House, loaded_company: Kept) -> House:
    """The same after a load: three are adopted, two doubtful, eleven sent."""
    return restored(reviewed, loaded_company)


@pytest.fixture(scope="module")
def loaded_company(
    sandbox_server: Server, judged_company: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """What `loaded` begins with."""
    folder = tmp_path_factory.mktemp("loaded")
    with building(sandbox_server, judged_company[0], folder) as house:
        half_told(restored(house, judged_company))
        load(house)
        assert states(house) == {"adopted": 3, "doubtful": 2, "sent": 11}
        return kept(house)


def half_told(house: House) -> list[dict[str, Any]]:
    """Press the button for five entries, and reword two of its activities."""
    entries = sorted(house.sandbox.world.workspace.entries.values(), key=lambda each: each.start)
    made = press_for(house, entries[:5], DAY, DAY)
    for activity in made[:2]:
        reworded(house, activity)
    return made


def undecided(shell: Type) -> list[dict[str, Any]]:
    """What `cutover` says is to be decided."""
    found = json.loads(shell("cutover", *SPAN, "--json", code=3).stdout)
    rows: list[dict[str, Any]] = found["undecided"]
    return rows


def totals(plan: dict[str, Any]) -> dict[str, int]:
    """How many entries the next load does what with, as `plan` says."""
    return {row["action"]: row["entries"] for row in plan["totals"]}


def load(house: House) -> None:
    """Load the day, confirmed."""
    house.prepare(DAY, DAY, LOAD, **CONFIRMED)


def test_cutover_shows_the_four_groups_and_changes_nothing(
    reviewed: House, shell: Type, doubtful: list[dict[str, Any]]
) -> None:
    """In entries, minutes and minor units, by week and customer; and what only QuickBooks has."""
    stranger = doubtful[4]
    change(reviewed, stranger, Description="Nobody's", Hours=9, Minutes=1)
    before = held(reviewed.sandbox.world)
    found = json.loads(shell("cutover", *SPAN, "--json", code=3).stdout)
    entries = Counter[str]()
    for row in found["groups"]:
        assert row["week"] == "2026-W47"
        assert row["currency"] == "USD"
        assert isinstance(row["amount_minor"], int)
        entries[row["group"]] += row["entries"]
    assert entries == {"certain": 2, "likely": 2, "none": 12}
    assert [row["quickbooks_id"] for row in found["only_in_quickbooks"]] == [stranger["Id"]]
    for row in found["undecided"]:
        [activity] = row["activities"]
        assert activity["description"] == row["entry"]["description"] + " (as agreed)"
        assert activity["person"] == row["entry"]["person"]
    assert found["unread_days"] == []
    assert not found["is_confirmed"]
    shown = shell("cutover", *SPAN, code=3).stdout
    assert "(as agreed)" in shown
    assert "12 entries are not in QuickBooks and will be sent" in shown
    assert "run it again with `--confirm`" in " ".join(shown.split())
    assert held(reviewed.sandbox.world) == before
    assert reviewed.sandbox.calls(BATCHES) == 0
    copies = list(reviewed.folder.glob("backups/*"))
    assert len(copies) == 1, "that of the review's run: a look pushes out no copy"


def test_days_never_read_are_named_with_the_command_that_reads_them(shell: Type) -> None:
    """Else what only Clockify has would look complete."""
    found = shell("cutover", str(DAY - timedelta(days=3)), str(DAY))
    said = " ".join(found.stdout.split())
    assert "3 of these days were never read and judged" in said
    assert "--partition-range 2026-11-14...2026-11-16" in said


def test_only_what_was_seen_is_confirmed(reviewed: House, shell: Type) -> None:
    """Days never read, or of which nothing is sent, would switch the question off for good."""
    said = shell("cutover", str(DAY - timedelta(days=3)), str(DAY), "--confirm", code=1).stderr
    assert "Nothing was confirmed" in said
    assert "3 of these days were never read and judged: `.venv/bin/dg launch" in said
    assert "holds nobody else's activities" in shell("cutover", *SPAN, "--confirm").stdout
    reviewed.prepare(NEXT, NEXT, LOAD, **CONFIRMED)
    assert reviewed.rows("FROM cutover_confirmations") == [], "nobody's was beside it"
    press(reviewed, DAY, DAY)
    assert "nothing to confirm" in shell("cutover", *SPAN, "--confirm").stdout
    reviewed.prepare(DAY, DAY, LOAD, **CONFIRMED)
    assert not json.loads(shell("cutover", *SPAN, "--json").stdout)["is_confirmed"]


def test_a_look_under_another_clock_says_what_the_load_would(loaded: House, shell: Type) -> None:
    """Not that there is nothing to send: the ledger is another's."""
    loaded.changes["TIME_ZONE"] = "Europe/Lisbon"
    for command in ("plan", "cutover"):
        said = " ".join(shell(command, *SPAN, code=1).stderr.split())
        assert "The ledger is bound to" in said
        assert "`rebind: true`" in said


def test_a_list_that_cannot_be_written_is_refused_before_anything_is_confirmed(
    reviewed: House,
    shell: Type,
    doubtful: list[dict[str, Any]],
    tmp_path: Path,
    full_device: Path,
) -> None:
    """Else a person would have said yes to what they never saw; a full disk leaves no half list."""
    assert len(doubtful) == 5
    nowhere = str(tmp_path / "nowhere" / "it.csv")
    said = shell("cutover", *SPAN, "--confirm", "--csv", nowhere, code=1).stderr
    assert "There is no folder" in said
    said = shell("cutover", *SPAN, "--confirm", "--csv", str(reviewed.settings.ledger), code=2)
    assert "the pipeline's own LEDGER" in said.stderr
    assert not json.loads(shell("cutover", *SPAN, "--json", code=3).stdout)["is_confirmed"]
    assert "is full" in shell("cutover", *SPAN, "--csv", str(full_device), code=1).stderr


def test_days_that_were_never_read_are_said_by_plan_too(shell: Type) -> None:
    """Nothing to do is no answer where nobody has looked; nor is it for days of no concern."""
    said = shell("plan", str(DAY - timedelta(days=3)), str(DAY - timedelta(days=1))).stdout
    assert "3 of these days were never read and judged" in said
    for command in ("plan", "cutover"):
        assert "START_DATE" in shell(command, "2000-01-01", "2000-01-02", code=2).stderr
        assert "in the future" in shell(command, "2222-01-01", "2222-01-02", code=2).stderr
        for mistyped in (("0226-11-17", str(DAY)), (str(DAY), "9999-12-31")):
            assert "more than ten years" in shell(command, *mistyped, code=2).stderr


def test_confirm_lets_the_load_do_what_plan_has_shown(
    reviewed: House, shell: Type, doubtful: list[dict[str, Any]]
) -> None:
    """Totals, and every payload for machines; confirmed once, from the terminal, it is done."""
    assert len(doubtful) == 5
    plan = json.loads(shell("plan", *SPAN, "--json").stdout)
    assert totals(plan) == {"send": 11, "doubt": 2, "adopt": 3}
    shell("cutover", *SPAN, "--confirm", code=3)
    assert reviewed.sandbox.calls(BATCHES) == 0
    reviewed.prepare(DAY, DAY, LOAD)
    assert states(reviewed) == {"adopted": 3, "doubtful": 2, "sent": 11}
    sent = {row["Description"] for row in reviewed.activities} - {
        row["Description"] for row in doubtful
    }
    assert sent >= {
        row["payload"]["Description"] for row in plan["deliveries"] if row["action"] == "send"
    }
    assert "nothing new to send" in (said := shell("plan", *SPAN).stdout)
    assert "nobody knows" not in said
    assert "is updated in QuickBooks" not in said
    found = json.loads(shell("cutover", *SPAN, "--json", code=3).stdout)
    assert found["is_confirmed"]
    assert {row["group"] for row in found["groups"]} == {"certain", "likely"}


def test_plan_tells_what_else_the_next_load_does(reviewed: House, shell: Type) -> None:
    """It settles, and follows edits where it is asked to: neither is to be sent as it stands."""
    reviewed.sandbox.fail("batch", "status", status=503, times=None)
    reviewed.stopped(DAY, DAY, LOAD)
    reviewed.changes["AFTER_SEND"] = "update"
    unsettled = states(reviewed)["unknown"]
    said = shell("plan", *SPAN).stdout
    assert f"{unsettled} deliveries whose outcome nobody knows are settled first" in said
    assert "edited in Clockify since it was sent is updated in QuickBooks" in said
    assert json.loads(shell("plan", *SPAN, "--json").stdout)["unsettled"] == unsettled


@pytest.mark.parametrize("is_loaded", [True, False])
def test_what_was_decided_is_done_by_the_next_load(
    reviewed: House, shell: Type, loaded_company: Kept, *, is_loaded: bool
) -> None:
    """One adopted, one sent though something is like it, alone; before or after a load."""
    if is_loaded:
        restored(reviewed, loaded_company)
    else:
        half_told(reviewed)
    first, second = undecided(shell)
    activity_id = first["activities"][0]["quickbooks_id"]
    shell("decide", first["entry_id"], "adopt", activity_id)
    shell("decide", second["entry_id"], "send")
    batches = reviewed.sandbox.calls(BATCHES)
    load(reviewed)
    assert states(reviewed) == {"adopted": 4, "sent": 12}
    assert reviewed.sandbox.calls(BATCHES) - batches == (1 if is_loaded else 2)
    assert len(reviewed.activities) == 17
    row = "SELECT state, quickbooks_id FROM deliveries WHERE entry_id = $1"
    assert reviewed.rows(row, first["entry_id"]) == [("adopted", activity_id)]
    history = reviewed.rows(
        "SELECT error_message FROM delivery_attempts WHERE run_id LIKE 'decide by %' ORDER BY ALL"
    )
    said = [message for (message,) in history]
    assert f": adopt {activity_id}; drift: description" in said[0]
    assert said[1].endswith(": send")
    assert not json.loads(shell("cutover", *SPAN, "--json").stdout)["undecided"]
    likes = "SELECT entry_id FROM drift WHERE kind = 'resembling'"
    assert reviewed.rows(likes) == [], "a person has said that it is another"


def test_what_was_decided_to_be_sent_is_compared_once_more(loaded: House, shell: Type) -> None:
    """A wording that was restored after all is adopted, and `why` says what became of the decision.

    Then the disk died, and QuickBooks remembers no request: nor is the other sent again by the
    decisions' own copy.
    """
    right, sent = undecided(shell)
    for row in (right, sent):
        shell("decide", row["entry_id"], "send")
    newest = max((loaded.folder / "backups").iterdir()).read_bytes()
    [like] = right["activities"]
    key = like["quickbooks_id"]
    change(loaded, {"Id": key}, Description=right["entry"]["description"])
    loaded.prepare(DAY, DAY, LOAD)
    assert states(loaded) == {"adopted": 4, "sent": 12}
    assert len(loaded.activities) == 17
    said = " ".join(shell("why", right["entry_id"]).stdout.split())
    assert f": send; not sent: time activity {key} is its equal" in said
    loaded.settings.ledger.write_bytes(newest)
    loaded.sandbox.world.replies.clear()
    loaded.prepare(DAY, DAY, LOAD)
    assert len(loaded.activities) == 17
    state = "SELECT state FROM deliveries WHERE entry_id = $1"
    assert loaded.rows(state, sent["entry_id"]) == [("adopted",)]


def test_a_ledger_older_than_what_was_sent_sends_nothing_of_it_again(
    reviewed: House, shell: Type
) -> None:
    """A copy was put in its place, and a bookkeeper had changed too much to see whose it is.

    Moved, deleted, or with other words and minutes: the warehouse knows that each was sent. One the
    copy has as throttled, since when it was sent.
    """
    reviewed.changes["HTTP_PATIENCE_SECONDS"] = "1"
    reviewed.sandbox.fail("batch", "status", status=429, times=None)
    assert "tried then" in reviewed.stopped(DAY, DAY, LOAD)
    reviewed.sandbox.holder.faults.clear()
    older = reviewed.settings.ledger.read_bytes()
    load(reviewed)
    first, second, third, *_ = reviewed.activities
    of = dict(reviewed.rows("SELECT quickbooks_id, entry_id FROM deliveries"))
    change(reviewed, {"Id": first["Id"]}, Description="Phone", Hours=9, Minutes=1)
    change(reviewed, {"Id": second["Id"]}, TxnDate="2026-10-01", Description="Letters")
    del reviewed.sandbox.world.company.activities[third["Id"]]
    reviewed.settings.ledger.write_bytes(older)
    reviewed.sandbox.world.replies.clear()
    reviewed.prepare(DAY, DAY, LOAD, **CONFIRMED)
    assert states(reviewed) == {"adopted": 13, "doubtful": 3}
    assert len(reviewed.activities) == 15
    [row] = [each for each in undecided(shell) if each["entry_id"] == of[first["Id"]]]
    assert [each["quickbooks_id"] for each in row["activities"]] == [first["Id"]]
    shell("decide", row["entry_id"], "adopt", first["Id"])
    shell("decide", of[third["Id"]], "send")
    load(reviewed)
    assert states(reviewed) == {"adopted": 14, "doubtful": 1, "sent": 1}


def test_nothing_is_decided_to_be_sent_beside_its_equal(loaded: House, shell: Type) -> None:
    """Settling left it to a person, who says that it is other work: it must be told apart first."""
    equal = loaded.activities[4]
    [(entry,)] = loaded.rows("SELECT entry_id FROM deliveries WHERE quickbooks_id=$1", equal["Id"])
    with Ledger.opened(loaded.settings.ledger, 0, print) as ledger:
        ledger.record([replace(ledger.deliveries([entry])[entry], state="doubtful")])
    said = shell("decide", entry, "send", code=1).stderr
    assert f"the time activity {equal['Id']} equals the entry {entry}: adopt it, or" in said
    assert len(undecided(shell)) == 3
    change(loaded, equal, Description="Other work")
    shell("decide", entry, "send")
    assert totals(json.loads(shell("plan", *SPAN, "--json").stdout)) == {"send": 1}


def test_of_twins_one_file_adopts_one_and_sends_the_other(
    reviewed: House, shell: Type, tmp_path: Path
) -> None:
    """What the one adopts is no equal that would keep the other back."""
    world, path = reviewed.sandbox.world, tmp_path / "twins.csv"
    entry = min(world.workspace.entries.values(), key=lambda each: each.start)
    [made] = press_for(reviewed, [entry], DAY, DAY)
    twin = replace(entry, id=f"{1:024x}")
    world.workspace.entries[twin.id] = twin
    reviewed.prepare(DAY, DAY, ENTRIES, *REVIEW)
    path.write_text(f"entry_id,decision\n{entry.id},adopt {made['Id']}\n{twin.id},send\n")
    shell("decide", "--csv", str(path))
    load(reviewed)
    assert held(world) == due(world, DAY, DAY)


def test_what_was_decided_can_be_taken_back(loaded: House, shell: Type) -> None:
    """Skipped, it leaves the open days, and is sent later; as is what was adopted by mistake.

    Another that is decided to be sent is still judged: not billable any more, it stays where it is.
    """
    row, other = undecided(shell)
    entry, unbillable = row["entry_id"], other["entry_id"]
    shell("decide", entry.upper(), "skip")
    shell("decide", unbillable, "send")
    open_days = "SELECT entries FROM open_days WHERE work_date = $1"
    assert loaded.rows(open_days, DAY) == [(1,)], "the other one"
    loaded.sandbox.world.workspace.entries[unbillable].is_billable = False
    loaded.prepare(DAY, DAY, *DAILY)
    assert loaded.rows(open_days, DAY) == []
    assert states(loaded) == {"adopted": 3, "refused": 1, "skipped": 1, "sent": 11}
    shell("decide", entry, "send")
    assert totals(json.loads(shell("plan", *SPAN, "--json").stdout)) == {"send": 1}
    activities, [right] = loaded.sandbox.world.company.activities, row["activities"]
    like = {**activities[right["quickbooks_id"]], "Id": "99999", "TxnDate": "2026-01-02"}
    activities["99999"] = like
    for activity_id in ("99999", right["quickbooks_id"], "99999"):
        shell("decide", entry, "adopt", activity_id)
        [(adopted,)] = loaded.rows("SELECT quickbooks_id FROM deliveries WHERE entry_id=$1", entry)
        assert adopted == activity_id
    shell("decide", entry, "send")
    before = len(activities)
    load(loaded)
    assert states(loaded) == {"adopted": 3, "refused": 1, "sent": 12}
    assert len(activities) == before + 1


@pytest.mark.parametrize("kind", ["employee", "customer"])
def test_what_a_person_left_out_stays_so_whoever_is_made_inactive(
    reviewed: House, shell: Type, kind: str
) -> None:
    """A run is green, nobody is told to mend it, and it is not sent."""
    entry_id = min(reviewed.sandbox.world.workspace.entries)
    ids = f"SELECT quickbooks_{kind}_id FROM accepted_time_entries WHERE entry_id = $1"
    [(found,)] = reviewed.rows(ids, entry_id)
    shell("decide", entry_id, "skip")
    reviewed.sandbox.admin("PATCH", f"{kind}s/{found}", Active=False)
    reviewed.prepare(DAY, DAY, *REFERENCES, *DAILY)
    assert states(reviewed)["skipped"] == 1
    for open_ in ("hours_at_risk", "rejected_time_entries"):
        assert reviewed.rows(f"FROM {open_} WHERE entry_id = $1", entry_id) == []


def test_a_file_is_decided_as_a_whole(loaded: House, shell: Type, tmp_path: Path) -> None:
    """A wrong row is named with its line and nothing is decided; then all of it is."""
    path = tmp_path / "undecided.csv"
    shell("cutover", *SPAN, "--csv", str(path), code=3)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["decision"] for row in rows] == ["", ""]
    assert "no row has a decision" in shell("decide", "--csv", str(path)).stderr
    rows[0]["decision"] = "skip"
    for wrong, said in (
        ("adopt", "line 3: `adopt` is not a decision"),
        ("maybe", "line 3: `maybe` is not a decision"),
        ("adopt 999999", "line 3: the time activity 999999 is not in QuickBooks"),
    ):
        rows[1]["decision"] = wrong
        _write(path, rows)
        assert said in shell("decide", "--csv", str(path), code=1).stderr
        assert states(loaded)["doubtful"] == 2
    for row in rows:
        row["decision"] = "adopt " + row["quickbooks_ids"]
    _write(path, [*rows, rows[0]])
    said = shell("decide", "--csv", str(path), code=1).stderr
    assert said.count("is named 2 times") == 2, "an entry, and an activity"
    shell("decide", rows[1]["entry_id"], "adopt", rows[1]["quickbooks_ids"])
    _write(path, rows)
    shell("decide", "--csv", str(path))
    assert states(loaded) == {"adopted": 5, "sent": 11}


def test_a_description_is_no_formula_in_the_file(
    reviewed: House, shell: Type, tmp_path: Path
) -> None:
    """Nor a name: what a spreadsheet would carry out is quoted."""
    world = reviewed.sandbox.world
    for activity in press(reviewed, DAY, DAY):
        change(reviewed, activity, Description='=HYPERLINK("http://example.com")')
    path = tmp_path / "undecided.csv"
    shell("cutover", *SPAN, "--csv", str(path), code=3)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    cells = [cell for row in csv.reader(lines) for cell in row]
    assert sum(cell.startswith("'=") for cell in cells) == len(world.company.activities)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_a_decision_that_cannot_be_made_says_why(loaded: House, shell: Type) -> None:
    """Unknown entry, wrong state, an activity gone, claimed or of another person."""
    rows = undecided(shell)
    first = rows[0]["entry_id"]
    [adopted, *_], [sent, *_] = (
        loaded.rows("SELECT entry_id, quickbooks_id FROM deliveries WHERE state = $1", state)
        for state in ("adopted", "sent")
    )
    [other] = rows[1]["activities"]
    assert other["person"] != rows[0]["entry"]["person"]
    mistyped = first[:-1] + ("0" if first[-1] != "0" else "1")
    for words, said in (
        ((mistyped, "send"), f"the nearest is {first}"),
        ((sent[0], "send"), f"it is in QuickBooks already, as time activity {sent[1]}"),
        ((first, "adopt", "999999"), "the time activity 999999 is not in QuickBooks"),
        ((first, "adopt", adopted[1]), "is another entry's already"),
        ((first, "adopt", other["quickbooks_id"]), "is another person's than the entry"),
    ):
        assert said in shell("decide", *words, code=1).stderr
    for words in ((first,), (first, "maybe"), (first, "adopt"), ()):
        shell("decide", *words, code=2)
    assert states(loaded)["doubtful"] == 2
    for state, said in (
        ("pending", f"launch the load of {DAY}, which settles it"),
        ("unknown", f"launch the load of {DAY}, which settles it"),
        ("refused", "use `retry`"),
    ):
        with Ledger.opened(loaded.settings.ledger, 0, print) as ledger:
            ledger.record([replace(ledger.deliveries([first])[first], state=state)])
        assert said in " ".join(shell("decide", first, "send", code=1).stderr.split())


def test_an_accepted_entry_that_has_changed_since_is_to_be_judged_again(
    reviewed: House, shell: Type
) -> None:
    """As it was judged it is not about to be sent; as it is now, nobody has judged it."""
    entry = next(iter(reviewed.sandbox.world.workspace.entries.values()))
    entry.description = "Something else"
    reviewed.prepare(DAY, DAY, ENTRIES)
    said = shell("decide", entry.id, "skip", code=1).stderr
    assert f"the entry {entry.id} was accepted, but it or what it refers to has changed" in said
    assert f"launch the review of {DAY} again" in said


def test_a_decision_stands_though_its_copies_cannot_be_made(loaded: House, shell: Type) -> None:
    """Said in one sentence."""
    entry = undecided(shell)[0]["entry_id"]
    backups = loaded.folder / "backups"
    shutil.rmtree(backups)
    backups.touch()
    said = shell("decide", entry, "skip", code=1).stderr
    assert f"What was done is recorded, but not copied: {backups} (File exists)" in said
    shell("decide", entry, "skip", code=1)
    backups.unlink()
    loaded.settings.analysis.unlink()
    loaded.settings.analysis.mkdir()
    said = shell("decide", entry, "send", code=1).stderr
    assert f"not copied: {loaded.settings.analysis} (Is a directory). Make it" in said
    loaded.settings.analysis.rmdir()
    shell("decide", entry, "send")
    code = "SELECT error_code FROM deliveries WHERE entry_id = $1"
    assert loaded.rows(code, entry) == [("decided_to_send",)]


def test_a_decision_made_twice_is_made_once_and_no_retry_undoes_it(
    loaded: House, shell: Type
) -> None:
    """As where a file is read a second time with one row more filled in."""
    first, second = undecided(shell)
    to_adopt = "adopt", first["activities"][0]["quickbooks_id"]
    [(third,)] = loaded.rows("SELECT min(entry_id) FROM deliveries WHERE state = 'adopted'")
    for words in ([first["entry_id"], *to_adopt], [second["entry_id"], "send"], [third, "skip"]):
        shell("decide", *words)
        before = loaded.rows("SELECT count(*) FROM delivery_attempts")
        shell("decide", *words)
        assert loaded.rows("SELECT count(*) FROM delivery_attempts") == before
    for words in ((second["entry_id"],), ("--reason", "decided_to_send")):
        said = shell("retry", *words, code=1).stderr
        assert f"Each load tries {second['entry_id']} again by itself" in said
    assert "no refusal waits" in shell("retry", "--reason", "1", code=1).stderr.lower()
    load(loaded)
    assert states(loaded) == {"adopted": 3, "sent": 12, "skipped": 1}


def test_a_decision_is_of_what_the_person_saw(loaded: House, shell: Type) -> None:
    """Then the button is pressed once more, and what it made is worded otherwise: asked again."""
    row = undecided(shell)[0]
    shell("decide", row["entry_id"], "send")
    activities = loaded.sandbox.world.company.activities
    [seen] = row["activities"]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    like = activities[seen["quickbooks_id"]]
    made = {**like["MetaData"], "CreateTime": later}
    again = {**like, "Id": "99999", "Description": "Pressed again", "MetaData": made}
    activities["99999"] = again
    load(loaded)
    state = "SELECT state, quickbooks_id FROM deliveries WHERE entry_id = $1"
    assert loaded.rows(state, row["entry_id"]) == [("doubtful", "99999")]
    shell("decide", row["entry_id"], "send")
    again["MetaData"]["CreateTime"] = "2026-11-01T00:00:00Z"  # seen by then
    load(loaded)
    assert loaded.rows(state, row["entry_id"])[0][0] == "sent"


def test_a_file_does_not_take_back_what_somebody_decided_meanwhile(
    loaded: House, shell: Type, tmp_path: Path
) -> None:
    """It was made of an older list: by hand it can be, entry by entry."""
    first, _ = undecided(shell)
    path = tmp_path / "undecided.csv"
    shell("cutover", *SPAN, "--csv", str(path), code=3)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    for row in rows:
        row["decision"] = "send"
    _write(path, rows)
    shell("decide", first["entry_id"], "adopt", first["activities"][0]["quickbooks_id"])
    said = " ".join(shell("decide", "--csv", str(path), code=1).stderr.split())
    assert (
        f"the entry {first['entry_id']} was decided otherwise meanwhile, and is `adopted`" in said
    )
    assert f"(decided by {terminal.who()}: adopt" in said
    assert states(loaded)["doubtful"] == 1
    shell("decide", first["entry_id"], "send")
    shell("decide", "--csv", str(path))
    assert states(loaded)["refused"] == 2, "both are to be sent"
    rows[0]["decision"] = "skip"
    _write(path, rows)
    said = " ".join(shell("decide", "--csv", str(path), code=1).stderr.split())
    assert "was decided otherwise meanwhile, and is `refused`" in said
    shell("decide", first["entry_id"], "skip")
    for row in rows:
        row["decision"] = "send"
    _write(path, rows)
    said = " ".join(shell("decide", "--csv", str(path), code=1).stderr.split())
    assert "was decided otherwise meanwhile, and is `skipped`" in said


def test_of_what_was_adopted_a_file_can_keep_apart_what_resembles_it(
    loaded: House, shell: Type, tmp_path: Path
) -> None:
    """That it is in QuickBooks takes nothing back; what is made later is asked of anew."""
    query = "SELECT min_by((entry_id, quickbooks_id), entry_id) FROM deliveries WHERE state = $1"
    [((entry_id, key),)] = loaded.rows(query, "adopted")
    activities, path = loaded.sandbox.world.company.activities, tmp_path / "kept.csv"
    activities["99999"] = {**activities[key], "Id": "99999", "Description": "A call"}
    path.write_text(f"entry_id,decision\n{entry_id},keep\n")
    for kind in ("resembling", "not_ours"):
        loaded.prepare(DAY, DAY, LOAD)
        assert loaded.rows("SELECT kind FROM drift") == [(kind,)], "none of what is doubtful"
        shell("decide", "--csv", str(path))
    later = {"CreateTime": (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")}
    activities["99999"] |= {"MetaData": {**activities[key]["MetaData"], **later}}
    loaded.prepare(DAY, DAY, LOAD)
    written = "SELECT count(*) FROM delivery_attempts WHERE error_code = 'told_apart'"
    before = loaded.rows(written)
    shell("decide", "--csv", str(path))
    assert (before, loaded.rows(written)) == ([(1,)], [(2,)])


def test_what_was_skipped_and_is_other_work_by_now_is_asked_of_again(
    loaded: House, shell: Type
) -> None:
    """Ten minutes that somebody else had sent became six hours: no list had them any more."""
    entry_id = undecided(shell)[0]["entry_id"]
    shell("decide", entry_id, "skip")
    entry = loaded.sandbox.world.workspace.entries[entry_id]
    row = "SELECT state, error_message FROM deliveries WHERE entry_id = $1"
    entry.description = "Worded otherwise"
    loaded.prepare(DAY, DAY, *DAILY)
    assert loaded.rows(row, entry_id)[0][0] == "skipped", "it is the same work"
    assert entry.end
    entry.end += timedelta(hours=6)
    loaded.prepare(DAY, DAY, *DAILY)
    said = "changed since it was skipped (minutes): a person must decide"
    assert loaded.rows(row, entry_id) == [("doubtful", said)]
    waits = "SELECT count(*) FROM fixes WHERE entry_id = $1 AND reason = 'doubtful'"
    assert loaded.rows(waits, entry_id) == [(1,)]
    shell("decide", entry_id, "skip")
    loaded.prepare(DAY, DAY, *DAILY)
    assert loaded.rows(row, entry_id)[0][0] == "skipped"
    entry.end += timedelta(hours=1)
    loaded.prepare(DAY, DAY, ENTRIES, *REVIEW)
    shell("decide", entry_id, "skip")  # before a load has asked
    loaded.prepare(DAY, DAY, *DAILY)
    assert loaded.rows(row, entry_id)[0][0] == "skipped"
    entry.is_billable = False  # as who agrees with it would say in Clockify too
    loaded.prepare(DAY, DAY, *DAILY)
    assert loaded.rows(row, entry_id)[0][0] == "skipped"


@pytest.mark.parametrize(
    ("change", "said"),
    [("day", "work_date"), ("project", "customer"), ("user", "person"), ("name", "")],
)
def test_what_was_skipped_is_asked_of_again_of_another_day_project_or_person(
    loaded: House, shell: Type, change: str, said: str
) -> None:
    """Not where only QuickBooks' names lead elsewhere: the entry is the work that was skipped."""
    entry_id = undecided(shell)[0]["entry_id"]
    shell("decide", entry_id, "skip")
    world = loaded.sandbox.world
    entry, row = world.workspace.entries[entry_id], "FROM deliveries SELECT state, error_message"
    [(payload,)] = loaded.rows("SELECT payload FROM deliveries WHERE entry_id = $1", entry_id)
    own = json.loads(payload)["CustomerRef"]["value"]
    if change == "day":
        move(entry, 1)
    elif change == "project":
        entry.project_id = next(
            other.project_id
            for other in world.workspace.entries.values()
            if other.project_id not in {entry.project_id, None}
            and loaded.rows("FROM deliveries WHERE entry_id = $1", other.id)
        )
    elif change == "user":
        users = (other.user_id for other in world.workspace.entries.values())
        entry.user_id = next(user for user in users if user != entry.user_id)
    else:
        customers = world.company.customers
        customers["99999"] = {**customers[own], "Id": "99999"}
        customers[own] = {**customers[own], "DisplayName": "Another name"}
    loaded.prepare(DAY, NEXT, *REFERENCES, *DAILY)
    [(state, message)] = loaded.rows(f"{row} WHERE entry_id = $1", entry_id)
    if said:
        assert state == "doubtful"
        assert message == f"changed since it was skipped ({said}): a person must decide"
    else:
        assert state == "skipped"


def test_what_was_made_again_in_the_place_of_ours_can_be_adopted(
    reviewed: House, shell: Type
) -> None:
    """A bookkeeper deleted an activity and typed it anew: it is found, and said to be so."""
    reviewed.prepare(DAY, DAY, LOAD)
    activities, ours = reviewed.sandbox.world.company.activities, reviewed.activities[0]
    activities["99999"] = {**activities.pop(ours["Id"]), "Id": "99999"}
    reviewed.prepare(DAY, DAY, LOAD)
    [(entry,)] = reviewed.rows("SELECT entry_id FROM deliveries WHERE state = 'gone'")
    assert reviewed.rows("SELECT kind FROM drift ORDER BY kind") == [("deleted",), ("not_ours",)]
    assert "`adopt` what was made in its place" in shell("decide", entry, "send", code=1).stderr
    shell("decide", entry, "adopt", "99999")
    reviewed.prepare(DAY, DAY, LOAD)
    assert states(reviewed) == {"adopted": 1, "sent": 15}
    assert reviewed.rows("FROM drift") == []
    said = "and is never sent again"
    for words in (["skip"], ["adopt", "99999"]):
        assert said in shell("decide", entry, "send", code=1).stderr
        shell("decide", entry, *words)
    assert said in shell("decide", entry, "send", code=1).stderr


def test_what_was_deleted_is_decided_of_as_its_entry_is_today(reviewed: House, shell: Type) -> None:
    """Changed between sending and skipping, it was asked of once more, as changed since."""
    reviewed.prepare(DAY, DAY, LOAD)
    ours = reviewed.activities[0]
    [(entry_id,)] = reviewed.rows(
        "SELECT entry_id FROM deliveries WHERE quickbooks_id = $1", ours["Id"]
    )
    del reviewed.sandbox.world.company.activities[ours["Id"]]
    entry = reviewed.sandbox.world.workspace.entries[entry_id]
    assert entry.end
    entry.end += timedelta(minutes=20)
    reviewed.prepare(DAY, DAY, *DAILY)
    assert states(reviewed) == {"gone": 1, "sent": 15}
    shell("decide", entry_id, "skip")
    reviewed.prepare(DAY, DAY, *DAILY)
    assert states(reviewed) == {"skipped": 1, "sent": 15}
    entry.end += timedelta(minutes=20)
    reviewed.prepare(DAY, DAY, *DAILY)
    assert states(reviewed) == {"doubtful": 1, "sent": 15}


def test_what_is_adopted_in_its_place_is_its_own_persons_whoever_bears_the_name_now(
    reviewed: House, shell: Type
) -> None:
    """The names of two employees were exchanged since: by them it would be the other's."""
    reviewed.prepare(DAY, DAY, LOAD)
    company, ours = reviewed.sandbox.world.company, reviewed.activities[0]
    own = ours["EmployeeRef"]["value"]
    other = next(key for key in company.employees if key != own)
    names = {key: company.employees[key]["DisplayName"] for key in (own, other)}
    for key, swapped in ((own, other), (other, own)):
        company.employees[key]["DisplayName"] = names[swapped]
        again = {**ours, "Id": f"9999{key}", "EmployeeRef": {"value": key}}
        company.activities[again["Id"]] = again
    [(entry_id,)] = reviewed.rows(
        "SELECT entry_id FROM deliveries WHERE quickbooks_id = $1", ours["Id"]
    )
    del company.activities[ours["Id"]]
    reviewed.prepare(DAY, DAY, *REFERENCES, *DAILY)
    assert "another person's" in shell("decide", entry_id, "adopt", f"9999{other}", code=1).stderr
    shell("decide", entry_id, "adopt", f"9999{own}")


def test_what_is_adopted_in_its_place_is_followed_when_its_entry_has_changed(
    reviewed: House, shell: Type
) -> None:
    """Typed anew as it was sent, it is nobody's edit: `AFTER_SEND=update` follows the entry."""
    reviewed.prepare(DAY, DAY, LOAD)
    activities, ours = reviewed.sandbox.world.company.activities, reviewed.activities[0]
    [(entry_id,)] = reviewed.rows(
        "SELECT entry_id FROM deliveries WHERE quickbooks_id = $1", ours["Id"]
    )
    activities["99999"] = {**activities.pop(ours["Id"]), "Id": "99999"}
    entry = reviewed.sandbox.world.workspace.entries[entry_id]
    assert entry.end
    entry.end += timedelta(minutes=20)
    reviewed.prepare(DAY, DAY, *DAILY)
    shell("decide", entry_id, "adopt", "99999")
    reviewed.changes["AFTER_SEND"] = "update"
    reviewed.prepare(DAY, DAY, *DAILY)
    assert as_stored(activities["99999"]).minutes == as_stored(ours).minutes + 20
    assert reviewed.rows("FROM drift") == []


def test_what_quickbooks_refused_is_tried_again_when_asked(reviewed: House, shell: Type) -> None:
    """By reason or by id; not otherwise, since the same row would be refused again."""
    fault = {"Error": [{"Message": "No", "Detail": "", "code": "2500"}], "type": "Fault"}
    reviewed.sandbox.fail("batch", "status", status=400, body={"Fault": fault})
    load(reviewed)
    assert states(reviewed) == {"refused": 16}
    assert "the reasons that stand are: 2500" in " ".join(
        shell("retry", "--reason", "610", code=1).stderr.split()
    ).replace("The", "the")
    assert "has not refused aaa" in shell("retry", "aaa", code=1).stderr
    shell("retry", code=2)
    one = reviewed.rows("SELECT min(entry_id) FROM deliveries")[0][0]
    shell("retry", one)
    assert totals(json.loads(shell("plan", *SPAN, "--json").stdout)) == {"send": 1}
    assert len(json.loads(shell("retry", "--reason", "2500", "--json").stdout)) == 15
    load(reviewed)
    assert states(reviewed) == {"sent": 16}


def test_what_stops_a_command_is_one_sentence_and_an_exit_code(
    reviewed: House, shell: Type
) -> None:
    """Wrong settings are 1, wrong usage 2, and a warehouse that another run holds 4."""
    shell("cutover", str(NEXT), str(DAY), code=2)
    shell("cutover", "yesterday", str(DAY), code=2)
    shell("no-such-command", code=2)
    environment = {**reviewed.environment, "TIME_ZONE": "Mars/Olympus"}
    wrong = CliRunner(env=environment).invoke(main, ["plan", *SPAN])
    assert wrong.exit_code == 1
    assert "TIME_ZONE" in wrong.stderr
    assert "Traceback" not in wrong.output
    reviewed.changes["LOCK_SECONDS"] = "0"
    with company.opened(reviewed.settings, "of-the-morning", print, only_reads=True):
        held_by = CliRunner(env=reviewed.environment).invoke(main, ["plan", *SPAN])
    assert held_by.exit_code == 4
    assert "held by run of-the-morning" in held_by.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("WAREHOUSE", ["Check that WAREHOUSE is right"] * 2),
        ("LEDGER", ["QuickBooks has not refused", "the time activity 9 is not in QuickBooks"]),
    ],
)
def test_a_command_that_stops_leaves_the_copies_as_they_were(
    setting: str, said: list[str], loaded: House, shell: Type
) -> None:
    """Of a shell that lacks a file's name an empty one was made, and the emptiness published.

    Nor does the next run take it for one that was cut short.
    """
    [(entry,)] = loaded.rows("SELECT min(entry_id) FROM deliveries WHERE state = 'doubtful'")
    before, copies = states(loaded), ledger_file.copies(loaded.settings.ledger)
    elsewhere = loaded.folder / "elsewhere"
    loaded.changes[setting] = str(elsewhere / "another.duckdb")
    for words, why in zip((("retry", entry), ("decide", entry, "adopt", "9")), said, strict=True):
        assert why in " ".join(shell(*words, code=1).stderr.split())
    del loaded.changes[setting]
    assert states(loaded) == before
    assert ledger_file.copies(loaded.settings.ledger) == copies
    assert not company.unfinished(loaded.settings).exists()
    assert elsewhere.exists() == (setting == "LEDGER")


def test_what_is_printed_for_machines_is_that_alone_also_after_a_wait(
    reviewed: House, shell: Type
) -> None:
    """What is tried again says so on standard error, if at all."""
    reviewed.changes["LOCK_SECONDS"] = "30"
    lock = FileLock(reviewed.settings.warehouse.with_suffix(".lock"), thread_local=False)
    lock.acquire()
    threading.Timer(2, lock.release).start()
    assert totals(json.loads(shell("plan", *SPAN, "--json").stdout)) == {"send": 16}


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
