"""The settings: the only reader of the environment and of `.env`.

Holds the names, their defaults and what each must be; keeps out what is done with them. Nothing
is read before `Settings.load()` is called. A field's description is the fix that the message about
a wrong value ends with, where its type does not say enough.
"""

import csv
import ipaddress
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Secret,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode
from pydantic_settings import SettingsConfigDict as Config
from rapidfuzz import process

from pipeline import env_file
from pipeline.files import AS_ITS_USER, is_there
from pipeline.stops import Stop

TIME_ZONES = available_timezones() - {"localtime"}
"""The zones that this machine knows, less its own, whose name says nothing elsewhere; each time
they are asked for, its disk is searched."""
FREE_TEXT = ("SERVICE_ITEM", "ONLY_USERS", "ONLY_CLIENTS", "ONLY_PROJECTS")
LONGEST_REQUEST = 120
"""Seconds for which QuickBooks works on a request (its reference, 7.1)."""
LEEWAY = 60
"""Seconds, at least, from when a write is begun until it has gone out, clocks included."""


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    lines = csv.reader(value.splitlines(), skipinitialspace=True)
    return [name.strip() for names in lines for name in names if name.strip()]


def _has_sound_port(url: SplitResult) -> bool:
    """Whether it names none, or a number; what is read as one may be a part of a password."""
    try:
        return url.port is None or url.port > 0
    except ValueError:
        return False


