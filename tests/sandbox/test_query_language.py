"""The query language as the real service was recorded to speak it."""

from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.sandbox.quickbooks_client import Api, code, valid


def _ids(found: dict[str, Any], entity: str) -> list[str]:
    return [row["Id"] for row in found.get(entity, [])]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("Id = '24'", ["24"]),
        ("displayname = 'TOWN OF EASTBROOK'", ["28"]),
        (r"DisplayName = 'St. Brendan\'s School'", ["42"]),
        ("DisplayName = 'Müller & Söhne'", ["35"]),
        ("DisplayName LIKE 'Lot %'", ["38", "39"]),
        ("DisplayName like '%park%'", ["31", "51"]),
        ("Id IN ('24', '28')", ["24", "28"]),
        ("Id > '52' AND Id <= '54'", ["53", "54"]),
        ("Active = false", ["55"]),
        ("DisplayName = 'Kettle Pond Restoration (deleted)'", []),
        ("DisplayName != 'x' and Id < '26'", ["24", "25"]),
    ],
)
def test_customers_are_found(quickbooks_api: Api, where: str, ids: list[str]) -> None:
    """One condition each, or two with AND."""
    assert _ids(quickbooks_api.query(f"select * from Customer where {where}"), "Customer") == ids


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM Customer MAXRESULTS 2 STARTPOSITION 2",
        "select Id, DisplayName from customer startposition 2 maxresults 2",
        "SELECT *, GivenName FROM Customer ORDERBY Id ASC STARTPOSITION 2 MAXRESULTS 2",
        "SELECT * FROM Customer ORDER BY Id STARTPOSITION 2 MAXRESULTS 2",
    ],
)
def test_a_page_is_asked_for_in_several_ways(quickbooks_api: Api, text: str) -> None:
    """Case, order of the clauses and columns make no difference."""
    found = quickbooks_api.query(text)
    assert (found["startPosition"], found["maxResults"]) == (2, 2)
    assert _ids(found, "Customer") == ["25", "26"]


def test_names_are_sorted_and_pages_begin_at_one(quickbooks_api: Api) -> None:
    """A start at 0, which some clients send, is a start at 1."""
    found = quickbooks_api.query(
        "select * from Employee orderby DisplayName desc startposition 0 maxresults 2"
    )
    assert [row["DisplayName"] for row in found["Employee"]] == ["Wei Zhang", "Tom O'Hara"]


def test_only_active_names_are_listed_unless_asked(quickbooks_api: Api) -> None:
    """Reading by id shows an inactive record all the same."""
    assert quickbooks_api.query("select count(*) from Employee") == {"totalCount": 12}
    both = quickbooks_api.query("select count(*) from Employee where Active in (true, false)")
    assert both == {"totalCount": 13}
    assert quickbooks_api.get("employee/20").json()["Employee"]["DisplayName"].endswith("(deleted)")


def test_nothing_found_is_an_empty_answer(quickbooks_api: Api) -> None:
    """There is then no list at all, not an empty one."""
    assert quickbooks_api.query("select * from Employee where Id = '1'") == {}
    assert quickbooks_api.query("select * from Class") == {}


def test_a_hundred_rows_come_by_default_and_a_thousand_at_most(
    sandbox: Sandbox, quickbooks_api: Api
) -> None:
    """Asking for more than a thousand silently gives a thousand."""
    kept = next(iter(sandbox.world.company.activities.values()))
    sandbox.world.company.activities.update(
        {str(number): {**kept, "Id": str(number)} for number in range(1000, 2200)}
    )
    assert quickbooks_api.query("select * from TimeActivity")["maxResults"] == 100
    assert quickbooks_api.query("select * from TimeActivity maxresults 5000")["maxResults"] == 1000


def test_activities_are_found_by_date_status_and_creation(quickbooks_api: Api) -> None:
    """These are what the API documents as filterable."""
    made = quickbooks_api.create(valid(TxnDate="2027-01-05"))
    created = made["MetaData"]["CreateTime"]
    for where in (
        "TxnDate >= '2027-01-05'",
        "TxnDate = '2027-01-05' and BillableStatus = 'Billable'",
        f"MetaData.CreateTime >= '{created}' and TxnDate > '2026-12-31'",
    ):
        found = quickbooks_api.query(f"select * from timeActivity where {where}")
        assert _ids(found, "TimeActivity") == [made["Id"]]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("4001", "select * from Custmoer"),
        ("4001", "select * from TimeActivity where Description = 'x'"),
        ("4001", "select * from TimeActivity where EmployeeRef = '8'"),
        ("4001", "select * from TimeActivity where NoSuchField = '8'"),
        ("4001", "select NoSuchField from TimeActivity"),
        ("4001", "select * from TimeActivity orderby Hours"),
        ("4001", "select * from TimeActivity where TxnDate = 'yesterday'"),
        ("4000", ""),
        ("4000", "select * TxnDate from TimeActivity"),
        ("4000", "select * from Customer where DisplayName = 'St. Brendan''s School'"),
        ("4000", "select * from Customer where DisplayName = 'open"),
        ("4000", "select * from Customer where Id = '1' or Id = '2'"),
        ("4000", "select * from Customer where Id is null"),
        ("4000", "select * from Customer limit 5"),
    ],
)
def test_a_wrong_query_is_refused(quickbooks_api: Api, expected: str, text: str) -> None:
    """4000 for the grammar, 4001 for what cannot be asked."""
    answer = quickbooks_api.get("query", query=text)
    assert (answer.status_code, code(answer)) == (400, expected)


def test_the_refusals_read_as_recorded(quickbooks_api: Api) -> None:
    """The details are worded as those that were recorded."""

    def detail(text: str) -> str:
        answer = quickbooks_api.get("query", query=text)
        return str(answer.json()["Fault"]["Error"][0]["Detail"])

    assert detail("select * from Custmoer") == (
        "QueryValidationError: invalid context declaration: Custmoer"
    )
    assert detail("select * from TimeActivity TxnDate") == (
        'QueryParserError: Encountered " <IDENTIFIER> "TxnDate "" at line 1, column 28.'
    )


def test_a_query_may_be_posted_as_text(quickbooks_api: Api) -> None:
    """Undocumented, and what python-quickbooks does for every query."""
    answer = quickbooks_api.http.post(
        f"{quickbooks_api.company}/query",
        content="select count(*) from Customer",
        headers={"Content-Type": "application/text"},
    )
    assert answer.json()["QueryResponse"] == {"totalCount": 31}
