"""Intuit's rate limits as token buckets: 500 a minute, 10 a second, 40 batches a minute.

Off unless the switch `throttle` is on. Keeps out: metering.
"""

import time

from pipeline.sandbox.quickbooks.faults import FaultError

_LIMITS = {"minute": (500, 60.0), "second": (10, 1.0), "batch": (40, 60.0)}
"""Requests allowed, and the seconds in which so many come back."""


class Throttle:
    """The buckets of one realm and one application."""

    def __init__(self) -> None:
        self._left = {name: float(size) for name, (size, _) in _LIMITS.items()}
        self._seen = time.monotonic()

    def take(self, *, is_batch: bool) -> None:
        """Count one request.

        Raises:
            FaultError: 429 with 3001; the request has then used nothing up.
        """
        self._refill()
        names = ["minute", "second", *(["batch"] if is_batch else [])]
        if any(self._left[name] < 1 for name in names):
            detail = "The request limit was reached.  Try again later"
            raise FaultError("3001", detail, status=429, kind="SERVICE")
        for name in names:
            self._left[name] -= 1

    def _refill(self) -> None:
        now = time.monotonic()
        for name, (size, seconds) in _LIMITS.items():
            back = (now - self._seen) * size / seconds
            self._left[name] = min(float(size), self._left[name] + back)
        self._seen = now
