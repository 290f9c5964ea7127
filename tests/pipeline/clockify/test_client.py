"""The Clockify client: complete reads, and one clear sentence for everything that stops a run."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from pipeline.clockify.client import Clockify, Workspace
from pipeline.extract.entries import frame_of
from pipeline.extract.pieces import pieces
from pipeline.schemas import ClockifyProjects, ClockifyUsers
from pipeline.stops import Stop
from tests.conftest import Sandbox
from tests.pipeline.conftest import SettingsFor

DAYS = {"first": date(2026, 11, 1), "last": date(2026, 11, 21)}
REPORT = "POST /report/v1/workspaces/{id}/reports/detailed"


def expected_ids(sandbox: Sandbox, first: date, last: date) -> set[str]:
    """The entries that start on these days in the company's zone."""
    zone = sandbox.world.time_zone
    starts = {
        entry.id: pd.Timestamp(entry.start).tz_convert(zone).date()
        for entry in sandbox.world.workspace.entries.values()
    }
    return {entry_id for entry_id, day in starts.items() if first <= day <= last}


def crowd(sandbox: Sandbox, count: int) -> None:
    """Fill one day with entries of one minute."""
    entries = sandbox.world.workspace.entries
    some = next(entry for entry in entries.values() if entry.end and entry.type == "REGULAR")
    start = datetime(2026, 11, 10, 14, tzinfo=UTC)
    for number in range(count):
        entry_id = f"6a0{number:021x}"
        end = start + timedelta(minutes=1)
        entries[entry_id] = replace(some, id=entry_id, start=start, end=end, reported_seconds=None)


def test_a_report_has_every_entry_of_the_days_once(sandbox: Sandbox, clockify: Clockify) -> None:
    """Counted against the sandbox's own list, by the company's calendar."""
    ids = [row["_id"] for row in clockify.reports.rows(**DAYS, rounding=False)]
    assert len(ids) == len(set(ids))
    assert set(ids) == expected_ids(sandbox, **DAYS)
    assert len(ids) > 100


@pytest.mark.parametrize("key", ["timeentries", "timeEntries"])
def test_both_spellings_of_the_rows_are_read(
    sandbox: Sandbox, clockify: Clockify, key: str
) -> None:
    """All lower case on the wire, otherwise in some documents."""
    sandbox.switch(rows_key=key)
    assert clockify.reports.rows(**DAYS, rounding=False)


def test_days_without_entries_are_a_complete_read_of_none(clockify: Clockify) -> None:
    """Their totals are `[null]`."""
    day = date(2020, 1, 1)
    assert clockify.reports.rows(day, day, rounding=False) == []
    none = {"entries": 0, "seconds": 0, "billable_seconds": 0, "amounts": {}}
    assert clockify.reports.totals(day, day, rounding=False) == none


def test_a_free_plan_is_asked_for_31_days_at_a_time(sandbox: Sandbox, clockify: Clockify) -> None:
    """And the pieces together have every entry once."""
    sandbox.world.workspace.plan = "FREE"
    days = {"first": date(2026, 9, 1), "last": date(2026, 11, 21)}
    ids = [
        row["_id"]
        for first, last in pieces(**days)
        for row in clockify.reports.rows(first, last, rounding=False)
    ]
    assert len(ids) == len(set(ids))
    assert set(ids) == expected_ids(sandbox, **days)
    assert sandbox.calls(REPORT) == 4


@pytest.mark.parametrize(
    ("zone", "first", "requests"),
    [
        ("America/New_York", date(2026, 10, 10), 2),
        ("America/New_York", date(2026, 11, 1), 2),
        ("America/New_York", date(2026, 11, 2), 1),
        ("America/New_York", date(2026, 3, 1), 1),
        ("Europe/Berlin", date(2026, 10, 1), 2),
        ("America/Havana", date(2024, 11, 3), 2),
        ("America/Santiago", date(2026, 3, 5), 2),
        ("UTC", date(2026, 10, 1), 1),
    ],
)
def test_31_days_in_which_clocks_go_back_are_two_requests(
    sandbox: Sandbox, settings_for: SettingsFor, zone: str, first: date, requests: int
) -> None:
    """They are an hour longer than a free plan answers; their rows and totals are as ever."""
    last = first + timedelta(days=30)
    with Clockify(settings_for(TIME_ZONE=zone)) as clockify:
        whole = clockify.reports.rows(first, last, rounding=False)
        totals = clockify.reports.totals(first, last, rounding=False)
        assert sandbox.calls(REPORT) == 2 * requests
        sandbox.world.workspace.plan = "FREE"
        assert clockify.reports.rows(first, last, rounding=False) == whole
        assert clockify.reports.totals(first, last, rounding=False) == totals
    assert totals["entries"] == len(whole)


