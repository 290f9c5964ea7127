"""A backfill launched from the UI, reference tables selected too: Dagster makes several runs of it.

The lists that entries are judged by are then read in a run of their own. What is sent must not
depend on how many runs there are.
"""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.end_to_end.books import due, held
from tests.end_to_end.processes import printed, site, ui, wait_for
from tests.end_to_end.stages import DAILY, REFERENCES

LAUNCH = """mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query Backfill($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status } } }"""
RUNS = "query Runs { runsOrError { ... on Runs { results { status } } } }"


def test_a_backfill_of_everything_sends_each_entry_once(tmp_path: Path) -> None:
    """Two runs: the reference tables, then every day with its load."""
    [command] = printed("dagster dev")
    with site(tmp_path) as shell, ui(shell, *command) as dagster:
        first, last = shell.today - timedelta(days=9), shell.today - timedelta(days=2)
        asked = {
            "assetSelection": [{"path": [name]} for name in (*REFERENCES, *DAILY)],
            "partitionNames": [str(first + timedelta(days=number)) for number in range(8)],
        }
        launched = dagster.ask(LAUNCH, params=asked)["launchPartitionBackfill"]

        def status() -> str:
            found = dagster.ask(STATUS, id=launched["backfillId"])
            said: str = found.get("partitionBackfillOrError", {}).get("status", "REQUESTED")
            return said

        wait_for(lambda: status() != "REQUESTED", 240)
        runs = dagster.ask(RUNS)["runsOrError"]["results"]
        assert (status(), Counter(run["status"] for run in runs)) == (
            "COMPLETED_SUCCESS",
            Counter(SUCCESS=2),
        )
        world = shell.sandbox.world
        assert held(world, first, last) == due(world, first, last) != Counter()
