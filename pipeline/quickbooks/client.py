"""The QuickBooks client: one company's lists and time activities.

Writes never raise for an outcome that nobody can know: they return it. Keeps out how a list is
read completely (`listing`), what an answer proves (`classification`), and what a row means
(`rows`). Facts: quickbooks-api.md, 4 to 7.
"""

from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime
from typing import Self

import httpx
import simplejson
from pyrate_limiter import Duration, Limiter, Rate

from pipeline.fields import Row, value
from pipeline.http import Http, Service
from pipeline.quickbooks.activities import require_readable
from pipeline.quickbooks.answers import Answer, accepted, answer_of, no_answer
from pipeline.quickbooks.faults import THROTTLED_FIX, THROTTLED_SECONDS, fault_of, status_of_read
from pipeline.quickbooks.listing import Listing
from pipeline.quickbooks.rows import company_row, customer_rows, employee_rows, service_item
from pipeline.quickbooks.tokens import Tokens
from pipeline.settings import Settings

BATCH = 25
"""Items a batch: Intuit recommends 30 at most, and its own client for PHP refuses more than 25
(its reference, 5)."""
LONGEST_REQUEST_ID = 36
"""Beside batch ids of one or two digits (quickbooks-api.md, 6)."""
GONE = "610"
Turn = dict[str, float]
"""Until when a write may go out, as `Http.in_time` says it."""


