"""What a detailed report adds up to, page by page and rounded."""

import pytest

from pipeline.sandbox.seed.oddities import add_entry
from tests.sandbox.clockify_service import DAY, Service, hundred, page


class TestTotals:
    """What a report adds up to."""

    def test_totals_are_of_the_window_and_not_of_the_page(self, clockify: Service) -> None:
        """The last page of four counts all."""
        hundred(clockify.world)
        answer = clockify.ask(detailedFilter=page(pageSize=30, page=4))
        totals = answer.json()["totals"][0]
        assert len(answer.json()["timeentries"]) == 10
        assert answer.headers["last-page"] == "true"
        assert (totals["entriesCount"], totals["totalTime"]) == (100, 540000)
        assert totals["totalAmount"] == 100 * 20587.5

    def test_pages_are_disjoint_and_end_in_nothing(self, clockify: Service) -> None:
        """All entries come once, and then none."""
        entries = hundred(clockify.world)
        pages = [
            clockify.ask(detailedFilter=page(pageSize=40, page=number)) for number in range(1, 5)
        ]
        ids = [row["_id"] for answer in pages for row in answer.json()["timeentries"]]
        assert ids == [entry.id for entry in entries]
        assert [answer.headers["last-page"] for answer in pages] == [
            "false",
            "false",
            "true",
            "true",
        ]

    def test_a_write_between_two_pages_shows_on_the_second(self, clockify: Service) -> None:
        """There is no snapshot."""
        entry = hundred(clockify.world)[-1]
        clockify.ask(detailedFilter=page(pageSize=60))
        body = {"start": "2026-11-18T14:00:00Z", "description": "reworded"}
        clockify.http.put(f"{clockify.core}/time-entries/{entry.id}", json=body)
        second = clockify.rows(detailedFilter=page(pageSize=60, page=2))
        assert second[-1]["description"] == "reworded"

    def test_a_wrong_name_for_the_page_size_leaves_fifty(self, clockify: Service) -> None:
        """As the vendor's own sample would have it."""
        hundred(clockify.world)
        body = {"page": 1, "page-size": 100}
        assert len(clockify.rows(detailedFilter=body)) == 50

    def test_nothing_adds_up_to_null(self, clockify: Service) -> None:
        """An empty window has one total, which is null."""
        assert clockify.ask().json() == {"totals": [None], "timeentries": []}

    def test_amounts_stand_by_currency(self, clockify: Service) -> None:
        """And the plain total adds apples to pears."""
        add_entry(clockify.world, DAY, "08:00", seconds=3600)
        add_entry(clockify.world, DAY, "10:00", seconds=3600, project="Terraced Orchard")
        totals = clockify.ask().json()["totals"][0]
        assert totals["totalAmountByCurrency"] == [
            {"currency": "USD", "amount": 13725.0},
            {"currency": "EUR", "amount": 12625.0},
        ]
        assert totals["totalAmount"] == 26350.0

    def test_amounts_can_be_hidden(self, clockify: Service) -> None:
        """No row and no total has money then."""
        add_entry(clockify.world, DAY)
        body = clockify.ask(amountShown="HIDE_AMOUNT").json()
        assert "totalAmount" not in body["totals"][0]
        assert "rate" not in body["timeentries"][0]


class TestRounding:
    """Rounded reports."""

    @pytest.mark.parametrize(
        ("mode", "minutes", "seconds", "expected"),
        [
            ("Round to nearest", "30", 14 * 60, 0),
            ("Round to nearest", "30", 15 * 60, 1800),
            ("Round to nearest", "30", 26 * 60, 1800),
            ("Round up to", "30", 26 * 60, 1800),
            ("Round up to", "30", 1, 1800),
            ("Round up to", "30", 0, 0),
            ("Round down to", "30", 29 * 60, 0),
            ("Round to nearest", "1", 10 * 60 + 56, 660),
        ],
    )
    def test_durations_amounts_and_totals_are_rounded(
        self, clockify: Service, mode: str, minutes: str, seconds: int, expected: int
    ) -> None:
        """Start and end stay, and money follows the rounded time."""
        workspace = clockify.world.workspace
        workspace.round_mode, workspace.round_minutes = mode, minutes
        entry = add_entry(clockify.world, DAY, seconds=seconds)
        body = clockify.ask(rounding=True).json()
        (row,) = body["timeentries"]
        assert row["timeInterval"]["duration"] == expected
        assert row["amount"] == 13725 * expected / 3600
        assert body["totals"][0]["totalTime"] == expected
        plain = clockify.only_row()
        assert row["timeInterval"]["end"] == plain["timeInterval"]["end"]
        assert plain["timeInterval"]["duration"] == seconds
        assert entry.end is not None

    def test_the_workspace_decides_where_the_request_is_silent(self, clockify: Service) -> None:
        """And a FREE one never rounds."""
        add_entry(clockify.world, DAY, seconds=26 * 60)
        clockify.world.workspace.is_rounding_on = True
        assert clockify.only_row(rounding=None)["timeInterval"]["duration"] == 1800
        clockify.world.workspace.plan = "FREE"
        assert clockify.only_row(rounding=True)["timeInterval"]["duration"] == 1560

    def test_ties_and_ends_follow_their_switches(self, clockify: Service) -> None:
        """The vendor's texts leave both open."""
        clockify.world.workspace.round_minutes = "30"
        add_entry(clockify.world, DAY, "10:00", seconds=15 * 60)
        add_entry(clockify.world, DAY, "12:00", seconds=26 * 60)
        clockify.world.switches |= {"rounding_ties_down": True, "rounding_moves_times": True}
        tie, moved = clockify.rows(rounding=True)
        assert tie["timeInterval"]["duration"] == 0
        assert moved["timeInterval"]["end"] == "2026-11-18T12:30:00-05:00"
