"""Alerts: what to tell whom when something breaks, and again when it is mended.

Pure, but for posting. What is broken is a mapping from a name that stays to a sentence of counts:
no person, customer, rate or description is in it. Keeps out how it is noticed (`alert_sensor`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from pydantic import SecretStr
from pyrate_limiter import Duration, Rate

from pipeline.http import Http, Service
from pipeline.stops import Stop

Broken = Mapping[str, str]
"""What is broken: a name, such as `run` or `check:clockify_users:rows_fit_the_schema`, to what
there is to say."""
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Message:
    """What has changed since the last message."""

    at: datetime
    broke: Broken
    recovered: Broken
    still_broken: int
    """How many are broken now, these included."""
    counts: Mapping[str, int]
    """Entries by verdict and by state of their delivery, since the cut-over."""

    def document(self, receiver: str) -> dict[str, Any]:
        """The message as JSON: in words for `slack`, else as `docs/setup.md` documents it."""
        if receiver == "slack":
            return {"text": self.text()}
        return {
            "pipeline": "clockify_to_quickbooks",
            "at": self.at.isoformat(timespec="seconds"),
            "broke": [{"name": name, "said": said} for name, said in self.broke.items()],
            "recovered": [{"name": name, "said": said} for name, said in self.recovered.items()],
            "still_broken": self.still_broken,
            "counts": dict(self.counts),
        }

    def text(self) -> str:
        """The message in words, for Slack."""
        lines = [f":red_circle: {said}" for said in self.broke.values()]
        lines += [f":large_green_circle: mended: {said}" for said in self.recovered.values()]
        counted = ", ".join(f"{number} {name}" for name, number in self.counts.items())
        rest = f"{self.still_broken} broken in all" if self.still_broken else "all is well"
        return "\n".join(["*Clockify to QuickBooks*", *lines, f"{rest}. {counted}"])


def message(before: Broken, now: Broken, counts: Mapping[str, int], at: datetime) -> Message | None:
    """What to tell somebody who was last told `before`; nothing if nothing has changed.

    That a thing is broken otherwise than it was, such as by another count, is no change.
    """
    broke = {name: said for name, said in now.items() if name not in before}
    recovered = {name: said for name, said in before.items() if name not in now}
    if not broke and not recovered:
        return None
    return Message(at, broke, recovered, len(now), counts)


def post(address: SecretStr, document: Mapping[str, Any]) -> None:
    """Post a document; no log line and no error shows the address, which is a key.

    Raises:
        Stop: the receiver cannot be reached or refuses.
    """
    url = address.get_secret_value()
    service = Service(
        "The receiver of alerts", url, Rate(1, Duration.SECOND), in_flight=1, throttled_fix=""
    )
    sent = httpx.URL(url)  # spelled as it is logged, which may be otherwise than it was typed
    secrets = {url, str(sent), sent.raw_path.decode().rstrip("/"), sent.path.rstrip("/")}
    with Http(service, PATIENCE_SECONDS, secrets) as http:
        try:
            answer = http.write(lambda: http.client.post(url, json=dict(document)))
        except httpx.RequestError as error:
            raise http.unreachable(error) from None
    if not answer.is_success:
        raise Stop(
            f"The receiver of alerts answers {answer.status_code}",
            "Check ALERT_SLACK_URL and ALERT_WEBHOOK_URL",
            is_transient=True,
        )
