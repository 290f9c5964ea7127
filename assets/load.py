"""Load: the accepted entries become time activities in QuickBooks, once each.

The order of steps is in `pipeline.delivery`; the promise in prose stands in the README.
"""

from datetime import date, timedelta
from typing import NamedTuple

import dagster as dg
import pandas as pd

from assets.extract import DAILY, SINGLE_RUN
from pipeline import delivery, eligibility, figures, planning, schemas, settlement, verdicts
from pipeline import warehouse as doors
from pipeline.company import Company
from pipeline.extraction import days_of, pieces
from pipeline.ledger import Binding, Delivery, Ledger
from pipeline.metadata import counts, definition_metadata, table
from pipeline.planning import Plan, Terms
from pipeline.quickbooks import QuickBooks
from pipeline.rules import Rules
from pipeline.stops import Stop
from pipeline.windows import stops_the_run, window

DAILY_WITH_LEEWAY = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=26), fail_window=timedelta(hours=36)
)
"""A morning's run may take two hours; a day without one is worth a look by the evening."""


class LoadConfig(dg.Config):
    """How one run loads."""

    dry_run: bool = False
    """Decide and show what would be sent, and send nothing; also by `DRY_RUN`."""
    rebind: bool = False
    """Bind the ledger to this company, zone and rounding, though it was bound to another."""


@dg.asset(
    group_name="load",
    kinds={"quickbooks"},
    deps=["accepted_time_entries"],
    tags=DAILY,
    backfill_policy=SINGLE_RUN,
    freshness_policy=DAILY_WITH_LEEWAY,
    metadata=definition_metadata(schemas.Deliveries, "deliveries"),
)
@stops_the_run()
def quickbooks_time_activities(
    context: dg.AssetExecutionContext, company: dg.ResourceParam[Company], config: LoadConfig
) -> dg.MaterializeResult[None]:
    """One row per entry ever meant for QuickBooks: its delivery, by state.

    Each accepted entry becomes one time activity. Before anything is sent, QuickBooks is read:
    what it already holds is adopted, what looks alike is left for a person. What cannot be told
    after a request is settled by reading QuickBooks, and sent again only if it was not stored.
    """
    first, last = window(context)
    is_dry = config.dry_run or company.settings.dry_run
    planned: list[Plan] = []
    with company.ledger(context.log.info) as ledger, company.quickbooks() as quickbooks:
        _refuse_ineligible(company, ledger, rebind=config.rebind, is_dry=is_dry)
        terms = _terms(context, company)
        with company.warehouse.connect() as connection:
            rules = verdicts.rules_of_run(
                connection, ledger, company.settings, company.today(), (first, last)
            )
        desk = Desk(company, ledger, quickbooks, rules, terms)
        if is_dry:
            planned = [_plan(desk, start, end) for start, end in pieces(first, last)]
        else:
            _load(desk, first, last)
    if is_dry:
        _record_plan(company, planned)
    _describe_days(context, company, planned, first, last)
    return dg.MaterializeResult()


class Desk(NamedTuple):
    """What a load works with, from its first read to its last."""

    company: Company
    ledger: Ledger
    quickbooks: QuickBooks
    rules: Rules
    terms: Terms


def _load(desk: Desk, first: date, last: date) -> None:
    """Settle what earlier runs left, send, settle what this run left, send what was not stored.

    What is still open then waits for the next run.
    """
    _settle(desk)
    for start, end in pieces(first, last):
        _send(desk, start, end)
    not_stored = {delivery.work_date for delivery in _settle(desk)}
    for day in sorted(day for day in not_stored if first <= day <= last):
        _send(desk, day, day)
    if not_stored:
        _settle(desk)


def _settle(desk: Desk) -> list[Delivery]:
    return settlement.settle(desk.ledger, desk.quickbooks, desk.terms)


def _send(desk: Desk, first: date, last: date) -> None:
    plan = _plan(desk, first, last)
    delivery.carry_out(plan, desk.ledger, desk.quickbooks, desk.terms)


