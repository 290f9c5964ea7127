"""Consent: what the answer of Intuit's page is worth, and what becomes of the connection."""

import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from click.testing import CliRunner

from pipeline.__main__ import main
from pipeline.quickbooks import consent
from pipeline.quickbooks.tokens import Tokens
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.pipeline.conftest import SettingsFor
from tests.pipeline.quickbooks.test_tokens import stored

BACK = "http://localhost:8765/callback"
GOOD = {"code": "AB-code", "state": "ours", "realmId": "42"}


def address(**changes: str | None) -> str:
    """The address on which a browser ends, with some of it changed."""
    answer = {name: text for name, text in {**GOOD, **changes}.items() if text is not None}
    return str(httpx.URL(BACK, params=answer))


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """No window opens: the test is the browser."""
    monkeypatch.setattr(webbrowser, "open", lambda _: True)


@pytest.fixture
def redirect() -> str:
    """An address on this machine that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://localhost:{free.getsockname()[1]}/callback"


def decided(page: str, decision: str) -> str:
    """What a person's click on the consent page leads to."""
    url = urlsplit(page)
    sent = {**dict(parse_qsl(url.query)), "decision": decision}
    answer = httpx.post(f"{url.scheme}://{url.netloc}{url.path}", data=sent)
    return answer.headers["location"]


def clicking(decision: str) -> Callable[[str], None]:
    """A person with a browser, who is shown a page and decides."""

    def shown(page: str) -> None:
        def browse() -> None:
            httpx.get(decided(page, decision))

        threading.Thread(target=browse).start()

    return shown


def test_the_answer_to_our_asking_gives_its_code() -> None:
    """Blanks, quotes and brackets around a pasted address do no harm."""
    for pasted in (f"  {address()}\n", f'"{address()}"', f"<{address()}> "):
        assert consent.code_in(pasted, "ours", "42") == "AB-code"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": "another"}, "its state is missing or different"),
        ({"state": None}, "its state is missing or different"),
        ({"state": "öther"}, "its state is missing or different"),
        ({"error": "access_denied", "code": None}, "The consent was not given (access_denied)"),
        ({"realmId": "7"}, "for the QuickBooks company 7, but QUICKBOOKS_REALM_ID is 42"),
        ({"realmId": None}, "holds no answer"),
        ({"code": None}, "holds no answer"),
    ],
)
def test_any_other_answer_is_refused_with_its_fix(changes: dict[str, str], says: str) -> None:
    """A consent that is not ours, not given, or for other books."""
    with pytest.raises(Stop) as raised:
        consent.code_in(address(**changes), "ours", "42")
    assert says in raised.value.what
    assert "AB-code" not in str(raised.value)


def test_the_consent_page_leads_back_to_this_machine_and_the_pair_is_stored(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path, redirect: str
) -> None:
    """By the code path of a refresh: durable, and for its owner's eyes only."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=redirect, QUICKBOOKS_REFRESH_TOKEN="")
    tokens = Tokens(settings)
    tokens.connect(consent.asked(settings, clicking("connect"), None))
    assert stored(token_file)["refresh_token"] == sandbox.world.tokens.refresh_token
    assert stored(token_file)["refresh_expires_at"] > stored(token_file)["expires_at"]
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert tokens.access_token() in sandbox.world.tokens.access_tokens


def test_the_company_that_was_connected_is_named_and_its_name_not_carried_out(
    sandbox: Sandbox,
    settings_for: SettingsFor,
    token_file: Path,
    redirect: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever may edit the company's name would else write into the terminal of who connects."""
    sandbox.world.company.name = "Ours\x1b]0;theirs\x07\nConnected to others"
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=redirect)

    def asked(*_: object) -> str:
        address = decided(consent.page_of(settings, "ours"), "connect")
        return consent.code_in(address, "ours", settings.quickbooks_realm_id)

    monkeypatch.setattr(consent, "asked", asked)
    own = {"QUICKBOOKS_TOKEN_FILE": str(token_file), "QUICKBOOKS_REDIRECT_URL": redirect}
    done = CliRunner(env=sandbox.env | own).invoke(main, ["connect"], color=True)
    named = "Connected to Ours<U+001B>]0;theirs<U+0007><U+000A>Connected to others (QuickBooks"
    assert done.output.startswith(named)


