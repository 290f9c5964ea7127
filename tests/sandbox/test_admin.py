"""The admin routes: the world is looked at and changed as people would change it."""

import copy

import httpx
import pytest

from tests.conftest import Sandbox
from tests.sandbox.quickbooks_client import Api, valid


def test_the_whole_world_can_be_read(sandbox: Sandbox) -> None:
    """Every part is in it, and every switch has a value."""
    state = sandbox.admin("GET", "")
    assert state["company"]["realm_id"] == sandbox.env["QUICKBOOKS_REALM_ID"]
    assert sandbox.admin("GET", "switches")["request_ids"] == "honour"
    assert len(sandbox.admin("GET", "entries")) == len(sandbox.world.workspace.entries)


def test_a_clockify_record_is_added_changed_and_removed(sandbox: Sandbox) -> None:
    """Instants are read from text into their own type."""
    user = next(iter(sandbox.world.workspace.users))
    entry = sandbox.admin(
        "POST", "entries", user_id=user, start="2026-11-20T14:00:00Z", end="2026-11-20T15:00:00Z"
    )
    stored = sandbox.world.workspace.entries[entry["id"]]
    assert stored.end is not None
    assert (stored.end - stored.start).total_seconds() == 3600
    sandbox.admin("PATCH", f"entries/{entry['id']}", description="Changed", end=None)
    assert (stored.description, stored.end) == ("Changed", None)
    sandbox.admin("DELETE", f"entries/{entry['id']}")
    assert entry["id"] not in sandbox.world.workspace.entries


def test_a_quickbooks_record_changes_as_a_bookkeeper_changes_it(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """The sync token moves on; an inactive name gets its suffix."""
    made = quickbooks_api.create(valid())
    changed = sandbox.admin("PATCH", f"activities/{made['Id']}", Minutes=45)
    assert (changed["Minutes"], changed["SyncToken"]) == (45, "1")
    gone = sandbox.admin("PATCH", "employees/8", Active=False)
    assert gone["DisplayName"] == "Hannah Whitcombe (deleted)"
    back = sandbox.admin("PATCH", "employees/8", Active=True)
    assert back["DisplayName"] == "Hannah Whitcombe"


def test_a_hand_written_activity_needs_no_rule(sandbox: Sandbox, quickbooks_api: Api) -> None:
    """What stands in the books may be what the API would refuse."""
    added = sandbox.admin("POST", "activities", TxnDate="2026-11-20", NameOf="Employee")
    read = quickbooks_api.get(f"timeactivity/{added['Id']}").json()["TimeActivity"]
    assert read["TxnDate"] == "2026-11-20"


def test_the_vendors_button_sends_each_entry_once(sandbox: Sandbox) -> None:
    """Pressed again for the same days it finds nothing to send."""
    made = sandbox.admin("POST", "vendor-button", **{"from": "2026-11-02", "to": "2026-11-06"})
    assert made
    assert {each["TxnDate"] for each in made} <= {f"2026-11-0{day}" for day in range(2, 7)}
    again = sandbox.admin("POST", "vendor-button", **{"from": "2026-11-02", "to": "2026-11-06"})
    assert again == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "switches", {"colour": "red"}),
        ("PATCH", "switches", {"request_ids": "forget"}),
        ("PATCH", "company", {"colour": "red"}),
        ("PATCH", "company", {"books_closed_through": "yesterday"}),
        ("PATCH", "users", {"name": "x"}),
        ("GET", "planets", {}),
        ("GET", "employees/0", {}),
        ("POST", "company", {}),
        ("POST", "entries", {"user_id": "x"}),
        ("POST", "vendor-button", {"from": "x"}),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    sandbox: Sandbox, method: str, path: str, body: dict[str, str]
) -> None:
    """With a sentence that says why, and nothing changed."""
    before = copy.deepcopy(sandbox.world)
    answer = httpx.request(method, f"{sandbox.url}/_admin/{path}", json=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]
    assert sandbox.world == before