def _refuse_ineligible(company: Company, ledger: Ledger, *, rebind: bool, is_dry: bool) -> None:
    """Stop before anything is sent to books that must not or may not be written."""
    settings = company.settings
    with company.warehouse.connect() as connection:
        row = verdicts.company(connection)
        workspace = doors.read(connection, schemas.ClockifyWorkspace).to_dict("records")
    refusals, _ = eligibility.company_problems(
        row, allow_payroll=settings.allow_payroll, realm_id=settings.quickbooks_realm_id
    )
    if refusals:
        raise Stop(refusals[0], "launch quickbooks_company again once that is done")
    if is_dry:
        return
    if settings.is_real and settings.send_from is None:
        raise Stop(
            "SEND_FROM is not set, so old entries might be sent a second time",
            "set it to the first day of the oldest month that is not yet invoiced",
        )
    rounding = workspace[0]["rounding"] if workspace else "off"
    ledger.bind(
        Binding(
            settings.quickbooks_realm_id,
            settings.clockify_workspace_id,
            settings.time_zone,
            rounding,
        ),
        rebind=rebind,
    )


def _terms(context: dg.AssetExecutionContext, company: Company) -> Terms:
    settings = company.settings
    with company.warehouse.connect() as connection:
        row = verdicts.company(connection)
        workspace = doors.read(connection, schemas.ClockifyWorkspace).to_dict("records")
    return Terms(
        realm_id=settings.quickbooks_realm_id,
        item_id=row["service_item_id"],
        is_taxable=settings.taxable,
        currency=row["home_currency"] if settings.rate_source == "service_item" else None,
        settle_seconds=settings.settle_seconds,
        rounding_minutes=int(workspace[0]["rounding_minutes"]) if workspace else 1,
        run_id=company.run_id,
        now=company.now,
        log=context.log.info,
        throttled_seconds=min(60, settings.http_patience_seconds),
    )


def _plan(desk: Desk, first: date, last: date) -> Plan:
    with desk.company.warehouse.connect() as connection:
        entries = verdicts.sendable(connection, desk.ledger, desk.rules, first, last)
        employees = doors.read(connection, schemas.QuickbooksEmployees)
        customers = doors.read(connection, schemas.QuickbooksCustomers)
    intents = planning.intents(
        entries,
        _by_id(employees, "quickbooks_employee_id"),
        _by_id(customers, "quickbooks_customer_id"),
        desk.terms,
    )
    plan = planning.plan(desk.ledger, desk.quickbooks, intents, desk.terms)
    desk.terms.log(
        f"{first} to {last}: {len(plan.send)} to send, {len(plan.adopt)} already in QuickBooks, "
        f"{len(plan.doubt)} to be decided by a person"
    )
    return plan


def _by_id(frame: pd.DataFrame, column: str) -> dict[str, dict[str, object]]:
    records: list[dict[str, object]] = frame.to_dict("records")  # type: ignore[assignment]
    return {str(row[column]): row for row in records}


def _record_plan(company: Company, planned: list[Plan]) -> None:
    rows = [
        {
            "entry_id": row.entry_id,
            "work_date": row.work_date,
            "action": action,
            "quickbooks_id": row.quickbooks_id,
            "payload": row.payload,
            "minutes": row.minutes,
            "amount_minor": row.amount_minor,
            "currency": row.currency,
        }
        for plan in planned
        for action, chosen in (("send", plan.send), ("adopt", plan.adopt), ("doubt", plan.doubt))
        for row in chosen
    ]
    frame = pd.DataFrame(rows) if rows else schemas.empty(schemas.DeliveryPlan)
    company.warehouse.replace(schemas.DeliveryPlan, frame)


def _describe_days(
    context: dg.AssetExecutionContext,
    company: Company,
    planned: list[Plan],
    first: date,
    last: date,
) -> None:
    """Each day's facts on that day, also on a day with nothing."""
    settings = company.settings
    with company.books(context.log.info) as connection:
        states = figures.by_day(figures.delivered(connection, first, last))
        unresolved = figures.by_day(figures.unresolved(connection, first, last))
    would_send = [row.work_date for plan in planned for row in plan.send]
    for day in days_of(first, last):
        metadata = {
            "dagster/partition_row_count": int(figures.total(states[day], "entries")),
            "by state": table(states[day], ["state", "entries", "hours"], most=len(states[day])),
            "for a person": table(
                unresolved[day],
                ["state", "hours", "error_code", "error_message", "entry_id", "quickbooks_id"],
                most=settings.metadata_rows,
                names=settings.metadata_names,
            ),
            **counts(states[day], "state"),
        }
        if planned:
            metadata["would be sent (dry run)"] = would_send.count(day)
        context.add_asset_metadata(metadata, partition_key=day.isoformat())
