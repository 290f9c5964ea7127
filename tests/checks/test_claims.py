"""Each check's claim: true of sound tables, and contradicted by one change to them."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks import books, gates, standing
from checks.claim import LEDGER_BESIDE, Claim
from pipeline import schemas
from pipeline.company import Company, opened
from pipeline.ledger import Ledger
from pipeline.settings import Settings
from pipeline.storage.database import Database
from pipeline.storage.ledger_file import database
from pipeline.storage.queries import Row
from pipeline.warehouse import Warehouse
from tests.pipeline.rows import DAY, NOW, delivery, frame, valid
from tests.settings import settings_of

RUN = "run"
ANOTHER = f"{7:024x}"
ENTRY: dict[str, object] = {"work_date": DAY}
PROJECT: dict[str, object] = {"is_archived": False, "client_id": None, "client_name": None}
TOP: dict[str, object] = {"display_name": "project_name 1", "parent_id": None}
GIVEN: Row = {
    "first": DAY,
    "last": DAY,
    "span": str(DAY),
    "since": DAY,
    "today": DAY + timedelta(days=1),
    "yesterday": DAY,
    "run_ids": [RUN],
    "is_alone": False,
    "zone": "UTC",
    "names": "names",
}
CLAIMS: dict[str, Claim] = {**gates.CLAIMS, **standing.CLAIMS, **books.CLAIMS}
ALONE = {"run_ids": ["another"], "is_alone": True}
"""A check that was launched without a run of the load."""


@pytest.fixture
def company(files: Path, tmp_path: Path) -> Iterator[Company]:
    """A warehouse and a ledger in which every claim holds: two entries, one of them sent."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    with opened(_settings(tmp_path), RUN, print, lambda: NOW, only_reads=True) as company:
        yield company


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of that company, made once."""
    folder = tmp_path_factory.mktemp("claims")
    settings = _settings(folder)
    warehouse = Warehouse(settings.warehouse)
    held = {**ENTRY, "verdict": "held", "reasons": ["settling"], "fixes": ["Nothing."]}
    for model, rows in {
        schemas.ClockifyUsers: [valid(schemas.ClockifyUsers, 1)],
        schemas.ClockifyProjects: [valid(schemas.ClockifyProjects, 1, **PROJECT)],
        schemas.QuickbooksEmployees: [valid(schemas.QuickbooksEmployees, 1)],
        schemas.QuickbooksCustomers: [valid(schemas.QuickbooksCustomers, 1, **TOP)],
        schemas.QuickbooksCompany: [_company_row(settings)],
        schemas.ClockifyTimeEntries: [
            valid(schemas.ClockifyTimeEntries, number, **ENTRY) for number in (1, 2)
        ],
        schemas.AcceptedTimeEntries: [
            valid(schemas.AcceptedTimeEntries, 1, **ENTRY, is_delivered=False)
        ],
        schemas.RejectedTimeEntries: [valid(schemas.RejectedTimeEntries, 2, **held)],
        schemas.Days: [valid(schemas.Days, work_date=DAY, extracted_at=NOW)],
    }.items():
        warehouse.replace(model, frame(model, *rows))
    with Ledger.opened(settings.ledger, 0, print) as ledger:
        ledger.record([delivery(1, state="sent", quickbooks_id="500", run_id=RUN)])
    return folder


def _settings(folder: Path) -> Settings:
    return settings_of(
        {
            "CLOCKIFY_API_KEY": "k",
            "CLOCKIFY_WORKSPACE_ID": "w",
            "QUICKBOOKS_CLIENT_ID": "c",
            "QUICKBOOKS_CLIENT_SECRET": "s",
            "QUICKBOOKS_REALM_ID": "4620816365",
            "WAREHOUSE": str(folder / "w.duckdb"),
            "LEDGER": str(folder / "l.duckdb"),
            "ANALYSIS": str(folder / "a.duckdb"),
            "TIME_ZONE": "UTC",
            "START_DATE": str(DAY),
        }
    )


def _company_row(settings: Settings) -> dict[str, Any]:
    return valid(
        schemas.QuickbooksCompany,
        realm_id=settings.quickbooks_realm_id,
        plan="QuickBooks Online Plus",
        is_payroll_enabled=False,
    )


def contradicted(claim: Claim, company: Company, **changes: object) -> list[Row]:
    """What contradicts a claim, with changes to what the run is about."""
    is_beside = claim.asset in LEDGER_BESIDE
    opened = company.report(print) if is_beside else company.warehouse.connect()
    with opened as connection:
        return claim.contradicted(connection, company, {**GIVEN, **changes})


def change(company: Company, query: str) -> None:
    """Write to the ledger's file if the query is about it, else to the warehouse's."""
    is_ledgers = any(name in query for name in ("deliveries", "delivery_attempts"))
    file: Database = database(company.settings.ledger) if is_ledgers else company.warehouse
    with file.connect() as connection:
        connection.execute(query)


REJECTED = "UPDATE rejected_time_entries SET verdict = 'rejected', is_billable = TRUE, reasons = "
MEANWHILE = f"INSERT INTO drift BY NAME SELECT DATE '{DAY}' AS work_date, 'clockify' AS side, "
OVER = "more than 24 hours on one day"
COPIED = (
    "INSERT INTO accepted_time_entries BY NAME SELECT * REPLACE (entry_id || 'b' AS entry_id) "
    "FROM accepted_time_entries"
)
NOTHING_CAME = f"""
INSERT INTO days SELECT days.* REPLACE (work_date - 7 * week::INTEGER AS work_date)
    FROM days, range(1, 5) AS weeks(week);
