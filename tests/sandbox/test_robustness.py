"""Whatever is sent, the local QuickBooks answers as a service does, and never breaks."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.quickbooks_client import Api, valid

FEW = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-9, 9) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
REFERENCE = st.fixed_dictionaries({"value": JSON})
NAMES = [*valid(), "Id", "SyncToken", "DisplayName", "ParentRef", "Name", "Active", "MetaData"]
SENTENCE = (
    "select * from TimeActivity Employee where Id = '8' and or in like ( ) , orderby TxnDate "
    "startposition maxresults 0 -1 99999999999999999999 count 'open \\ ; Active true"
)
WORDS = st.sampled_from(SENTENCE.split())


@pytest.mark.parametrize("entity", ["timeactivity", "employee", "customer", "item"])
def test_any_value_of_any_property_is_answered(quickbooks_api: Api, entity: str) -> None:
    """Accepted or refused, with a status that the API has."""

    @FEW
    @given(name=st.sampled_from(NAMES), value=JSON | REFERENCE)
    def check(name: str, value: Any) -> None:  # noqa: ANN401  # any JSON at all
        body = {**(valid() if entity == "timeactivity" else {"GivenName": "A"}), name: value}
        assert quickbooks_api.post(entity, body).status_code in (200, 400)

    check()


@FEW
@given(items=st.lists(JSON | st.fixed_dictionaries({"bId": JSON, "Query": JSON}), max_size=3))
def test_any_batch_is_answered(quickbooks_api: Api, items: list[Any]) -> None:
    """Whatever its items are."""
    answer = quickbooks_api.post("batch", {"BatchItemRequest": items})
    assert answer.status_code in (200, 400)


@FEW
@given(words=st.lists(WORDS, max_size=12))
def test_any_query_is_answered(quickbooks_api: Api, words: list[str]) -> None:
    """A sentence of the language's own words in any order."""
    answer = quickbooks_api.get("query", query=" ".join(["select * from", *words]))
    assert answer.status_code in (200, 400)
