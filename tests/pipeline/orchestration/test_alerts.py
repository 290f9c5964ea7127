"""Alerts: once per change, to each receiver, without its address anywhere."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import Secret

from pipeline.orchestration import alerts
from pipeline.stops import Stop

AT = datetime(2026, 11, 22, 6, 5, tzinfo=UTC)
RUN, CHECK = {"run": "the run 1a2b3c4d failed"}, {"check:x": "the warning `x` of `y` failed"}
SECRET = "T0-very-secret-part"


@dataclass
class Receiver:
    """A local receiver of alerts, with what it was sent."""

    url: str = ""
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens for as long as the block lasts."""
    receiver = Receiver()

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            receiver.got.append(json.loads(self.rfile.read(length)))
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    receiver.url = f"http://127.0.0.1:{server.server_port}/services/{SECRET}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("before", "now", "broke", "recovered", "rest"),
    [
        ({}, RUN, RUN, {}, 1),
        (RUN, RUN | CHECK, CHECK, {}, 2),
        (RUN | CHECK, CHECK, {}, RUN, 1),
        (RUN, CHECK, CHECK, RUN, 1),
        (CHECK, {}, {}, CHECK, 0),
    ],
)
def test_each_change_is_told(
    before: dict[str, str],
    now: dict[str, str],
    broke: dict[str, str],
    recovered: dict[str, str],
    rest: int,
) -> None:
    """What broke and what was mended since, and how much is still broken."""
    found = alerts.document(before, now, {"rejected": 3}, AT)
    assert found
    told = [{each["name"]: each["said"] for each in found[key]} for key in ("broke", "recovered")]
    assert told == [broke, recovered]
    assert found["still_broken"] == rest


@pytest.mark.parametrize(
    ("before", "now"), [({}, {}), (RUN, RUN), (RUN, {"run": "the run 5e6f7a8b failed"})]
)
def test_what_has_not_changed_is_not_told(before: dict[str, str], now: dict[str, str]) -> None:
    """The next red run after a red run is the same state."""
    assert alerts.document(before, now, {}, AT) is None


def test_the_document_is_as_the_page_says() -> None:
    """Its keys are a promise to whoever receives it."""
    found = alerts.document(RUN, CHECK, {"rejected": 3, "sent": 70}, AT)
    assert found
    assert found == {
        "pipeline": "clockify_to_quickbooks",
        "at": "2026-11-22T06:05:00+00:00",
        "broke": [{"name": "check:x", "said": "the warning `x` of `y` failed"}],
        "recovered": [{"name": "run", "said": "the run 1a2b3c4d failed"}],
        "still_broken": 1,
        "counts": {"rejected": 3, "sent": 70},
    }
    assert alerts.in_words(found) == {
        "text": "*Clockify to QuickBooks*\n"
        ":red_circle: the warning `x` of `y` failed\n"
        ":large_green_circle: recovered: the run 1a2b3c4d failed\n"
        "1 broken in all. 3 rejected, 70 sent"
    }


def test_a_document_arrives_and_no_log_line_shows_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The address is a key: whoever has it may post."""
    with receiving() as receiver, caplog.at_level(logging.DEBUG):
        alerts.post(Secret(receiver.url), {"a": 1})
    assert receiver.got == [{"a": 1}]
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "HTTP Request" in logged
    assert SECRET not in logged


@pytest.mark.parametrize("address", ["HTTP://LOCALHOST:{}/b?sig={}", "http://localhost:{}/a b/{}"])
def test_an_address_that_is_sent_otherwise_than_it_was_typed_is_in_no_log_either(
    caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """Capitals of a host, a blank, or the port that is https's own; a key may be in its query."""
    with receiving() as receiver, caplog.at_level(logging.DEBUG):
        port = receiver.url.partition("127.0.0.1:")[2].partition("/")[0]
        alerts.post(Secret(address.format(port, SECRET)), {"a": 1})
    assert receiver.got == [{"a": 1}]
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "HTTP Request" in logged
    assert SECRET not in logged


@pytest.mark.parametrize(("status", "says"), [(404, "answers 404"), (500, "answers 500")])
def test_a_receiver_that_refuses_is_named_without_its_address(status: int, says: str) -> None:
    """The fix names the settings."""
    with receiving() as receiver:
        receiver.status = status
        with pytest.raises(Stop, match=says) as raised:
            alerts.post(Secret(receiver.url), {})
    assert "ALERT_SLACK_URL and ALERT_WEBHOOK_URL" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_receiver_that_is_away_is_named_by_its_host(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every service, after some patience."""
    monkeypatch.setattr(alerts, "PATIENCE_SECONDS", 1)
    with pytest.raises(Stop, match=f"cannot be reached at 127.0.0.1:{closed_port}") as raised:
        alerts.post(Secret(f"http://127.0.0.1:{closed_port}/services/{SECRET}"), {})
    assert SECRET not in str(raised.value)
