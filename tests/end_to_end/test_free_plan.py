"""Mornings of a company on Clockify's free plan: 30 requests an hour, 31 days a report."""

from datetime import date, timedelta

from pipeline import stages
from pipeline.company import opened
from pipeline.sandbox.clockify.switches import REQUESTS_PER_HOUR
from tests.end_to_end.conftest import House

CLOCKIFY = ("/api/v1/", "/report/v1/")
LOOKBACK = timedelta(days=35)


def morning(house: House) -> int:
    """Read what a scheduled run reads, lists included; how many requests Clockify had."""
    house.now += timedelta(days=1)
    calls = house.sandbox.holder.calls
    before = calls.copy()
    yesterday = house.now.date() - timedelta(days=1)
    with opened(house.settings, "morning", str, lambda: house.now) as company:
        for model in stages.LISTS:
            stages.snapshot(company, str, model)
        stages.extract(company, str, yesterday - LOOKBACK, yesterday, watch_history=True)
    made = calls - before
    return sum(made[name] for name in made if any(path in name for path in CLOCKIFY))


def test_16_months_of_which_nothing_is_remembered_are_read_within_the_hours_requests(
    house: House,
) -> None:
    """As after a warehouse was lost: some each morning, until all are; none is refused."""
    house.sandbox.world.workspace.plan = "FREE"
    house.changes |= {"START_DATE": "2025-07-01", "SEND_FROM": "2025-07-01"}
    asked = [morning(house) for _ in range(6)]
    assert 0 < min(asked) <= max(asked) <= REQUESTS_PER_HOUR
    assert house.rows("SELECT count(*) FROM watched_months") == [(16,)]
    assert house.rows("SELECT min(work_date) FROM days") == [(date(2025, 7, 1),)]