INSERT INTO accepted_time_entries
    SELECT entries.* REPLACE (
        work_date - 7 * week::INTEGER AS work_date, entry_id || week || n AS entry_id)
    FROM accepted_time_entries AS entries, range(1, 5) AS weeks(week), range(3) AS alike(n);
DELETE FROM accepted_time_entries WHERE work_date = DATE '{DAY}';
DELETE FROM rejected_time_entries
"""
BREAKS = {
    "company_is_eligible": "UPDATE quickbooks_company SET is_payroll_enabled = TRUE",
    "entry_ids_are_unique": "INSERT INTO clockify_time_entries FROM clockify_time_entries LIMIT 1",
    "every_entry_has_one_verdict": "DELETE FROM rejected_time_entries",
    "extracted_is_accepted_plus_rejected": (
        "UPDATE accepted_time_entries SET duration_seconds = duration_seconds + 1"
    ),
    "accepted_entries_name_an_active_employee_and_customer": (
        "UPDATE quickbooks_customers SET is_active = FALSE"
    ),
    "no_delivery_refused_or_unknown": "UPDATE deliveries SET state = 'refused'",
    "activities_are_stored_as_they_were_sent": "UPDATE deliveries SET error_message = 'minutes'",
    "the_plan_is_known": "UPDATE quickbooks_company SET plan = 'QuickBooks Online Ultra'",
    "every_user_matches_an_employee": f"{REJECTED} ['unknown_employee']",
    "every_project_with_entries_matches_a_customer": f"{REJECTED} ['inactive_customer']",
    "every_billable_project_matches_a_customer": (
        "UPDATE quickbooks_customers SET display_name = 'Another'"
    ),
    "no_entry_waits_for_a_person": f"{REJECTED} ['no_rate']",
    "no_time_looks_tracked_twice": COPIED,
    "the_last_day_is_as_usual": NOTHING_CAME,
    "every_day_is_loaded": f"UPDATE days SET extracted_at = TIMESTAMPTZ '{DAY} 23:59:59+00'",
    "every_accepted_entry_is_delivered": f"UPDATE deliveries SET entry_id = '{ANOTHER}'",
    "no_delivery_stands_unresolved": "UPDATE deliveries SET state = 'doubtful'",
    "open_days_are_within_reach": "UPDATE rejected_time_entries SET work_date = DATE '2024-01-01'",
    "no_billable_hours_are_at_risk": f"{REJECTED} ['no_rate']",
    "nothing_has_drifted": (
        f"{MEANWHILE} 'edited' AS kind, 'minutes' AS field, 60 AS minutes, FALSE AS is_billed, "
        "TRUE AS is_warning, '1' AS person_id, '1' AS customer_id, now() AS found_at"
    ),
}
"""For each claim about the tables, the one change that contradicts it."""
ABOUT_THE_RUN = {"the_run_before_left_its_copies", "the_filters_name_what_is_there"}
"""Claims that no table contradicts: tests of their own break them."""
LONG_AGO = {"since": date(2024, 1, 1), "today": date(2024, 5, 15)}


def test_every_claim_has_a_case() -> None:
    """A check that cannot fail is worse than none."""
    assert BREAKS.keys() | ABOUT_THE_RUN == CLAIMS.keys()


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_holds_of_sound_tables(name: str, company: Company) -> None:
    """Else what follows proves nothing."""
    assert contradicted(CLAIMS[name], company) == []


@pytest.mark.parametrize("name", BREAKS)
def test_one_change_contradicts_a_claim(name: str, company: Company) -> None:
    """And what is said names how much, or what, and the fix."""
    change(company, BREAKS[name])
    given = LONG_AGO if name == "open_days_are_within_reach" else {}
    wrong = contradicted(CLAIMS[name], company, **given)
    assert len(wrong) > 0
    said = CLAIMS[name].message(wrong, {**GIVEN, **given})
    assert said.endswith(".")
    assert "{" not in said
    assert said.startswith(f"{DAY}: ") == CLAIMS[name].is_gate


@pytest.mark.parametrize(
    ("but", "problems"),
    [
        ("", ["alike in all"]),
        ("'another' AS description", []),
        ("start_at + INTERVAL 1 MINUTE AS start_at", []),
        ("'another' AS project_id", []),
        ("'another' AS task_name", []),
        ("'another' AS user_id", []),
        ("start_at - INTERVAL 1 DAY AS start_at, 86400 AS duration_seconds", [OVER]),
        (f"DATE '{DAY}' + 1 AS work_date, 'another' AS project_id", []),
    ],
)
def test_what_is_tracked_beside_another_entry_is_not_tracked_twice(
    but: str, problems: list[str], company: Company
) -> None:
    """Timers run side by side, and a timesheet's hours start alike: only what is alike in all."""
    change(company, COPIED.replace("AS entry_id", f"AS entry_id{but and ', '}{but}"))
    found = contradicted(CLAIMS["no_time_looks_tracked_twice"], company)
    assert [row["problem"] for row in found] == problems


