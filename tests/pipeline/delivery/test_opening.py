"""Opening a load: what must hold before anything is sent, changed one at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.company import Company
from pipeline.delivery import opening
from pipeline.delivery.desk import Desk
from pipeline.ledger import Binding, Ledger
from pipeline.schemas import (
    AcceptedTimeEntries,
    ClockifyTimeEntries,
    ClockifyUsers,
    ClockifyWorkspace,
    Days,
    QuickbooksCompany,
    Table,
)
from pipeline.stops import Stop
from pipeline.storage import doors
from tests.pipeline.delivery.desks import known
from tests.pipeline.rows import DAY, frame, valid

A_DAY = timedelta(days=1)
LAST = DAY + 2 * A_DAY
NOON = datetime(2024, 5, 14, 16, tzinfo=UTC)
"""Of the first day, in New York."""
MIDNIGHT = datetime(2024, 5, 14, 4, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def put(company: Company, model: type[Table], *rows: dict[str, Any]) -> None:
    """Store valid rows, with changes."""
    valid_rows = [valid(model, number, **changes) for number, changes in enumerate(rows, 1)]
    with company.warehouse.connect() as connection:
        doors.insert(connection, model, frame(model, *valid_rows))


def lay(desk: Desk, *rows: dict[str, Any]) -> None:
    """Store accepted entries, each from `days` after the first day, with changes."""
    entries, accepted = [], []
    for row in rows:
        changes = {"days": 0, "is_delivered": False, **row}
        at = NOON + changes.pop("days") * A_DAY
        is_delivered = changes.pop("is_delivered")
        times = {"work_date": at.date(), "start_at": at, "end_at": at}
        entries.append({"tag_names": [], **times, **changes})
        accepted.append({**entries[-1], "is_delivered": is_delivered})
    put(desk.company, ClockifyTimeEntries, *entries)
    put(desk.company, AcceptedTimeEntries, *accepted)


def with_settings(desk: Desk, **changes: object) -> Desk:
    """The desk under other settings."""
    settings = desk.company.settings.model_copy(update=changes)
    return replace(desk, company=replace(desk.company, settings=settings))


class TestDates:
    """The dates of what may be sent."""

    @pytest.mark.parametrize(
        "start_at", [NOON, MIDNIGHT, MIDNIGHT + A_DAY - TICK], ids=["noon", "first", "last"]
    )
    def test_those_of_this_clock_are_sent(self, desk: Desk, start_at: datetime) -> None:
        """New York's."""
        lay(desk, {"start_at": start_at})
        opening.refuse_other_dates(desk, DAY, DAY)

    @pytest.mark.parametrize("start_at", [MIDNIGHT - TICK, MIDNIGHT + A_DAY])
    def test_those_of_another_clock_are_not(self, desk: Desk, start_at: datetime) -> None:
        """An entry is named, and the days to read again."""
        lay(desk, {"start_at": start_at}, {"days": 1}, {"days": 2, "start_at": start_at})
        with pytest.raises(Stop) as stop:
            opening.refuse_other_dates(desk, DAY, LAST)
        said = str(stop.value)
        assert "by another TIME_ZONE than America/New_York" in said
        assert f"2, such as {1:024x}, which is stored on 2024-05-14" in said
        assert "the review of 2024-05-14 to 2024-05-16 again" in said

    @pytest.mark.parametrize("changes", [{"days": 1}, {"is_delivered": True}], ids=str)
    def test_those_of_what_is_not_sent_are_no_matter(
        self, desk: Desk, changes: dict[str, Any]
    ) -> None:
        """Another day's, or delivered."""
        lay(desk, {"start_at": MIDNIGHT - TICK, **changes})
        opening.refuse_other_dates(desk, DAY, DAY)


