"""One run over the sandbox's last days, through Dagster and real HTTP."""

from tests.end_to_end.conftest import House


def test_a_run_sends_each_accepted_entry_once(fortnight: House) -> None:
    """After a green run the ledger knows one sent activity for each accepted entry."""
    [(accepted,)] = fortnight.rows("SELECT count(*) FROM accepted_time_entries")
    assert accepted > 100
    assert fortnight.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [
        ("sent", accepted)
    ]
