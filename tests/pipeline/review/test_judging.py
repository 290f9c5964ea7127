"""Exactly one verdict for every entry."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.pandas import Check

from pipeline.review import judging
from pipeline.review.facts import facts, minutes
from pipeline.review.judging import failures, judge
from pipeline.review.lists import Lists
from pipeline.review.reasons import REASON_IDS, Reason, catalogue
from pipeline.review.rules import JUDGED_BY
from pipeline.schemas import ClockifyTimeEntries, Verdicts
from tests.pipeline.examples import (
    LISTS,
    MAX_RATE_MINOR,
    START,
    TODAY,
    customers,
    employees,
    entries,
    entry,
    judged,
    rules,
    users,
)

RUNNING = {"end_at": None, "duration_seconds": None, "raw_seconds": None}
NO_PROJECT = dict.fromkeys(("project_id", "project_name", "client_id", "client_name"))


def verdicts_of(*rows: dict[str, Any], delivered: tuple[str, ...] = ()) -> pd.DataFrame:
    """The verdicts as a frame, which keeps missing numbers apart from others."""
    return judge(entries(*rows), LISTS, rules(), dict.fromkeys(delivered, "sent"))


def test_a_valid_entry_is_accepted_with_everything_that_is_sent() -> None:
    """Who, for whom, how long and at what price: 90 minutes at 45.00 are 67.50."""
    (verdict,) = judged(entry(lasting=5400))
    assert verdict == {
        "entry_id": f"{1:024x}",
        "verdict": "accepted",
        "reasons": [],
        "fixes": [],
        "suggestion": pytest.approx(float("nan"), nan_ok=True),
        "quickbooks_employee_id": "1",
        "quickbooks_customer_id": "11",
        "hours": 1,
        "minutes": 30,
        "sent_rate_minor": 4500,
        "sent_amount_minor": 6750,
        "is_delivered": False,
    }


def test_non_billable_time_has_no_price_and_needs_no_project() -> None:
    """With `SEND_NON_BILLABLE`; a project that it does have must still match."""
    bare, matched, unmatched = judged(
        entry(1, is_billable=False, **NO_PROJECT),
        entry(2, is_billable=False),
        entry(3, is_billable=False, project_name="website"),
        send_non_billable=True,
    )
    assert bare["verdict"] == matched["verdict"] == "accepted"
    assert pd.isna(bare["quickbooks_customer_id"])
    assert matched["quickbooks_customer_id"] == "11"
    assert pd.isna(matched["sent_rate_minor"])
    assert pd.isna(matched["sent_amount_minor"])
    assert unmatched["reasons"] == ["unknown_customer"]


def test_the_price_is_the_items_if_it_sets_the_rate() -> None:
    """With `RATE_SOURCE=service_item` Clockify's rate is not looked at."""
    item = {"rate_source": "service_item", "service_item_rate_minor": 9000}
    (verdict,) = judged(entry(hourly_rate_minor=None, reported_rate="0.5", currency="JPY"), **item)
    assert verdict["verdict"] == "accepted"
    assert verdict["sent_rate_minor"] == verdict["sent_amount_minor"] == 9000


def test_zero_rates_can_be_sent_as_an_explicit_zero() -> None:
    """With `ZERO_RATES=send` the rate is 0, not missing."""
    (verdict,) = judged(entry(hourly_rate_minor=0, reported_rate="0"), zero_rates="send")
    assert (verdict["sent_rate_minor"], verdict["sent_amount_minor"]) == (0, 0)


