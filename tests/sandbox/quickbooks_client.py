"""A plain client of the local QuickBooks for the tests beside it, and a valid activity."""

from typing import Any

import httpx

from pipeline.sandbox.holder import Holder
from pipeline.sandbox.quickbooks.tokens import refresh


class Api:
    """A client that has a fresh access token."""

    def __init__(self, holder: Holder, url: str) -> None:
        with holder.changing() as world:
            token = refresh(holder, world.tokens.refresh_token)["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=10, trust_env=False)
        self.company = f"/v3/company/{holder.world.company.realm_id}"

    def get(self, path: str, **params: str) -> httpx.Response:
        """Read an address of the company."""
        return self.http.get(f"{self.company}/{path}", params=params)

    def post(self, path: str, body: object, **params: str) -> httpx.Response:
        """Write to an address of the company."""
        return self.http.post(f"{self.company}/{path}", json=body, params=params)

    def query(self, text: str) -> dict[str, Any]:
        """Return the answer to a query that must succeed."""
        answer = self.get("query", query=text)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["QueryResponse"]
        return found

    def create(self, body: dict[str, Any], **params: str) -> dict[str, Any]:
        """Create an activity that must succeed."""
        answer = self.post("timeactivity", body, **params)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()["TimeActivity"]
        return made

    def count(self) -> int:
        """Return how many activities there are."""
        return int(self.query("select count(*) from TimeActivity")["totalCount"])


def code(answer: httpx.Response) -> str:
    """Return the error code of a refusal."""
    return str(answer.json()["Fault"]["Error"][0]["code"])


def valid(**changes: object) -> dict[str, Any]:
    """Return the body of a valid activity with some properties changed, or left out by None."""
    body: dict[str, Any] = {
        "TxnDate": "2026-11-20",
        "NameOf": "Employee",
        "EmployeeRef": {"value": "8"},
        "CustomerRef": {"value": "24"},
        "ItemRef": {"value": "2"},
        "BillableStatus": "Billable",
        "HourlyRate": 95.5,
        "Hours": 3,
        "Minutes": 15,
        "Description": "Planting plan",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}
