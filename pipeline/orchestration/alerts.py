"""Alerts: what to tell whom when something breaks, and again when it is mended.

Pure, but for posting. What is broken is a mapping from a name that stays to a sentence of counts:
no person, customer, rate or description is in it. Keeps out how it is noticed (`alert_sensor`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from pydantic import Secret
from pyrate_limiter import Duration, Rate

from pipeline.http import Http, Service
from pipeline.stops import Stop

Broken = Mapping[str, str]
"""What is broken: a name, such as `run` or `check:clockify_users:rows_fit_the_schema`, to what
there is to say."""
PATIENCE_SECONDS = 20


def document(
    before: Broken, now: Broken, counts: Mapping[str, int], at: datetime
) -> dict[str, Any] | None:
    """What to tell somebody who was last told `before`; nothing if nothing has changed.

    That a thing is broken otherwise than it was, such as by another count, is no change.

    Args:
        before: what the receiver was last told.
        now: what is broken.
        counts: entries by verdict and by state of their delivery, since the cut-over.
        at: the instant, in UTC.

    Returns:
        JSON as `docs/setup.md` documents it.
    """
    broke = [{"name": name, "said": now[name]} for name in now if name not in before]
    recovered = [{"name": name, "said": before[name]} for name in before if name not in now]
    if not broke and not recovered:
        return None
    return {
        "pipeline": "clockify_to_quickbooks",
        "at": at.isoformat(timespec="seconds"),
        "broke": broke,
        "recovered": recovered,
        "still_broken": len(now),
        "counts": dict(counts),
    }


def in_words(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same document for Slack."""
    lines = [f":red_circle: {each['said']}" for each in found["broke"]]
    lines += [f":large_green_circle: recovered: {each['said']}" for each in found["recovered"]]
    counted = ", ".join(f"{number} {name}" for name, number in found["counts"].items())
    rest = f"{found['still_broken']} broken in all" if found["still_broken"] else "all is well"
    return {"text": "\n".join(["*Clockify to QuickBooks*", *lines, f"{rest}. {counted}"])}


def post(address: Secret[str], document: Mapping[str, Any]) -> None:
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