def test_money_is_exact_over_odd_rates_and_minutes() -> None:
    """Minutes ÷ 60 × rate, half up to the minor unit, as fractions give it."""
    random = Random(3)
    cases = [
        (random.randint(30, 1435 * 60), random.randint(1, MAX_RATE_MINOR)) for _ in range(3000)
    ]
    rows = (
        entry(number, lasting=seconds, hourly_rate_minor=rate)
        for number, (seconds, rate) in enumerate(cases)
    )
    verdicts = verdicts_of(*rows)
    assert (verdicts["verdict"] == "accepted").all()
    for (seconds, rate), hours, left, amount in zip(
        cases,
        verdicts["hours"],
        verdicts["minutes"],
        verdicts["sent_amount_minor"],
        strict=True,
    ):
        whole = int(Fraction(seconds, 60) + Fraction(1, 2))
        assert hours * 60 + left == whole
        assert amount == int(Fraction(whole, 60) * rate + Fraction(1, 2))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 0), (29, 0), (30, 1), (89, 1), (90, 2), (3600, 60), (-10, 0), (2**63 - 1, 2**63 // 60)],
)
def test_a_minute_is_rounded_half_up_once(seconds: int, expected: int) -> None:
    """Also where adding half a minute first would overflow."""
    assert minutes(pd.Series([seconds], dtype="Int64"))[0] == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"user_name": "Ann Lee "}, ["`Ann Lee`"]),
        ({"project_name": "website"}, ["`Acme:Website`"]),
        ({"user_name": "Ann Lee ", "project_name": "website"}, ["`Ann Lee`", "`Acme:Website`"]),
    ],
    ids=str,
)
def test_a_verdict_says_whom_the_name_may_mean(changes: dict[str, Any], words: list[str]) -> None:
    """A person, a customer or both; nothing where both are known."""
    (verdict,) = judged(entry(**changes))
    assert (verdict["reasons"] == []) is pd.isna(verdict["suggestion"]) is (not words)
    assert all(word in str(verdict["suggestion"]) for word in words)


class TestPrecedence:
    """Excluded before rejected before held before accepted."""

    def test_an_excluded_entry_has_one_reason_however_bad_it_is(self) -> None:
        """The first that excludes it ends the evaluation."""
        (verdict,) = judged(
            entry(user_name="?", project_name="?", is_billable=False, entry_type="BREAK")
        )
        assert (verdict["verdict"], verdict["reasons"]) == ("excluded", ["not_work"])
        assert pd.isna(verdict["suggestion"])

    def test_a_rejected_entry_has_all_its_reasons_in_the_catalogues_order(self) -> None:
        """Those that hold it too, so that nobody is surprised afterwards."""
        (verdict,) = judged(
            entry(
                user_name="?",
                project_name="?",
                lasting=29,
                hourly_rate_minor=0,
                work_date=pd.Timestamp(TODAY),
            )
        )
        expected = ["unknown_employee", "unknown_customer", "rounds_to_zero", "zero_rate"]
        assert verdict["verdict"] == "rejected"
        assert verdict["reasons"] == [*expected, "in_future"]
        assert len(verdict["fixes"]) == 5

    def test_a_held_entry_has_all_that_holds_it(self) -> None:
        """And no reason of its missing duration."""
        (verdict,) = judged(entry(work_date=pd.Timestamp(TODAY), **RUNNING))
        assert (verdict["verdict"], verdict["reasons"]) == ("held", ["running", "in_future"])
        assert pd.isna(verdict["hours"])

    def test_filters_do_not_read_an_empty_list_as_nobody(self) -> None:
        """No filter lets everybody through; one that is set needs no client to be there."""
        bare = entry(**NO_PROJECT, is_billable=False)
        assert judged(bare, send_non_billable=True)[0]["verdict"] == "accepted"
        (verdict,) = judged(bare, send_non_billable=True, only_clients=("Acme",))
        assert verdict["reasons"] == ["filtered_out"]