def test_what_two_requests_add_up_to_is_summed(
    sandbox: Sandbox, clockify: Clockify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one would have it, by currency."""
    days = {"first": date(2026, 10, 10), "last": date(2026, 11, 9)}
    summed = clockify.reports.totals(**days, rounding=False)
    monkeypatch.setattr("pipeline.clockify.detailed_report.LONGEST", timedelta(days=32))
    alone = clockify.reports.totals(**days, rounding=False)
    assert sandbox.calls(REPORT) == 3
    amounts = [each.pop("amounts") for each in (summed, alone)]
    assert summed == alone
    assert amounts[0].keys() == amounts[1].keys() != set()
    for currency, amount in amounts[0].items():
        assert abs(Decimal(amount) - Decimal(amounts[1][currency])) < Decimal("0.001")


@pytest.mark.parametrize("zone", ["America/Havana", "Atlantic/Azores"])
@pytest.mark.parametrize("is_later", [False, True])
def test_an_hour_that_comes_twice_after_midnight_is_read_both_times(
    sandbox: Sandbox, settings_for: SettingsFor, zone: str, *, is_later: bool
) -> None:
    """Whichever of the two the day's first moment means to Clockify."""
    day = date(2024, 11, 3) if zone == "America/Havana" else date(2024, 10, 27)
    entries = sandbox.world.workspace.entries
    some = next(entry for entry in entries.values() if entry.end)
    first = datetime.combine(day, time(0, 30), ZoneInfo(zone)).astimezone(UTC)
    for hours in (0, 1):
        start = first + timedelta(hours=hours)
        end = start + timedelta(minutes=10)
        entries[f"6b{hours:022x}"] = replace(some, id=f"6b{hours:022x}", start=start, end=end)
    sandbox.switch(twice_is_later=is_later)
    with Clockify(settings_for(TIME_ZONE=zone)) as clockify:
        rows = clockify.reports.rows(day, day, rounding=False)
    assert {row["_id"] for row in rows} >= {"6b" + "0" * 22, "6b" + "0" * 21 + "1"}


def test_a_report_of_many_pages_is_read_whole(sandbox: Sandbox, settings_for: SettingsFor) -> None:
    """1,000 rows a page, with word of how far it has come."""
    crowd(sandbox, 3200)
    said: list[str] = []
    with Clockify(settings_for(HTTP_PATIENCE_SECONDS="30"), said.append) as clockify:
        rows = clockify.reports.rows(date(2026, 11, 10), date(2026, 11, 10), rounding=False)
    assert len(rows) == len(expected_ids(sandbox, date(2026, 11, 10), date(2026, 11, 10))) > 3200
    assert sandbox.calls(REPORT) == 4
    assert said[-1] == "Clockify: page 4 of 4 read"


@pytest.mark.parametrize("change", ["add_once", "remove_once"])
def test_a_report_that_changes_while_it_is_read_is_read_again(
    sandbox: Sandbox, settings_for: SettingsFor, change: str
) -> None:
    """An entry added or deleted on an earlier page shifts the later ones."""
    crowd(sandbox, 1100)
    sandbox.switch(mutate_between_pages=change)
    day = date(2026, 11, 10)
    with Clockify(settings_for(HTTP_PATIENCE_SECONDS="30")) as clockify:
        rows = clockify.reports.rows(day, day, rounding=False)
    assert {row["_id"] for row in rows} == expected_ids(sandbox, day, day)
    assert sandbox.calls(REPORT) == 4


@pytest.mark.parametrize("switches", [{"count_lies": True}, {"mutate_between_pages": "add_always"}])
def test_a_read_that_stays_incomplete_stops_the_run(
    sandbox: Sandbox, settings_for: SettingsFor, switches: dict[str, object]
) -> None:
    """After three reads; the days and both counts are named."""
    crowd(sandbox, 1100)
    sandbox.switch(**switches)
    day = date(2026, 11, 10)
    with (
        Clockify(settings_for(HTTP_PATIENCE_SECONDS="30")) as clockify,
        pytest.raises(Stop, match="incomplete read: from 2026-11-10 to 2026-11-10") as raised,
    ):
        clockify.reports.rows(day, day, rounding=False)
    assert raised.value.is_transient
    assert sandbox.calls(REPORT) == 6


def test_one_wrong_count_is_read_again(sandbox: Sandbox, clockify: Clockify) -> None:
    """Somebody was editing just then."""
    sandbox.switch(count_lies=1)
    rows = clockify.reports.rows(**DAYS, rounding=False)
    assert {row["_id"] for row in rows} == expected_ids(sandbox, **DAYS)
    assert sandbox.calls(REPORT) == 2


def test_money_is_never_a_float(clockify: Clockify) -> None:
    """Amounts may have fractions of a cent."""
    numbers = [row["amount"] for row in clockify.reports.rows(**DAYS, rounding=False)]
    assert {type(number) for number in numbers} <= {int, Decimal, type(None)}
    assert any(isinstance(number, Decimal) for number in numbers)


def test_rounding_is_asked_for_and_only_approved_entries_where_wanted(
    sandbox: Sandbox, clockify: Clockify
) -> None:
    """Two reads differ in their durations, one in its entries."""
    raw = clockify.reports.rows(**DAYS, rounding=False)
    rounded = clockify.reports.rows(**DAYS, rounding=True)
    approved = clockify.reports.rows(**DAYS, rounding=False, only_approved=True)
    assert [row["_id"] for row in raw] == [row["_id"] for row in rounded]
    assert [row["timeInterval"]["duration"] for row in raw] != [
        row["timeInterval"]["duration"] for row in rounded
    ]
    entries = sandbox.world.workspace.entries
    ids = {row["_id"] for row in approved}
    assert ids == {row["_id"] for row in raw if entries[row["_id"]].is_approved}
    assert 0 < len(ids) < len(raw)


def test_totals_notice_a_change_of_time_of_money_and_of_number(
    sandbox: Sandbox, clockify: Clockify
) -> None:
    """One row is fetched for each 31 days, whatever happened in them."""
    before = clockify.reports.totals(**DAYS, rounding=False)
    rows = clockify.reports.rows(**DAYS, rounding=False)
    assert before["entries"] == len(rows)
    some = sandbox.world.workspace.entries[rows[0]["_id"]]
    some.description = "edited"
    assert clockify.reports.totals(**DAYS, rounding=False) == before
    some.rate_minor = 123_456.5
    priced = clockify.reports.totals(**DAYS, rounding=False)
    assert (priced["entries"], priced["seconds"]) == (before["entries"], before["seconds"])
    assert priced["amounts"] != before["amounts"]
    assert all(isinstance(amount, str) for amount in priced["amounts"].values())
    del sandbox.world.workspace.entries[some.id]
    assert clockify.reports.totals(**DAYS, rounding=False)["entries"] == before["entries"] - 1


def test_totals_notice_that_time_without_a_rate_became_billable(
    sandbox: Sandbox, clockify: Clockify
) -> None:
    """It earns nothing either way."""
    [row] = clockify.reports.rows(**DAYS, rounding=False)[:1]
    some = sandbox.world.workspace.entries[row["_id"]]
    some.rate_minor, some.is_billable = None, False
    before = clockify.reports.totals(**DAYS, rounding=False)
    some.is_billable = True
    after = clockify.reports.totals(**DAYS, rounding=False)
    assert after["billable_seconds"] > before["billable_seconds"]
    assert {**after, "billable_seconds": 0} == {**before, "billable_seconds": 0}


def test_an_entry_is_found_by_its_id_until_it_is_deleted(
    sandbox: Sandbox, clockify: Clockify
) -> None:
    """Clockify answers 400 with code 501 for an id that is gone."""
    entries = sandbox.world.workspace.entries
    some = next(entry for entry in entries.values() if entry.end)
    found = clockify.whereabouts(some.id)
    assert found is not None
    assert (found.start, found.is_running) == (some.start.replace(microsecond=0), False)
    some.end = None
    assert (now := clockify.whereabouts(some.id)) is not None
    assert now.is_running
    del entries[some.id]
    assert clockify.whereabouts(some.id) is None


@pytest.mark.parametrize("body", ["", '{"message": "gone"}', "<html>not found</html>"])
def test_a_404_does_not_mean_that_an_entry_was_deleted(
    sandbox: Sandbox, clockify: Clockify, body: str
) -> None:
    """It is Clockify's for an unknown workspace, or a proxy's: the next run asks again."""
    sandbox.fail("time-entries", "status", status=404, body=body)
    with pytest.raises(Stop, match=f"404 for the entry {'6' * 24}") as raised:
        clockify.whereabouts("6" * 24)
    assert raised.value.is_transient


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, ""), (400, '{"message": "gone"}'), (400, '{"code": 3002}'), (404, '{"code": 3000}')],
)
def test_no_other_refusal_means_that_an_entry_was_deleted(
    sandbox: Sandbox, clockify: Clockify, status: int, body: str
) -> None:
    """Another route or workspace, or a service that is out of order: nothing is known of it."""
    sandbox.fail("time-entries", "status", status=status, body=body)
    with pytest.raises(Stop):
        clockify.whereabouts("6" * 24)


