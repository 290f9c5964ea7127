"""The life of Intuit's tokens: given out, rotated, expired, reused, revoked.

Keeps out: addresses and forms.
"""

import secrets
from datetime import timedelta
from typing import Any

from pipeline.sandbox.holder import Holder

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 8_726_400
"""101 days: what recorded answers say, where the documentation says 100."""
HARD_EXPIRY_SECONDS = 157_680_000
"""Five years."""
_DAY = timedelta(hours=24)
_DESCRIPTIONS = {"invalid_grant": "Incorrect or invalid refresh token"}


class OAuthError(Exception):
    """A refusal by the authorization server.

    Args:
        code: OAuth's name for it.
        status: The HTTP status.
    """

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": code}
        if code in _DESCRIPTIONS:
            self.body = {"error_description": _DESCRIPTIONS[code], **self.body}


def new_code(holder: Holder, redirect_uri: str) -> str:
    """Return an authorization code for one redirect address."""
    code = f"AB1{secrets.token_urlsafe(24)}"
    holder.world.tokens.codes[code] = redirect_uri
    holder.touch("tokens", "codes")
    return code


def redeem(holder: Holder, code: str, redirect_uri: str) -> dict[str, Any]:
    """Return a new pair of tokens for a code, which is used up.

    Raises:
        OAuthError: `invalid_grant`, the code is unknown, used, or for another address.
    """
    if holder.world.tokens.codes.pop(code, None) != redirect_uri:
        raise OAuthError("invalid_grant")
    holder.world.tokens.is_revoked = False
    holder.world.tokens.access_tokens.clear()
    _rotate(holder)
    return _pair(holder)


def refresh(holder: Holder, refresh_token: str) -> dict[str, Any]:
    """Return a new access token, and the refresh token that is valid from now on.

    Raises:
        OAuthError: `invalid_grant`, the token is not the living one.
    """
    tokens, age = holder.world.tokens, holder.now() - holder.world.tokens.refresh_issued_at
    if refresh_token in tokens.dead_refresh_tokens and holder.setting("reuse_revokes"):
        tokens.is_revoked = True
        holder.touch("tokens", "is_revoked")
    is_alive = refresh_token == tokens.refresh_token and not tokens.is_revoked
    if not is_alive or age.total_seconds() > REFRESH_SECONDS:
        raise OAuthError("invalid_grant")
    if holder.setting("rotate_on_refresh") == "always" or age >= _DAY:
        _rotate(holder)
    return _pair(holder)


def revoke(holder: Holder, token: str) -> None:
    """End the connection that a refresh or access token belongs to.

    Raises:
        OAuthError: `invalid_token`, nothing living is known by it.
    """
    tokens = holder.world.tokens
    if tokens.is_revoked or token not in (tokens.refresh_token, *tokens.access_tokens):
        raise OAuthError("invalid_token")
    tokens.is_revoked = True
    tokens.access_tokens.clear()
    holder.touch("tokens")


def is_alive(holder: Holder, access_token: str) -> bool:
    """Return whether an access token is known and has not expired."""
    expires_at = holder.world.tokens.access_tokens.get(access_token)
    is_known = expires_at is not None and not holder.world.tokens.is_revoked
    return is_known and expires_at is not None and expires_at > holder.now()


def _rotate(holder: Holder) -> None:
    tokens = holder.world.tokens
    tokens.dead_refresh_tokens.append(tokens.refresh_token)
    tokens.refresh_token = f"AB1{secrets.token_urlsafe(32)}"
    tokens.refresh_issued_at = holder.now()


def _pair(holder: Holder) -> dict[str, Any]:
    tokens, now = holder.world.tokens, holder.now()
    living = {key: until for key, until in tokens.access_tokens.items() if until > now}
    access_token = f"eyJ{secrets.token_urlsafe(48)}"
    tokens.access_tokens = {**living, access_token: now + timedelta(seconds=ACCESS_SECONDS)}
    holder.touch("tokens")
    return {
        "x_refresh_token_expires_in": REFRESH_SECONDS,
        "refresh_token": tokens.refresh_token,
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": ACCESS_SECONDS,
    }
