"""The local Clockify's core as a client meets it: keys, lists and single entries."""

from typing import Any

import httpx
import pytest

from pipeline.sandbox.seed.oddities import add_entry
from tests.sandbox.clockify_service import DAY, NEW_YORK, Service


class TestKeys:
    """Who may ask."""

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, 1000),
            ({"Authorization": "Bearer x"}, 1000),
            ({"X-Api-Key": "right", "X-Addon-Token": "x"}, 1000),
            ({"X-Api-Key": "wrong"}, 4003),
            ({"X-Addon-Token": "x"}, 4017),
        ],
    )
    def test_one_right_key_is_needed(
        self, clockify: Service, headers: dict[str, str], code: int
    ) -> None:
        """No key, two keys, a bearer token, an unknown key and a bad token have a code each."""
        if headers.get("X-Api-Key") == "right":
            headers = headers | {"X-Api-Key": clockify.world.workspace.api_key}
        answer = httpx.get(f"{clockify.http.base_url}/api/v1/user", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)

    def test_the_key_belongs_to_the_owner(self, clockify: Service) -> None:
        """The cheapest check of a key names its owner and the account's zone."""
        owner = clockify.http.get("/api/v1/user").json()
        assert owner["id"] == clockify.world.workspace.owner_id
        assert owner["settings"]["timeZone"] == NEW_YORK

    @pytest.mark.parametrize("workspace", ["None", "0123456789abcdef01234567"])
    def test_a_foreign_workspace_is_denied(self, clockify: Service, workspace: str) -> None:
        """A workspace that is not the key's, or no id at all, is 403 with code 501."""
        for path in ("api/v1/workspaces/{}", "report/v1/workspaces/{}/reports/detailed"):
            method = "GET" if path.startswith("api") else "POST"
            answer = clockify.http.request(method, path.format(workspace))
            assert (answer.status_code, answer.json()) == (
                403,
                {"message": "Access Denied", "code": 501},
            )

    def test_an_unknown_route_is_404_and_a_wrong_method_405(self, clockify: Service) -> None:
        """Both have the code 3000, and the second says what would be allowed."""
        unknown = clockify.get("/nothing-here")
        assert (unknown.status_code, unknown.json()["code"]) == (404, 3000)
        wrong = clockify.http.put(clockify.core + "/projects")
        assert (wrong.status_code, wrong.json()["code"]) == (405, 3000)
        assert wrong.headers["allow"] == "GET, HEAD"


class TestLists:
    """People, projects, clients."""

    def test_pages_end_with_the_header_and_then_with_nothing(self, clockify: Service) -> None:
        """The header says which page is the last; a page past it is an empty list."""
        count = len(clockify.world.workspace.projects)
        pages = [
            clockify.get("/projects", **{"page": number, "page-size": 10}) for number in range(1, 5)
        ]
        assert [len(answer.json()) for answer in pages] == [10, 10, count - 20, 0]
        assert [answer.headers["Last-Page"] for answer in pages] == [
            "false",
            "false",
            "true",
            "true",
        ]

    def test_a_page_size_of_zero_is_refused(self, clockify: Service) -> None:
        """It is the one page size that is an error."""
        answer = clockify.get("/projects", **{"page-size": 0})
        assert (answer.status_code, answer.json()) == (
            400,
            {"message": "Page size must be a positive value", "code": 501},
        )

    def test_a_page_size_that_cannot_be_read_falls_back_in_silence(self, clockify: Service) -> None:
        """A wrong key or value leaves fifty rows."""
        assert len(clockify.get("/projects", pageSize=2).json()) > 2
        assert len(clockify.get("/projects", **{"page-size": "two"}).json()) > 2

    def test_a_project_without_a_client_has_empty_texts(self, clockify: Service) -> None:
        """Not null, as in a report."""
        rows = {row["name"]: row for row in clockify.get("/projects").json()}
        bare = rows["Brindle Creek Watershed"]
        assert (bare["clientId"], bare["clientName"]) == ("", "")
        assert rows["Play Yard"]["clientName"] == "St. Brendan's School"

    def test_archived_projects_are_in_the_list_unless_refused(self, clockify: Service) -> None:
        """Leaving the parameter out gives both."""
        names = {row["name"] for row in clockify.get("/projects").json()}
        active = {row["name"] for row in clockify.get("/projects", archived="false").json()}
        assert names - active == {"Erosion Plan"}

    def test_an_invited_member_has_neither_name_nor_settings(self, clockify: Service) -> None:
        """Both keys are there, and null."""
        nameless = [row for row in clockify.get("/users").json() if row["name"] is None]
        assert [row["settings"] for row in nameless] == [None]

    def test_former_members_and_memberships_must_be_asked_for(self, clockify: Service) -> None:
        """A former member reads active, except in the membership."""
        default = clockify.get("/users").json()
        everyone = clockify.get("/users", status="ALL", memberships="WORKSPACE").json()
        assert {row["name"] for row in everyone} - {row["name"] for row in default} == {
            "Oliver Grant"
        }
        assert all(row["memberships"] == [] for row in default)
        former = next(row for row in everyone if row["name"] == "Oliver Grant")
        assert former["status"] == "ACTIVE"
        assert former["memberships"][0]["membershipStatus"] == "INACTIVE"

    def test_rounding_is_two_texts_in_the_workspace(self, clockify: Service) -> None:
        """The step is a string of minutes."""
        settings = clockify.get("").json()["workspaceSettings"]
        assert settings["round"] == {"round": "Round to nearest", "minutes": "15"}
        assert settings["timeRoundingInReports"] is False

    def test_clients_are_those_of_the_projects(self, clockify: Service) -> None:
        """Each client once."""
        names = [row["name"] for row in clockify.get("/clients").json()]
        assert len(names) == len(set(names))
        assert "Riverside Park" in names


