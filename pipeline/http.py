"""The one way out: time-outs, request rates, and retries only where they are safe.

A read may always be repeated. A write may be repeated only when it certainly was not received;
anything else is the caller's to settle. Keeps out what an answer means: a status is judged here
only as "try again", and only for reads.
"""

import logging
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, partial
from http import HTTPStatus
from math import inf
from operator import attrgetter
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import stamina
from pyrate_limiter import Limiter, Rate
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from pipeline.redaction import guarded
from pipeline.settings import is_loopback
from pipeline.stops import Stop

NEVER_RECEIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""A connection left idle longer is not used again: the server may be closing it just then."""
LATEST = "latest"
"""Extension of a request: the instant after which it must not go out, in seconds since 1970."""
BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""What TLS says of a connection that ended too soon, which says nothing against the other side."""
_log = logging.getLogger(__name__)
_log.setLevel(logging.INFO)  # told where somebody listens, as Dagster does by its `dagster.yaml`

Result = TypeVar("Result")


@dataclass(frozen=True)
class Service:
    """One side of the wire: where it is, what it allows, what to say when that is exceeded."""

    name: str
    base_url: str
    rate: Rate
    in_flight: int
    """Requests at once."""
    throttled_fix: str
    throttled_seconds: float | None = None
    """How long to wait after a 429 without `Retry-After`; None for exponential back-off."""
    status_of: Callable[[httpx.Response], int] = attrgetter("status_code")
    """The status as which an answer to a read counts, where a service hides it in another."""


