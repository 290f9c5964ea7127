"""Tokens: rotated once, stored before use, and every way a connection can be lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.tokens import Tokens
from pipeline.settings import Settings
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.pipeline.conftest import SettingsFor
from tests.pipeline.others import mounted, until

DAY = 86_400
REFRESH = "POST /oauth2/v1/tokens/bearer"
ROOT = Path(__file__).parents[3]
PRINT_TOKEN = (
    "from pipeline.settings import Settings\n"
    "from pipeline.quickbooks.tokens import Tokens\n"
    "print(Tokens(Settings.load()).access_token())"
)
READ_COMPANY = (
    "from pipeline.quickbooks.client import QuickBooks\n"
    "from pipeline.settings import Settings\n"
    "from pipeline.quickbooks.tokens import Tokens\n"
    "settings = Settings.load()\n"
    "with QuickBooks(settings, Tokens(settings)) as quickbooks:\n"
    "    quickbooks.company()"
)
ON_A_FULL_DISK = (
    "import resource\n"
    "from pipeline.settings import Settings\n"
    "from pipeline.stops import Stop\n"
    "from pipeline.quickbooks.tokens import Tokens\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    "try:\n"
    "    Tokens(Settings.load()).access_token()\n"
    "except Stop as stop:\n"
    "    print(stop)"
)


def process(script: str, sandbox: Sandbox, token_file: Path) -> "subprocess.Popen[str]":
    """Another process of the same company."""
    own = {"QUICKBOOKS_TOKEN_FILE": str(token_file), "HTTP_PATIENCE_SECONDS": "20"}
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **sandbox.env, **own},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def stored(token_file: Path) -> dict[str, Any]:
    """What the token file holds."""
    content: dict[str, Any] = json.loads(token_file.read_text())
    return content


def age(token_file: Path, **changes: str) -> None:
    """Make the stored access token an old one."""
    old = {**stored(token_file), "expires_at": "2026-01-01T00:00:00+00:00", **changes}
    token_file.write_text(json.dumps(old))


def test_the_first_use_spends_the_token_from_the_settings(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """The new pair is kept with its company and its age, for its owner's eyes only."""
    access_token = Tokens(settings_for()).access_token()
    kept = stored(token_file)
    assert kept["access_token"] == access_token
    assert kept["refresh_token"] == sandbox.world.tokens.refresh_token
    assert kept["realm_id"] == sandbox.world.company.realm_id
    assert kept["issued_at"] < kept["expires_at"]
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in token_file.parent.iterdir()) == [
        token_file.name,
        f"{token_file.name}.lock",
    ]


def test_a_link_to_the_token_file_stays_one(
    settings_for: SettingsFor, token_file: Path, tmp_path: Path
) -> None:
    """Written over, it would leave who goes by the file's own name with a token that was spent."""
    link = tmp_path / "link.json"
    link.symlink_to(token_file)
    first = Tokens(settings_for()).access_token()
    there = settings_for(QUICKBOOKS_TOKEN_FILE=str(link))
    second = Tokens(there).refresh(rejected=first)
    assert link.is_symlink()
    assert stored(token_file)["access_token"] == second
    assert not link.with_name("link.json.lock").exists(), "one file has one lock"


def test_what_lies_in_the_drafts_place_is_neither_written_through_nor_kept_open(
    settings_for: SettingsFor, token_file: Path, tmp_path: Path
) -> None:
    """A link that somebody laid there would lead tokens into a file that others may read."""
    tokens = Tokens(settings_for())
    tokens.access_token()
    other = tmp_path / "other"
    other.write_text("theirs")
    token_file.with_name(f"{token_file.name}.new").symlink_to(other)
    tokens.refresh(rejected=tokens.access_token())
    assert other.read_text() == "theirs"
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_a_fresh_token_is_used_again_by_this_process_and_by_the_next(
    sandbox: Sandbox, settings_for: SettingsFor
) -> None:
    """An hour of runs costs one refresh."""
    tokens = Tokens(settings_for())
    assert tokens.access_token() == tokens.access_token()
    assert Tokens(settings_for()).access_token() == tokens.access_token()
    assert sandbox.calls(REFRESH) == 1