class TestDelivered:
    """What QuickBooks already holds."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"user_name": "?"},
            {"entry_type": "BREAK"},
            {"is_billable": False},
            {"work_date": pd.Timestamp(TODAY)},
            RUNNING,
        ],
    )
    def test_it_stays_accepted_whatever_it_has_become(self, changes: dict[str, Any]) -> None:
        """What changes after sending is drift, and appears in no fix list."""
        changed, other = judged(
            entry(1, **changes), entry(2, **changes), delivered=(f"{1:024x}", "f" * 24)
        )
        assert (changed["verdict"], changed["is_delivered"]) == ("accepted", True)
        assert changed["reasons"] == changed["fixes"] == []
        assert pd.isna(changed["suggestion"])
        assert (other["verdict"] == "accepted", other["is_delivered"]) == (False, False)

    @pytest.mark.parametrize(
        ("changes", "missing"),
        [
            ({"lasting": 86_400}, ["hours", "minutes", "sent_amount_minor"]),
            ({"lasting": -60}, ["sent_amount_minor"]),
            ({"hourly_rate_minor": -1}, ["sent_rate_minor", "sent_amount_minor"]),
            ({"hourly_rate_minor": 2**62}, ["sent_rate_minor", "sent_amount_minor"]),
        ],
    )
    def test_what_of_it_cannot_be_sent_is_missing(
        self, changes: dict[str, Any], missing: list[str]
    ) -> None:
        """So that the strict schema of the accepted table holds for it too."""
        verdicts = verdicts_of(entry(**changes), delivered=(f"{1:024x}",))
        assert verdicts.loc[0, missing].isna().all()


class TestEvaluation:
    """Each check, directly, into a matrix of entries by reasons."""

    def frame(self, *rows: dict[str, Any]) -> pd.DataFrame:
        """What the rules look at."""
        return facts(entries(*rows), LISTS, rules())

    def test_a_check_that_raises_stops_the_review(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is a bug in the rule, never a reason against an entry."""

        def broken(_: pd.Series) -> pd.Series:
            raise ZeroDivisionError("a bug")

        bug = Reason("bug", "user_name", Check(broken)).rejects("")
        monkeypatch.setattr(judging, "catalogue", lambda _: (bug,))
        with pytest.raises(ZeroDivisionError, match="a bug"):
            verdicts_of(entry())

    def test_a_check_that_leaves_a_value_open_stops_the_review(self) -> None:
        """A missing value must pass or fail by intention, not by pandas' default."""
        reason = Reason("open", "hourly_rate_minor", Check(lambda rate: rate > 0, ignore_na=False))
        with pytest.raises(ValueError, match="missing values"):
            failures(self.frame(entry(hourly_rate_minor=None)), [reason])

    def test_a_check_sees_only_the_rows_that_it_is_about(self) -> None:
        """The others cannot fail it, whatever they hold."""
        frame = self.frame(entry(1), entry(2, is_billable=False))
        reason = Reason("none", "entry_id", Check(lambda ids: ids == ""), among="is_billable")
        assert failures(frame, [reason]).tolist() == [[True], [False]]

    def test_every_check_decides_over_rows_of_nothing_but_nulls(self) -> None:
        """No rule of the catalogue leaves a missing value open."""
        nulls = dict.fromkeys(
            name
            for name, column in ClockifyTimeEntries.to_schema().columns.items()
            if column.nullable
        )
        everything = rules(
            require_approval=True, send_from=TODAY, books_closed_through=TODAY, send_after_days=2
        )
        frame = facts(entries(entry(**nulls)), LISTS, everything)
        assert failures(frame, catalogue(everything)).shape == (1, len(REASON_IDS))

    def test_the_order_and_index_of_the_entries_do_not_matter(self) -> None:
        """Verdicts come in the entries' order, numbered afresh."""
        given = entries(entry(3, user_name="?"), entry(1), entry(2, is_billable=False))
        given.index = pd.Index([7, 7, 7])
        verdicts = judge(given, LISTS, rules(), {})
        assert [id_[-1] for id_ in verdicts["entry_id"]] == ["3", "1", "2"]
        assert verdicts["verdict"].tolist() == ["rejected", "accepted", "excluded"]


def test_no_entries_have_no_verdicts_in_the_same_types() -> None:
    """A dtype never depends on the data."""
    none = verdicts_of()
    assert len(none) == 0
    assert none.dtypes.to_dict() == Verdicts.empty().dtypes.to_dict()
    assert none.dtypes.to_dict() == verdicts_of(entry()).dtypes.to_dict()