def _safe(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname or not _has_sound_port(url):
        raise ValueError("that is not a web address: give it as https://host/path")
    if url.scheme == "http" and not is_loopback(value):
        raise ValueError("http:// would send keys unprotected: use https://")
    return value


def _base(value: str) -> str:
    value = value.rstrip("/")
    if value.endswith("/v3"):
        raise ValueError("the version is added to it: leave /v3 out")
    return value


def _plain(value: str) -> str:
    """As it goes into a header, which takes no other characters."""
    if not value:
        raise ValueError("it is empty")
    if not (value.isascii() and value.isprintable()):
        raise ValueError("it has characters that no key has, such as curly quotes: copy it again")
    return value


def _known_zone(value: str, info: ValidationInfo) -> str:
    hosts = (info.data.get(name, "") for name in ("clockify_api_url", "quickbooks_api_url"))
    if not value and all(map(is_loopback, hosts)):
        return "UTC"
    if not value:
        raise ValueError("it decides the date of every entry")
    if value not in TIME_ZONES:
        near = process.extractOne(value, sorted(TIME_ZONES))
        raise ValueError(f"there is no such zone; the nearest name is {near[0]}")
    return value


def _begun(value: date, info: ValidationInfo) -> date:
    if value > datetime.now(ZoneInfo(info.data.get("time_zone", "UTC"))).date():
        raise ValueError("it lies in the future")
    return value


def _loaded(value: date | None, info: ValidationInfo) -> date | None:
    start = info.data.get("start_date")
    if value and start and value < start:
        raise ValueError(f"days before START_DATE ({start}) are never loaded")
    return value


def _apart(value: Path, info: ValidationInfo) -> Path:
    """One file in the place of another would be written over, the ledger with it."""
    for name in ("quickbooks_token_file", "warehouse", "ledger"):
        other = info.data.get(name)
        if name != info.field_name and other and other.resolve() == value.resolve():
            raise ValueError(f"that is {name.upper()}'s file too: give each its own")
    return value


def _priced(value: str, info: ValidationInfo) -> str:
    """Else every billable entry would be rejected for a price that nobody can set."""
    if not value and info.data.get("rate_source") == "service_item":
        raise ValueError("RATE_SOURCE=service_item sends its price: name the item")
    return value


def _outlasting(value: int, info: ValidationInfo) -> int:
    """A write goes out within half the patience; as long as it is worked on, it may be stored.

    What is looked for earlier might not be there yet, and would be sent a second time.
    """
    least = LONGEST_REQUEST + max(LEEWAY, info.data.get("http_patience_seconds", 0) // 2)
    if value < least and not is_loopback(info.data.get("quickbooks_api_url", "")):
        raise ValueError(
            "QuickBooks may still be storing what was sent such a short time ago, and it would "
            f"be sent twice: set at least {least}, or lower HTTP_PATIENCE_SECONDS"
        )
    return value


Url = Annotated[str, AfterValidator(_safe), AfterValidator(_base)]
ExactUrl = Annotated[str, AfterValidator(_safe)]
"""One that is compared character for character by who is given it."""
SecretUrl = Secret[Annotated[str, AfterValidator(_safe)]]
Key = Secret[Annotated[str, AfterValidator(_plain)]]
PublicKey = Annotated[str, AfterValidator(_plain)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Begun = Annotated[date, AfterValidator(_begun)]
Loaded = Annotated[date | None, AfterValidator(_loaded)]
OwnFile = Annotated[Path, AfterValidator(_apart)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Hexadecimal = Annotated[str, StringConstraints(pattern=r"^\w+$", to_lower=True)]
"""An id that is the same however a person types it, and is compared with what was stored."""
Count = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(ge=0, le=3650)]
Rate = Annotated[Decimal, Field(gt=0, le=10**9)]


def settings_file() -> Path:
    """The file that the settings are read from.

    `ENV_FILE` names another than `.env`: by it the demo keeps clear of real accounts.
    """
    return Path(os.environ.get("ENV_FILE") or ".env").expanduser()


class Settings(BaseSettings):
    """Everything that differs between two companies or two machines."""

    model_config = Config(frozen=True, env_ignore_empty=True, extra="ignore", validate_default=True)

    clockify_api_key: Key = Field(description="set an API key of a Clockify admin")
    clockify_workspace_id: Hexadecimal = Field(description="set the id in the workspace's address")
    clockify_api_url: Url = "https://api.clockify.me/api/v1"
    clockify_reports_url: Url = "https://reports.api.clockify.me/v1"
    quickbooks_client_id: PublicKey = Field(description="set the client id of your Intuit app")
    quickbooks_client_secret: Key = Field(description="set your Intuit app's client secret")
    quickbooks_realm_id: str = Field(pattern="^[0-9]+$", description="set the company id: digits")
    quickbooks_refresh_token: Secret[str] | None = None
    quickbooks_token_file: Path = Path("data/quickbooks-token.json")
    quickbooks_api_url: Url = "https://quickbooks.api.intuit.com"
    quickbooks_authorize_url: Url = "https://appcenter.intuit.com/connect/oauth2"
    quickbooks_token_url: Url = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
    quickbooks_redirect_url: ExactUrl = "http://localhost:8765/callback"
    quickbooks_revoke_url: Url = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
    warehouse: OwnFile = Path("data/warehouse.duckdb")
    ledger: OwnFile = Path("data/ledger.duckdb")
    analysis: OwnFile = Path("data/analysis.duckdb")
    time_zone: Zone = Field("", description="set an IANA name, such as America/New_York")
    start_date: Begun = Field(description="set the first work date to read, as YYYY-MM-DD")
    send_from: Loaded = Field(None, description="set the first work date to send, as YYYY-MM-DD")
    send_after_days: Days = 0
    send_up_to: Literal["yesterday", "last_week", "last_month"] = "yesterday"
    lookback_days: Days = 35
    rounding: Literal["workspace", "on", "off"] = "workspace"
    send_non_billable: bool = False
    zero_rates: Literal["reject", "send"] = "reject"
    max_rate: Rate = Field(Decimal(10_000), description="set the highest hourly rate")
    rate_source: Literal["clockify", "service_item"] = "clockify"
    require_approval: bool = False
    customer_matching: Literal["auto", "project", "client_project"] = "auto"
    service_item: Annotated[str, AfterValidator(_priced)] = ""
    taxable: bool = False
    only_users: Names = ()
    only_clients: Names = ()
    only_projects: Names = ()
    after_send: Literal["flag", "update"] = "flag"
    metadata_names: Literal["names", "ids"] = "names"
    metadata_rows: Count = 50
    readme_url: Url | None = None
    dry_run: bool = False
    http_patience_seconds: int = Field(120, ge=1)
    """For how long one request is retried in all."""
    settle_seconds: Annotated[Count, AfterValidator(_outlasting)] = 300
    allow_payroll: bool = False
    alert_slack_url: SecretUrl | None = None
    alert_webhook_url: SecretUrl | None = None
    lock_seconds: Count = 600
    """For how long a run waits for another's lock."""

    @classmethod
    def load(cls) -> "Settings":
        """Read the settings from the environment and `.env`.

        Raises:
            Stop: something is missing or wrong; names all of it at once.
        """
        file = settings_file()
        try:
            wrong = cls._odd(file, is_named=bool(os.environ.get("ENV_FILE")))
            if not wrong:
                return cls(_env_file=file)
        except ValidationError as error:  # its own text shows the values of secrets
            wrong = [_complaint(each) for each in error.errors()]
        except OSError as error:
            raise Stop(
                f"The settings file {error.filename} cannot be read ({error.strerror})", AS_ITS_USER
            ) from error
        except UnicodeDecodeError:
            raise Stop(
                "The settings file is not UTF-8", "Save it as UTF-8, as editors do by default"
            ) from None
        raise Stop(
            "The settings are wrong: " + "; ".join(dict.fromkeys(wrong)),
            f"Correct them in the environment or in {file}",
        )

    @classmethod
    def _odd(cls, file: Path, *, is_named: bool) -> list[str]:
        """Where something was meant to be set and is not: to send, or not to, would be wrong.

        Raises:
            OSError: the file was asked for by name and is not there, or cannot be read.
            UnicodeDecodeError: it is no UTF-8.
        """
        shell = {name.upper() for name, value in os.environ.items() if value}
        names = {name.upper() for name in cls.model_fields}
        is_a_file = is_there(file) and file.is_file()  # a folder may be somebody's environment
        there = file if is_named or is_a_file else None
        return env_file.complaints(there, shell, names, FREE_TEXT)

    @field_validator("*", mode="before")
    @classmethod
    def _strip(cls, value: object, info: ValidationInfo) -> object:
        """Without blanks about it; a comment is no value, where the file's reader knows none."""
        is_free = str(info.field_name).upper() in FREE_TEXT
        if isinstance(value, str) and value.lstrip().startswith("# " if is_free else "#"):
            raise ValueError("that is a comment: put it on a line of its own")
        return value.strip() if isinstance(value, str) else value

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def since(self) -> date:
        """The first work date that concerns us."""
        return self.send_from or self.start_date

    @property
    def files(self) -> dict[str, Path]:
        """The pipeline's own files, by the setting that names each."""
        names = ("warehouse", "ledger", "analysis", "quickbooks_token_file")
        return {name.upper(): getattr(self, name) for name in names}

    @property
    def alert_receivers(self) -> dict[str, Secret[str]]:
        """Where alerts go: `slack`, `webhook`, whichever are set, to their addresses."""
        known = {"slack": self.alert_slack_url, "webhook": self.alert_webhook_url}
        return {name: address for name, address in known.items() if address}

    @property
    def is_real(self) -> bool:
        """Whether any of the two services is on another machine, so that sending counts."""
        hosts = (self.clockify_api_url, self.clockify_reports_url, self.quickbooks_api_url)
        return not all(map(is_loopback, hosts))


def _complaint(error: ErrorDetails) -> str:
    """One wrong setting: its name, its value unless secret, what is wrong and the fix."""
    name = str(error["loc"][0])
    field = Settings.model_fields[name]
    fix = f" ({field.description})" if field.description else ""
    if error["type"] == "missing":
        return f"{name.upper()} is not set{fix}"
    wrong = error["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    if "Secret" in str(field.annotation):
        return f"{name.upper()} is not usable: {wrong}{fix}"
    shown = f"`{error['input']}`" if error["input"] else "not set"
    return f"{name.upper()} is {shown}: {wrong}{fix}"
