"""Settings: what they become, and the one message that names everything wrong."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.stops import Stop
from tests.settings import settings_of

REAL = {
    "CLOCKIFY_API_KEY": "key-that-nobody-may-see",
    "CLOCKIFY_WORKSPACE_ID": "5e4f1c2a953f48f1a09f76b5",
    "QUICKBOOKS_CLIENT_ID": "app",
    "QUICKBOOKS_CLIENT_SECRET": "secret-that-nobody-may-see",
    "QUICKBOOKS_REALM_ID": "9341401490376253",
    "TIME_ZONE": "America/New_York",
    "START_DATE": "2026-01-01",
}
LOCAL = {
    "CLOCKIFY_API_URL": "http://127.0.0.1:9/api/v1",
    "CLOCKIFY_REPORTS_URL": "http://localhost:9/report/v1",
    "QUICKBOOKS_API_URL": "http://[::1]:9",
}


def message(**changes: str) -> str:
    """The complaint about the valid settings with some changed."""
    with pytest.raises(Stop) as raised:
        settings_of({**REAL, **changes})
    return str(raised.value)


def test_a_real_company_needs_seven_settings_and_has_a_default_for_the_rest() -> None:
    """The defaults are those that deployments depend on."""
    settings = settings_of(REAL)
    assert settings.is_real
    assert settings.zone.key == "America/New_York"
    assert settings.start_date == date(2026, 1, 1)
    assert settings.max_rate == Decimal(10_000)
    assert settings.ledger == Path("data/ledger.duckdb")
    assert (settings.lookback_days, settings.settle_seconds, settings.send_from) == (35, 300, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CLOCKIFY_API_KEY": ""}, "CLOCKIFY_API_KEY is not set (set an API key"),
        ({"CLOCKIFY_WORKSPACE_ID": "a/b"}, "CLOCKIFY_WORKSPACE_ID is `a/b`"),
        ({"QUICKBOOKS_REALM_ID": "9130-1"}, "QUICKBOOKS_REALM_ID is `9130-1`"),
        ({"TIME_ZONE": ""}, "TIME_ZONE is not set: it decides the date of every entry"),
        ({"TIME_ZONE": "America/NewYork"}, "no such zone; the nearest name is America/New_York"),
        ({"TIME_ZONE": "../zone"}, "TIME_ZONE is `../zone`: there is no such zone"),
        ({"START_DATE": ""}, "START_DATE is not set"),
        ({"START_DATE": "2999-01-01"}, "`2999-01-01`: it lies in the future (set the first work"),
        ({"START_DATE": "1.2.2026"}, "START_DATE is `1.2.2026`"),
        ({"SEND_FROM": "2025-12-31"}, "days before START_DATE (2026-01-01) are never loaded"),
        ({"CLOCKIFY_API_URL": "http://api.clockify.me"}, "use https://"),
        ({"CLOCKIFY_REPORTS_URL": "reports.clockify.me"}, "that is not a web address"),
        ({"CLOCKIFY_API_URL": "https://user:pa/ss@host/api"}, "that is not a web address"),
        ({"QUICKBOOKS_API_URL": "https://quickbooks.api.intuit.com/v3"}, "leave /v3 out"),
        ({"QUICKBOOKS_API_URL": "https://quickbooks.api.intuit.com/v3/"}, "leave /v3 out"),
        ({"ROUNDING": "yes"}, "ROUNDING is `yes`"),
        ({"SEND_UP_TO": "today"}, "it should be 'yesterday', 'last_week' or 'last_month'"),
        ({"AFTER_SEND": "delete"}, "it should be 'flag' or 'update'"),
        ({"MAX_RATE": "-1"}, "MAX_RATE is `-1`"),
        ({"MAX_RATE": "1e30"}, "MAX_RATE is `1e30`"),
        ({"DRY_RUN": "perhaps"}, "DRY_RUN is `perhaps`"),
        ({"LOOKBACK_DAYS": "many"}, "LOOKBACK_DAYS is `many`"),
        ({"LOOKBACK_DAYS": "3651"}, "it should be less than or equal to 3650"),
        ({"SEND_AFTER_DAYS": "1000000"}, "SEND_AFTER_DAYS is `1000000`"),
        ({"CLOCKIFY_API_KEY": "\u201ckey\u201d"}, "CLOCKIFY_API_KEY is not usable: it has char"),
        ({"CLOCKIFY_API_KEY": " "}, "CLOCKIFY_API_KEY is not usable: it is empty"),
        ({"TIME_ZONE": "localtime"}, "TIME_ZONE is `localtime`: there is no such zone"),
        ({"LEDGER": "  # default data/ledger.duckdb"}, "that is a comment: put it on a line"),
        ({"CLOCKIFY_API_KEY": "nobody\nsees"}, "such as curly quotes: copy it again"),
        ({"QUICKBOOKS_CLIENT_ID": "\u00e4pp"}, "QUICKBOOKS_CLIENT_ID is `\u00e4pp`: it has char"),
        ({"QUICKBOOKS_CLIENT_SECRET": "\u00e4"}, "QUICKBOOKS_CLIENT_SECRET is not usable: it has"),
        (
            {"ANALYSIS": "data/../data/ledger.duckdb"},
            "that is LEDGER's file too: give",
        ),
        ({"LEDGER": "data/warehouse.duckdb"}, "that is WAREHOUSE's file too"),
        ({"WAREHOUSE": "data/quickbooks-token.json"}, "QUICKBOOKS_TOKEN_FILE's file too"),
        ({"SETTLE_SECONDS": "179"}, "SETTLE_SECONDS is `179`: QuickBooks may still be storing"),
        ({"HTTP_PATIENCE_SECONDS": "362"}, "SETTLE_SECONDS is `300`: QuickBooks may still be"),
        ({"HTTP_PATIENCE_SECONDS": "362"}, "set at least 301, or lower HTTP_PATIENCE_SECONDS"),
        ({"HTTP_PATIENCE_SECONDS": "1", "SETTLE_SECONDS": "179"}, "set at least 180"),
        ({"SETTLE_SECONDS": "0"}, "set at least 180, or lower HTTP_PATIENCE_SECONDS"),
    ],
)
def test_a_wrong_value_is_named_with_the_fix(changes: dict[str, str], expected: str) -> None:
    """One change to the valid settings each."""
    assert expected in message(**changes)


def test_everything_wrong_is_named_at_once_and_no_secret_is_shown() -> None:
    """Nobody corrects ten settings in ten runs."""
    said = message(ZERO_RATES="perhaps", START_DATE="", METADATA_ROWS="-1")
    assert all(name in said for name in ("ZERO_RATES", "START_DATE", "METADATA_ROWS"))
    shown = said + repr(settings_of(REAL))
    assert "nobody-may-see" not in shown


def test_on_loopback_alone_the_time_zone_may_be_left_out() -> None:
    """It decides the date of every entry, so a real company names it."""
    settings = settings_of({**REAL, **LOCAL, "TIME_ZONE": ""})
    assert settings.time_zone == "UTC"
    assert not settings.is_real
    assert "TIME_ZONE" in message(CLOCKIFY_API_URL=LOCAL["CLOCKIFY_API_URL"], TIME_ZONE="")


@pytest.mark.parametrize("name", LOCAL)
def test_one_service_elsewhere_makes_the_company_real(name: str) -> None:
    """Reading a real Clockify into a local QuickBooks is no sandbox."""
    local = {other: url for other, url in LOCAL.items() if other != name}
    assert settings_of({**REAL, **local}).is_real


def test_only_a_quickbooks_on_this_machine_may_be_settled_at_once() -> None:
    """Intuit works for two minutes on a request, which goes out within half our patience."""
    assert settings_of({**REAL, "SETTLE_SECONDS": "180"}).settle_seconds == 180
    longest = {**REAL, "HTTP_PATIENCE_SECONDS": "360"}
    assert settings_of(longest).settle_seconds == 300
    assert settings_of({**REAL, **LOCAL, "SETTLE_SECONDS": "0"}).settle_seconds == 0
    books = {"QUICKBOOKS_API_URL": LOCAL["QUICKBOOKS_API_URL"]}
    assert settings_of({**REAL, **books, "SETTLE_SECONDS": "1"}).settle_seconds == 1


def test_a_workspace_is_the_same_however_its_id_is_typed() -> None:
    """It is hexadecimal; the warehouse and the ledger compare it with what they hold."""
    typed = REAL["CLOCKIFY_WORKSPACE_ID"].upper()
    settings = settings_of({**REAL, "CLOCKIFY_WORKSPACE_ID": typed})
    assert settings.clockify_workspace_id == REAL["CLOCKIFY_WORKSPACE_ID"]


def test_names_are_split_at_commas_without_the_blanks_between() -> None:
    """A list of nothing filters nothing."""
    settings = settings_of({**REAL, "ONLY_USERS": " Ann Lee, Bob , ", "ONLY_CLIENTS": "  "})
    assert settings.only_users == ("Ann Lee", "Bob")
    assert settings.only_clients == settings.only_projects == ()
    quoted = settings_of({**REAL, "ONLY_CLIENTS": '"Acme, Inc.", Bob'})
    assert quoted.only_clients == ("Acme, Inc.", "Bob")
    in_lines = settings_of({**REAL, "ONLY_CLIENTS": '"Acme, Inc.",\nBob\n\nCid, Dee\n'})
    assert in_lines.only_clients == ("Acme, Inc.", "Bob", "Cid", "Dee")


def test_who_sends_the_items_price_names_the_item() -> None:
    """Else every billable entry is rejected for the price of an item that nobody named."""
    priced = {**REAL, "RATE_SOURCE": "service_item"}
    with pytest.raises(Stop, match=r"SERVICE_ITEM is not set: RATE_SOURCE=service_item .* name"):
        settings_of(priced)
    assert settings_of({**priced, "SERVICE_ITEM": "Hours"}).service_item == "Hours"


def test_the_environment_wins_over_the_file_and_an_empty_value_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An empty line in `.env` is a reminder, not a value."""
    monkeypatch.chdir(tmp_path)
    lines = "".join(f"{name}={value}\n" for name, value in REAL.items())
    Path(".env").write_text(f"{lines}ROUNDING=on\nLOOKBACK_DAYS=7\nNOT_OURS=1\n")
    monkeypatch.setenv("ROUNDING", "off")
    monkeypatch.setenv("LOOKBACK_DAYS", "")
    settings = Settings.load()
    assert (settings.rounding, settings.lookback_days) == ("off", 7)


