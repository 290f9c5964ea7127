"""Intuit's token service: a code or a refresh token becomes a pair of tokens, a pair is revoked.

Each is asked once, never in a loop: nobody can tell whether a request without an answer has spent
its token. Keeps out where a pair is kept (`tokens`) and how a code is come by (`consent`). Facts:
quickbooks-api.md, 10.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from authlib.oauth2.client import OAuth2Client
from pyrate_limiter import Duration, Rate

from pipeline.http import Http, Service
from pipeline.settings import Settings
from pipeline.stops import Stop

LEEWAY = timedelta(minutes=2)
"""An access token this close to its end is renewed first: it must outlast one request."""
KEYS = "QUICKBOOKS_CLIENT_ID and QUICKBOOKS_CLIENT_SECRET"
AGAIN = "Run again in a few minutes"
_LIMITS = ("x_refresh_token_expires_in", "x_refresh_token_hard_expires_in")
_ASK_FOR_LIMITS = {"x-include-refresh-token-hard-expires-in": "true"}
"""Unasked, Intuit does not say when a consent's five years are over (quickbooks-api.md, 10.1)."""


@dataclass(frozen=True)
class Pair:
    """What the token file holds. Instants are ISO 8601, by this machine's clock."""

    realm_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: str
    expires_at: str
    """When the access token ends."""
    refresh_expires_at: str | None = None
    """When the refresh token ends unless it is used before, or sooner, when the consent does; none
    if Intuit did not say."""

    def __post_init__(self) -> None:
        # Of what no header takes, the HTTP library would quote all of it.
        if not re.fullmatch("[!-~]*", f"{self.access_token}{self.refresh_token}"):
            raise ValueError("a token with blanks or other letters is none")

    @property
    def is_fresh(self) -> bool:
        """Whether the access token outlasts a request."""
        return datetime.now(UTC) + LEEWAY < datetime.fromisoformat(self.expires_at)


class TokenService:
    """What an app asks of Intuit for one company.

    Args:
        settings: Names the company, the app's keys and the addresses.
        secrets: Values that no text may show; every token seen is added.
    """

    def __init__(self, settings: Settings, secrets: set[str]) -> None:
        secret = settings.quickbooks_client_secret.get_secret_value()
        self._settings = settings
        self._auth = httpx.BasicAuth(settings.quickbooks_client_id, secret)
        self._secrets = secrets
        self._secrets.add(secret)

    def refreshed(self, refresh_token: str) -> Pair:
        """Return a new pair for a refresh token, which may die by that.

        Raises:
            OAuth2Error: Intuit refuses the token or the app's keys.
            Stop: Intuit cannot be reached, or its answer is not usable.
        """
        self._secrets.add(refresh_token)
        return self._given({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def exchanged(self, code: str) -> Pair:
        """Return the first pair of a consent for its code, which is used up by that.

        Raises:
            OAuth2Error, Stop: as `refreshed`.
        """
        self._secrets.add(code)
        redirect = self._settings.quickbooks_redirect_url
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        return self._given(asked)

    def revoke(self, refresh_token: str) -> None:
        """End the connection that a refresh token belongs to; one that has ended is no error.

        Raises:
            Stop: Intuit refuses the app's keys, cannot be reached, or its answer is not usable.
        """
        url = self._settings.quickbooks_revoke_url
        with self._http(url) as http:
            try:
                answer = http.write(lambda: http.client.post(url, json={"token": refresh_token}))
            except httpx.RequestError as error:
                raise http.unreachable(error) from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise refusal("invalid_client")
        if answer.status_code not in {httpx.codes.OK, httpx.codes.BAD_REQUEST}:
            what = f"Intuit's token service answers {answer.status_code} to the revocation"
            raise Stop(what, AGAIN, is_transient=True)

    def _given(self, asked: dict[str, str]) -> Pair:
        """What Intuit gives, if its answer is usable; it may leave out an unchanged token."""
        url = self._settings.quickbooks_token_url
        with self._http(url) as http:
            # Authlib's own httpx client insists on httpx2; its core takes any session.
            client = OAuth2Client(http.client)
            try:
                answer = http.write(lambda: client.fetch_token(url, auth=self._auth, **asked))
            except httpx.RequestError as error:
                raise http.unreachable(error) from error
            except (httpx.HTTPStatusError, ValueError):
                answer = {}
        pair = _pair(asked | answer, self._settings.quickbooks_realm_id)
        if pair is None:
            what = "Intuit's token service did not give a usable answer"
            raise Stop(what, AGAIN, is_transient=True)
        self._secrets |= {pair.access_token, pair.refresh_token}
        return pair

    def _http(self, url: str) -> Http:
        rate = Rate(5, Duration.SECOND)
        service = Service("Intuit's token service", url, rate, in_flight=1, throttled_fix=AGAIN)
        patience = self._settings.http_patience_seconds
        return Http(service, patience, self._secrets, headers=_ASK_FOR_LIMITS, auth=self._auth)


def refusal(error: str) -> Stop:
    """What stops a run when Intuit refuses to go on with a connection.

    Args:
        error: OAuth's name for it.
    """
    what = "Intuit refused to renew the connection to QuickBooks"
    fix = "Look at the app in Intuit's developer portal"
    if error == "invalid_grant":
        what = "Intuit no longer accepts the connection to QuickBooks"
        fix = "Connect the company again with `python -m pipeline connect`"
    elif error == "invalid_client":
        what = "Intuit does not know the app's keys"
        fix = f"Check {KEYS}: connecting again does not help"
    return Stop(f"{what} ({error})", fix)


def _pair(answer: dict[str, str], realm_id: str) -> Pair | None:
    """What is kept of an answer; none if it is not usable."""
    issued = datetime.now(UTC)

    def after(seconds: str) -> str:
        return (issued + timedelta(seconds=int(seconds))).isoformat()

    try:
        ends = [after(said) for limit in _LIMITS if (said := str(answer.get(limit))).isdecimal()]
        pair = Pair(
            realm_id=realm_id,
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            issued_at=issued.isoformat(),
            expires_at=after(answer["expires_in"]),
            refresh_expires_at=min(ends, default=None),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return pair if pair.access_token and pair.refresh_token else None
