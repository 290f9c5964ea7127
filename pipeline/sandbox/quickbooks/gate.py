"""What stands before every call to the API: the token, the realm, the subscription, the limits.

Keeps out: what a call does once it is let in.
"""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.batch import as_text
from pipeline.sandbox.quickbooks.faults import FaultError, envelope, unauthorised, xml
from pipeline.sandbox.quickbooks.throttle import Throttle
from pipeline.sandbox.world import World

JSON = "application/json;charset=UTF-8"


class UnauthorisedError(Exception):
    """The bearer token is missing, unknown, dead or expired."""


def admit(request: Request, holder: Holder, throttle: Throttle) -> None:
    """Let a call in.

    Raises:
        UnauthorisedError: status 401.
        FaultError: 3100 for another company, 6190 without a subscription, 3001 over the limits.
    """
    _check_token(request.headers.get("authorization", ""), holder.world, holder.now())
    if request.path_params.get("realm") != holder.world.company.realm_id:
        detail = "The application is not authorised for this company."
        raise FaultError("3100", detail, status=403, kind="AuthorizationFault")
    if holder.setting("throttle"):
        throttle.take(is_batch=request.url.path.endswith("/batch"))
    if holder.setting("subscription") != "active":
        raise FaultError(
            "6190",
            "Subscription period has ended or canceled or there was a billing problem : "
            "You can't add data to QuickBooks Online because your subscription period ended.",
            status=200 if holder.setting("subscription") == "ended_in_200" else 400,
        )


def bearer(header: str) -> str:
    """Return the token of an `Authorization` header; empty where it has none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def refused(fault: FaultError, now: datetime) -> Response:
    """Return a refusal as it travels."""
    return Response(as_text(envelope(fault, now)), fault.status, media_type=JSON)


def unauthorised_response(request: Request, error: UnauthorisedError, now: datetime) -> Response:
    """Return a 401: as XML to a client that does not ask for JSON."""
    body = unauthorised(str(error), now)
    headers = {"WWW-Authenticate": 'Bearer realm="Intuit", error="invalid_token"'}
    if "json" in request.headers.get("accept", ""):
        return Response(as_text(body), 401, headers, JSON)
    error_body = body["fault"]["error"][0]
    text = xml("3200", error_body["message"], error_body["detail"], "AUTHENTICATION", now)
    return Response(text, 401, headers, "application/xml")


def _check_token(header: str, world: World, now: datetime) -> None:
    token = bearer(header)
    if not token:
        raise UnauthorisedError("AuthenticationFailed")
    expires_at = world.tokens.access_tokens.get(token)
    if expires_at is None or world.tokens.is_revoked:
        raise UnauthorisedError(f"Token invalid or revoked: {token}")
    if expires_at <= now:
        raise UnauthorisedError(f"Token expired: {token}")