def test_the_redirect_is_as_intuit_has_it_to_the_character() -> None:
    """It compares exactly; of the others a slash at the end is only in the way."""
    given = {"QUICKBOOKS_REDIRECT_URL": "https://acme.example/", "README_URL": "https://a.example/"}
    settings = settings_of(REAL | given)
    assert settings.quickbooks_redirect_url == "https://acme.example/"
    assert settings.readme_url == "https://a.example"


def test_another_file_can_stand_in_for_dot_env(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The demo's, beside the `.env` of real accounts; one that is no text is said so."""
    monkeypatch.chdir(tmp_path)
    lines = "".join(f"{name}={value}\n" for name, value in REAL.items())
    Path(".env").write_text("SERVICE_ITEM=Consulting\n")
    Path("demo").write_text(lines)
    monkeypatch.setenv("ENV_FILE", "demo")
    assert Settings.load().service_item == ""
    Path("demo").write_bytes("SERVICE_ITEM=R\u00e9novation".encode("latin-1"))
    with pytest.raises(Stop, match="not UTF-8"):
        Settings.load()


def test_a_folder_called_dot_env_is_somebodys_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The settings are then those of the shell."""
    monkeypatch.chdir(tmp_path)
    Path(".env").mkdir()
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    assert Settings.load().is_real


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("DRYRUN=true", "DRYRUN is no setting: is it DRY_RUN?"),
        ("DRY_RUN=   # as in .env.example\nDRYRUN=true", "DRYRUN is no setting: is it DRY_RUN?"),
        ("require_approvals=true", "REQUIRE_APPROVALS is no setting: is it REQUIRE_APPROVAL?"),
        ("QUICKBOOKS_REDIRECT_URI=x", "is it QUICKBOOKS_REDIRECT_URL?"),
        ("SERVICE_ITEM=Labor #2", "SERVICE_ITEM is cut at its #: put its value in double quotes"),
        ("ONLY_CLIENTS=Acme #2, Beta  # ours", "ONLY_CLIENTS is cut at its #"),
        ("LEDGER='# default'", "LEDGER is `# default`: that is a comment"),
        ("SERVICE_ITEM=Labor\t#2", "SERVICE_ITEM is cut at its #"),
        ('ONLY_USERS="Smith, John", "Doe, Jane"', "line 8 of .env cannot be read: a value with"),
        ("""ONLY_USERS='"Smith, John", "Doe, Jane"'""", None),
        ('SERVICE_ITEM="#1 Labor"', None),
        ('SERVICE_ITEM="# the item"', "that is a comment"),
        ("CLOCKIFY_API_KEY_OLD=before it was rotated", None),
        ('SERVICE_ITEM="Labor #2"', None),
        ("SERVICE_ITEM=Labor   # our item", None),
        ("SERVICE_ITEM=   # our item", None),
        ("SERVICE_ITEM=Labor#2", None),
        ("DAGSTER_HOME=/srv/dagster", None),
        ("# DRYRUN=true", None),
    ],
)
def test_what_a_file_means_and_does_not_say_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, said: str | None
) -> None:
    """`DRYRUN=true` sent, and `Labor #2` was the item `Labor`."""
    monkeypatch.chdir(tmp_path)
    lines = [*(f"{name}={value}" for name, value in REAL.items()), line]
    Path(".env").write_text("\n".join(lines) + "\n")
    if said is None:
        Settings.load()
        return
    with pytest.raises(Stop) as raised:
        Settings.load()
    assert said in str(raised.value)
    assert "nobody-may-see" not in str(raised.value)


def test_a_misspelt_variable_and_a_missing_file_are_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a shell only what is a setting's name but for its underscores: others' may be alike."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in REAL.items()))
    monkeypatch.setenv("LEDGERS", "of another program")
    assert Settings.load().is_real
    monkeypatch.setenv("DRYRUN", "true")
    with pytest.raises(Stop, match="DRYRUN is no setting: it is called DRY_RUN"):
        Settings.load()
    monkeypatch.setenv("DRY_RUN", "false")
    assert Settings.load().is_real, "whose ever the other is"
    monkeypatch.delenv("DRYRUN")
    monkeypatch.setenv("ENV_FILE", "nowhere.env")
    with pytest.raises(Stop, match=r"The settings file nowhere\.env cannot be read \(No such file"):
        Settings.load()


def test_values_given_are_not_mixed_with_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two companies in one process do not share settings."""
    monkeypatch.setenv("ROUNDING", "off")
    assert settings_of(REAL).rounding == "workspace"


def test_settings_cannot_be_changed() -> None:
    """One object describes a run from start to end."""
    with pytest.raises(ValueError, match="frozen"):
        settings_of(REAL).dry_run = True  # type: ignore[misc]  # that is the test
