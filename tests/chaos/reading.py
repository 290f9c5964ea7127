"""Extract and review without Dagster: the pipeline's functions, in the order of its assets.

A share of the scenarios goes through the whole Dagster job instead, so that this order is no
assumption of the figures.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from pipeline import extraction, schemas, verdicts
from pipeline.company import Company
from pipeline.extraction import Reading


def read(company: Company, first: date, last: date, log: Callable[[str], object]) -> None:
    """Read both services and judge the days."""
    with company.clockify(log) as clockify:
        workspace = clockify.workspace()
        _replace(company, schemas.ClockifyUsers, clockify.users())
        _replace(company, schemas.ClockifyProjects, clockify.projects())
        row = extraction.workspace_row(workspace, is_rounding_on=workspace.is_rounding_on)
        _replace(company, schemas.ClockifyWorkspace, [row])
        how = Reading(
            zone=company.settings.zone,
            is_rounding_on=workspace.is_rounding_on,
            needs_approval=False,
            log=log,
            now=company.now,
        )
        extraction.extract(company.warehouse, clockify, how, first, last)
    with company.quickbooks() as quickbooks:
        _replace(company, schemas.QuickbooksEmployees, quickbooks.employees())
        _replace(company, schemas.QuickbooksCustomers, quickbooks.customers())
        row = quickbooks.company() | {"read_at": company.now()}
        _replace(company, schemas.QuickbooksCompany, [row])
    _review(company, first, last, log)


def _review(company: Company, first: date, last: date, log: Callable[[str], object]) -> None:
    with company.ledger(log) as ledger, company.warehouse.connect() as connection:
        rules = verdicts.rules_of_run(
            connection, ledger, company.settings, company.today(), (first, last)
        )
        judged = verdicts.judged(connection, ledger, rules, first, last)
        verdicts.store(connection, judged, first, last, company.now())


def _replace(company: Company, model: type[schemas.Table], rows: list[Any]) -> None:
    company.warehouse.replace(model, schemas.framed(model, rows))
