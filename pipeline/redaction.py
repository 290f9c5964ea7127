"""Keeping secrets out of texts: messages, logs and stored faults.

Known secrets are removed by value, others by what they look like. Intuit's answer to an expired
token quotes that token (quickbooks-api.md, 9.1), so every text from outside passes through here.
"""

import logging
import re
from collections.abc import Collection

HIDDEN = "[removed]"
_NAMED = re.compile(
    r"(?i)(\b(?:x-api-key|authorization|client_secret|(?:(?:access|refresh)[_ ])?token"
    r"(?: expired)?|bearer|basic)\b[\"']?\s*[:=]?\s*[\"']?(?:bearer |basic )?)[\w.~+/=-]{12,}"
)
_SHAPED = re.compile(r"\beyJ[\w.-]{10,}|\bAB\d[\w-]{16,}")
"""A JSON web token; an Intuit refresh token."""
_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "stamina",
)


def redact(text: str, secrets: Collection[str] = ()) -> str:
    """Return the text without the given secrets and without anything that looks like a token."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _SHAPED.sub(HIDDEN, _NAMED.sub(rf"\1{HIDDEN}", text))


class Guard(logging.Filter):
    """Redacts what the HTTP libraries log; `secrets` may grow while it is in place."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without its secrets."""
        record.msg, record.args = redact(record.getMessage(), self._secrets), ()
        return True

    def install(self) -> None:
        """Put the filter on every logger of the HTTP libraries: filters are not inherited."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Take the filter off again."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)
