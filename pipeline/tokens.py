"""Intuit's OAuth tokens: refreshed by one process at a time, stored before they are used.

Intuit may kill the old refresh token the moment it gives a new one, so room for the new pair is
taken on the disk before the old one is spent, and the pair is on the disk before it is used
(quickbooks-api.md, 10.2 and 10.3). Keeps out the consent by which a company is first connected.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import IO

import httpx
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from filelock import FileLock, Timeout
from pyrate_limiter import Duration, Rate

from pipeline.http import Http, Service
from pipeline.settings import Settings
from pipeline.stops import Stop

LEEWAY = timedelta(minutes=2)
"""An access token this close to its end is renewed first: it must outlast one request."""
ROOM = 16_384
"""Bytes reserved for a pair of tokens; Intuit's are below 5,000."""


@dataclass(frozen=True)
class Pair:
    """What the token file holds. Instants are ISO 8601."""

    realm_id: str
    access_token: str
    refresh_token: str
    issued_at: str
    expires_at: str
    """When the access token ends, by this machine's clock."""

    @property
    def is_fresh(self) -> bool:
        """Whether the access token outlasts a request."""
        return datetime.now(UTC) + LEEWAY < datetime.fromisoformat(self.expires_at)


class Tokens:
    """The tokens of one company.

    Args:
        settings: Names the company, the app's keys and the file; a lock file is kept beside it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.quickbooks_token_file
        self._pair: Pair | None = None
        first = settings.quickbooks_refresh_token
        self._first_token = first.get_secret_value() if first else ""
        self._keys = (
            settings.quickbooks_client_id,
            settings.quickbooks_client_secret.get_secret_value(),
        )
        self.secrets = {self._keys[1], self._first_token} - {""}
        """Every secret value seen so far: what no text may show."""

    def access_token(self) -> str:
        """Return an access token that outlasts a request, refreshing it if need be.

        Raises:
            Stop: as `refresh`.
        """
        self._pair = self._pair or self._stored()
        if self._pair and self._pair.is_fresh:
            return self._pair.access_token
        return self.refresh()

    def refresh(self, rejected: str | None = None) -> str:
        """Return a new access token; one that another process has just stored will do.

        Args:
            rejected: The access token that QuickBooks refused, if one was.

        Raises:
            Stop: Intuit refuses the refresh token or the app's keys, or cannot be reached; the
                file is damaged, belongs to another company or cannot be written; another process
                has been renewing the tokens for longer than `LOCK_SECONDS`.
        """
        with self._locked():
            pair = self._stored()
            if pair is None or not pair.is_fresh or pair.access_token == rejected:
                pair = self._renewed(pair)
            self._pair = pair
        return pair.access_token

    def _renewed(self, pair: Pair | None) -> Pair:
        """Spend the stored refresh token; if it is dead, the one a sibling stored meanwhile."""
        token = pair.refresh_token if pair else self._first_token
        if not token:
            raise Stop(
                f"QuickBooks is not connected: {self._path} does not exist",
                "Connect the company and set QUICKBOOKS_REFRESH_TOKEN",
            )
        while True:
            try:
                return self._spent(token)
            except OAuth2Error as error:
                now = self._stored() if error.error == "invalid_grant" else None
                if now is None or now.refresh_token == token:
                    raise self._refusal(error.error) from None
                token = now.refresh_token

    def _spent(self, refresh_token: str) -> Pair:
        """Exchange a refresh token for a new pair, stored before it is returned."""
        new = self._path.with_name(f"{self._path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
                _flush(file, b" " * ROOM)
                pair = self._asked(refresh_token)
                file.seek(0)
                _flush(file, json.dumps(asdict(pair)).encode().ljust(ROOM))
                new.replace(self._path)
        finally:
            new.unlink(missing_ok=True)
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        return pair

    def _asked(self, refresh_token: str) -> Pair:
        """What Intuit gives for a refresh token, if its answer is usable."""
        url, rate = self._settings.quickbooks_token_url, Rate(5, Duration.SECOND)
        fix = "Run again in a few minutes"
        service = Service("Intuit's token service", url, rate, in_flight=1, throttled_fix=fix)
        self.secrets.add(refresh_token)
        with Http(service, self._settings.http_patience_seconds, self.secrets) as http:
            # Authlib's own httpx client insists on httpx2; its core takes any session.
            client = OAuth2Client(http.client, *self._keys)
            auth = httpx.BasicAuth(*self._keys)
            try:
                answer: dict[str, str] = http.write(
                    lambda: client.refresh_token(url, refresh_token=refresh_token, auth=auth)
                )
            except httpx.RequestError as error:
                raise http.unreachable(error) from error
            except (httpx.HTTPStatusError, ValueError):
                answer = {}
        if not {"access_token", "expires_in"} <= answer.keys():
            what = "Intuit's token service did not give a usable answer"
            raise Stop(what, fix, is_transient=True)
        issued = datetime.now(UTC)
        pair = Pair(
            realm_id=self._settings.quickbooks_realm_id,
            access_token=answer["access_token"],
            refresh_token=answer.get("refresh_token", refresh_token),
            issued_at=issued.isoformat(),
            expires_at=(issued + timedelta(seconds=int(answer["expires_in"]))).isoformat(),
        )
        self.secrets |= {pair.access_token, pair.refresh_token}
        return pair

    def _refusal(self, error: str) -> Stop:
        what = "Intuit refused to renew the connection to QuickBooks"
        fix = "Look at the app in Intuit's developer portal"
        if error == "invalid_grant":
            what = "Intuit no longer accepts the connection to QuickBooks"
            fix = (
                f"Connect the company again: delete {self._path} and set QUICKBOOKS_REFRESH_TOKEN "
                "to the new refresh token"
            )
        elif error == "invalid_client":
            what = "Intuit does not know the app's keys"
            keys = "QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET"
            fix = f"Check {keys}: connecting again does not help"
        return Stop(f"{what} ({error})", fix)

    def _stored(self) -> Pair | None:
        """What is stored; None where nothing is yet."""
        try:
            pair = Pair(**json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Stop(
                f"The token file {self._path} cannot be read ({type(error).__name__})",
                "Restore it, or delete it and set QUICKBOOKS_REFRESH_TOKEN to a new token",
            ) from None  # a decoder's message may quote the file
        if pair.realm_id != self._settings.quickbooks_realm_id:
            raise Stop(
                f"The token file {self._path} belongs to company {pair.realm_id}, but "
                f"QUICKBOOKS_REALM_ID is {self._settings.quickbooks_realm_id}",
                "Set QUICKBOOKS_TOKEN_FILE to a file of its own for each company",
            )
        self.secrets |= {pair.access_token, pair.refresh_token}
        return pair

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only process that renews the tokens, where they can be stored."""
        seconds = self._settings.lock_seconds
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=seconds, mode=0o600):
                yield
        except Timeout:
            raise Stop(
                f"Another process has been renewing {self._path} for over {seconds} seconds",
                "End that process, then run again",
                is_transient=True,
            ) from None
        except OSError as error:
            raise Stop(
                f"The token file {self._path} cannot be written ({error.strerror})",
                "Free the disk or correct the folder's permissions, then run again",
            ) from error


def _flush(file: IO[bytes], content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