def test_once_there_is_a_file_the_token_in_the_settings_is_not_looked_at(
    settings_for: SettingsFor, token_file: Path
) -> None:
    """It is dead since the first rotation, and would end the connection."""
    Tokens(settings_for()).access_token()
    age(token_file)
    Tokens(settings_for(QUICKBOOKS_REFRESH_TOKEN="AB1-long-dead")).access_token()


def test_an_old_access_token_is_renewed_before_it_is_refused(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """And the rotated refresh token takes the old one's place."""
    before = Tokens(settings_for()).access_token()
    age(token_file)
    assert Tokens(settings_for()).access_token() != before
    assert stored(token_file)["refresh_token"] == sandbox.world.tokens.refresh_token


@pytest.mark.parametrize(("consent", "ends"), [(5 * 365 * DAY, 101 * DAY), (7 * DAY, 7 * DAY)])
def test_the_end_of_the_consent_is_known_where_it_comes_before_the_tokens(
    settings_for: SettingsFor,
    token_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    consent: int,
    ends: int,
) -> None:
    """Five years after it was given no use prolongs it; Intuit says so only if asked."""
    monkeypatch.setattr("pipeline.sandbox.quickbooks.tokens.HARD_EXPIRY_SECONDS", consent)
    Tokens(settings_for()).access_token()
    issued, end = (
        datetime.fromisoformat(stored(token_file)[name])
        for name in ("issued_at", "refresh_expires_at")
    )
    assert (end - issued).total_seconds() == ends


def test_a_refused_token_is_renewed_only_if_nobody_has_done_so(
    sandbox: Sandbox, settings_for: SettingsFor
) -> None:
    """Compare and swap: the second of two that were refused takes what the first has stored."""
    one, other = Tokens(settings_for()), Tokens(settings_for())
    refused = one.access_token()
    assert other.access_token() == refused
    renewed = one.refresh(rejected=refused)
    assert renewed != refused
    assert other.refresh(rejected=refused) == renewed
    assert sandbox.calls(REFRESH) == 2


def test_processes_that_refresh_at_once_spend_the_token_once(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """A second use of the old token would revoke the connection for good."""
    sandbox.switch(reuse_revokes=True)
    Tokens(settings_for()).access_token()
    age(token_file)
    sandbox.fail("bearer", "delay", delay_seconds=1)
    running = [process(PRINT_TOKEN, sandbox, token_file) for _ in range(3)]
    printed = {child.communicate(timeout=60)[0].strip() for child in running}
    assert [child.returncode for child in running] == [0, 0, 0]
    assert printed == {stored(token_file)["access_token"]}
    assert sandbox.calls(REFRESH) == 2
    assert not sandbox.world.tokens.is_revoked


def test_threads_that_refresh_at_once_spend_the_token_once(
    sandbox: Sandbox, settings_for: SettingsFor
) -> None:
    """Four requests in flight are refused together."""
    sandbox.switch(reuse_revokes=True)
    tokens = Tokens(settings_for())
    refused = tokens.access_token()
    threads = [threading.Thread(target=tokens.refresh, args=(refused,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sandbox.calls(REFRESH) == 2


def test_a_dead_refresh_token_says_how_to_reconnect(
    sandbox: Sandbox, settings_for: SettingsFor
) -> None:
    """Asked once, never in a loop."""
    with pytest.raises(Stop) as raised:
        Tokens(settings_for(QUICKBOOKS_REFRESH_TOKEN="AB1-long-dead")).access_token()
    assert "invalid_grant" in raised.value.what
    assert raised.value.fix == "Connect the company again with `python -m pipeline connect`"
    assert sandbox.calls(REFRESH) == 1


def test_after_invalid_grant_the_store_is_read_once_more(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """Somebody without our lock, such as another machine, may have rotated meanwhile."""
    settings = settings_for()
    Tokens(settings).access_token()
    living = stored(token_file)
    age(token_file, refresh_token="AB1-long-dead")
    sandbox.fail("bearer", "delay", delay_seconds=0.4)
    rotated = {**living, "expires_at": "2026-01-01T00:00:00+00:00"}
    sibling = threading.Timer(0.2, token_file.write_text, [json.dumps(rotated)])
    sibling.start()
    assert Tokens(settings).access_token()
    sibling.join()
    assert sandbox.calls(REFRESH) == 3


def test_wrong_keys_of_the_app_are_told_from_a_lost_connection(settings_for: SettingsFor) -> None:
    """Connecting again would not help."""
    with pytest.raises(Stop, match="invalid_client") as raised:
        Tokens(settings_for(QUICKBOOKS_CLIENT_SECRET="wrong-secret")).access_token()
    assert "Check QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET" in raised.value.fix


def test_a_company_that_was_never_connected_says_so(
    settings_for: SettingsFor, token_file: Path
) -> None:
    """Neither a file nor a first token."""
    with pytest.raises(Stop) as raised:
        Tokens(settings_for(QUICKBOOKS_REFRESH_TOKEN="")).access_token()
    assert str(raised.value) == (
        f"QuickBooks is not connected: {token_file} does not exist. "
        "Connect the company with `python -m pipeline connect`."
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "cannot be read (JSONDecodeError)"),
        ("[]", "cannot be read (TypeError)"),
        ('{"access_token": "eyJsecret"}', "cannot be read (TypeError)"),
        (" " * 16_384, "cannot be read (JSONDecodeError)"),
    ],
)
def test_a_damaged_file_is_named(
    settings_for: SettingsFor, token_file: Path, content: str, says: str
) -> None:
    """The token in the settings is dead by then, so it is not tried."""
    token_file.parent.mkdir()
    token_file.write_text(content)
    with pytest.raises(Stop) as raised:
        Tokens(settings_for()).access_token()
    assert f"The token file {token_file} {says}" in str(raised.value)
    assert "eyJsecret" not in str(raised.value)


@pytest.mark.parametrize("torn", ["eyJ-secret-in-two\nlines", "eyJ-secret ", "eyJ-secret-é"])
def test_a_token_that_no_header_takes_is_said_to_be_damaged_and_not_quoted(
    settings_for: SettingsFor, token_file: Path, capsys: pytest.CaptureFixture[str], torn: str
) -> None:
    """The HTTP library names what it cannot send, and each retry is printed with its cause."""
    settings = settings_for()
    Tokens(settings).access_token()
    token_file.write_text(json.dumps(stored(token_file) | {"access_token": torn}))
    with pytest.raises(Stop) as raised, QuickBooks(settings, Tokens(settings)) as quickbooks:
        quickbooks.company()
    said = "".join([*traceback.format_exception(raised.value), *capsys.readouterr()])
    assert "cannot be read (ValueError)" in said
    assert "eyJ-secret" not in said


def test_no_token_is_in_what_a_pair_looks_like(settings_for: SettingsFor) -> None:
    """A traceback with its values, or a line of debugging, would show it."""
    tokens = Tokens(settings_for())
    tokens.access_token()
    pair = tokens.stored()
    assert pair
    assert pair.realm_id in repr(pair)
    assert not [token for token in (pair.access_token, pair.refresh_token) if token in repr(pair)]


def test_the_file_of_another_company_is_refused(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """A swap of sandbox and production must not send into the other books."""
    Tokens(settings_for()).access_token()
    with pytest.raises(Stop) as raised:
        Tokens(settings_for(QUICKBOOKS_REALM_ID="1")).access_token()
    realm = sandbox.world.company.realm_id
    assert f"belongs to company {realm}, but QUICKBOOKS_REALM_ID is 1" in str(raised.value)
    assert str(token_file) in str(raised.value)


def test_where_nothing_can_be_stored_nothing_is_spent(
    sandbox: Sandbox, settings_for: SettingsFor, tmp_path: Path
) -> None:
    """A rotated token that cannot be kept is a lost connection."""
    (tmp_path / "file").touch()
    settings = settings_for(QUICKBOOKS_TOKEN_FILE=str(tmp_path / "file" / "token.json"))
    with pytest.raises(Stop, match=r"token\.json cannot be"):
        Tokens(settings).access_token()
    assert sandbox.calls(REFRESH) == 0


def test_a_full_disk_spends_nothing(sandbox: Sandbox, token_file: Path) -> None:
    """Room for the new pair is taken before Intuit is asked; a small limit stands for the disk."""
    child = process(ON_A_FULL_DISK, sandbox, token_file)
    said, _ = child.communicate(timeout=60)
    assert f"The token file {token_file} cannot be written (File too large)" in said
    assert sandbox.calls(REFRESH) == 0
    assert not token_file.exists()


def test_a_file_that_takes_no_other_in_its_place_spends_nothing(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """As where the file alone is mounted into a container: it can be written, and not replaced."""
    Tokens(settings_for()).access_token()
    age(token_file)
    spent = sandbox.calls(REFRESH)
    with mounted(token_file):
        with pytest.raises(Stop, match="mount the folder, not the file alone"):
            Tokens(settings_for()).access_token()
        assert sandbox.calls(REFRESH) == spent
    assert Tokens(settings_for()).access_token()


def test_a_token_is_on_the_disk_before_it_is_used(sandbox: Sandbox, token_file: Path) -> None:
    """A process killed at its very first request has lost nothing."""
    sandbox.fail("companyinfo", "delay", delay_seconds=20)
    child = process(READ_COMPANY, sandbox, token_file)
    path = "GET /v3/company/{id}/companyinfo/{id}"
    until(lambda: sandbox.calls(path) == 1)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert stored(token_file)["refresh_token"] == sandbox.world.tokens.refresh_token


def test_a_process_killed_while_it_refreshes_leaves_the_old_file_and_no_lock(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """Where the refresh token was not rotated by that call, the next process just goes on."""
    sandbox.switch(rotate_on_refresh="daily")
    Tokens(settings_for()).access_token()
    age(token_file)
    before = token_file.read_bytes()
    sandbox.fail("bearer", "delay", delay_seconds=20, when="after")
    child = process(PRINT_TOKEN, sandbox, token_file)
    until(lambda: sandbox.calls(REFRESH) == 2)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert token_file.read_bytes() == before
    assert Tokens(settings_for()).access_token() == stored(token_file)["access_token"]


def test_a_lock_held_too_long_stops_the_run(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """Rather than wait for ever."""
    sandbox.fail("bearer", "delay", delay_seconds=20)
    child = process(PRINT_TOKEN, sandbox, token_file)
    until(lambda: sandbox.calls(REFRESH) == 1)
    with pytest.raises(Stop, match="Another process has been renewing") as raised:
        Tokens(settings_for(LOCK_SECONDS="0")).access_token()
    assert raised.value.is_transient
    child.kill()
    child.communicate()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"fault": "status", "status": 503}, "did not give a usable answer"),
        ({"fault": "status", "status": 429, "body": ""}, "did not give a usable answer"),
        ({"fault": "status", "status": 200, "body": "{}"}, "did not give a usable answer"),
        (
            {
                "fault": "status",
                "status": 200,
                "body": '{"access_token": "no header takes it", "expires_in": 3600}',
            },
            "did not give a usable answer",
        ),
        ({"fault": "drop_before_store"}, "the connection broke"),
        ({"fault": "delay", "delay_seconds": 3}, "it did not answer in time"),
    ],
)
def test_an_outage_of_the_token_service_is_transient(
    sandbox: Sandbox, settings_for: SettingsFor, fault: dict[str, Any], says: str
) -> None:
    """Asked once: whether the old token was spent cannot be known."""
    sandbox.fail("bearer", **fault)
    with pytest.raises(Stop, match=says) as raised:
        Tokens(settings_for()).access_token()
    assert raised.value.is_transient
    assert sandbox.calls(REFRESH) == 1


def test_a_closed_port_of_the_token_service_is_named(
    settings_for: SettingsFor, closed_port: int
) -> None:
    """With the host, as for every service."""
    settings: Settings = settings_for(QUICKBOOKS_TOKEN_URL=f"http://127.0.0.1:{closed_port}/t")
    with pytest.raises(Stop, match=f"token service cannot be reached at 127.0.0.1:{closed_port}"):
        Tokens(settings).access_token()