class TestRounding:
    """By what rounding entries were read."""

    @pytest.mark.parametrize(
        ("wanted", "known_by", "is_refused"),
        [
            ("workspace", "off", False),
            ("workspace", "nearest 15", False),
            ("on", "nearest 15", False),
            ("on", "off", True),
            ("off", "off", False),
            ("off", "nearest 15", True),
        ],
    )
    def test_it_must_be_the_one_that_is_set(
        self, desk: Desk, wanted: str, known_by: str, *, is_refused: bool
    ) -> None:
        """`ROUNDING`; `workspace` is whatever it was."""
        rounded = replace(with_settings(desk, rounding=wanted), rounding=known_by)
        if not is_refused:
            opening.refuse_other_rounding(rounded, DAY, LAST)
            return
        with pytest.raises(Stop) as stop:
            opening.refuse_other_rounding(rounded, DAY, LAST)
        assert (
            f"ROUNDING is `{wanted}`, but entries were last read when it was `{known_by}`"
            in str(stop.value)
        )
        assert "the review of 2024-05-14 to 2024-05-16 again" in str(stop.value)

    def test_no_day_of_another_one_is_sent(self, desk: Desk) -> None:
        """The first is named with its rounding; not what is settled by now."""
        roundings = ["up 5", "up 10", "up 15", "off"]
        lay(desk, *({"days": number} for number in range(4)))
        put(
            desk.company,
            Days,
            *(
                {"work_date": DAY + number * A_DAY, "rounding": rounding}
                for number, rounding in enumerate(roundings)
            ),
        )
        desk.ledger.record([known(1, state="skipped"), known(2, state="refused")])
        last = DAY + 4 * A_DAY
        with pytest.raises(Stop) as stop:
            opening.refuse_other_rounding(desk, DAY, last)
        assert "Entries of 2 of these days were read with the rounding `up 10`" in str(stop.value)
        assert "but it is `off` now" in str(stop.value)
        assert "the review of 2024-05-15 to 2024-05-16 again" in str(stop.value)
        opening.refuse_other_rounding(desk, DAY, DAY)


class TestClock:
    """How far this machine's clock is from Intuit's."""

    def test_what_is_not_known_is_not_refused(self, desk: Desk) -> None:
        """Nothing was asked yet, and nothing is sent before something is."""
        opening.refuse_other_clock(desk)

    @pytest.mark.parametrize(
        ("ahead", "said"),
        [
            (timedelta(hours=6), None),
            (-timedelta(hours=6), None),
            (timedelta(hours=6, seconds=1), "This machine's clock is 6 hours behind Intuit's"),
            (-timedelta(hours=25), "This machine's clock is 25 hours ahead of Intuit's"),
        ],
        ids=str,
    )
    def test_six_hours_are_another_days(
        self, desk: Desk, ahead: timedelta, said: str | None
    ) -> None:
        """Whichever way."""
        desk.quickbooks.http.ahead = ahead
        if said is None:
            opening.refuse_other_clock(desk)
            return
        with pytest.raises(Stop, match=said):
            opening.refuse_other_clock(desk)


class TestBinding:
    """Whose books a ledger is for."""

    def test_a_ledger_is_bound_by_its_first_load_and_not_by_a_look(self, desk: Desk) -> None:
        """To company, workspace, clock and rounding."""
        settings = desk.company.settings
        opening.bind(desk, is_dry=True)
        assert desk.ledger._bound() is None
        opening.bind(desk)
        assert desk.ledger._bound() == Binding(
            settings.quickbooks_realm_id,
            settings.clockify_workspace_id,
            "America/New_York",
            "off",
        )

    @pytest.mark.parametrize("is_dry", [True, False])
    def test_another_clock_is_refused_until_it_is_meant(self, desk: Desk, *, is_dry: bool) -> None:
        """Also by a look, which binds nothing then either."""
        opening.bind(desk)
        other = with_settings(desk, time_zone="Europe/Berlin")
        with pytest.raises(Stop, match="The ledger is bound to"):
            opening.bind(other, is_dry=is_dry)
        opening.bind(other, rebind=True, is_dry=is_dry)
        bound = desk.ledger._bound()
        assert bound
        assert bound.time_zone == ("America/New_York" if is_dry else "Europe/Berlin")

    def test_real_services_need_a_day_to_send_from(self, desk: Desk) -> None:
        """Else what the old button sent would be sent again."""
        real = "https://api.clockify.me/api/v1"
        opening.bind(with_settings(desk, send_from=None))
        opening.bind(with_settings(desk, clockify_api_url=real))
        with pytest.raises(Stop, match="SEND_FROM is not set"):
            opening.bind(with_settings(desk, clockify_api_url=real, send_from=None))


