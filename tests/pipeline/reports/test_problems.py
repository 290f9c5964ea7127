"""A delivery's problem as metadata shows it: ours in full, QuickBooks' as a code and a meaning."""

import duckdb
import pytest

from pipeline.reports.problems import PROBLEM

SECRET = "Planting plan at 137.25"


def said(state: str, code: str | None, message: str | None = SECRET) -> str | None:
    """The problem of a delivery."""
    row = "SELECT $1 AS state, $2::VARCHAR AS error_code, $3::VARCHAR AS error_message"
    [(found,)] = duckdb.execute(f"SELECT {PROBLEM} FROM ({row})", [state, code, message]).fetchall()
    return None if found is None else str(found)


@pytest.mark.parametrize("code", ["2050", "2500", "9999", "", None])
@pytest.mark.parametrize("state", ["refused", "unknown"])
def test_what_quickbooks_said_stays_in_the_tables(state: str, code: str | None) -> None:
    """It may repeat a rate, a description or a name."""
    shown = said(state, code)
    assert shown
    assert SECRET not in shown
    assert str(code or "QuickBooks") in shown


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("610", "it names a person, customer or item that is inactive or gone"),
        ("2020", "a field that QuickBooks requires is missing"),
        ("2040", "its text has a character that QuickBooks does not accept"),
        ("2050", "its text is too long"),
        ("2500", "it names a person, customer or item that is inactive or gone"),
        ("6000", "a business rule of its own forbids it; its words in the ledger say which"),
        ("6200", "the books are closed for its date"),
        ("6210", "the books are closed for its date"),
        ("6310", "billable time needs a customer"),
        ("6330", "billable time needs a rate"),
    ],
)
def test_a_known_fault_says_what_it_means(code: str, meaning: str) -> None:
    """So that nobody looks a number up."""
    assert said("refused", code) == f"QuickBooks refused it with fault {code}: {meaning}"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("doubtful", None),
        ("doubtful", "503"),
        ("sent", None),
        ("gone", None),
        ("adopted", None),
        ("refused", "not_stored"),
    ],
)
def test_what_we_say_is_shown(state: str, code: str | None) -> None:
    """Ids, fields and what to do."""
    assert said(state, code, "looks like 145") == "looks like 145"


def test_no_problem_is_none() -> None:
    """A delivery that is under way."""
    assert said("pending", None, None) is None
    assert said("unknown", "503", "") is None