def test_what_may_have_been_tracked_twice_is_told_until_it_is_invoiced(company: Company) -> None:
    """Nobody can say of both that they are right: it must not hide what is found later."""
    change(company, COPIED)
    claim = CLAIMS["no_time_looks_tracked_twice"]
    ends = [date(DAY.year, DAY.month + months, 1) for months in (1, 2)]
    told = [contradicted(claim, company, today=today) for today in ends]
    assert [len(found) for found in told] == [1, 0]


@pytest.mark.parametrize("claim", gates.SCHEMA_CLAIMS, ids=lambda claim: claim.asset)
def test_a_table_that_does_not_fit_its_schema_is_named(claim: Claim, company: Company) -> None:
    """Of whatever table, a row that somebody wrote by hand."""
    assert contradicted(claim, company) == []
    table = "deliveries" if claim.asset == "quickbooks_time_activities" else claim.asset
    column = "run_id" if table == "deliveries" else next(iter(schemas.sql_types(_model(table))))
    change(company, f"UPDATE {table} SET {column} = NULL")
    [found] = contradicted(claim, company)
    assert f"The table {table} cannot take the column `{column}`" in found["problem"]
    assert "read it anew." in claim.message([found], GIVEN)


def test_a_table_that_has_lost_a_column_is_named(company: Company) -> None:
    """By the same check, and the others about it are still judged."""
    change(company, "ALTER TABLE clockify_projects DROP COLUMN is_billable")
    [claim] = [each for each in gates.SCHEMA_CLAIMS if each.asset == "clockify_projects"]
    [found] = contradicted(claim, company)
    assert "not as this program made it, in its table clockify_projects" in found["problem"]


