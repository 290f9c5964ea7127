"""One run over the sandbox's last days, through Dagster and real HTTP."""

from datetime import timedelta

from tests.conftest import TODAY
from tests.end_to_end.conftest import House, problems

FIRST = TODAY - timedelta(days=13)


def test_a_run_sends_each_accepted_entry_once(house: House) -> None:
    """After a green run the ledger knows one sent activity for each accepted entry."""
    result = house.run(FIRST, TODAY)
    assert problems(result) == []
    [(accepted,)] = house.rows("SELECT count(*) FROM accepted_time_entries")
    assert accepted > 100
    assert house.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [
        ("sent", accepted)
    ]


def test_a_second_run_sends_nothing(house: House) -> None:
    """The same range again writes nothing into QuickBooks."""
    house.run(FIRST, TODAY)
    before = len(house.activities)
    assert problems(house.run(FIRST, TODAY)) == []
    assert len(house.activities) == before
