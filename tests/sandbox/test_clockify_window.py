"""Which entries a detailed report has: its window, its zone, its refusals."""

from typing import Any

import pytest

from pipeline.sandbox.seed.oddities import (
    add_entry,
    add_fall_back,
    add_leap_day,
    add_midnight_crossing,
    add_spring_forward,
)
from tests.sandbox.clockify_service import DAY, NEW_YORK, Service, page


class TestWindow:
    """Which entries a report has."""

    def test_the_window_is_a_wall_clock_in_the_requests_zone(self, clockify: Service) -> None:
        """An hour finds an entry only where the wall shows it."""
        add_entry(clockify.world, DAY, "18:15")
        hour = {"dateRangeStart": "2026-11-18T18:00:00Z", "dateRangeEnd": "2026-11-18T18:59:59Z"}
        assert len(clockify.rows(**hour)) == 1
        for zone in ("UTC", "America/Los_Angeles", "Europe/Lisbon"):
            assert clockify.rows(**hour, timeZone=zone) == []

    def test_times_are_written_in_the_requests_zone(self, clockify: Service) -> None:
        """The same instant is another day elsewhere."""
        add_entry(clockify.world, DAY, "18:15")
        days = ("2026-11-18", "2026-11-19")
        starts = [
            clockify.only_row(*days, timeZone=zone)["timeInterval"]["start"]
            for zone in (NEW_YORK, "UTC", "Pacific/Auckland")
        ]
        assert starts == [
            "2026-11-18T18:15:00-05:00",
            "2026-11-18T23:15:00Z",
            "2026-11-19T12:15:00+13:00",
        ]

    def test_a_person_abroad_has_a_local_day_of_their_own(self, clockify: Service) -> None:
        """The row tells their zone, their wall clock and their offset."""
        add_entry(clockify.world, DAY, "20:10:09", seconds=60, mailbox="ines")
        interval = clockify.only_row()["timeInterval"]
        assert interval == {
            "start": "2026-11-18T20:10:09-05:00",
            "end": "2026-11-18T20:11:09-05:00",
            "duration": 60,
            "timeZone": "Europe/Lisbon",
            "zonedStart": "2026-11-19T01:10:09",
            "zonedEnd": "2026-11-19T01:11:09",
            "offStart": 0,
            "offEnd": 0,
        }

    @pytest.mark.parametrize("at", ["00:00", "23:59:59"])
    def test_a_day_has_its_first_and_its_last_second(self, clockify: Service, at: str) -> None:
        """An entry that starts in the day's last second is that day's."""
        add_entry(clockify.world, DAY, at)
        assert len(clockify.rows()) == 1
        assert clockify.rows("2026-11-17") == clockify.rows("2026-11-19") == []

    def test_an_entry_is_found_on_the_day_of_its_start_alone(self, clockify: Service) -> None:
        """Unless the switch selects by overlap."""
        add_midnight_crossing(clockify.world, DAY)
        assert len(clockify.rows("2026-11-18")) == 1
        assert clockify.rows("2026-11-19") == []
        clockify.world.switches["select_by_overlap"] = True
        assert len(clockify.rows("2026-11-19")) == 1

    def test_the_end_of_the_window_can_be_exclusive(self, clockify: Service) -> None:
        """A tie is in by default and out with the switch."""
        add_entry(clockify.world, DAY, "12:00")
        tie = {"dateRangeEnd": "2026-11-18T12:00:00"}
        assert len(clockify.rows(**tie)) == 1
        clockify.world.switches["window_end_exclusive"] = True
        assert clockify.rows(**tie) == []

    def test_time_is_elapsed_time_when_clocks_change(self, clockify: Service) -> None:
        """Over the gap the wall shows two hours, over the double hour two, and it took 1 and 3."""
        add_spring_forward(clockify.world)
        add_fall_back(clockify.world)
        add_leap_day(clockify.world)
        spring = clockify.rows("2026-03-08")
        assert [row["timeInterval"]["duration"] for row in spring] == [3600, 2700]
        assert spring[0]["timeInterval"]["end"] == "2026-03-08T03:30:00-04:00"
        autumn = {row["description"]: row["timeInterval"] for row in clockify.rows("2026-11-01")}
        assert autumn["Over both"]["duration"] == 10800
        assert autumn["First half past one"]["start"] == "2026-11-01T01:30:00-04:00"
        assert autumn["Second half past one"]["start"] == "2026-11-01T01:30:00-05:00"
        assert len(clockify.rows("2024-02-29")) == 2

    def test_a_free_plan_has_31_days(self, clockify: Service) -> None:
        """Of 24 hours: not 32, nor 31 in which clocks go back; a paid plan has no such limit."""
        assert clockify.ask("2026-10-01", "2026-11-20").status_code == 200
        clockify.world.workspace.plan = "FREE"
        assert clockify.ask("2026-09-16", "2026-10-16").status_code == 200
        assert clockify.ask("2026-09-16", "2026-10-17").status_code == 400
        assert clockify.ask("2026-10-16", "2026-11-15").status_code == 400

    def test_a_bound_that_comes_twice_is_either(self, clockify: Service) -> None:
        """Half past one, as clocks fall back from two to one: Clockify does not say which."""
        add_fall_back(clockify.world)
        half_past = {"dateRangeStart": "2026-11-01T01:30:00.000"}
        found = {row["description"] for row in clockify.rows("2026-11-01", **half_past)}
        clockify.world.switches["twice_is_later"] = True
        later = {row["description"] for row in clockify.rows("2026-11-01", **half_past)}
        assert found - later == {"First half past one"}

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"dateRangeStart": None}, 3001),
            ({"detailedFilter": None}, 3001),
            ({"dateRangeEnd": "soon"}, 3002),
            ({"dateRangeEnd": "2026-11-17T00:00:00"}, 501),
            ({"timeZone": "Mars/Olympus"}, 3002),
            ({"approvalState": "MAYBE"}, 3002),
            ({"detailedFilter": page(sortColumn="COLOUR")}, 3002),
            ({"detailedFilter": page(pageSize=0)}, 501),
            ({"detailedFilter": page(page=0)}, 501),
            ({"detailedFilter": page(pageSize="many")}, 3002),
            ({"detailedFilter": page(pageSize=1001)}, None),
        ],
    )
    def test_what_cannot_be_asked_is_refused(
        self, clockify: Service, change: dict[str, Any], code: int | None
    ) -> None:
        """The same request without the change is answered."""
        answer = clockify.ask(**change)
        assert (answer.status_code, answer.json().get("code")) == (400, code)
