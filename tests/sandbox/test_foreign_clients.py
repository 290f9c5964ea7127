"""Published clients, written for the real service, work against the local QuickBooks unchanged."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    ValidationException,
)
from quickbooks.objects import (
    Customer,
    Employee,
    Item,
    Preferences,
    Ref,
    TimeActivity,
    Vendor,
)
from quickbooks.objects.company_info import CompanyInfo

from tests.conftest import Sandbox


@pytest.fixture
def oauth(sandbox: Sandbox) -> Iterator[AuthClient]:
    """Intuit's own OAuth client, pointed at the sandbox by its discovery document."""
    client = AuthClient(
        sandbox.env["QUICKBOOKS_CLIENT_ID"],
        sandbox.env["QUICKBOOKS_CLIENT_SECRET"],
        "http://localhost/callback",
        f"{sandbox.url}/.well-known/openid_configuration/",
    )
    with client:
        yield client


@pytest.fixture
def quickbooks(
    sandbox: Sandbox, oauth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> Iterator[QuickBooks]:
    """The python-quickbooks client, connected."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{sandbox.url}/v3")
    client = QuickBooks(
        auth_client=oauth,
        refresh_token=sandbox.env["QUICKBOOKS_REFRESH_TOKEN"],
        company_id=sandbox.env["QUICKBOOKS_REALM_ID"],
        minorversion=75,
    )
    yield client
    client.session.close()


def _activity(quickbooks: QuickBooks, minutes: int = 30) -> TimeActivity:
    made = TimeActivity()
    made.NameOf = "Employee"
    made.EmployeeRef = Employee.get(8, qb=quickbooks).to_ref()
    made.CustomerRef = Ref()
    made.CustomerRef.value = "24"
    made.TxnDate = "2026-11-20"
    made.BillableStatus = "Billable"
    made.HourlyRate = 95.5
    made.Hours = 2
    made.Minutes = minutes
    made.Description = "Site “visit” — Müller & Söhne"
    return made


def test_names_are_listed_with_their_apostrophes_and_ampersands(quickbooks: QuickBooks) -> None:
    """Names come through the client's paging as they are written in the books."""
    employees = {each.DisplayName for each in Employee.all(qb=quickbooks)}
    customers = {each.DisplayName for each in Customer.all(qb=quickbooks, max_results=1000)}
    assert {"Tom O'Hara", "Sofía Beltrán"} <= employees
    assert {"St. Brendan's School", "Müller & Söhne"} <= customers


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Employee, "Tom O'Hara"), (Customer, "St. Brendan's School"), (Customer, "Müller & Söhne")],
)
def test_a_name_is_found_by_its_own_client_escaping(
    quickbooks: QuickBooks, kind: type[Any], name: str
) -> None:
    """A backslash before an apostrophe is the escape that clients use."""
    escaped = name.replace("'", r"\'")
    (found,) = kind.where(f"DisplayName = '{escaped}'", qb=quickbooks)
    assert found.DisplayName == name


def test_lists_are_filtered_chosen_counted_and_paged(quickbooks: QuickBooks) -> None:
    """Every way in which the client builds a query is understood."""
    assert Employee.count(qb=quickbooks) == 12
    assert Employee.count("Active IN (true, false)", qb=quickbooks) == 13
    assert [each.Id for each in Employee.filter(Active=False, qb=quickbooks)] == ["20"]
    assert [each.Id for each in Customer.choose(["24", "26"], qb=quickbooks)] == ["24", "26"]
    page = Customer.all(order_by="DisplayName", start_position=2, max_results=2, qb=quickbooks)
    assert [each.DisplayName for each in page] == ["Bellwether Hotels", "Bridge Approach"]
    assert Customer.query("select * from Customer where Id = '24'", qb=quickbooks)[0].Id == "24"


def test_items_and_vendors_are_listed_too(quickbooks: QuickBooks) -> None:
    """The client asks for items with a column list of its own."""
    assert "Hours" in {each.Name for each in Item.all(qb=quickbooks)}
    assert "Nadia Petrova" in {each.DisplayName for each in Vendor.all(qb=quickbooks)}


def test_an_activity_is_created_read_updated_and_deleted(quickbooks: QuickBooks) -> None:
    """The client sends back all that it read, and numbers where the API has strings."""
    made = _activity(quickbooks).save(qb=quickbooks, request_id="round-trip")
    assert (made.Hours, made.Minutes, made.HourlyRate, made.SyncToken) == (2, 30, 95.5, "0")
    assert made.EmployeeRef.name == "Hannah Whitcombe"
    assert made.ItemRef.name == "Hours"

    read = TimeActivity.get(made.Id, qb=quickbooks)
    assert read.Description == "Site “visit” — Müller & Söhne"
    read.Minutes = 45
    changed = read.save(qb=quickbooks)
    assert (changed.Id, changed.Minutes, changed.SyncToken) == (made.Id, 45, "1")

    changed.delete(qb=quickbooks)
    with pytest.raises(ObjectNotFoundException):
        TimeActivity.get(made.Id, qb=quickbooks)


