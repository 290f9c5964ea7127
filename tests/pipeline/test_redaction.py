"""Redaction: no secret in a text, and nothing else taken away."""

import logging
import time

import pytest

from pipeline.redaction import guarded, redact

KEY = "NmQ5YzJk-clockify-key"


@pytest.mark.parametrize(
    "text",
    [
        "X-Api-Key: {}",
        "{{'x-api-key': '{}'}}",
        "Authorization: Bearer {}",
        "authorization=Basic {}",
        '"access_token": "{}"',
        "refresh_token={}&grant_type=refresh_token",
        "client_secret={}",
        "Token expired: {}",
    ],
)
def test_a_secret_is_known_by_its_name(text: str) -> None:
    """Also one that nobody has told us about."""
    assert redact(text.format("R1xA9-unknown/secret==")) == text.format("[removed]")


def test_a_known_secret_is_removed_wherever_it_stands() -> None:
    """An empty secret removes nothing."""
    assert redact(f"/path/{KEY}?a={KEY}", {KEY, ""}) == "/path/[removed]?a=[removed]"


@pytest.mark.parametrize(
    "text",
    [
        "Required parameter TxnDate is missing in the request",
        "Basic landscaping for the token garden: three beds",
        "Malformed bearer token: too short or too long",
        "HTTP Request: GET https://quickbooks.api.intuit.com/v3/company/9130/query 200",
    ],
)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    """Words like token and basic are ordinary words."""
    assert redact(text, {KEY}) == text


@pytest.mark.parametrize("word", ["token", "Bearer:", "client_secret = "])
def test_blanks_that_somebody_typed_after_a_word_of_ours_cost_no_time(word: str) -> None:
    """Each answer comes through here, with a thousand descriptions of thousands of characters."""
    text = f"{word}{' ' * 20_000}!"
    began = time.perf_counter()
    assert redact(text) == text
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "httpcore.connection"])
def test_the_logs_of_the_http_libraries_are_guarded(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A filter on a parent does not see its children's records, so each logger has its own."""
    secrets: set[str] = set()
    with guarded(secrets), caplog.at_level(logging.DEBUG, name):
        secrets.add(KEY)  # learnt later, as a rotated token is
        logging.getLogger(name).debug("sent %s", {"key": KEY})
    assert caplog.messages == ["sent {'key': '[removed]'}"]
