"""The local Clockify misbehaving on demand."""

import pytest

from pipeline.sandbox.clockify import SWITCHES
from pipeline.sandbox.seed.oddities import (
    add_entry,
)
from tests.sandbox.clockify_service import DAY, Service, hundred, page


class TestSwitches:
    """Misbehaviour on demand."""

    def test_every_switch_has_a_default_among_its_choices(self) -> None:
        """And says what it means."""
        for name, row in SWITCHES.items():
            assert not row.choices or row.default in row.choices, name
            assert row.meaning.endswith("."), name

    @pytest.mark.parametrize(("mode", "rate"), [("zero", 0.0), ("null", None)])
    def test_a_key_may_not_see_rates(
        self, clockify: Service, mode: str, rate: float | None
    ) -> None:
        """Rates read as nothing."""
        add_entry(clockify.world, DAY)
        clockify.world.switches["rates_hidden"] = mode
        row = clockify.only_row()
        assert (row["rate"], row["amount"]) == (rate, rate)

    def test_a_key_may_not_ask_for_rates(self, clockify: Service) -> None:
        """Only a report without amounts is answered."""
        clockify.world.switches["rates_hidden"] = "forbidden"
        assert clockify.ask().status_code == 403
        assert clockify.ask(amountShown="HIDE_AMOUNT").status_code == 200

    def test_a_key_of_no_admin_sees_its_owners_entries_only(self, clockify: Service) -> None:
        """A report of everybody's time without everybody."""
        workspace = clockify.world.workspace
        for user_id in (workspace.owner_id, *workspace.users):
            add_entry(clockify.world, DAY, user_id=user_id)
        assert len({row["userId"] for row in clockify.rows()}) == len(workspace.users)
        clockify.world.switches["own_entries_only"] = True
        assert {row["userId"] for row in clockify.rows()} == {workspace.owner_id}

    @pytest.mark.parametrize(("mode", "has_header"), [("silent", False), ("retry_after", True)])
    def test_a_free_budget_runs_out(
        self, clockify: Service, mode: str, *, has_header: bool
    ) -> None:
        """The 31st request of the hour is refused without a word, and the next hour is fresh."""
        switches = clockify.world.switches
        switches |= {"thirty_per_hour": mode, "hour_seconds": 0}
        answers = [clockify.get("")]  # what was asked before is of an earlier hour
        switches["hour_seconds"] = 3600
        answers += [clockify.get("") for _ in range(30)]
        assert [answer.status_code for answer in answers] == [200] * 30 + [429]
        assert answers[-1].content == b""
        assert ("retry-after" in answers[-1].headers) is has_header
        switches["hour_seconds"] = 0
        assert clockify.get("").status_code == 200

    def test_an_error_can_hide_in_a_200(self, clockify: Service) -> None:
        """As often as asked for."""
        clockify.world.switches["error_in_200"] = 1
        assert clockify.ask().json()["code"] == 501
        assert "code" not in clockify.ask().json()

    @pytest.mark.parametrize(("value", "counts"), [(2, [4, 4, 3]), (True, [4, 4, 4])])
    def test_the_count_can_lie(self, clockify: Service, value: object, counts: list[int]) -> None:
        """So many times, or always."""
        hundred(clockify.world, 3)
        clockify.world.switches["count_lies"] = value
        answers = [clockify.ask().json() for _ in range(3)]
        assert [answer["totals"][0]["entriesCount"] for answer in answers] == counts

    @pytest.mark.parametrize(
        ("mode", "first_read", "second_read"),
        [
            ("add_once", (100, 100), (101, 101)),
            ("remove_once", (99, 100), (99, 99)),
            ("add_always", (100, 100), (102, 102)),
            ("remove_always", (98, 100), (96, 98)),
        ],
    )
    def test_the_window_can_change_between_its_pages(
        self,
        clockify: Service,
        mode: str,
        first_read: tuple[int, int],
        second_read: tuple[int, int],
    ) -> None:
        """An added row repeats another, a removed one hides another: distinct ids, first count."""
        hundred(clockify.world)
        clockify.world.switches["mutate_between_pages"] = mode
        reads = []
        for _ in range(2):
            pages = [
                clockify.ask(detailedFilter=page(pageSize=40, page=number)) for number in (1, 2, 3)
            ]
            ids = {row["_id"] for answer in pages for row in answer.json()["timeentries"]}
            reads.append((len(ids), pages[0].json()["totals"][0]["entriesCount"]))
        assert reads == [first_read, second_read]

    def test_the_rows_can_have_another_key(self, clockify: Service) -> None:
        """As some typings say."""
        clockify.world.switches["rows_key"] = "timeEntries"
        assert clockify.ask().json()["timeEntries"] == []

    def test_former_members_can_be_missing(self, clockify: Service) -> None:
        """Unless the filter of users asks for those of every status."""
        entry = add_entry(clockify.world, DAY, mailbox="oliver")
        assert len(clockify.rows()) == 1
        clockify.world.switches["inactive_users_in_report"] = False
        assert clockify.rows() == []
        by_id: dict[str, object] = {"ids": [entry.user_id]}
        assert clockify.rows(users=by_id) == []
        assert len(clockify.rows(users=by_id | {"status": "ALL"})) == 1
        assert len(clockify.rows(users={"status": "ALL"})) == 1

    def test_the_time_of_who_was_removed_can_be_missing(self, clockify: Service) -> None:
        """Two pages of the vendor's help contradict each other; else it is nobody's by name."""
        entry = add_entry(clockify.world, DAY, mailbox="oliver")
        del clockify.world.workspace.users[entry.user_id]
        assert clockify.only_row()["userName"] == "DeletedUser"
        clockify.world.switches["removed_users_in_report"] = False
        assert clockify.rows() == []
        assert clockify.rows(users={"ids": [entry.user_id], "status": "ALL"}) == []

    def test_older_rows_have_no_local_times(self, clockify: Service) -> None:
        """They came with start, end and duration."""
        add_entry(clockify.world, DAY)
        clockify.world.switches["zoned_fields"] = False
        assert set(clockify.only_row()["timeInterval"]) == {"start", "end", "duration"}
