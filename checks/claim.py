"""What a check is made of: a claim, the query that finds what contradicts it, and what to say.

Keeps out the claims themselves. A *gate* blocks: it judges the run's own window and names it. A
*standing* claim warns of everything since `SEND_FROM` that is still open: the UI shows only the
latest evaluation, and tomorrow's run must not turn last month's red green.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import dagster as dg

from pipeline.company import Company
from pipeline.orchestration.metadata import table
from pipeline.orchestration.windows import stops_the_run, window_of
from pipeline.reports import figures
from pipeline.storage import Connection, Row, queries

EVERYTHING = (date.min, date.max)
LAUNCH = "concat('.venv/bin/dg launch --assets ''*'' --partition-range ', first, '...', last)"
"""SQL of the command that loads the days from `first` to `last`."""
LEDGER_BESIDE = {"accepted_time_entries", "quickbooks_time_activities", "hours_at_risk"}
"""Assets whose claims are asked of the ledger too, or of the analysts' views."""
SHOWN = 3
"""Commands that a message names; its table has all of them."""
MOST_OF_A_GATE = 20
"""Rows that a gate's table shows: enough to see what has gone wrong with the run."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a check claims of an asset, and what it says when that is so and when it is not."""

    asset: str
    says: str
    """The claim as a sentence: the check's description."""
    wrong: str | Callable[[Connection, Company, Row], list[Row]]
    """Finds what contradicts it: SQL, in which `$since` is `given`'s, and so on; or a function."""
    columns: list[str]
    """What its table shows, the deciding column first."""
    right: str
    """What there is to say when nothing is wrong; here too `{since}` is `given`'s."""
    problem: str
    """Here `{measured}` says how much, and `{first_of_all}` is the first row."""
    fix: str
    """Here too; `{commands}` are those in the column `command`."""
    is_gate: bool = False
    beside: tuple[str, ...] = ()
    """The assets that it reads besides its own."""

    def contradicted(self, connection: Connection, company: Company, given: Row) -> list[Row]:
        """What contradicts the claim."""
        if callable(self.wrong):
            return self.wrong(connection, company, given)
        named = {name: value for name, value in given.items() if f"${name}" in self.wrong}
        return queries.rows(connection, self.wrong, named)

    def message(self, wrong: list[Row], given: Row) -> str:
        """How much is wrong and what to do about it, or that all is right."""
        span = f"{given['span']}: " if self.is_gate else ""
        if not wrong:
            return span + self.right.format(**given)
        commands = list(dict.fromkeys(f"`{row.get('command')}`" for row in wrong))[:SHOWN]
        said = f"{self.problem}. {self.fix}.".format(
            **given,
            measured=len(wrong) if self.is_gate else _measured(wrong),
            commands=", ".join(commands),
            first_of_all=wrong[0],
        )
        return span + said


def given(context: dg.AssetCheckExecutionContext, company: Company) -> Row:
    """What a claim's query and messages may name."""
    first, last = window_of(context.run.tags) or EVERYTHING  # of a check that was launched alone
    return {
        "first": first,
        "last": last,
        "span": "all days" if (first, last) == EVERYTHING else f"{first} to {last}",
        "since": company.settings.since,
        "today": company.today(),
        "yesterday": company.today() - timedelta(days=1),
        "run_ids": _executions(context),
        "is_alone": (first, last) == EVERYTHING,
        "zone": company.settings.time_zone,
        "names": company.settings.metadata_names,
    }


def _executions(context: dg.AssetCheckExecutionContext) -> list[str]:
    """The ids of the run and of all that it executes again: it goes on with what they did."""
    run: dg.DagsterRun | None = context.run
    ids = []
    while run:
        ids.append(run.run_id)
        run = context.instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return ids


def checks_of(claims: Iterable[tuple[str, Claim]]) -> list[dg.AssetChecksDefinition]:
    """The claims as checks, those of one asset in one step: a step costs more than most queries.

    Args:
        claims: each with its name, which claims of several assets may share.
    """
    by_asset: dict[str, dict[str, Claim]] = defaultdict(dict)
    for name, claim in claims:
        by_asset[claim.asset][name] = claim
    return [_checks(asset, about) for asset, about in by_asset.items()]


def _checks(asset: str, claims: Mapping[str, Claim]) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{asset}_checks",
        specs=[
            dg.AssetCheckSpec(
                name,
                asset=asset,
                description=claim.says,
                blocking=claim.is_gate,
                additional_deps=claim.beside,
            )
            for name, claim in claims.items()
        ],
        can_subset=True,
    )
    def checks(
        context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
    ) -> Iterator[dg.AssetCheckResult]:
        known = given(context, company)
        chosen = {key.name for key in context.selected_asset_check_keys}
        is_beside = asset in LEDGER_BESIDE
        opened = company.report(context.log.info) if is_beside else company.warehouse.connect()
        with stops_the_run(), opened as connection:
            for name, claim in claims.items():
                if name in chosen:
                    wrong = claim.contradicted(connection, company, known)
                    yield _result(name, claim, wrong, company, known)

    return checks


def _result(
    name: str, claim: Claim, wrong: list[Row], company: Company, known: Row
) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if claim.is_gate else dg.AssetCheckSeverity.WARN
    most = MOST_OF_A_GATE if claim.is_gate else company.settings.metadata_rows
    shown = table(wrong, claim.columns, most=most, names=company.settings.metadata_names)
    return dg.AssetCheckResult(
        asset_key=claim.asset,
        check_name=name,
        passed=not wrong,
        severity=severity,
        description=claim.message(wrong, known),
        metadata={"wrong" if claim.is_gate else "open": shown},
    )


def _measured(rows: list[Row]) -> str:
    """How much is wrong: entries and hours, or days, where the rows count them; else the rows."""
    counted = next((name for name in ("entries", "days") if name in rows[0]), None)
    count = int(figures.total(rows, counted)) if counted else len(rows)
    hours = f" ({figures.total(rows, 'hours'):.2f} hours)" if "hours" in rows[0] else ""
    return f"{count}{hours}"
