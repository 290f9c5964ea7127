"""Verdicts over the stored entries, whatever piece of them is judged."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.ledger import Ledger
from pipeline.review import verdicts
from pipeline.review.lists import Lists
from pipeline.schemas import (
    AcceptedTimeEntries,
    ClockifyProjects,
    ClockifyTimeEntries,
    ClockifyUsers,
    QuickbooksCompany,
    QuickbooksCustomers,
    QuickbooksEmployees,
)
from pipeline.settings import Settings
from pipeline.storage import doors
from pipeline.storage.database import Connection
from pipeline.warehouse import Warehouse
from tests.pipeline.examples import CUSTOMERS, EMPLOYEES, START, TODAY, entries, entry, rules, users
from tests.pipeline.rows import DELIVERED, NOW, SETTLED, STATES, delivery, frame, valid

MONDAY, TUESDAY = date(2024, 5, 13), date(2024, 5, 14)
LATER = START + pd.Timedelta(days=30)
SETTINGS = Settings.model_construct(max_rate=1000, send_from=MONDAY)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Connection]:
    """The example company, whose list of users has nobody."""
    with Warehouse(tmp_path / "warehouse.duckdb").connect() as connection:
        doors.insert(connection, QuickbooksEmployees, EMPLOYEES)
        doors.insert(connection, QuickbooksCustomers, CUSTOMERS)
        company = valid(QuickbooksCompany, home_currency="USD")
        doors.insert(connection, QuickbooksCompany, frame(QuickbooksCompany, company))
        yield connection


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.opened(tmp_path / "ledger.duckdb", 0, print) as opened:
        yield opened


def lay(connection: Connection, number: int, day: date, **changes: object) -> None:
    """Store a valid entry of a day, with changes."""
    row = entry(number, work_date=pd.Timestamp(day), user_name="Eve Back", **changes)
    doors.insert(connection, ClockifyTimeEntries, entries(row))


def judged(connection: Connection, ledger: Ledger, first: date, last: date) -> pd.DataFrame:
    """The verdicts over some days, by the lists as they are stored now."""
    return verdicts.judged(connection, ledger, Lists.read(connection), rules(), first, last)


def reasons(connection: Connection, ledger: Ledger, day: date) -> list[str]:
    """Why the one entry of a day is not accepted, judged alone."""
    found = judged(connection, ledger, day, day)
    return list(found["reasons"][0])


class TestNamesakes:
    """Two users of one name, of whom the workspace's list has neither."""

    def test_they_are_ambiguous_also_where_each_is_judged_in_a_piece_of_its_own(
        self, warehouse: Connection, ledger: Ledger
    ) -> None:
        """Limited members, or removed ones: both would be sent as one employee's."""
        lay(warehouse, 1, MONDAY, user_id="limited 1")
        assert reasons(warehouse, ledger, MONDAY) == []
        lay(warehouse, 2, TUESDAY, user_id="limited 2")
        for day in (MONDAY, TUESDAY):
            assert reasons(warehouse, ledger, day) == ["ambiguous_employee"]

    def test_what_was_accepted_before_the_other_was_read_is_not_sent(
        self, warehouse: Connection, ledger: Ledger
    ) -> None:
        """The load judges every row again, a day on either side: the other may be anywhere."""
        lay(warehouse, 1, MONDAY, user_id="limited 1")
        found = judged(warehouse, ledger, MONDAY, MONDAY)
        verdicts.store(warehouse, found, rules(), MONDAY, MONDAY, NOW)
        assert len(verdicts.sendable(warehouse, found, MONDAY, MONDAY)) == 1
        lay(warehouse, 2, date(2024, 1, 1), user_id="limited 2")
        again = judged(warehouse, ledger, MONDAY, TUESDAY)
        assert verdicts.sendable(warehouse, again, MONDAY, MONDAY).empty

    def test_they_are_so_too_when_what_was_sent_is_compared(self, warehouse: Connection) -> None:
        """What follows an entry must not take it for the other's."""
        lay(warehouse, 1, MONDAY, user_id="limited 1")
        lay(warehouse, 2, TUESDAY, user_id="limited 2")
        lists, entry_id = Lists.read(warehouse), f"{1:024x}"
        [found] = verdicts.of_today(warehouse, lists, rules(), [entry_id])["reasons"]
        assert found == ["ambiguous_employee"]

    def test_a_rename_is_seen_in_the_last_entry_that_was_read(
        self, warehouse: Connection, ledger: Ledger
    ) -> None:
        """Older entries keep the old name until they are read again."""
        lay(warehouse, 1, MONDAY, user_id="limited 1")
        lay(warehouse, 2, date(2024, 1, 1), user_id="limited 2")
        row = entry(3, user_id="limited 2", user_name="Eve Forth", read_at=LATER)
        doors.insert(warehouse, ClockifyTimeEntries, entries(row))
        assert reasons(warehouse, ledger, MONDAY) == []

    def test_a_rename_is_seen_in_the_list_of_members(
        self, warehouse: Connection, ledger: Ledger
    ) -> None:
        """Whoever is in it has the name that it says, and no more the one of an older entry."""
        lay(warehouse, 1, MONDAY, user_id="u1")
        lay(warehouse, 2, date(2024, 1, 1), user_id="u2")
        doors.insert(warehouse, ClockifyUsers, users(("u1", "Eve Back"), ("u2", "Eve Forth")))
        assert reasons(warehouse, ledger, MONDAY) == []
        warehouse.execute("UPDATE clockify_users SET user_name = NULL WHERE user_id = 'u2'")
        assert reasons(warehouse, ledger, MONDAY) == ["ambiguous_employee"]  # invited, not named

    def test_a_member_and_somebody_who_is_none_are_namesakes(
        self, warehouse: Connection, ledger: Ledger
    ) -> None:
        """Whether or not the member has entries."""
        lay(warehouse, 1, MONDAY, user_id="limited 1")
        doors.insert(warehouse, ClockifyUsers, users(("u1", "Eve Back")))
        assert reasons(warehouse, ledger, MONDAY) == ["ambiguous_employee"]


