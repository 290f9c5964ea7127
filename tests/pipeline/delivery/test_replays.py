"""Replays: an activity is one delivery's, and what is older than its request is read anew."""

from datetime import timedelta

from pipeline.delivery.classification import Outcome
from pipeline.delivery.desk import Desk
from pipeline.delivery.replays import each_its_own, read_anew
from tests.conftest import Sandbox
from tests.pipeline.delivery.desks import known, typed
from tests.pipeline.rows import NOW

SENT = Outcome("sent", quickbooks_id="7", sync_token="0")


def test_an_activity_is_one_deliverys_whether_of_before_or_of_this_answer() -> None:
    """Of several that are not known none is taken for another's."""
    refused = Outcome("refused", error_code="2050")
    other = SENT._replace(quickbooks_id="8")
    taken = SENT._replace(quickbooks_id="9")
    outcomes = [refused, SENT, refused, SENT, other, taken]
    told = [(known(number), outcome) for number, outcome in enumerate(outcomes)]
    found = [outcome for _, outcome in each_its_own(told, {"9"})]
    assert found == [
        *(refused, SENT, refused),
        Outcome("unknown", error_message="QuickBooks named 7, which is another entry's"),
        other,
        Outcome("unknown", error_message="QuickBooks named 9, which is another entry's"),
    ]
    assert [row for row, _ in each_its_own(told, {"9"})] == [row for row, _ in told]


def test_only_what_is_older_than_its_request_is_read_anew(desk: Desk, sandbox: Sandbox) -> None:
    """As it is now; what was not stored has no time."""
    key = typed(sandbox)
    rows = [known(number, intuit_time=NOW) for number in range(4)]
    made = [NOW - timedelta(minutes=1), NOW, NOW - timedelta(minutes=1)]
    outcomes = [
        SENT._replace(quickbooks_id=id_, created_at=at)
        for id_, at in zip([key, "9", "999"], made, strict=True)
    ]
    told = list(zip(rows, [*outcomes, Outcome("refused")], strict=True))
    read = read_anew(told, desk.quickbooks)
    assert [int(entry_id, 16) for entry_id in read] == [0, 2]
    states = [(outcome.state, outcome.quickbooks_id) for _, outcome in read.values()]
    assert states == [("sent", key), ("gone", "999")]
    assert [row for row, _ in read.values()] == [rows[0], rows[2]]
