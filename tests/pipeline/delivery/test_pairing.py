"""Pairing: whether an entry is still of the project that it was sent for."""

import pytest

from pipeline.delivery.pairing import _is_its_project
from tests.pipeline.rows import delivery


@pytest.mark.parametrize(
    ("sent_for", "is_its"), [("u1/p1", True), ("u1/p2", False), ("u1/", False), (None, False)]
)
def test_an_entry_is_of_its_project_where_it_is_known_to_have_been_sent_for_it(
    sent_for: str | None, *, is_its: bool
) -> None:
    """A ledger of before does not know whose an entry was."""
    assert _is_its_project(delivery(sent_for=sent_for), {"project_id": "p1"}) is is_its