class TestEntries:
    """Entries on the core."""

    def test_an_entry_reads_in_utc_with_an_iso_duration(self, clockify: Service) -> None:
        """The core has `Z`, ISO 8601 and the resolved rate in minor units."""
        entry = add_entry(clockify.world, DAY, "09:30", seconds=3723)
        row = clockify.get(f"/time-entries/{entry.id}").json()
        assert row["timeInterval"] == {
            "start": "2026-11-18T14:30:00Z",
            "end": "2026-11-18T15:32:03Z",
            "duration": "PT1H2M3S",
        }
        assert row["hourlyRate"] == {"amount": 13725, "currency": "USD"}
        assert "approvalRequestId" not in row

    def test_an_unknown_or_deleted_entry_is_never_404(self, clockify: Service) -> None:
        """Both are a broken rule."""
        entry = add_entry(clockify.world, DAY)
        assert clockify.http.delete(f"{clockify.core}/time-entries/{entry.id}").status_code == 204
        for entry_id in (entry.id, "0" * 24):
            answer = clockify.get(f"/time-entries/{entry_id}")
            assert (answer.status_code, answer.json()) == (
                400,
                {"message": "Time entry doesn't belong to Workspace", "code": 501},
            )

    def test_one_persons_entries_come_latest_first_in_the_accounts_wall_clock(
        self, clockify: Service
    ) -> None:
        """A `Z` in the window is read as the account's own time."""
        early = add_entry(clockify.world, DAY, "08:00")
        late = add_entry(clockify.world, DAY, "20:00")
        add_entry(clockify.world, DAY, "09:00", mailbox="priya")
        path = f"/user/{early.user_id}/time-entries"
        both = clockify.get(path, start="2026-11-18T00:00:00Z", end="2026-11-18T23:59:59Z")
        assert [row["id"] for row in both.json()] == [late.id, early.id]
        morning = clockify.get(path, start="2026-11-18T08:00:00Z", end="2026-11-18T08:00:00Z")
        assert [row["id"] for row in morning.json()] == [early.id]

    def test_a_replacement_clears_what_it_leaves_out(self, clockify: Service) -> None:
        """Without an end a finished entry becomes a running timer."""
        entry = add_entry(clockify.world, DAY)
        body = {"start": "2026-11-18T14:00:00Z"}
        row = clockify.http.put(f"{clockify.core}/time-entries/{entry.id}", json=body).json()
        assert (row["timeInterval"]["end"], row["timeInterval"]["duration"]) == (None, None)
        assert (row["description"], row["projectId"], row["billable"]) == ("", None, False)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"start": None}, 3001),
            ({"start": "yesterday"}, 3002),
            ({"description": "a < b"}, 501),
            ({"description": "x" * 3001}, 501),
            ({"projectId": "0" * 24}, 501),
            ({"type": "HOLIDAY"}, 3002),
        ],
    )
    def test_what_cannot_be_written_is_refused(
        self, clockify: Service, change: dict[str, Any], code: int
    ) -> None:
        """The same body without the change is accepted."""
        body = {"start": "2026-11-18T14:00:00Z", "end": "2026-11-18T15:00:00Z", "billable": True}
        path = f"{clockify.core}/time-entries"
        assert clockify.http.post(path, json=body).status_code == 201
        answer = clockify.http.post(path, json=body | change)
        assert (answer.status_code, answer.json()["code"]) == (400, code)

    def test_an_approved_entry_cannot_be_changed(self, clockify: Service) -> None:
        """Not even by an administrator."""
        entry = add_entry(clockify.world, DAY, is_approved=True)
        path = f"{clockify.core}/time-entries/{entry.id}"
        for answer in (
            clockify.http.put(path, json={"start": "2026-11-18T14:00:00Z"}),
            clockify.http.delete(path),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, 4005)

    def test_an_invoiced_mark_shows_only_in_the_report(self, clockify: Service) -> None:
        """The answer is empty and the entry reads as before."""
        entry = add_entry(clockify.world, DAY)
        before = clockify.get(f"/time-entries/{entry.id}").json()
        body = {"timeEntryIds": [entry.id], "invoiced": True}
        answer = clockify.http.patch(f"{clockify.core}/time-entries/invoiced", json=body)
        assert (answer.status_code, answer.content) == (200, b"")
        assert clockify.get(f"/time-entries/{entry.id}").json() == before
        assert clockify.only_row()["invoicingInfo"] == {"manuallyInvoiced": True}
        assert clockify.rows(invoicingState="UNINVOICED") == []