def test_a_report_after_midnight_is_of_the_new_day(company: Company) -> None:
    """A long load may go on into the month in which the last one is over."""
    late = datetime(DAY.year, DAY.month, 31, 23, 50, tzinfo=UTC)
    clock = iter([late, late, late + timedelta(minutes=20)])
    long = replace(company, now=lambda: next(clock))
    not_over = "SELECT bool_or('the month is not over' IN blocks) FROM statement"
    for expected in (True, True, False):
        with long.report(print) as connection:
            [(is_told,)] = connection.execute(not_over).fetchall()
        assert is_told is expected


def _model(table: str) -> type[schemas.Table]:
    return next(model for model in schemas.WAREHOUSE_TABLES if schemas.name_of(model) == table)


@pytest.mark.parametrize(
    "name", ["no_delivery_refused_or_unknown", "activities_are_stored_as_they_were_sent"]
)
def test_a_gate_of_the_load_is_red_as_often_as_it_is_asked(name: str, company: Company) -> None:
    """Of the run itself, of one that executes it again, and launched alone; not of another run."""
    change(company, BREAKS[name])
    claim = CLAIMS[name]
    assert contradicted(claim, company, run_ids=["again", RUN])
    assert contradicted(claim, company, **ALONE)
    assert contradicted(claim, company, run_ids=["another"]) == []


def test_what_an_earlier_run_left_unresolved_is_not_this_runs_doing(company: Company) -> None:
    """Tried again and refused again: the standing check keeps it, the gate stays green."""
    name = "no_delivery_refused_or_unknown"
    change(company, BREAKS[name])
    change(company, "UPDATE delivery_attempts SET run_id = 'earlier', state = 'refused'")
    assert contradicted(CLAIMS[name], company) == []
    change(company, "UPDATE delivery_attempts SET error_code = 'decided_to_send'")
    assert contradicted(CLAIMS[name], company), "refused then by us, for another reason"


@pytest.mark.parametrize(
    ("setting", "value", "unknown"),
    [
        ("ONLY_USERS", "user_name 1,user_id 2", []),
        ("ONLY_USERS", "user_name 1,Nobody", ["`Nobody`"]),
        ("ONLY_PROJECTS", "project_name 1", []),
        ("ONLY_PROJECTS", "Project,project_name 1", ["`Project`"]),
        ("ONLY_CLIENTS", "Acme", ["`Acme`"]),
    ],
)
def test_a_filter_that_names_nothing_is_found(
    setting: str, value: str, unknown: list[str], company: Company
) -> None:
    """By name or id, of members and of those who have only entries."""
    changed = company.settings.model_copy(update={setting.lower(): tuple(value.split(","))})
    found = contradicted(
        CLAIMS["the_filters_name_what_is_there"],
        replace(company, settings=changed),
    )
    assert [row["called"] for row in found] == unknown


def test_a_filter_that_names_nothing_is_told_without_its_name(company: Company) -> None:
    """With `METADATA_NAMES=ids` the event log keeps no name, nor one that a setting holds."""
    update = {"only_users": ("user_name 1", "Nobody"), "metadata_names": "ids"}
    changed = company.settings.model_copy(update=update)
    claim = CLAIMS["the_filters_name_what_is_there"]
    found = contradicted(claim, replace(company, settings=changed))
    assert "ONLY_USERS: name 2 is not in Clockify" in claim.message(found, GIVEN)


def test_a_run_that_was_cut_short_is_told_of(company: Company) -> None:
    """With how old the copy is that the analysts read meanwhile."""
    cut = replace(company, was_cut_short=True)
    [found] = contradicted(CLAIMS["the_run_before_left_its_copies"], cut)
    assert found["copy"] == "nothing yet"
