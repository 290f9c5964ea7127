"""The HTTP layer: what is sent again, what never is, and what a failure is called."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from pyrate_limiter import Duration, Rate

from pipeline.http import Http, Service
from pipeline.stops import Stop
from tests.conftest import Sandbox

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def http(url: str, patience: int = 1, throttled_seconds: float | None = None) -> Http:
    """A client of an address."""
    rate = Rate(50, Duration.SECOND)
    service = Service("Example", url, rate, 2, "Wait for the hour to end", throttled_seconds)
    return Http(service, patience, set())


def core(sandbox: Sandbox, patience: int = 1, throttled_seconds: float | None = None) -> Http:
    """A client of the sandbox's Clockify."""
    client = http(sandbox.env["CLOCKIFY_API_URL"], patience, throttled_seconds)
    client.client.headers["X-Api-Key"] = sandbox.env["CLOCKIFY_API_KEY"]
    return client


def post(client: Http) -> httpx.Response:
    """A write that the sandbox refuses only after it has received it."""
    return client.write(lambda: client.client.post("/workspaces/w/time-entries", json={}))


@contextmanager
def late_server(port: int, answers: list[bytes]) -> Iterator[list[bytes]]:
    """A server that begins to listen a little late; gives the requests it has received."""
    received: list[bytes] = []

    def serve() -> None:
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", port)) as listener:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    received.append(connection.recv(65_536))
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield received
    thread.join(5)


@pytest.fixture
def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 500, "body": "{}"},
        {"fault": "status", "status": 429, "body": ""},
        {"fault": "drop_before_store"},
        {"fault": "drop_after_store"},
        {"fault": "truncate"},
        {"fault": "delay", "delay_seconds": 1.5},
    ],
)
def test_a_read_that_failed_is_sent_again(
    sandbox: Sandbox, naps: list[float], fault: dict[str, object]
) -> None:
    """Whatever happened to the first, the second gets the answer, after a little while."""
    sandbox.fail("user", **fault)  # type: ignore[arg-type]  # a fault's own fields
    with core(sandbox, patience=2) as client:
        assert client.read("GET", "/user").json()["email"]
    assert sandbox.calls("GET /api/v1/user") == 2
    assert [0 < nap < 2 for nap in naps] == [True]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_read_is_not_sent_again(sandbox: Sandbox, status: int) -> None:
    """The same question gets the same answer."""
    sandbox.fail("user", "status", status=status, body="{}")
    with core(sandbox) as client:
        assert client.read("GET", "/user").status_code == status
    assert sandbox.calls("GET /api/v1/user") == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 503},
        {"fault": "drop_before_store"},
        {"fault": "drop_after_store"},
        {"fault": "truncate"},
        {"fault": "delay", "delay_seconds": 1.5},
        {"fault": "status", "status": 429, "body": ""},
    ],
)
def test_a_write_that_may_have_been_received_is_sent_once(
    sandbox: Sandbox, fault: dict[str, object]
) -> None:
    """Its outcome is the caller's to settle; a 429 is the caller's to wait for."""
    sandbox.fail("time-entries", **fault)  # type: ignore[arg-type]  # a fault's own fields
    with core(sandbox) as client:
        try:
            assert post(client).status_code == fault["status"]
        except httpx.RequestError:
            assert "status" not in fault
    assert sandbox.calls("POST /api/v1/workspaces/w/time-entries") == 1


def test_a_write_that_was_never_received_is_sent_again(free_port: int) -> None:
    """A refused connection has carried nothing, so the write arrives once."""
    with (
        late_server(free_port, [OK]) as received,
        http(f"http://127.0.0.1:{free_port}", 5) as client,
    ):
        assert client.write(lambda: client.client.post("/", content=b"once")).is_success
    assert len(received) == 1


def test_a_write_that_never_arrives_stops_the_run(closed_port: int) -> None:
    """Certainly nothing was received, so it is no open question."""
    with http(f"http://127.0.0.1:{closed_port}") as client, pytest.raises(Stop) as raised:
        client.write(lambda: client.client.post("/", content=b"never"))
    assert f"127.0.0.1:{closed_port}: nothing listens on that port" in str(raised.value)