@pytest.fixture
def company(desk: Desk) -> Company:
    """A company that was read, and may be written; its ledger is not open yet."""
    company = desk.company
    row = {
        "realm_id": company.settings.quickbooks_realm_id,
        "plan": "QuickBooks Online Plus",
        "is_payroll_enabled": False,
        "home_currency": "USD",
        "service_item_name": "Studio:Design",
    }
    put(company, QuickbooksCompany, row)
    settings = company.settings.model_copy(update={"service_item": "Design"})
    beside = settings.ledger.with_name("another.duckdb")
    return replace(company, settings=settings.model_copy(update={"ledger": beside}))


def opened(company: Company, said: list[str] | None = None) -> Desk:
    """The desk of a load of one day."""
    log = print if said is None else said.append
    with opening.desk(company, log, DAY, DAY) as found:
        assert isinstance(found.ledger, Ledger)
        return found


def refused(company: Company) -> str:
    """Why a desk is not opened."""
    with pytest.raises(Stop) as stop:
        opened(company)
    return str(stop.value)


class TestDesk:
    """The desk at which a load works."""

    def test_it_has_what_was_read(self, company: Company) -> None:
        """Lists, rules, and the service item with all that may change of it."""
        put(company, ClockifyUsers, {"user_id": "u9"})
        said: list[str] = []
        found = opened(company, said)
        assert list(found.lists.users["user_id"]) == ["u9"]
        assert (found.company, found.rules.home_currency) == (company, "USD")
        assert found.rules.today == company.today()
        assert found.item == {
            "service_item_id": "service_item_id 1",
            "service_item_name": "Studio:Design",
            "service_item_rate_minor": 1,
            "service_item_sync_token": "service_item_sync_token 1",
        }
        found.log("told")
        assert said == ["told"]

    def test_it_rounds_as_the_workspace_was_read(self, company: Company) -> None:
        """One that was never read rounds nothing."""
        found = opened(company)
        assert (found.rounding, found.rounding_minutes) == ("off", 1)
        id_ = company.settings.clockify_workspace_id
        row = {"workspace_id": id_, "rounding": "up 15", "rounding_minutes": 15}
        put(company, ClockifyWorkspace, row)
        found = opened(company)
        assert (found.rounding, found.rounding_minutes) == ("up 15", 15)

    def test_the_books_of_another_company_are_not_opened(self, company: Company) -> None:
        """It was read under another id."""
        other = company.settings.model_copy(update={"quickbooks_realm_id": "9"})
        said = refused(replace(company, settings=other))
        assert "is from the QuickBooks company" in said
        assert "Launch quickbooks_company again once that is done" in said

    def test_the_entries_of_another_workspace_are_not_sent(self, company: Company) -> None:
        """Whose warehouse it is."""
        put(company, ClockifyWorkspace, {"workspace_id": "another"})
        assert "the entries of the Clockify workspace another" in refused(company)

    @pytest.mark.parametrize(
        ("wanted", "name", "is_same"),
        [
            ("Design", "Design", True),
            ("Studio:Design", "Studio:Design", True),
            ("Studio", "Studio:Design", False),
            ("Drafting", "Studio:Design", False),
            ("Design", None, False),
            ("", None, True),
            ("", "Design", False),
        ],
    )
    def test_the_service_item_must_be_the_one_that_was_read(
        self, company: Company, wanted: str, name: str | None, *, is_same: bool
    ) -> None:
        """By its name, or with those above it."""
        with company.warehouse.connect() as connection:
            connection.execute("UPDATE quickbooks_company SET service_item_name = $1", [name])
        settings = company.settings.model_copy(update={"service_item": wanted})
        named = replace(company, settings=settings)
        if is_same:
            assert opened(named).item["service_item_name"] == name
        else:
            said = (
                f"SERVICE_ITEM is `{wanted}`, but the company was read when it was `{name or ''}`"
            )
            assert said in refused(named)
