"""Intuit's OAuth: discovery, the consent page, tokens, revocation, and the stubs around them.

Holds: the addresses and what they answer. Keeps out: how tokens are made and rotated.
"""

import base64
import binascii
import json
from collections.abc import Callable
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks import tokens
from pipeline.sandbox.quickbooks.gate import bearer
from pipeline.sandbox.quickbooks.tokens import OAuthError

AUTHORIZE = "/connect/oauth2"
TOKEN = "/oauth2/v1/tokens/bearer"  # noqa: S105  # an address
REVOKE = "/v2/oauth2/tokens/revoke"
USER_INFO = "/v1/openid_connect/userinfo"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Connect to {company}</title>
<style>body{{font:16px system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1.5rem;margin-right:.5rem}}</style></head>
<body><h1>Connect to QuickBooks</h1>
<p>This is the sandbox: nothing here leaves this machine.</p>
<p>An application asks to read and write the books of <strong>{company}</strong>.</p>
<form method="post" action="{action}">{fields}
<button name="decision" value="connect">Connect</button>
<button name="decision" value="cancel">Cancel</button></form></body></html>
"""


def routes(holder: Holder) -> list[Route]:
    """Return the routes of the authorization server.

    Args:
        holder: The world whose company is being connected.
    """
    answers: list[tuple[str, Callable[[Request, bytes, Holder], Response], str]] = [
        ("/.well-known/openid_configuration", _discovery, "GET"),
        ("/.well-known/openid_configuration/", _discovery, "GET"),
        ("/.well-known/openid_sandbox_configuration/", _discovery, "GET"),
        (AUTHORIZE, _ask, "GET"),
        (AUTHORIZE, _decide, "POST"),
        (TOKEN, _token, "POST"),
        (REVOKE, _revoke, "POST"),
        (USER_INFO, _user_info, "GET"),
        ("/op/v1/jwks", _keys, "GET"),
    ]
    return [_route(path, answer, method, holder) for path, answer, method in answers]


def _route(
    path: str, answer: Callable[[Request, bytes, Holder], Response], method: str, holder: Holder
) -> Route:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        with holder.changing():
            try:
                return answer(request, body, holder)
            except OAuthError as error:
                return JSONResponse(error.body, error.status)

    return Route(path, endpoint, methods=[method])


def _discovery(request: Request, _: bytes, __: Holder) -> Response:
    base = f"{request.url.scheme}://{request.url.netloc}"
    return JSONResponse(
        {
            "issuer": f"{base}/op/v1",
            "authorization_endpoint": base + AUTHORIZE,
            "token_endpoint": base + TOKEN,
            "userinfo_endpoint": base + USER_INFO,
            "revocation_endpoint": base + REVOKE,
            "jwks_uri": f"{base}/op/v1/jwks",
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "com.intuit.quickbooks.accounting"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
    )


def _ask(request: Request, _: bytes, holder: Holder) -> Response:
    """Show the consent form, or say on the page what is wrong with the request for it."""
    asked = {name: request.query_params.get(name, "") for name in _ASKED}
    wrong = _wrong(asked, holder)
    if wrong:
        return HTMLResponse(f"<h1>Sorry</h1><p>{escape(wrong)}</p>", 400)
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in asked.items()
    )
    company = escape(holder.world.company.name)
    return HTMLResponse(_PAGE.format(company=company, action=AUTHORIZE, fields=fields))


def _decide(_: Request, body: bytes, holder: Holder) -> Response:
    sent = dict(parse_qsl(body.decode(), keep_blank_values=True))
    asked = {name: sent.get(name, "") for name in _ASKED}
    wrong = _wrong(asked, holder)
    if wrong:
        return HTMLResponse(f"<h1>Sorry</h1><p>{escape(wrong)}</p>", 400)
    answer = {"error": "access_denied", "state": asked["state"]}
    if sent.get("decision") == "connect":
        code = tokens.new_code(holder, asked["redirect_uri"])
        realm = holder.world.company.realm_id
        answer = {"code": code, "state": asked["state"], "realmId": realm}
    join = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return RedirectResponse(asked["redirect_uri"] + join + urlencode(answer), 302)


def _wrong(asked: dict[str, str], holder: Holder) -> str | None:
    address = urlsplit(asked["redirect_uri"])
    if asked["client_id"] != holder.world.tokens.client_id:
        return "The client_id is not known."
    if asked["response_type"] != "code":
        return "The response_type must be code."
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        return "The redirect_uri must be https, or on this machine."
    if "com.intuit.quickbooks.accounting" not in asked["scope"].split():
        return "The scope must include com.intuit.quickbooks.accounting."
    return None if asked["state"] else "The state is missing."


def _token(request: Request, body: bytes, holder: Holder) -> Response:
    _check_client(request, holder)
    sent = dict(parse_qsl(body.decode()))
    grant = sent.get("grant_type")
    if grant == "authorization_code":
        given = tokens.redeem(holder, sent.get("code", ""), sent.get("redirect_uri", ""))
    elif grant == "refresh_token":
        given = tokens.refresh(holder, sent.get("refresh_token", ""))
    else:
        raise OAuthError("unsupported_grant_type")
    if request.headers.get("x-include-refresh-token-hard-expires-in") == "true":
        given["x_refresh_token_hard_expires_in"] = tokens.HARD_EXPIRY_SECONDS
    return JSONResponse(given, headers={"Cache-Control": "no-store"})


def _revoke(request: Request, body: bytes, holder: Holder) -> Response:
    _check_client(request, holder)
    try:
        sent = json.loads(body)
    except ValueError:
        sent = dict(parse_qsl(body.decode(errors="replace")))
    tokens.revoke(holder, str(sent.get("token", "")))
    return Response(status_code=200)


def _user_info(request: Request, _: bytes, holder: Holder) -> Response:
    if not tokens.is_alive(holder, bearer(request.headers.get("authorization", ""))):
        raise OAuthError("invalid_token", status=401)
    return JSONResponse(
        {
            "sub": "b0a54c4e-sandbox",
            "givenName": "Sandbox",
            "familyName": "Owner",
            "email": "owner@example.com",
            "emailVerified": True,
        }
    )


def _keys(_: Request, __: bytes, ___: Holder) -> Response:
    """No identity tokens are issued, so there is no key to check one with."""
    return JSONResponse({"keys": []})


def _check_client(request: Request, holder: Holder) -> None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    known = f"{holder.world.tokens.client_id}:{holder.world.tokens.client_secret}"
    try:
        given = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    if scheme.lower() != "basic" or given != known:
        raise OAuthError("invalid_client", status=401)