@pytest.mark.parametrize(
    ("address", "is_pasted"),
    [
        ("http://localhost:8765/callback", False),
        ("https://localhost:8765/callback", True),
        ("https://books.example/callback", True),
    ],
)
def test_an_answer_is_awaited_only_where_a_page_of_ours_can_be(
    settings_for: SettingsFor, address: str, *, is_pasted: bool
) -> None:
    """Ours has no certificate, and is on this machine."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=address)
    assert consent.is_pasted(settings) is is_pasted


def test_a_pasted_address_does_as_well(settings_for: SettingsFor, token_file: Path) -> None:
    """For production keys, whose redirect address cannot be this machine."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL="https://example.com/quickbooks")
    pages: list[str] = []
    code = consent.asked(settings, pages.append, lambda: decided(pages[0], "connect"))
    Tokens(settings).connect(code)
    assert token_file.exists()
    assert consent.is_pasted(settings)


def test_a_refused_consent_stores_nothing(
    settings_for: SettingsFor, token_file: Path, redirect: str
) -> None:
    """And says what to click next time."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=redirect)
    with pytest.raises(Stop, match="access_denied"):
        consent.asked(settings, clicking("cancel"), None)
    assert not token_file.exists()


def test_a_stray_request_to_the_page_is_turned_away_and_the_wait_goes_on(
    settings_for: SettingsFor, redirect: str
) -> None:
    """Whoever does not know the state cannot end the wait, nor bring us their consent."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=redirect)
    answers = []

    def shown(page: str) -> None:
        strays = (f"{redirect}?code=evil&state=evil&realmId=1", f"{redirect}/favicon.ico")
        answers.extend(httpx.get(stray).status_code for stray in strays)
        clicking("connect")(page)

    assert consent.asked(settings, shown, None)
    assert answers == [400, 404]


def test_a_taken_port_is_named(settings_for: SettingsFor, closed_port: int) -> None:
    """Another program may listen on it."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=f"http://127.0.0.1:{closed_port}/callback")
    with pytest.raises(Stop, match=f"No page can be served at http://127.0.0.1:{closed_port}"):
        consent.asked(settings, lambda _: None, None)


def test_nobody_answering_ends_the_wait(
    settings_for: SettingsFor, redirect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way out for a browser on another machine."""
    monkeypatch.setattr(consent, "ANSWER_SECONDS", 0.05)
    with pytest.raises(Stop, match="--paste"):
        consent.asked(settings_for(QUICKBOOKS_REDIRECT_URL=redirect), lambda _: None, None)


def test_a_code_is_good_once(settings_for: SettingsFor, redirect: str) -> None:
    """The second time says so, and keeps the pair of the first."""
    settings = settings_for(QUICKBOOKS_REDIRECT_URL=redirect)
    code = consent.asked(settings, clicking("connect"), None)
    tokens = Tokens(settings)
    tokens.connect(code)
    with pytest.raises(Stop, match="does not accept the code"):
        tokens.connect(code)
    assert tokens.stored()


def test_the_tokens_of_another_company_are_not_written_over(
    settings_for: SettingsFor, token_file: Path
) -> None:
    """Two companies that share a file by mistake."""
    Tokens(settings_for()).access_token()
    before = token_file.read_bytes()
    with pytest.raises(Stop, match="belongs to company"):
        Tokens(settings_for(QUICKBOOKS_REALM_ID="1")).connect("AB-code")
    assert token_file.read_bytes() == before


def test_disconnecting_revokes_and_forgets(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """Twice is no error: there is nothing left to end."""
    tokens = Tokens(settings_for(QUICKBOOKS_REFRESH_TOKEN=""))
    Tokens(settings_for()).access_token()
    assert tokens.disconnect()
    assert sandbox.world.tokens.is_revoked
    assert not token_file.exists()
    assert not tokens.disconnect()


def test_what_intuit_has_ended_already_is_forgotten_too(
    sandbox: Sandbox, settings_for: SettingsFor, token_file: Path
) -> None:
    """Somebody disconnected the app in QuickBooks."""
    Tokens(settings_for()).access_token()
    sandbox.world.tokens.is_revoked = True
    assert Tokens(settings_for()).disconnect()
    assert not token_file.exists()


@pytest.mark.parametrize(
    ("changes", "fault", "says"),
    [
        ({"QUICKBOOKS_CLIENT_SECRET": "wrong"}, None, "does not know the app's keys"),
        ({}, {"fault": "status", "status": 503}, "answers 503"),
        ({}, {"fault": "drop_before_store"}, "the connection broke"),
    ],
)
def test_where_nothing_was_revoked_the_tokens_are_kept(
    sandbox: Sandbox,
    settings_for: SettingsFor,
    token_file: Path,
    changes: dict[str, str],
    fault: dict[str, object] | None,
    says: str,
) -> None:
    """A connection that lives on must not be lost from sight."""
    Tokens(settings_for()).access_token()
    if fault:
        sandbox.admin("POST", "faults", route="revoke", **fault)
    with pytest.raises(Stop, match=says):
        Tokens(settings_for(**changes)).disconnect()
    assert token_file.exists()
