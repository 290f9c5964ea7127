"""A run of the pipeline without Dagster: the assets' own steps, on real files, over real HTTP."""

import shutil
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pandas as pd

from pipeline import company as companies
from pipeline import confirmation, extraction, loading, schemas, verdicts
from pipeline.company import Company
from pipeline.extraction import Reading
from pipeline.ledger_file import backups
from pipeline.settings import Settings
from pipeline.stops import Stop

MINUTES = 5
"""From one run to the next."""


def silent(_: str) -> None:
    """A log that nobody reads."""


@dataclass
class Runs:
    """One company's runs: its settings, its clock, its files."""

    settings: Settings
    now: datetime
    number: int = 0
    stop: Stop | None = None
    """What stopped the last run; nothing if it came through."""
    done: list[str] = field(default_factory=list)
    """The steps that the last run got through."""

    def run(self, first: date, last: date, *steps: str) -> None:
        """Take steps over some days; see `STEPS`."""
        self.number += 1
        self.now += timedelta(minutes=MINUTES)
        self.stop, self.done = None, []
        run_id = f"run {self.number}"
        try:
            with companies.opened(self.settings, run_id, silent, lambda: self.now) as company:
                for step in steps:
                    STEPS[step](company, first, last)
                    self.done.append(step)
        except Stop as stop:
            self.stop = stop

    def restore(self, back: int) -> bool:
        """Put a copy of the ledger in its place, so many runs old; whether there was one."""
        copies = sorted(backups(self.settings.ledger).glob("*.duckdb"))[::-1]
        if copies:
            shutil.copyfile(copies[min(back, len(copies) - 1)], self.settings.ledger)
        return bool(copies)


def _names(company: Company, *_: date) -> None:
    warehouse = company.warehouse
    with company.quickbooks() as quickbooks:
        row = quickbooks.company() | {"read_at": company.now()}
        warehouse.replace(schemas.QuickbooksCompany, pd.DataFrame([row]))
        warehouse.replace(schemas.QuickbooksEmployees, pd.DataFrame(quickbooks.employees()))
        warehouse.replace(schemas.QuickbooksCustomers, pd.DataFrame(quickbooks.customers()))
    with company.clockify(silent) as clockify:
        workspace = clockify.workspace()
        warehouse.replace(schemas.ClockifyUsers, pd.DataFrame(clockify.users()))
        warehouse.replace(
            schemas.ClockifyWorkspace,
            pd.DataFrame([extraction.workspace_row(workspace, is_rounding_on=False)]),
        )


def _entries(company: Company, first: date, last: date) -> None:
    settings = company.settings
    reading = Reading(
        zone=settings.zone,
        is_rounding_on=False,
        needs_approval=settings.require_approval,
        log=silent,
        now=company.now,
    )
    with company.clockify(silent) as clockify:
        extraction.extract(company.warehouse, clockify, reading, first, last)


def _review(company: Company, first: date, last: date) -> None:
    with company.ledger(silent) as ledger, company.warehouse.connect() as connection:
        stale = [day for day in verdicts.stale_days(connection) if not first <= day <= last]
        rules = verdicts.rules_of_run(
            connection, ledger, company.settings, company.today(), (first, last)
        )
        for start, end in [(first, last), *((day, day) for day in stale)]:
            judged = verdicts.judged(connection, ledger, rules, start, end)
            verdicts.store(connection, judged, start, end, company.now())


def _load(company: Company, first: date, last: date) -> None:
    with loading.desk(company, silent, first, last) as desk:
        loading.bind(desk)
        if not desk.ledger.is_confirmed(desk.terms.realm_id):
            confirmation.confirm(desk, first, last, "the person")
        loading.load(desk, first, last)


STEPS = {"names": _names, "entries": _entries, "review": _review, "load": _load}
"""The assets' work in their order; `names` is that of all unpartitioned ones."""
