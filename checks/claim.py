"""What a check is made of: a claim, the query that finds what contradicts it, and what to say.

Keeps out the claims themselves. A *gate* blocks: it judges the run's own window and names it. A
*standing* check warns of everything since `SEND_FROM` that is still open: the UI shows only the
latest evaluation, and tomorrow's run must not turn last month's red green.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal

import dagster as dg

from pipeline import figures
from pipeline.company import Company
from pipeline.figures import Row
from pipeline.metadata import table
from pipeline.warehouse import Connection
from pipeline.windows import stops_the_run, window_of

EVERYTHING = (date.min, date.max)
LAUNCH = "concat('dg launch --assets ''*'' --partition-range ', first, '...', last)"
"""SQL of the command that loads the days from `first` to `last`."""
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
    wrong: str | Callable[[Connection, Company], list[Row]]
    """Finds what contradicts it: SQL, in which `$since` is `given`'s, and so on; or a function."""
    columns: list[str]
    """What its table shows, the deciding column first."""
    right: str
    """What there is to say when nothing is wrong; here too `{since}` is `given`'s."""
    problem: str
    fix: str
    """Here `{commands}` are those in the column `command`."""
    reads: Literal["warehouse", "books", "report"] = "warehouse"
    """Which of the company's connections; the last two wait for the ledger."""
    beside: tuple[str, ...] = ()
    """The assets that it reads besides its own."""

    def contradicted(self, connection: Connection, company: Company, given: Row) -> list[Row]:
        """What contradicts the claim."""
        if callable(self.wrong):
            return self.wrong(connection, company)
        named = {name: value for name, value in given.items() if f"${name}" in self.wrong}
        return figures.explained(connection, self.wrong, named)

    def message(self, wrong: list[Row], measured: object, given: Row) -> str:
        """How much is wrong and what to do about it, or that all is right."""
        if not wrong:
            return self.right.format(**given)
        commands = list(dict.fromkeys(f"`{row.get('command')}`" for row in wrong))[:SHOWN]
        said = f"{self.problem}: {measured}. {self.fix}."
        return said.format(**given, commands=", ".join(commands))


def judged_window(context: dg.AssetCheckExecutionContext) -> tuple[date, date]:
    """The run's window; all days if the check was launched alone."""
    return window_of(context.run.tags) or EVERYTHING


def given(context: dg.AssetCheckExecutionContext, company: Company) -> Row:
    """What a claim's query and messages may name."""
    first, last = judged_window(context)
    return {
        "first": first,
        "last": last,
        "since": company.settings.since,
        "today": company.today(),
        "yesterday": company.today() - timedelta(days=1),
        "run_id": company.run_id,
        "names": company.settings.metadata_names,
    }


def gates(claims: Mapping[str, Claim]) -> list[dg.AssetChecksDefinition]:
    """Blocking checks of the run's window, by name."""
    return [_check(name, claim, is_gate=True) for name, claim in claims.items()]


def standing(claims: Mapping[str, Claim]) -> list[dg.AssetChecksDefinition]:
    """Checks that warn as long as something is wrong, by name."""
    return [_check(name, claim, is_gate=False) for name, claim in claims.items()]


def _check(name: str, claim: Claim, *, is_gate: bool) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=claim.asset,
        name=name,
        description=claim.says,
        blocking=is_gate,
        additional_deps=claim.beside,
    )
    @stops_the_run()
    def check(
        context: dg.AssetCheckExecutionContext, company: dg.ResourceParam[Company]
    ) -> dg.AssetCheckResult:
        known = given(context, company)
        with _connection(claim, company, context.log.info) as connection:
            wrong = claim.contradicted(connection, company, known)
        shown = partial(table, wrong, claim.columns, names=company.settings.metadata_names)
        if not is_gate:
            return dg.AssetCheckResult(
                passed=not wrong,
                severity=dg.AssetCheckSeverity.WARN,
                description=claim.message(wrong, _measured(wrong), known),
                metadata={"open": shown(most=company.settings.metadata_rows)},
            )
        is_alone = judged_window(context) == EVERYTHING
        span = "all days" if is_alone else "{first} to {last}".format(**known)
        return dg.AssetCheckResult(
            passed=not wrong,
            description=f"{span}: {claim.message(wrong, len(wrong), known)}",
            metadata={"wrong": shown(most=MOST_OF_A_GATE)},
        )

    return check


def _connection(
    claim: Claim, company: Company, log: Callable[[str], object]
) -> AbstractContextManager[Connection]:
    if claim.reads == "warehouse":
        return company.warehouse.connect()
    return company.books(log) if claim.reads == "books" else company.report(log)


def _measured(rows: list[Row]) -> str:
    """How much is wrong: entries and hours, or days, where the rows count them; else the rows."""
    counted = next((name for name in ("entries", "days") if rows and name in rows[0]), None)
    count = int(figures.total(rows, counted)) if counted else len(rows)
    hours = f" ({figures.total(rows, 'hours'):.2f} hours)" if rows and "hours" in rows[0] else ""
    return f"{count}{hours}"
