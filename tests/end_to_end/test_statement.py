"""The month's statement agrees with what the sandbox holds, told from the sandbox alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import dagster as dg
import pytest

from pipeline.review.reasons import REASON_IDS
from pipeline.sandbox.seed.oddities import add_entry
from pipeline.sandbox.world import Entry, World
from tests.conftest import Server
from tests.end_to_end.conftest import DAY, House, building, kept, restored
from tests.end_to_end.stages import DAILY
from tests.sandbox.seed_rules import Rules, seconds, work_date

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
CHANGED = "changed in {} since it was sent"
Sums = Counter[tuple[str, ...]]


@pytest.fixture(scope="module")
def october(
    sandbox_server: Server, invented_world: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A pipeline after one run over a month that is over: only to be looked at."""
    with building(sandbox_server, invented_world, tmp_path_factory.mktemp("october")) as house:
        house.prepare(FIRST, LAST)
        house.run(FIRST, LAST, "statement")
        yield house


def test_a_setting_that_lets_more_through_judges_every_day_anew(quiet: House) -> None:
    """An earlier `SEND_FROM`, say: a month is not ready for having been somebody else's."""
    add_entry(quiet.sandbox.world, FIRST)
    quiet.changes["SEND_FROM"] = str(DAY)
    quiet.prepare(FIRST, LAST)
    quiet.changes["SEND_FROM"] = str(FIRST)
    quiet.prepare(DAY)
    query = "SELECT blocks, is_ready FROM statement WHERE month = $1"
    assert quiet.rows(query, FIRST) == [(["accepted: not sent yet (1)"], False)]


def cents(amount: Decimal) -> int:
    """To the minor unit, half up."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def in_quickbooks(world: World) -> tuple[Sums, Sums]:
    """Minutes and minor units of the month's activities, by customer and currency."""
    minutes, amounts = Sums(), Sums()
    for row in world.company.activities.values():
        if str(FIRST) <= row["TxnDate"] <= str(LAST):
            customer = row["CustomerRef"]["value"]
            key = (customer, world.company.customers[customer]["CurrencyRef"]["value"])
            took = row["Hours"] * 60 + row["Minutes"]
            minutes[key] += took
            amounts[key] += cents(Decimal(str(row["HourlyRate"])) * 100 * took / 60)
    return minutes, amounts


def billable(world: World) -> list[Entry]:
    """The month's billable entries."""
    entries = world.workspace.entries.values()
    return [
        each for each in entries if each.is_billable and FIRST <= work_date(world, each) <= LAST
    ]


def price(entry: Entry) -> int:
    """What Clockify says an entry is worth."""
    return cents(Decimal(str(entry.rate_minor or 0)) * seconds(entry) / 3600)


def statement(house: House, part: str, *by: str) -> tuple[Sums, Sums]:
    """Seconds and minor units of a part, by some columns of its lines."""
    found = house.rows(
        f"SELECT {', '.join(by)}, sum(duration_seconds), sum(amount_minor) FROM statement_lines "
        "WHERE month = $1 AND part = $2 GROUP BY ALL",
        FIRST,
        part,
    )
    times, amounts = Sums(), Sums()
    for *key, took, amount in found:
        times[tuple(key)], amounts[tuple(key)] = int(took), int(amount)
    return times, amounts


def test_it_is_what_the_two_services_hold(october: House) -> None:
    """QuickBooks by customer to the minute and the cent, Clockify to the second, the rest named."""
    world = october.sandbox.world
    minutes, amounts = in_quickbooks(world)
    assert len(minutes) > 5
    assert statement(october, "in_quickbooks", "customer_id", "currency") == (
        Sums({key: took * 60 for key, took in minutes.items()}),
        amounts,
    )
    tracked, worth = Sums(), Sums()
    for entry in billable(world):
        tracked[entry.currency,] += seconds(entry)
        worth[entry.currency,] += price(entry)
    assert statement(october, "clockify", "currency") == (tracked, worth)
    rules, not_sent = Rules(world), Sums()
    for entry in billable(world):
        if reasons := rules.reasons(entry):
            not_sent[min(reasons, key=REASON_IDS.index),] += seconds(entry)
    assert statement(october, "not_sent", "split_part(line, ': ', 2)")[0] == not_sent
    others = "SELECT DISTINCT line FROM statement_lines WHERE part IN ('rounding', 'differing')"
    assert october.rows(others) == [("minute rounding",)]
    for unit in ("seconds", "amount_minor"):
        parts = (f"{part}_{unit}" for part in ("in_quickbooks", "not_sent", "rounding"))
        assert october.rows(f"FROM statement WHERE clockify_{unit} <> {' + '.join(parts)}") == []


def test_what_changed_on_either_side_is_shown_and_blocks_its_customer(
    house: House, october: House
) -> None:
    """The statement has what QuickBooks holds now, and what is billed of it."""
    october = restored(house, kept(october))
    world = october.sandbox.world
    rules = Rules(world)
    sound = [each for each in billable(world) if not rules.reasons(each)]
    entry = min(sound, key=lambda each: each.start)
    assert entry.end
    entry.end += timedelta(hours=1)
    edited, billed, last = bookkeeping(world)
    october.prepare(FIRST, last, *DAILY)
    times, _ = statement(october, "differing", "line")
    sent = (seconds(entry) - 3600 + 30) // 60 * 60
    assert times == Sums({(CHANGED.format("Clockify"),): seconds(entry) - sent, edited: -60})
    minutes, amounts = in_quickbooks(world)
    held = statement(october, "in_quickbooks", "customer_id", "currency")
    assert held == (Sums({key: took * 60 for key, took in minutes.items()}), amounts)
    assert statement(october, "in_quickbooks", "line")[0]["billed",] == billed * 60
    found = october.rows("SELECT blocks FROM statement WHERE differing_seconds <> 0")
    assert {line for (blocks,) in found for line in blocks} >= {
        f"{CHANGED.format(service)} (1)" for service in ("Clockify", "QuickBooks")
    }


def bookkeeping(world: World) -> tuple[tuple[str], int, date]:
    """One activity is made a minute longer, another billed: the line of it, its minutes and day."""
    held = [
        row
        for row in world.company.activities.values()
        if str(FIRST) < row["TxnDate"] <= str(LAST) and row["Minutes"] < 59
    ]
    edited, billed = sorted(held, key=lambda row: str(row["TxnDate"]))[:2]
    edited["Minutes"] += 1
    billed["BillableStatus"] = "HasBeenBilled"
    day = date.fromisoformat(billed["TxnDate"])
    return (CHANGED.format("QuickBooks"),), billed["Hours"] * 60 + billed["Minutes"], day


def test_the_ui_shows_hours_and_no_amount(october: House) -> None:
    """Whoever sees amounts and hours sees rates."""
    event = october.instance.get_latest_materialization_event(dg.AssetKey("statement"))
    assert event
    assert event.asset_materialization
    shown: dict[str, Any] = dict(event.asset_materialization.metadata)
    rows = [record.data for record in shown["2026-10"].records]
    assert {row["blocks"] for row in rows} > {"ready to invoice"}
    assert not {name for row in rows for name in row if "amount" in name}
    assert shown["customers ready to invoice"].value == sum(
        row["blocks"] == "ready to invoice" for row in rows
    )