@pytest.mark.parametrize("state", STATES)
def test_what_is_settled_stays_accepted_whatever_its_names_lead_to(
    warehouse: Connection, ledger: Ledger, state: str
) -> None:
    """Also what a person has decided to leave: nobody is told to mend what is never sent."""
    lay(warehouse, 1, MONDAY, project_name="A job that was finished and made inactive")
    assert reasons(warehouse, ledger, MONDAY) == ["unknown_customer"]
    ledger.record([delivery(1, state=state)])
    [found] = judged(warehouse, ledger, MONDAY, MONDAY).to_dict("records")
    assert (found["verdict"] == "accepted") == (state in SETTLED)
    assert found["is_delivered"] == (state in DELIVERED)


def test_only_the_window_is_compared_with_what_was_read(warehouse: Connection) -> None:
    """The whole table for each piece took 7 s and 375 MB at 600,000 rows."""
    for number, day in enumerate((MONDAY, TUESDAY)):
        same = {"work_date": day, "is_delivered": False}
        row = valid(AcceptedTimeEntries, number, **same)
        doors.insert(warehouse, AcceptedTimeEntries, frame(AcceptedTimeEntries, row))
        read = valid(ClockifyTimeEntries, number, work_date=day)
        doors.insert(warehouse, ClockifyTimeEntries, frame(ClockifyTimeEntries, read))
    assert verdicts._as_read(warehouse, TUESDAY, TUESDAY) == {f"{1:024x}"}


@pytest.mark.parametrize(
    ("mode", "others", "shared"),
    [
        ("project", {"client_name": "Globex"}, {"Audit"}),
        ("project", {"client_name": None}, {"Audit"}),
        ("project", {"client_name": "Acme"}, set()),
        ("project", {"client_name": "Globex", "is_archived": True}, set()),
        ("auto", {"client_name": "Globex"}, set()),
    ],
)
def test_a_name_that_projects_of_several_clients_have_is_known(
    warehouse: Connection, ledger: Ledger, mode: str, others: dict[str, Any], shared: set[str]
) -> None:
    """By the names of today, and of no archived project on which no time was tracked."""
    project = {"project_name": "Audit", "client_name": "Acme", "is_archived": False}
    rows = [valid(ClockifyProjects, 1, **project), valid(ClockifyProjects, 2, **project | others)]
    doors.insert(warehouse, ClockifyProjects, frame(ClockifyProjects, *rows))
    settings = SETTINGS.model_copy(update={"customer_matching": mode})
    found = verdicts.rules_of_run(warehouse, ledger, settings, TODAY, (MONDAY, MONDAY))
    assert found.shared_projects == shared


class TestClosedBooks:
    """All that was refused as closed is held but one entry."""

    @pytest.fixture
    def refused(self, warehouse: Connection, ledger: Ledger) -> tuple[Connection, Ledger]:
        """An entry of Monday and one of Tuesday, refused."""
        for number, day in enumerate((MONDAY, TUESDAY), 1):
            lay(warehouse, number, day)
            closed: dict[str, Any] = {"state": "refused", "error_code": "6210", "work_date": day}
            ledger.record([delivery(number, **closed)])
        return warehouse, ledger

    def test_the_probe_is_one_of_the_runs_own_days(
        self, refused: tuple[Connection, Ledger]
    ) -> None:
        """Though another waits longer."""
        found = verdicts.rules_of_run(*refused, SETTINGS, TODAY, (TUESDAY, TUESDAY))
        assert (found.books_closed_through, found.probe_entry_id) == (TUESDAY, f"{2:024x}")

    def test_without_an_entry_of_these_days_nothing_is_held(
        self, refused: tuple[Connection, Ledger]
    ) -> None:
        """The next refusal tells, if they are still closed."""
        days = (MONDAY - timedelta(days=9), MONDAY - timedelta(days=1))
        found = verdicts.rules_of_run(*refused, SETTINGS, TODAY, days)
        assert (found.books_closed_through, found.probe_entry_id) == (None, None)

    def test_where_nothing_was_refused_as_closed_no_entry_is_looked_at(
        self, warehouse: Connection, ledger: Ledger
    ) -> None:
        """A range of years would be hundreds of thousands of ids."""
        warehouse.execute("DROP TABLE clockify_time_entries")
        found = verdicts.rules_of_run(warehouse, ledger, SETTINGS, TODAY, (MONDAY, TUESDAY))
        assert found.probe_entry_id is None