def test_the_same_request_id_twice_makes_one_activity(quickbooks: QuickBooks) -> None:
    """The second save is answered with the first one's activity."""
    before = TimeActivity.count(qb=quickbooks)
    first = _activity(quickbooks).save(qb=quickbooks, request_id="once")
    second = _activity(quickbooks).save(qb=quickbooks, request_id="once")
    assert first.Id == second.Id
    assert TimeActivity.count(qb=quickbooks) == before + 1


def test_a_batch_reports_each_item_by_itself(quickbooks: QuickBooks) -> None:
    """One bad item leaves the others stored; its fault is tied to it by its id."""
    bad = _activity(quickbooks, minutes=61)
    answer = batch_create([_activity(quickbooks), bad], qb=quickbooks)
    assert [each.Hours for each in answer.successes] == [2]
    assert [each.Error[0].code for each in answer.faults] == ["6380"]

    (made,) = answer.successes
    made.Description = "Changed"
    assert [each.Description for each in batch_update([made], qb=quickbooks).successes] == [
        "Changed"
    ]
    made.SyncToken = "1"
    assert not batch_delete([made], qb=quickbooks).faults


def test_activities_are_queried_by_their_date(quickbooks: QuickBooks) -> None:
    """A date can be asked for, a description cannot."""
    made = _activity(quickbooks).save(qb=quickbooks)
    found = TimeActivity.where("TxnDate = '2026-11-20'", order_by="Id DESC", qb=quickbooks)
    assert found[0].Id == made.Id
    with pytest.raises(ValidationException) as refused:
        TimeActivity.where("Description = 'x'", qb=quickbooks)
    assert refused.value.error_code == 4001


def test_the_company_and_its_preferences_are_read(sandbox: Sandbox, quickbooks: QuickBooks) -> None:
    """Both are read by query and by address."""
    (info,) = CompanyInfo.all(qb=quickbooks)
    assert info.CompanyName == sandbox.world.company.name
    by_id = CompanyInfo.get(sandbox.env["QUICKBOOKS_REALM_ID"], qb=quickbooks)
    facts = {each["Name"]: each["Value"] for each in by_id.to_dict()["NameValue"]}
    assert facts["OfferingSku"] == "QuickBooks Online Plus"
    assert Preferences.get(qb=quickbooks).TimeTrackingPrefs.UseServices is True


def test_names_are_created_and_deactivated(quickbooks: QuickBooks) -> None:
    """A deactivated name gets its suffix; a colon in a name is refused."""
    customer = Customer()
    customer.DisplayName = "Dún & O'Brien"
    made = customer.save(qb=quickbooks)
    made.Active = False
    assert made.save(qb=quickbooks).DisplayName == "Dún & O'Brien (deleted)"
    vendor = Vendor()
    vendor.DisplayName = "A:B"
    with pytest.raises(ValidationException):
        vendor.save(qb=quickbooks)


def test_changes_of_the_name_lists_are_captured(quickbooks: QuickBooks) -> None:
    """Inactive records are among the changes."""
    answer = quickbooks.change_data_capture("Employee,Customer", "2020-01-01T00:00:00-08:00")
    employees, customers = answer["CDCResponse"][0]["QueryResponse"]
    assert len(employees["Employee"]) == 13
    assert customers["maxResults"] == len(customers["Customer"])


def test_a_refresh_rotates_the_token_and_the_old_one_is_dead(
    sandbox: Sandbox, oauth: AuthClient
) -> None:
    """Who keeps the old value has lost the connection."""
    old = sandbox.env["QUICKBOOKS_REFRESH_TOKEN"]
    oauth.refresh(refresh_token=old)
    assert oauth.refresh_token == sandbox.env["QUICKBOOKS_REFRESH_TOKEN"] != old
    with pytest.raises(AuthClientError) as refused:
        oauth.refresh(refresh_token=old)
    assert "invalid_grant" in str(refused.value.content)


def test_a_revoked_connection_answers_nothing(quickbooks: QuickBooks, oauth: AuthClient) -> None:
    """Neither the access token nor the refresh token lives on."""
    assert oauth.revoke()
    with pytest.raises(AuthorizationException):
        Employee.all(qb=quickbooks)
    with pytest.raises(AuthClientError):
        oauth.refresh()


def test_consent_leads_to_tokens(sandbox: Sandbox, oauth: AuthClient) -> None:
    """The whole path of a person who connects the company."""
    address = oauth.get_authorization_url([Scopes.ACCOUNTING], state_token="state & more")
    page = httpx.get(address)
    assert "Connect" in page.text
    sent = {**dict(httpx.URL(address).params), "decision": "connect"}
    answer = httpx.post(f"{sandbox.url}/connect/oauth2", data=sent)
    back = httpx.URL(answer.headers["location"])
    assert (back.host, back.params["state"]) == ("localhost", "state & more")
    oauth.get_bearer_token(back.params["code"], realm_id=back.params["realmId"])
    assert oauth.get_user_info().json()["email"]
    assert oauth.refresh_token == sandbox.env["QUICKBOOKS_REFRESH_TOKEN"]