def test_users_fit_their_table_and_a_former_member_is_inactive(
    sandbox: Sandbox, clockify: Clockify
) -> None:
    """Whether somebody is a member stands in the membership alone."""
    rows = clockify.users()
    ClockifyUsers.validate(pd.DataFrame(rows))
    users = sandbox.world.workspace.users
    assert {row["user_id"]: row["is_active"] for row in rows} == {
        user.id: user.status == "ACTIVE" for user in users.values()
    }
    assert {row["user_id"]: row["time_zone"] for row in rows} == {
        user.id: user.time_zone for user in users.values()
    }
    assert {row["is_active"] for row in rows} == {True, False}


def test_projects_fit_their_table_and_no_client_is_none(
    sandbox: Sandbox, clockify: Clockify
) -> None:
    """The core API spells it as an empty text."""
    rows = clockify.projects()
    ClockifyProjects.validate(pd.DataFrame(rows))
    projects = sandbox.world.workspace.projects
    assert {row["project_id"]: (row["client_id"], row["is_archived"]) for row in rows} == {
        project.id: (project.client_id, project.is_archived) for project in projects.values()
    }
    assert None in {row["client_name"] for row in rows}


def test_a_list_is_read_to_its_last_page(
    sandbox: Sandbox, clockify: Clockify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pages of five people."""
    monkeypatch.setattr("pipeline.clockify.client.LIST_PAGE", 5)
    assert len(clockify.users()) == len(sandbox.world.workspace.users) > 5


def test_a_list_that_is_not_paged_is_read_to_its_end(sandbox: Sandbox, clockify: Clockify) -> None:
    """The same rows come for every page, and nothing says which is the last."""
    body = '[{"id": "1", "name": null, "memberships": []}]'
    sandbox.fail("users", "status", status=200, body=body, times=None)
    assert [row["user_id"] for row in clockify.users()] == ["1"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"message": "gateway"}', "Clockify's answer without an id holds a dict as `/users`"),
        ('[{"name": "Ann"}]', "Clockify's user without an id has no `id`"),
        ('[{"id": 1}]', "Clockify's user 1 holds a int as `id`"),
        ("[1]", "Clockify's user without an id has no `id`"),
    ],
)
def test_a_list_that_is_none_stops_the_run(
    sandbox: Sandbox, clockify: Clockify, body: str, says: str
) -> None:
    """With status 200, too."""
    sandbox.fail("users", "status", status=200, body=body)
    with pytest.raises(Stop) as raised:
        clockify.users()
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("said", "mode"),
    [("Round up to", "up"), ("Round to nearest", "nearest"), ("ROUND DOWN TO", "down")],
)
def test_the_workspace_tells_how_it_rounds(
    sandbox: Sandbox, clockify: Clockify, said: str, mode: str
) -> None:
    """Both parts of the setting are texts."""
    workspace = sandbox.world.workspace
    workspace.is_rounding_on, workspace.round_mode, workspace.round_minutes = True, said, "6"
    assert clockify.workspace() == Workspace(
        id=workspace.id,
        name=workspace.name,
        plan=workspace.plan,
        is_rounding_on=True,
        round_mode=mode,
        round_minutes=6,
        has_approval=True,
        is_approval_on=True,
    )


@pytest.mark.parametrize(
    ("plan", "features", "has_approval"),
    [
        ("STANDARD_2021", ["APPROVAL", "INVOICING"], True),
        ("BASIC_2021", ["WORKSPACE_TIME_ROUNDING"], False),
        ("BASIC_2021", None, True),  # it does not say: nobody is stopped by a guess
        (None, [], True),
        ("FREE", None, False),
    ],
)
def test_the_workspace_tells_whether_its_plan_has_approval(
    sandbox: Sandbox,
    clockify: Clockify,
    plan: str | None,
    features: list[str] | None,
    *,
    has_approval: bool,
) -> None:
    """By the features that Clockify lists, or else by the plan's name, if it is the free one's."""
    body = clockify.http.read("GET", f"/workspaces/{sandbox.world.workspace.id}").json()
    told = json.dumps(body | {"featureSubscriptionType": plan, "features": features})
    sandbox.fail(f"workspaces/{sandbox.world.workspace.id}", "status", status=200, body=told)
    assert clockify.workspace().has_approval == has_approval


@pytest.mark.parametrize(("mode", "minutes"), [("Round to even", "6"), ("Round up to", "six")])
def test_an_unknown_rounding_stops_the_run_only_where_it_is_on(
    sandbox: Sandbox, clockify: Clockify, mode: str, minutes: str
) -> None:
    """Two of the three names are not confirmed, so a fourth must be loud."""
    workspace = sandbox.world.workspace
    workspace.round_mode, workspace.round_minutes = mode, minutes
    workspace.is_rounding_on = False
    assert not clockify.workspace().is_rounding_on
    workspace.is_rounding_on = True
    with pytest.raises(Stop, match=f"a way not known here: `{mode}`, `{minutes}` minutes"):
        clockify.workspace()


Call = Callable[[Clockify], Any]
EVERY_CALL: list[Call] = [
    lambda clockify: clockify.workspace(),
    lambda clockify: clockify.users(),
    lambda clockify: clockify.projects(),
    lambda clockify: clockify.reports.rows(**DAYS, rounding=False),
    lambda clockify: clockify.reports.totals(**DAYS, rounding=False),
    lambda clockify: clockify.whereabouts("6" * 24),
]


@pytest.mark.parametrize("call", EVERY_CALL)
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"CLOCKIFY_API_KEY": "no-such-key"},
            "Clockify does not know the key (HTTP 401, code 4003). Set CLOCKIFY_API_KEY",
        ),
        (
            {"CLOCKIFY_WORKSPACE_ID": "5e0000000000000000000000"},
            "The Clockify workspace is not open to the key (HTTP 403, code 501). Check CLOCKIFY_WO",
        ),
    ],
)
def test_a_wrong_key_or_workspace_stops_every_call(
    settings_for: SettingsFor, call: Call, changes: dict[str, str], says: str
) -> None:
    """One sentence, with the setting to correct."""
    with Clockify(settings_for(**changes)) as clockify, pytest.raises(Stop) as raised:
        call(clockify)
    assert str(raised.value).startswith(says)
    assert not raised.value.is_transient
    assert "no-such-key" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, '{"code": 1000}', "Clockify saw no key"),
        (401, "", "Clockify does not accept the key"),
        (402, "", "The Clockify plan does not allow this"),
        (404, "", "Clockify knows no such workspace"),
        (404, '{"message": "No static resource", "code": 3000}', "CLOCKIFY_WORKSPACE_ID"),
        (400, '{"message": "Page size", "code": 501}', "code 501, to /report/v1/"),
        (400, "", "Clockify answers 400, code None"),
        (200, '{"code": 501, "message": "odd"}', "Clockify answers 200, code 501"),
        (200, "<html></html>", "Clockify answers 200, code None"),
        (200, '{"totals": []}', "Clockify's report without an id has no `timeentries`"),
        (200, '{"timeentries": []}', "Clockify's report without an id has no `totals`"),
        (200, '{"totals": [{}], "timeentries": []}', "has no `entriesCount`"),
        (200, '{"totals": [], "timeentries": [{"id": 1}]}', "report row 1 has no `_id`"),
    ],
)
def test_an_answer_that_cannot_be_used_stops_the_run(
    sandbox: Sandbox, clockify: Clockify, status: int, body: str, says: str
) -> None:
    """Told apart by status and code; an error inside a 200 is one too."""
    sandbox.fail("detailed", "status", status=status, body=body)
    with pytest.raises(Stop) as raised:
        clockify.reports.rows(**DAYS, rounding=False)
    assert says in str(raised.value)


def test_a_key_that_may_not_see_rates_stops_the_run(sandbox: Sandbox, clockify: Clockify) -> None:
    """Amounts are asked for where rates are Clockify's."""
    sandbox.switch(rates_hidden="forbidden")
    with pytest.raises(Stop, match="may not see rates") as raised:
        clockify.reports.rows(**DAYS, rounding=False)
    assert "an admin who may see billable rates" in raised.value.fix


def test_a_key_that_may_not_see_rates_reads_without_where_they_are_the_service_items(
    sandbox: Sandbox, settings_for: SettingsFor
) -> None:
    """It is refused once, and asked without amounts from then on; another 403 stops the run."""
    crowd(sandbox, 1100)
    sandbox.switch(rates_hidden="forbidden")
    changes = {"RATE_SOURCE": "service_item", "SERVICE_ITEM": "Site Visit"}
    with Clockify(settings_for(**changes, HTTP_PATIENCE_SECONDS="30")) as clockify:
        rows = clockify.reports.rows(**DAYS, rounding=False)
        assert {row["_id"] for row in rows} == expected_ids(sandbox, **DAYS)
        calls = sandbox.calls(REPORT)
        assert clockify.reports.totals(**DAYS, rounding=False)["entries"] == len(rows)
        assert (calls, sandbox.calls(REPORT)) == (1 + 2, 1 + 2 + 1)
        sandbox.fail("detailed", "status", status=403, body="", times=None)
        with pytest.raises(Stop, match="may not see rates or reports"):
            clockify.reports.rows(**DAYS, rounding=False)


@pytest.mark.parametrize("mode", ["silent", "retry_after"])
def test_an_hours_requests_used_up_stop_the_run_for_now(
    sandbox: Sandbox, clockify: Clockify, mode: str
) -> None:
    """A free workspace has 30 an hour; the answer may have no body and no date."""
    sandbox.switch(thirty_per_hour=mode)
    for _ in range(30):
        clockify.whereabouts("6" * 24)
    with pytest.raises(Stop, match="30 requests an hour") as raised:
        clockify.workspace()
    assert raised.value.is_transient


def test_the_report_of_a_day_that_is_23_or_25_hours_long_is_complete(
    sandbox: Sandbox, clockify: Clockify, settings_for: SettingsFor
) -> None:
    """From the first second to the last, on both days on which clocks change."""
    entries = sandbox.world.workspace.entries
    some = next(entry for entry in entries.values() if entry.end)
    starts = {
        "2026-03-08T04:59:59+00:00": None,
        "2026-03-08T05:00:00+00:00": date(2026, 3, 8),
        "2026-03-09T03:59:59+00:00": date(2026, 3, 8),
        "2026-03-09T04:00:00+00:00": None,
        "2026-11-01T03:59:59+00:00": None,
        "2026-11-01T04:00:00+00:00": date(2026, 11, 1),
        "2026-11-01T05:30:00+00:00": date(2026, 11, 1),
        "2026-11-01T06:30:00+00:00": date(2026, 11, 1),
        "2026-11-02T04:59:59+00:00": date(2026, 11, 1),
        "2026-11-02T05:00:00+00:00": None,
    }
    entries.clear()
    for number, text in enumerate(starts):
        start = datetime.fromisoformat(text)
        entry_id = f"{number:024x}"
        end = start + timedelta(hours=1)
        entries[entry_id] = replace(some, id=entry_id, start=start, end=end)
    for day in (date(2026, 3, 8), date(2026, 11, 1)):
        rows = clockify.reports.rows(day, day, rounding=False)
        made = frame_of(
            rows,
            rows,
            None,
            zone=settings_for().zone,
            user_zones={},
            read_at=datetime.now(UTC),
            first=day,
            last=day,
        )
        expected = [number for number, at in enumerate(starts.values()) if at == day]
        assert [int(entry_id, 16) for entry_id in made["entry_id"]] == expected
