"""Intuit's OAuth as the sandbox plays it: consent, codes, rotation, reuse, expiry, revocation."""

import base64
from typing import Any

import httpx
import pytest

from tests.conftest import Sandbox
from tests.sandbox.quickbooks_client import Api

BACK = "http://localhost:8000/callback"


def _token(sandbox: Sandbox, secret: str | None = None, **sent: str) -> httpx.Response:
    secret = secret or sandbox.env["QUICKBOOKS_CLIENT_SECRET"]
    pair = f"{sandbox.env['QUICKBOOKS_CLIENT_ID']}:{secret}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return httpx.post(sandbox.env["QUICKBOOKS_TOKEN_URL"], data=sent, headers=headers)


def _refresh(sandbox: Sandbox, token: str) -> httpx.Response:
    return _token(sandbox, grant_type="refresh_token", refresh_token=token)


def _asked(sandbox: Sandbox, **changes: str) -> dict[str, str]:
    return {
        "client_id": sandbox.env["QUICKBOOKS_CLIENT_ID"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "state": "abc",
        **changes,
    }


def test_the_consent_page_names_the_company_and_escapes_what_it_was_sent(
    sandbox: Sandbox,
) -> None:
    """A state that is markup stays text."""
    asked = _asked(sandbox, state='"><script>')
    page = httpx.get(sandbox.env["QUICKBOOKS_AUTHORIZE_URL"], params=asked)
    assert sandbox.world.company.name.split()[0] in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"response_type": "token"},
        {"redirect_uri": "http://example.com/"},
        {"scope": "openid"},
        {"state": ""},
    ],
)
def test_a_wrong_request_for_consent_is_not_redirected(
    sandbox: Sandbox, change: dict[str, str]
) -> None:
    """The person sees what is wrong; the application is not told."""
    for method in ("GET", "POST"):
        asked = _asked(sandbox, **change)
        where: dict[str, Any] = {"params": asked} if method == "GET" else {"data": asked}
        answer = httpx.request(method, sandbox.env["QUICKBOOKS_AUTHORIZE_URL"], **where)
        assert answer.status_code == 400


def test_refusing_consent_goes_back_with_an_error(sandbox: Sandbox) -> None:
    """The state comes back, a code does not."""
    sent = {**_asked(sandbox), "decision": "cancel"}
    answer = httpx.post(sandbox.env["QUICKBOOKS_AUTHORIZE_URL"], data=sent)
    assert answer.headers["location"] == f"{BACK}?error=access_denied&state=abc"


def test_a_code_is_good_once_and_for_its_own_address(sandbox: Sandbox) -> None:
    """A used code, or one for another address, is an invalid grant."""
    for redirect, statuses in ((BACK, [200, 400]), ("http://localhost/other", [400, 400])):
        sent = {**_asked(sandbox), "decision": "connect"}
        answer = httpx.post(sandbox.env["QUICKBOOKS_AUTHORIZE_URL"], data=sent)
        code = httpx.URL(answer.headers["location"]).params["code"]
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        assert [_token(sandbox, **asked).status_code for _ in statuses] == statuses


def test_an_old_refresh_token_is_an_invalid_grant(sandbox: Sandbox) -> None:
    """The body is the recorded one; the new token goes on living."""
    old = sandbox.env["QUICKBOOKS_REFRESH_TOKEN"]
    first = _refresh(sandbox, old).json()
    again = _refresh(sandbox, old)
    assert (again.status_code, again.json()) == (
        400,
        {"error_description": "Incorrect or invalid refresh token", "error": "invalid_grant"},
    )
    assert first["expires_in"] == 3600
    assert _refresh(sandbox, first["refresh_token"]).status_code == 200


def test_reusing_an_old_token_may_end_the_connection(sandbox: Sandbox) -> None:
    """Third parties report it of the real service."""
    sandbox.switch(reuse_revokes=True)
    old = sandbox.env["QUICKBOOKS_REFRESH_TOKEN"]
    new = _refresh(sandbox, old).json()["refresh_token"]
    assert _refresh(sandbox, old).status_code == 400
    assert _refresh(sandbox, new).status_code == 400


def test_the_token_may_rotate_once_a_day_only(sandbox: Sandbox) -> None:
    """Within 24 hours the same value comes back."""
    with sandbox.holder.changing() as world:
        world.tokens.refresh_issued_at = sandbox.holder.now()
    sandbox.switch(rotate_on_refresh="daily")
    old = sandbox.env["QUICKBOOKS_REFRESH_TOKEN"]
    assert _refresh(sandbox, old).json()["refresh_token"] == old
    sandbox.switch(clock_skew_seconds=25 * 3600)
    assert _refresh(sandbox, old).json()["refresh_token"] != old


def test_wrong_keys_are_an_invalid_client(sandbox: Sandbox) -> None:
    """Status 401: reconnecting does not help."""
    asked = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = _token(sandbox, secret="wrong", **asked)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_another_grant_is_not_supported(sandbox: Sandbox) -> None:
    """There is no way in without a person."""
    answer = _token(sandbox, grant_type="client_credentials")
    assert answer.json() == {"error": "unsupported_grant_type"}


def test_an_access_token_lasts_an_hour(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """After it the answer is a 401 whose detail contains the token."""
    sandbox.switch(clock_skew_seconds=3590)
    assert quickbooks_api.get("preferences").status_code == 200
    sandbox.switch(clock_skew_seconds=3601)
    answer = quickbooks_api.get("preferences")
    token = quickbooks_api.http.headers["authorization"].removeprefix("Bearer ")
    error = answer.json()["fault"]["error"][0]
    assert (answer.status_code, error["code"]) == (401, "3200")
    assert error["detail"] == f"Token expired: {token}"
    assert "www-authenticate" in answer.headers


def test_a_401_is_xml_for_a_client_that_does_not_ask_for_json(sandbox: Sandbox) -> None:
    """With the code as an attribute."""
    url = f"{sandbox.url}/v3/company/1/query"
    answer = httpx.get(url, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.text.startswith("<?xml")
    assert 'code="3200"' in answer.text
