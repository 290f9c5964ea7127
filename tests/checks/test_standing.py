"""Standing checks over tables, without a run."""

from pathlib import Path

import pytest

from checks.standing import projects_without_customers
from pipeline.company import Company, utc_now
from pipeline.schemas import ClockifyProjects, QuickbooksCustomers
from pipeline.settings import Settings
from pipeline.warehouse import Warehouse
from tests.pipeline.rows import frame, valid

PROJECTS = {"Labs": "Ours", "Website": "Acme", "Roof": "Acme"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, {"Ours / Labs", "Acme / Website", "Acme / Roof"}),
        ({"only_clients": ("Acme",)}, {"Acme / Website", "Acme / Roof"}),
        ({"only_projects": ("Roof", "project_id 0")}, {"Ours / Labs", "Acme / Roof"}),
        ({"only_clients": ("Acme",), "only_projects": ("Labs",)}, set()),
    ],
)
def test_a_project_that_the_filters_leave_out_needs_no_customer(
    tmp_path: Path, changes: dict[str, tuple[str, ...]], named: set[str]
) -> None:
    """Its hours are never sent, so nobody is asked to make one."""
    settings = Settings.model_construct(**changes)
    company = Company(settings, Warehouse(tmp_path / "warehouse.duckdb"), utc_now, "run")
    same = {"is_archived": False, "is_billable": True}
    rows = [
        valid(ClockifyProjects, number, project_name=project, client_name=client, **same)
        for number, (project, client) in enumerate(PROJECTS.items())
    ]
    company.warehouse.replace(ClockifyProjects, frame(ClockifyProjects, *rows))
    with company.warehouse.connect() as connection:
        found = projects_without_customers(connection, company, {})
    assert {row["project"] for row in found} == named


def test_a_name_that_two_clients_projects_share_is_told_before_time_is_tracked(
    tmp_path: Path,
) -> None:
    """By project alone there is a customer of that name, and the review accepts neither for it."""
    settings = Settings.model_construct(customer_matching="project")
    company = Company(settings, Warehouse(tmp_path / "warehouse.duckdb"), utc_now, "run")
    same = {"project_name": "Roof", "is_archived": False, "is_billable": True}
    rows = [
        valid(ClockifyProjects, number, client_name=client, **same)
        for number, client in enumerate(("Acme", None))
    ]
    roof = valid(QuickbooksCustomers, 1, display_name="Roof", parent_id=None, is_active=True)
    company.warehouse.replace(QuickbooksCustomers, frame(QuickbooksCustomers, roof))
    company.warehouse.replace(ClockifyProjects, frame(ClockifyProjects, *rows[:1]))
    with company.warehouse.connect() as connection:
        assert projects_without_customers(connection, company, {}) == []
    company.warehouse.replace(ClockifyProjects, frame(ClockifyProjects, *rows))
    with company.warehouse.connect() as connection:
        found = projects_without_customers(connection, company, {})
    assert [row["problem"] for row in found] == ["ambiguous", "ambiguous"]
