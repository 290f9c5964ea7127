"""Intuit's OAuth tokens: refreshed by one process at a time, stored before they are used.

Keeps out the file and its lock (`token_file`), and the consent by which a company is first
connected.
"""

from datetime import UTC, datetime, timedelta

import httpx
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from pyrate_limiter import Duration, Rate

from pipeline.http import Http, Service
from pipeline.settings import Settings
from pipeline.stops import Stop
from pipeline.token_file import Pair, TokenFile


class Tokens:
    """The tokens of one company.

    Args:
        settings: Names the company, the app's keys and the file.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = TokenFile(settings.quickbooks_token_file, settings.quickbooks_realm_id)
        self._pair: Pair | None = None
        first = settings.quickbooks_refresh_token
        self._first_token = first.get_secret_value() if first else None
        self._keys = (
            settings.quickbooks_client_id,
            settings.quickbooks_client_secret.get_secret_value(),
        )
        self.secrets = {self._keys[1], *([self._first_token] if self._first_token else [])}
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
                file belongs to another company or cannot be written.
        """
        with self._file.locked(self._settings.lock_seconds):
            pair = self._stored()
            if pair is None or not pair.is_fresh or pair.access_token == rejected:
                pair = self._renewed(pair)
            self._pair = pair
        return pair.access_token

    def _stored(self) -> Pair | None:
        pair = self._file.read()
        if pair:
            self.secrets |= {pair.access_token, pair.refresh_token}
        return pair

    def _renewed(self, pair: Pair | None) -> Pair:
        """Spend the stored refresh token; if it is dead, the one a sibling stored meanwhile."""
        token = pair.refresh_token if pair else self._first_token
        if token is None:
            raise Stop(
                f"QuickBooks is not connected: {self._file.path} does not exist",
                "Connect the company and set QUICKBOOKS_REFRESH_TOKEN",
            )
        try:
            return self._spent(token)
        except OAuth2Error as error:
            now = self._stored() if error.error == "invalid_grant" else None
            if now is None or now.refresh_token == token:
                raise self._refusal(error) from None
        try:
            return self._spent(now.refresh_token)
        except OAuth2Error as error:
            raise self._refusal(error) from None

    def _spent(self, refresh_token: str) -> Pair:
        """Exchange a refresh token for a new pair, stored before it is returned."""
        with self._file.reserved() as store:
            answer = self._ask(refresh_token)
            issued = datetime.now(UTC)
            pair = Pair(
                realm_id=self._settings.quickbooks_realm_id,
                access_token=answer["access_token"],
                refresh_token=answer.get("refresh_token", refresh_token),
                issued_at=issued.isoformat(),
                expires_at=(issued + timedelta(seconds=int(answer["expires_in"]))).isoformat(),
            )
            store(pair)
        self.secrets |= {pair.access_token, pair.refresh_token}
        return pair

    def _ask(self, refresh_token: str) -> dict[str, str]:
        url, keys = self._settings.quickbooks_token_url, self._keys
        self.secrets.add(refresh_token)
        with Http(_service(url), self._settings.http_patience_seconds, self.secrets) as http:
            # Authlib's own httpx client insists on httpx2; its core takes any session.
            client = OAuth2Client(http.client, *keys)
            auth = httpx.BasicAuth(*keys)
            try:
                answer: dict[str, str] = http.write(
                    lambda: client.refresh_token(url, refresh_token=refresh_token, auth=auth)
                )
            except httpx.RequestError as error:
                raise http.unreachable(error) from error
            except (httpx.HTTPStatusError, ValueError):
                answer = {}
        if not {"access_token", "expires_in"} <= answer.keys():
            raise Stop(
                "Intuit's token service did not give a usable answer",
                "Run again in a few minutes",
                is_transient=True,
            )
        return answer

    def _refusal(self, error: OAuth2Error) -> Stop:
        if error.error == "invalid_grant":
            return Stop(
                "Intuit no longer accepts the connection to QuickBooks (invalid_grant)",
                f"Connect the company again: delete {self._file.path} and set "
                "QUICKBOOKS_REFRESH_TOKEN to the new refresh token",
            )
        if error.error == "invalid_client":
            return Stop(
                "Intuit does not know the app's keys (invalid_client)",
                "Check QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET: connecting again does "
                "not help",
            )
        return Stop(
            f"Intuit refused to renew the connection to QuickBooks ({error.error})",
            "Look at the app in Intuit's developer portal",
        )


def _service(url: str) -> Service:
    return Service(
        "Intuit's token service",
        url,
        Rate(5, Duration.SECOND),
        in_flight=1,
        throttled_fix="Run again in a few minutes",
    )