class QuickBooks:
    """One company in QuickBooks; a context manager.

    Args:
        settings: Name the company, the host and the service item.
        tokens: What authorises the calls.
    """

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens
        service = Service(
            "QuickBooks",
            f"{settings.quickbooks_api_url}/v3/company/{settings.quickbooks_realm_id}",
            Rate(8, Duration.SECOND),  # below 10 a second and 500 a minute
            in_flight=4,
            throttled_fix=THROTTLED_FIX,
            throttled_seconds=THROTTLED_SECONDS,
            status_of=_status_of,
        )
        self.http = Http(
            service, settings.http_patience_seconds, tokens.secrets, auth=_Bearer(tokens)
        )
        self._batches = Limiter(Rate(40, Duration.MINUTE))
        self.last_time: datetime | None = None
        """The latest of Intuit's clock in its answers: a replay has that of its first answer."""
        self._lists = Listing(lambda query: self._read("/query", query=query))

    def __enter__(self) -> Self:
        self.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__()
        self._batches.close()

    def company(self, *, is_alone: bool = False) -> Row:
        """Return the row of `quickbooks_company`, but for when it was read.

        Args:
            is_alone: Without a service item, whatever is set.

        Raises:
            Stop: `SERVICE_ITEM` names no service item, or the company may not be read.
        """
        realm = self._settings.quickbooks_realm_id
        item = None if is_alone else self.service_item()
        info = accepted(self._read(f"/companyinfo/{realm}")).get("CompanyInfo", {})
        preferences = accepted(self._read("/preferences")).get("Preferences", {})
        return company_row(realm, info, preferences, item)

    def service_item(self) -> Row | None:
        """Return the item that `SERVICE_ITEM` names, as QuickBooks' JSON; None if it names none.

        Raises:
            Stop: no active item of type Service, or more than one, has that name.
        """
        name = self._settings.service_item
        if not name:
            return None
        items = self._lists.all_of("Item", "Type = 'Service' AND Active = true")
        return service_item(name, [*items.values()])

    def employees(self) -> list[Row]:
        """Return the employees as rows of `quickbooks_employees`, inactive ones included."""
        return employee_rows([*self._lists.all_of("Employee", "Active IN (true, false)").values()])

    def customers(self) -> list[Row]:
        """Return the customers as rows of `quickbooks_customers`, inactive ones included."""
        return customer_rows([*self._lists.all_of("Customer", "Active IN (true, false)").values()])

    def time_activities(self, first: date, last: date) -> dict[str, Row]:
        """Return the time activities of a range of dates, as QuickBooks' JSON, by id.

        Args:
            first: First `TxnDate`.
            last: Last `TxnDate`, included.

        Raises:
            Stop: one of them cannot be read; so with the other reads of time activities.
        """
        return self._activities(f"TxnDate >= '{first}' AND TxnDate <= '{last}'")

    def time_activities_created(self, since: datetime, until: datetime) -> dict[str, Row]:
        """Return, by id, the time activities created between two instants of Intuit's clock."""
        first, last = (at.astimezone(UTC).isoformat(timespec="seconds") for at in (since, until))
        created = f"MetaData.CreateTime >= '{first}' AND MetaData.CreateTime <= '{last}'"
        return self._activities(created)

    def time_activity(self, activity_id: str) -> Row | None:
        """Return one time activity, or None if it was deleted."""
        answer = self._read(f"/timeactivity/{activity_id}")
        if answer.fault and answer.fault.code == GONE:
            return None
        row: Row = value(accepted(answer), "TimeActivity", dict, of="QuickBooks' answer")
        value(row, "Id", str, of="QuickBooks' time activity")
        require_readable([row])
        return row

    def await_turn(self) -> Turn:
        """Wait until a batch may go out, with a good token, so that it then does at once.

        Returns:
            By when it goes out, or not at all, whatever its caller does before.
        """
        self._batches.try_acquire("batch")
        self._tokens.access_token()
        return self.http.in_time()

    def create_batch(self, turn: Turn, request_id: str, items: Sequence[str]) -> Answer:
        """Send new time activities, each an exact JSON text, in one batch.

        The same id and items make the same bytes, so that a batch can be replayed. A 401 refreshes
        the token and sends them again: nothing was stored.

        Args:
            turn: what `await_turn` gave.
            request_id: of the batch.
            items: the time activities.

        Returns:
            The answer, also if none came.

        Raises:
            Stop: certainly nothing was received.
            ValueError: too many items or too long an id.
        """
        if not 0 < len(items) <= BATCH or len(request_id) > LONGEST_REQUEST_ID:
            raise ValueError(f"{len(items)} items under request id {request_id}")
        operations = (
            f'{{"bId":"{place}","operation":"create","TimeActivity":{item}}}'
            for place, item in enumerate(items)
        )
        content = f'{{"BatchItemRequest":[{",".join(operations)}]}}'
        return self._write("/batch", content, request_id, turn)

    def update_time_activity(self, body: Row, request_id: str) -> Answer:
        """Replace a time activity; what `body` leaves out is cleared. Answers as above."""
        content = simplejson.dumps(body, use_decimal=True)
        return self._write("/timeactivity", content, request_id)

    def _activities(self, where: str) -> dict[str, Row]:
        rows = self._lists.all_of("TimeActivity", where)
        require_readable(rows.values())
        return rows

    def _read(self, path: str, **params: str) -> Answer:
        response = self.http.read("GET", path, params={**params, "minorversion": "75"})
        return self._noted(response)

    def _write(self, path: str, content: str, request_id: str, turn: Turn | None = None) -> Answer:
        client = self.http.client
        request = client.build_request(
            "POST",
            path,
            content=content.encode(),
            params={"requestid": request_id, "minorversion": "75"},
            headers={"Content-Type": "application/json"},
            extensions=turn or self.http.in_time(),
        )
        try:
            response = self.http.write(lambda: client.send(request))
        except httpx.RequestError as error:
            return no_answer(error)
        return self._noted(response)

    def _noted(self, response: httpx.Response) -> Answer:
        answer = answer_of(response, self._tokens.secrets)
        self.last_time = max(filter(None, (answer.time, self.last_time)), default=None)
        return answer


def _status_of(response: httpx.Response) -> int:
    status = response.status_code
    return status_of_read(status, fault_of(status, response.text))


class _Bearer(httpx.Auth):
    """Authorises a request; after a 401, once more with a refreshed token and the same bytes."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._tokens.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = self._tokens.refresh(rejected=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request
