"""Reconciliation: what the ledger learns of an update of which no run has heard."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.delivery.desk import Desk
from pipeline.delivery.reconciliation import _heard
from pipeline.quickbooks.activities import parse
from tests.pipeline.delivery.desks import intent

SENT, LONGER, LONGEST = ({"minutes": minutes} for minutes in (30, 45, 50))


@pytest.mark.parametrize(
    ("intended", "stored", "learnt"),
    [
        ([LONGER], LONGER, LONGER),
        ([LONGEST, LONGER], LONGER, LONGER),
        ([LONGER, LONGEST], LONGER, SENT),
        ([LONGER], LONGEST, SENT),
        ([LONGER], SENT, SENT),
        ([], LONGER, SENT),
    ],
    ids=["made", "made last", "made before", "somebody else's", "not made", "never meant"],
)
def test_what_a_run_was_about_to_write_when_it_died_is_nobody_elses_change(
    desk: Desk, intended: list[dict[str, int]], stored: dict[str, int], learnt: dict[str, int]
) -> None:
    """Only the last of it, and only if QuickBooks holds just that."""
    row = replace(intent(**SENT), state="sent", quickbooks_id="7", sync_token="0")
    desk.ledger.record([row])
    for hours, meant in enumerate(intended, 1):
        at = row.updated_at + timedelta(hours=hours)
        desk.ledger.intend(replace(intent(**meant), state="sent", updated_at=at))
    assert desk.ledger.deliveries([row.entry_id]) == {row.entry_id: row}
    body = parse(intent(**stored).payload) | {"Id": "7", "SyncToken": "1"}
    [found] = _heard(desk, [row], {"7": body})
    assert desk.ledger.deliveries([row.entry_id]) == {row.entry_id: found}
    version = "0" if learnt is SENT else "1"
    assert (found.facts, found.sync_token) == (intent(**learnt).facts, version)
    assert (found == row) is (learnt is SENT)
