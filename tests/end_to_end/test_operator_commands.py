"""`status`, `why`, `doctor` and `disconnect`, as a person types them."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from pipeline.__main__ import main
from pipeline.sandbox.seed.oddities import add_entry, user_of
from tests.end_to_end.conftest import DAY, House, problems
from tests.end_to_end.stages import LOAD

Type = Callable[..., Result]


@pytest.fixture
def shell(reviewed: House) -> Type:
    """Types a command of `python -m pipeline` with the house's settings."""

    def typed(*words: str, code: int = 0) -> Result:
        result = CliRunner(env=reviewed.environment).invoke(main, words)
        assert result.exit_code == code, result.output
        return result

    return typed


def test_status_shows_one_screen_of_what_the_copy_knows(reviewed: House, shell: Type) -> None:
    """What was sent, what waits, what is at risk, and of when all that is."""
    add_entry(reviewed.sandbox.world, DAY, project=None, seconds=7200)
    result = reviewed.run(DAY, DAY)
    assert result.success
    said = shell("status", code=3).stdout
    assert len(said.splitlines()) <= 24
    assert result.run_id in said
    for shown in ("sent 16 (", "rejected 1 (2:00 h)", "the oldest of 2026-11-17", "As of 2026-11-"):
        assert shown in said
    known = json.loads(shell("status", "--json", code=3).stdout)
    assert known["in_run"] == [["sent", 16, known["in_run"][0][2]]]
    assert known["at_risk"][1] == 17  # the one that is rejected, and all of the day after


def test_status_says_when_there_is_nothing_to_show(reviewed: House, shell: Type) -> None:
    """Before the first run, with the fix."""
    reviewed.settings.analysis.unlink()
    assert "launch a first run" in shell("status", code=1).stderr.lower()


def test_why_tells_a_rejected_entry_from_reading_to_fix(reviewed: House, shell: Type) -> None:
    """Both dates where the person's own zone has another."""
    user_of(reviewed.sandbox.world, "daniel").time_zone = "Pacific/Auckland"
    odd = add_entry(reviewed.sandbox.world, DAY, project=None, description="[b]Odd[/b] | *work*")
    assert reviewed.run(DAY, DAY).success
    said = shell("why", odd.id.upper()).stdout
    for shown in (
        "Daniel",
        "2026-11-17 in America/New_York, 2026-11-18 in the person's own zone",
        "[b]Odd[/b] | *work*",
        "Verdict: rejected",
        "no_project:",
        "Delivery: none",
    ):
        assert shown in said
    known = json.loads(shell("why", odd.id, "--json").stdout)
    assert (known["verdict"], known["rejected"]["reasons"]) == ("rejected", ["no_project"])


def test_why_tells_a_delivered_entry_to_its_activity(reviewed: House, shell: Type) -> None:
    """Also after it was deleted in Clockify."""
    assert problems(reviewed.run(DAY, DAY, LOAD)) == []
    [(entry_id, activity)] = reviewed.rows(
        "SELECT entry_id, quickbooks_id FROM deliveries ORDER BY entry_id LIMIT 1"
    )
    said = shell("why", entry_id).stdout
    assert "Verdict: accepted" in said
    assert f"Delivery: sent, time activity {activity}, " in said
    assert "Attempts" in said
    del reviewed.sandbox.world.workspace.entries[entry_id]
    assert reviewed.run(DAY, DAY).success
    assert "no longer in Clockify" in shell("why", entry_id).stdout


def test_why_names_the_nearest_ids_and_the_days_read(reviewed: House, shell: Type) -> None:
    """For an id that was copied badly, and for one of elsewhere."""
    [(known,)] = reviewed.rows("SELECT min(entry_id) FROM clockify_time_entries")
    said = shell("why", known[:-1] + ("0" if known[-1] != "0" else "1"), code=1).stderr
    assert f"The nearest ids are {known}" in said
    assert "2 days from 2026-11-17 to 2026-11-18 were read" in said
    assert "Look it up in Clockify" in shell("why", "x" * 24, code=1).stderr


def test_doctor_prints_marks_and_fixes(reviewed: House, shell: Type) -> None:
    """As JSON too; the exit code says whether anything is wrong."""
    reviewed.changes["SERVICE_ITEM"] = "Site Visits"
    said = shell("doctor", code=1).stdout
    assert "✓ Clockify accepts the key: the workspace Fernhill Landscape & Engineering" in said
    assert "✗ The service item exists: QuickBooks has no active service item" in said
    assert "  Set one of: Site Visit" in said
    known = json.loads(shell("doctor", "--json", code=1).stdout)
    assert {"claim", "state", "said", "fix"} == set(known[0])


def test_disconnect_asks_first_and_forgets(reviewed: House, shell: Type) -> None:
    """Twice is no error."""
    assert not reviewed.sandbox.world.tokens.is_revoked
    shell("disconnect", code=1)
    assert not reviewed.sandbox.world.tokens.is_revoked
    assert "Disconnected" in shell("disconnect", "--yes").stdout
    assert reviewed.sandbox.world.tokens.is_revoked
    assert not reviewed.settings.quickbooks_token_file.exists()
