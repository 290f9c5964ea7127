"""A client of the local Clockify for the tests beside it, and the day that they use."""

from datetime import date
from typing import Any

import httpx

from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry, World

DAY = date(2026, 11, 18)
NEW_YORK = "America/New_York"


class Service:
    """A served world, and a client that has its key."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        key = {"X-Api-Key": world.workspace.api_key}
        self.http = httpx.Client(base_url=url, headers=key, trust_env=False, verify=False)
        self.core = f"/api/v1/workspaces/{world.workspace.id}"
        self.detailed = f"/report/v1/workspaces/{world.workspace.id}/reports/detailed"

    def get(self, path: str, **query: str | int) -> httpx.Response:
        """Read a list or a thing of the workspace."""
        return self.http.get(self.core + path, params=query)

    def ask(self, first: str = "2026-11-18", last: str = "", **changes: object) -> httpx.Response:
        """Ask for a report of whole local days, ordered by id."""
        body = {
            "dateRangeStart": f"{first}T00:00:00.000",
            "dateRangeEnd": f"{last or first}T23:59:59.999",
            "timeZone": NEW_YORK,
            "rounding": False,
            "sortOrder": "ASCENDING",
            "detailedFilter": page(),
        }
        return self.http.post(self.detailed, json=body | changes)

    def rows(self, *days: str, **changes: object) -> list[dict[str, Any]]:
        """Return a report's rows."""
        answer = self.ask(*days, **changes)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["timeentries"]
        return rows

    def only_row(self, *days: str, **changes: object) -> dict[str, Any]:
        """Return a report's one row."""
        (row,) = self.rows(*days, **changes)
        return row


def page(**changes: object) -> dict[str, object]:
    """Return the nested filter of a request."""
    return {"page": 1, "pageSize": 200, "sortColumn": "ID"} | changes


def hundred(world: World, number: int = 100) -> list[Entry]:
    """Add a hundred entries of one day, a minute apart."""
    return [add_entry(world, DAY, f"{8 + n // 60:02}:{n % 60:02}") for n in range(number)]