def test_a_closed_port_is_named_with_the_fix(closed_port: int) -> None:
    """Transient: the service may just be starting."""
    with http(f"http://127.0.0.1:{closed_port}") as client, pytest.raises(Stop) as raised:
        client.read("GET", "/")
    assert str(raised.value) == (
        f"Example cannot be reached at 127.0.0.1:{closed_port}: nothing listens on that port. "
        "Check the port in its URL, or start the service."
    )
    assert raised.value.is_transient


def test_an_unknown_host_is_named_with_the_fix() -> None:
    """Names under `.invalid` never resolve (RFC 6761)."""
    with http("https://clockify.invalid/api") as client, pytest.raises(Stop) as raised:
        client.read("GET", "/")
    assert "cannot be reached at clockify.invalid: no such host" in str(raised.value)
    assert "Check the spelling of its URL" in raised.value.fix


def test_a_service_that_does_not_answer_is_named(sandbox: Sandbox) -> None:
    """Each attempt is given up, and the run stops after its patience."""
    sandbox.fail("user", "delay", delay_seconds=3, times=None)
    with core(sandbox) as client, pytest.raises(Stop, match="it did not answer in time"):
        client.read("GET", "/user")


def test_a_connection_without_trusted_encryption_stops_at_once(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a wrong certificate nor a port without TLS heals by waiting: nothing asks again."""
    caplog.set_level(logging.INFO, "pipeline.http")
    url = sandbox.url.replace("http://", "https://")
    with (
        http(url, patience=30) as client,
        pytest.raises(Stop, match="no secure connection") as raised,
    ):
        client.read("GET", "/")
    assert not raised.value.is_transient
    assert [record for record in caplog.records if record.name == "pipeline.http"] == []


def test_an_encrypted_connection_that_breaks_off_is_tried_again(free_port: int) -> None:
    """A balancer that closes a connection too soon says nothing about its certificate."""
    with (
        late_server(free_port, [b"", b""]) as received,
        http(f"https://127.0.0.1:{free_port}", 4) as client,
        pytest.raises(Stop, match="cannot be reached") as raised,
    ):
        client.read("GET", "/")
    assert raised.value.is_transient
    assert len(received) == 2


def test_that_a_service_is_asked_again_is_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """For minutes, nothing else would tell why a run stands still."""
    sandbox.fail("user", "status", status=503, body="")
    with core(sandbox, patience=2) as client, caplog.at_level(logging.INFO, "pipeline.http"):
        client.read("GET", "/user")
    [said] = caplog.messages
    assert said.startswith("127.0.0.1: it answers 503; asked again in ")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (429, "takes no more requests for now. Wait for the hour to end."),
        (503, "answers 503 to /api/v1/user"),
    ],
)
def test_a_service_that_keeps_refusing_stops_the_run_for_now(
    sandbox: Sandbox, status: int, says: str
) -> None:
    """The same run may succeed later with nothing changed."""
    sandbox.fail("user", "status", status=status, body="", times=None)
    with core(sandbox) as client, pytest.raises(Stop) as raised:
        client.read("GET", "/user")
    assert says in str(raised.value)
    assert raised.value.is_transient
    assert sandbox.calls("GET /api/v1/user") > 1


def in_a_minute() -> str:
    """A date as HTTP writes it."""
    return format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (in_a_minute, 60), ("3600", 120), ("soon", 30), ("", 30)]
)
def test_retry_after_is_honoured(
    sandbox: Sandbox, naps: list[float], header: object, seconds: float
) -> None:
    """In seconds or as a date, within our patience; else it is as the service documents."""
    text = header() if callable(header) else header
    sandbox.fail("user", "status", status=429, body="", headers={"Retry-After": text})
    with core(sandbox, patience=120, throttled_seconds=30) as client:
        assert client.read("GET", "/user").is_success
    assert naps == [pytest.approx(seconds, abs=5)]


def test_requests_stay_below_the_rate(sandbox: Sandbox) -> None:
    """The eleventh request of a second waits for the next one."""
    service = Service("Example", sandbox.url, Rate(10, Duration.SECOND), 2, "Wait")
    with Http(service, 5, set()) as client:
        started = time.monotonic()
        for _ in range(11):
            client.read("GET", "/nothing-here")
        assert time.monotonic() - started >= 0.9