class Http:
    """An HTTP client for one service; a context manager.

    Args:
        service: The other side.
        patience_seconds: How long one request is retried in all; a write, which must not go out
            long after it was written down as begun, for a quarter of it. The answer to a read is
            awaited for half of it; that to a write for a tenth more, so that the default outlasts
            QuickBooks' own limit of 120 seconds.
        secrets: Values that no log line may show; may grow.
        headers: Sent with every request.
        auth: What authorises each request.
    """

    def __init__(
        self,
        service: Service,
        patience_seconds: int,
        secrets: set[str],
        *,
        headers: dict[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> None:
        self._service = service
        self._patience = patience_seconds
        self._limiter = Limiter(service.rate)
        self._guard = guarded(secrets)
        self.ahead: timedelta | None = None
        """By how much the service's clock was ahead of ours in its last answer, to the second."""
        repeated = partial(stamina.RetryingCaller, attempts=None, wait_initial=0.2, wait_max=20)
        self._read_again = repeated(timeout=patience_seconds)
        self._write_again = repeated(timeout=patience_seconds / 4)
        self._read_timeout = self._timeout(patience_seconds / 2)
        self.client = httpx.Client(
            base_url=service.base_url,
            headers={"Accept": "application/json", **(headers or {})},
            auth=auth,
            timeout=self._timeout(patience_seconds * 1.1),
            limits=httpx.Limits(max_connections=service.in_flight, keepalive_expiry=IDLE_SECONDS),
            event_hooks={
                "request": [lambda _: self._limiter.try_acquire(service.name), self._refuse_late],
                "response": [self._note_clock],
            },
            trust_env=not is_loopback(service.base_url),
            verify=_trusted(),
        )

    def __enter__(self) -> Self:
        self._guard.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._limiter.close()
        self._guard.__exit__(None, None, None)

    def read(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Send a request that changes nothing, again and again for as long as patience lasts.

        Returns:
            An answer that is neither 429 nor 5xx; other statuses are the caller's, and what still
            counts as such a one when patience is at its end.

        Raises:
            Stop: the service cannot be reached, or keeps answering 429 or 5xx.
        """

        def once() -> httpx.Response:
            response = self.client.request(method, path, timeout=self._read_timeout, **request)
            if _passes(self._service.status_of(response)):
                raise httpx.HTTPStatusError("", request=response.request, response=response)
            return response

        try:
            return self._read_again(self._wait_to_read, once)
        except httpx.HTTPStatusError as error:
            if not _passes(error.response.status_code):
                return error.response
            raise self._turned_away(error.response) from None
        except httpx.RequestError as error:
            raise self.unreachable(error) from error

    def write(self, call: Callable[[], Result]) -> Result:
        """Make a call that changes something; repeat it only if it certainly was not received.

        Raises:
            Stop: certainly nothing was received, for as long as patience lasted.
            httpx.RequestError: nobody can tell whether it was received.
        """
        try:
            return self._write_again(_may_write_again, call)
        except NEVER_RECEIVED as error:
            raise self.unreachable(error) from error

    def in_time(self) -> dict[str, float]:
        """Extensions of a write that goes out within half the patience, or not at all.

        Who asks later whether it was carried out counts from when it was begun. Before it goes out
        a laptop may sleep, or, after a 401, another process may be renewing the token.
        """
        return {LATEST: time.time() + max(self._patience / 2, CONNECT_SECONDS)}

    def _refuse_late(self, request: httpx.Request) -> None:
        if time.time() > request.extensions.get(LATEST, inf):
            raise Stop(
                f"A write to {self._service.name} was held up here and not sent: this late, it "
                "might be carried out after it had been taken for lost",
                "Run again: nothing of it was stored",
                is_transient=True,
            )

    def unreachable(self, error: httpx.RequestError) -> Stop:
        """What stops a run after a network failure: names the host, the cause and the fix."""
        url = urlsplit(str(error.request.url))
        host = f"{url.hostname}:{url.port}" if url.port else url.hostname
        why, fix = _why(error)
        what = f"{self._service.name} cannot be reached at {host}: {why}"
        return Stop(what, fix, is_transient=_may_heal(error))

    def _note_clock(self, response: httpx.Response) -> None:
        """Compare clocks by the `Date` that an answer carries; a cache's or none tells nothing."""
        at = _instant(response.headers.get("Date", ""))
        if at and "Age" not in response.headers:
            self.ahead = at - datetime.now(UTC)

    def _timeout(self, seconds: float) -> httpx.Timeout:
        return httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=self._patience)

    def _wait_to_read(self, error: Exception) -> bool | float:
        """Whether a read is repeated, and after how many seconds where that is prescribed."""
        if not isinstance(error, httpx.HTTPStatusError):
            return isinstance(error, httpx.RequestError) and _may_heal(error)
        wait = retry_after(error.response.headers.get("Retry-After", ""))
        is_throttled = self._service.status_of(error.response) == HTTPStatus.TOO_MANY_REQUESTS
        if wait is None and is_throttled:
            wait = self._service.throttled_seconds
        return True if wait is None else min(wait, self._patience)

    def _turned_away(self, response: httpx.Response) -> Stop:
        name = self._service.name
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            what, fix = f"{name} takes no more requests for now", self._service.throttled_fix
        else:
            tid = response.headers.get("intuit_tid")
            trace = f" [intuit_tid {tid}]" if tid else ""
            what = f"{name} answers {response.status_code} to {response.url.path}{trace}"
            fix = "The fault is on its side: run again later"
        return Stop(what, fix, is_transient=True)


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities by which TLS goes; read once, since reading them costs as much as a call."""
    return httpx.create_ssl_context()


def _passes(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _may_write_again(error: Exception) -> bool:
    return isinstance(error, NEVER_RECEIVED) and _may_heal(error)


def _may_heal(error: Exception) -> bool:
    """Whether waiting may help: it does not help against a refused certificate."""
    cause = _cause(error)
    return isinstance(cause, BROKEN_OFF) or not isinstance(cause, ssl.SSLError)


def _why(error: httpx.RequestError) -> tuple[str, str]:
    """What a network failure is, and the fix."""
    cause = _cause(error)
    if isinstance(cause, socket.gaierror):
        return "no such host", "Check the spelling of its URL in the settings, and the DNS"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is refused ({cause.reason})", "Check its URL, or the proxy"
    if isinstance(cause, ssl.SSLError) and not _may_heal(error):
        return f"no secure connection could be made ({cause.reason})", "Check its URL, or the proxy"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens on that port", "Check the port in its URL, or start the service"
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time", "Run again later; check the network and the firewall"
    return f"the connection broke ({type(error).__name__})", "Run again; check the network"


def _told(details: RetryDetails) -> None:
    """Log that a request is made again: it may be for minutes, in which a run seems to stand."""
    error = details.caused_by
    if isinstance(error, httpx.HTTPStatusError):
        why = f"it answers {error.response.status_code}"
    elif isinstance(error, httpx.RequestError):
        why, _ = _why(error)
    else:
        return
    _log.info("%s: %s; asked again in %.0f s", error.request.url.host, why, details.wait_for)


set_on_retry_hooks([_told])  # in the place of the library's own, which prints beside what is shown


def _cause(error: BaseException) -> BaseException | None:
    """The failure of the operating system or of TLS beneath httpx's own."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    return cause


def retry_after(header: str) -> float | None:
    """Return the seconds that a `Retry-After` header asks for; it holds seconds or a date."""
    if header.isascii() and header.isdigit():
        return float(header)
    at = _instant(header)
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at else None


def _instant(header: str) -> datetime | None:
    """The instant that a header names; none if it names none."""
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC)