def test_without_employees_and_customers_everything_is_unknown() -> None:
    """Empty reference tables are no error here; the checks upstream say so."""
    verdicts = judge(entries(entry()), Lists(users(), employees(), customers()), rules(), {})
    assert verdicts["reasons"][0] == ["unknown_employee", "unknown_customer"]


@pytest.mark.parametrize("rate_source", ["clockify", "service_item"])
def test_a_verdict_depends_on_no_setting_but_those_by_which_it_may_be_another(
    rate_source: str,
) -> None:
    """Else days would stay as another setting left them."""
    known = rules(rate_source=rate_source)
    named = SimpleNamespace(**{name: getattr(known.settings, name) for name in JUDGED_BY})
    only_named = replace(known, settings=cast("Any", named))
    assert len(judge(entries(entry()), LISTS, only_named, {})) == 1


ANY_ENTRY = st.fixed_dictionaries(
    {
        "lasting": st.sampled_from([-60, 0, 29, 3600, 1435 * 60, 90_000]),
        "user_name": st.sampled_from(["Ann Lee", "Bob Roy", "Cy Twin", "{", None]),
        "project_id": st.sampled_from(["p1", None]),
        "project_name": st.sampled_from(["Website", "Twice", "Old Co", "{}", None]),
        "client_name": st.sampled_from(["Acme", "Globex", None]),
        "entry_type": st.sampled_from(["REGULAR", "BREAK", "NEW", None]),
        "is_billable": st.booleans(),
        "end_at": st.sampled_from([START, START + timedelta(hours=1), None]),
        "raw_seconds": st.sampled_from([0, 3600, -1, None]),
        "hourly_rate_minor": st.sampled_from([4500, 0, -1, 2**62, None]),
        "reported_rate": st.sampled_from(["4500", None]),
        "currency": st.sampled_from(["USD", "EUR", "JPY", None]),
        "is_approved": st.sampled_from([True, False, None]),
        "work_date": st.sampled_from([pd.Timestamp(TODAY), pd.Timestamp("2024-05-01")]),
    }
)
ANY_RULES = st.fixed_dictionaries(
    {
        "send_non_billable": st.booleans(),
        "zero_rates": st.sampled_from(["reject", "send"]),
        "require_approval": st.booleans(),
        "customer_matching": st.sampled_from(["auto", "project", "client_project"]),
        "send_up_to": st.sampled_from(["yesterday", "last_week", "last_month"]),
        "send_from": st.sampled_from([None, TODAY]),
        "books_closed_through": st.sampled_from([None, TODAY]),
        "rate_source": st.sampled_from(["clockify", "service_item"]),
    }
)


@settings(max_examples=25)
@given(st.lists(ANY_ENTRY, min_size=1, max_size=8), ANY_RULES)
def test_every_entry_gets_exactly_one_verdict(
    given_entries: list[dict[str, Any]], given_rules: dict[str, Any]
) -> None:
    """With a fix for each reason, in the catalogue's order, and none for an accepted one."""
    rows = [entry(number, **changes) for number, changes in enumerate(given_entries)]
    first = rows[0]["entry_id"]
    verdicts = judged(*rows, delivered=(first,), **given_rules)
    assert [verdict["entry_id"] for verdict in verdicts] == [row["entry_id"] for row in rows]
    assert verdicts[0]["verdict"] == "accepted"
    for verdict in verdicts:
        assert len(verdict["reasons"]) == len(verdict["fixes"])
        assert verdict["reasons"] == sorted(verdict["reasons"], key=REASON_IDS.index)
        assert (verdict["verdict"] == "accepted") == (not verdict["reasons"])
        assert verdict["is_delivered"] == (verdict["entry_id"] == first)
        if verdict["verdict"] == "accepted" and not verdict["is_delivered"]:
            assert not pd.isna(verdict["quickbooks_employee_id"])
            assert 0 < verdict["hours"] * 60 + verdict["minutes"] <= 1435
