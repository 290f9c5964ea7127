"""What a row of a detailed report says, and how rows are filtered and ordered."""

import pytest

from pipeline.sandbox.seed.oddities import add_entry, user_of
from tests.sandbox.clockify_service import DAY, Service, page


class TestRows:
    """What a row says."""

    def test_a_row_has_names_ids_and_money_in_minor_units(self, clockify: Service) -> None:
        """An hour and a half at 137.25."""
        entry = add_entry(clockify.world, DAY, tag_names=["on site"], task_name="Design")
        row = clockify.only_row()
        assert row["_id"] == entry.id
        assert (row["userName"], row["userEmail"]) == ("Daniel Okafor", "daniel@fernhill.example")
        assert (row["projectName"], row["clientName"]) == (
            "Marsh Boardwalk",
            "Harborview Land Trust",
        )
        assert (row["taskName"], row["tags"][0]["name"]) == ("Design", "on site")
        assert (row["rate"], row["amount"], row["currency"]) == (13725.0, 20587.5, "USD")
        assert row["timeInterval"]["duration"] == 5400
        assert "invoicingInfo" not in row

    def test_a_project_without_a_client_has_nulls(self, clockify: Service) -> None:
        """Not empty texts, as in the list of projects."""
        add_entry(clockify.world, DAY, project="Brindle Creek Watershed")
        row = clockify.only_row()
        assert (row["clientId"], row["clientName"]) == (None, None)

    @pytest.mark.parametrize("kind", ["BREAK", "HOLIDAY", "TIME_OFF"])
    def test_time_that_is_no_work_is_among_the_rows(self, clockify: Service, kind: str) -> None:
        """Without a project, and not billable."""
        add_entry(clockify.world, DAY, type=kind, project=None, is_billable=False)
        row = clockify.only_row()
        assert (row["type"], row["projectId"], row["rate"], row["amount"]) == (kind, None, 0.0, 0.0)

    @pytest.mark.parametrize(("mode", "duration"), [("zero", 0), ("null", None)])
    def test_a_running_entry_has_no_end(
        self, clockify: Service, mode: str, duration: int | None
    ) -> None:
        """Its duration is nothing, one way or the other."""
        add_entry(clockify.world, DAY, seconds=None)
        clockify.world.switches["running_in_report"] = mode
        interval = clockify.only_row()["timeInterval"]
        assert (interval["end"], interval["zonedEnd"], interval["duration"]) == (
            None,
            None,
            duration,
        )

    def test_running_entries_can_be_left_out(self, clockify: Service) -> None:
        """Where the switch says so."""
        add_entry(clockify.world, DAY, seconds=None)
        clockify.world.switches["running_in_report"] = "left_out"
        assert clockify.rows() == []

    def test_a_contradiction_is_passed_on(self, clockify: Service) -> None:
        """An end before the start, and a duration that does not fit."""
        add_entry(clockify.world, DAY, "10:00", seconds=-1800)
        add_entry(clockify.world, DAY, "11:00", reported_seconds=999)
        durations = [row["timeInterval"]["duration"] for row in clockify.rows()]
        assert durations == [-1800, 999]

    def test_approval_is_told_by_the_filter_and_not_by_a_request(self, clockify: Service) -> None:
        """A request id says that approval was asked for."""
        asked = add_entry(clockify.world, DAY, "08:00", approval_request_id="1" * 24)
        approved = add_entry(
            clockify.world, DAY, "09:00", approval_request_id="1" * 24, is_approved=True
        )
        everything = clockify.rows()
        assert {row["approvalRequestId"] for row in everything} == {"1" * 24}
        assert [row["_id"] for row in clockify.rows(approvalState="APPROVED")] == [approved.id]
        assert [row["_id"] for row in clockify.rows(approvalState="UNAPPROVED")] == [asked.id]

    def test_a_filter_by_person_takes_or_leaves(self, clockify: Service) -> None:
        """By id, one way and the other."""
        add_entry(clockify.world, DAY, "08:00")
        add_entry(clockify.world, DAY, "09:00", mailbox="priya")
        priya = {"ids": [user_of(clockify.world, "priya").id]}
        taken = clockify.rows(users={"contains": "CONTAINS", **priya})
        left = clockify.rows(users={"contains": "DOES_NOT_CONTAIN", **priya})
        assert [row["userName"] for row in taken + left] == ["Priya Raman", "Daniel Okafor"]

    @pytest.mark.parametrize(
        ("column", "order"),
        [
            ("ID", "cab"),
            ("DATE", "acb"),
            ("DURATION", "cba"),
            ("DESCRIPTION", "abc"),
            ("USER", "bca"),
        ],
    )
    def test_rows_are_ordered_by_a_column_both_ways(
        self, clockify: Service, column: str, order: str
    ) -> None:
        """Three entries whose order is another by each column."""
        for name, number, at, minutes, mailbox in (
            ("a", 2, "10:00", 3, "priya"),
            ("b", 3, "12:00", 2, "daniel"),
            ("c", 1, "11:00", 1, "ines"),
        ):
            words = {"id": f"{number:024x}", "description": name, "seconds": 60 * minutes}
            add_entry(clockify.world, DAY, at, mailbox=mailbox, **words)
        for direction, expected in (("ASCENDING", order), ("DESCENDING", order[::-1])):
            asked = {"sortOrder": direction, "detailedFilter": page(sortColumn=column)}
            assert [row["description"] for row in clockify.rows(**asked)] == [*expected]
