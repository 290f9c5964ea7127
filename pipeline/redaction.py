"""Keeping secrets out of texts: messages, logs and stored faults.

Known secrets are removed by value, others by what they look like. Intuit's answer to an expired
token quotes that token (quickbooks-api.md, 9.1), so every text from outside passes through here.
"""

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

HIDDEN = "[removed]"
_NAMED = re.compile(
    r"(?i)(\b(?:x-api-key|authorization|client_secret|(?:(?:access|refresh)[_ ])?token"
    r"(?: expired)?|bearer|basic)\b[\"']?\s*(?:[:=]\s*)?[\"']?(?:bearer |basic )?)[\w.~+/=-]{12,}"
)
_SHAPED = re.compile(r"\beyJ[\w.-]{10,}|\bAB\d[\w-]{16,}")
"""A JSON web token; an Intuit refresh token."""
_PARTS = ("connection", "http11", "http2", "proxy")
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in _PARTS))
"""Each by name: a filter on a parent does not see its children's records."""


def redact(text: str, secrets: Collection[str] = ()) -> str:
    """Return the text without the given secrets and without anything that looks like a token."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _SHAPED.sub(HIDDEN, _NAMED.sub(rf"\1{HIDDEN}", text))


@contextmanager
def guarded(secrets: Collection[str]) -> Iterator[None]:
    """Redact what the HTTP libraries log meanwhile; `secrets` may grow."""

    def redacted(record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage(), secrets), ()
        return True

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(redacted)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(redacted)
