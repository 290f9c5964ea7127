"""Every reason: the case that earns it, and its nearest neighbour that does not."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from string import Formatter
from typing import Any

import pandas as pd
import pytest

from pipeline.quickbooks.rows import NOT_WHOLE
from pipeline.review.facts import facts
from pipeline.review.judging import judge
from pipeline.review.lists import Lists
from pipeline.review.reasons import REASON_IDS, catalogue
from tests.pipeline.examples import (
    CUSTOMERS,
    EMPLOYEES,
    LISTS,
    MAX_RATE_MINOR,
    START,
    TODAY,
    customer,
    customers,
    employees,
    entries,
    entry,
    judged,
    rules,
    users,
)

HOLDING = {"running", "in_future", "settling", "not_approved", "books_closed"}
EXCLUDING = {"not_work", "zero_duration", "before_cutover", "filtered_out", "not_billable"}
YESTERDAY = TODAY - timedelta(days=1)
NO_PROJECT = dict.fromkeys(("project_id", "project_name", "client_id", "client_name"))
NO_CLIENT = dict.fromkeys(("client_id", "client_name"))
NO_TIME = {"duration_seconds": 0, "raw_seconds": 0}
RUNNING = {"end_at": None, "duration_seconds": None, "raw_seconds": None}
PRICED = {"rate_source": "service_item", "service_item_rate_minor": 100}
MINUTES_1435 = 1435 * 60
END = START + pd.Timedelta(hours=1)
"""Of an hour's entry as the example has it."""


@dataclass
class Case:
    """What earns a reason and what just does not: changes to the entry, and to the rules."""

    reason: str
    earns: dict[str, Any]
    does_not: dict[str, Any]
    rules: dict[str, Any] = field(default_factory=dict)
    other_rules: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.reason}-{self.earns}-{self.rules}"


def _on(day: date) -> dict[str, Any]:
    return {"work_date": pd.Timestamp(day)}


def _rate(minor: int | None, reported: str | None = None, **more: object) -> dict[str, Any]:
    return {"hourly_rate_minor": minor, "reported_rate": reported, **more}


CASES = [
    Case("unknown_employee", {"user_name": "Zoe\u0308 O'Neil"}, {"user_name": "Zo\u00eb O'Neil"}),
    Case("unknown_employee", {"user_name": "Ann Lee "}, {"user_name": "Ann Lee"}),
    Case("unknown_employee", {"user_name": None}, {}),
    Case("inactive_employee", {"user_name": "Bob Roy"}, {"user_name": "Eve Back"}),
    Case("unknown_employee", {"user_name": "Bob Roy (deleted)"}, {"user_name": "Eve Back"}),
    Case("ambiguous_employee", {"user_name": "Cy Twin"}, {"user_name": "Eve Back"}),
    Case(
        "ambiguous_employee",
        {"user_id": "u5", "user_name": "Dana Dup"},
        {"user_id": "u9", "user_name": "Eve Back"},
    ),
    Case("unknown_customer", {"project_name": "website"}, {"project_name": "Website"}),
    Case("unknown_customer", {"project_name": None}, {}),
    Case(
        "unknown_customer",
        {"project_name": "New Co", "client_name": None},
        {"project_name": "New Co", **NO_CLIENT},
    ),
    Case(
        "inactive_customer",
        {"project_name": "Old Co", **NO_CLIENT},
        {"project_name": "New Co", **NO_CLIENT},
    ),
    Case(
        "ambiguous_customer",
        {"project_name": "Twice", **NO_CLIENT},
        {"project_name": "Twice", "client_name": "Globex", "currency": "EUR"},
    ),
    Case(
        "no_project", NO_PROJECT, {**NO_PROJECT, "is_billable": False}, {"send_non_billable": True}
    ),
    # Its rate is the project's that it is given.
    Case("no_project", {**NO_PROJECT, **_rate(None)}, {}),
    Case("too_long", {"lasting": MINUTES_1435 + 30}, {"lasting": MINUTES_1435 + 29}),
    Case("bad_duration", {"raw_seconds": 3602}, {"raw_seconds": 3601}),
    Case("bad_duration", {"raw_seconds": 3598}, {"raw_seconds": 3599}),
    Case(
        "bad_duration",
        {"raw_seconds": None, "duration_seconds": 3602},
        {"raw_seconds": None, "duration_seconds": 3601},
    ),
    Case(
        "bad_duration", {"raw_seconds": 2700, "duration_seconds": 3600}, {"duration_seconds": 2700}
    ),
    Case("bad_duration", {"lasting": -60}, {"lasting": 60}),
    Case("bad_duration", {"duration_seconds": -60}, {}),
    Case("bad_duration", {"lasting": 0, "raw_seconds": -1}, {}),
    Case("bad_duration", {**NO_TIME, "end_at": START - pd.Timedelta(seconds=1)}, {}),
    Case("bad_duration", {"duration_seconds": None}, {}),
    Case("bad_duration", NO_TIME, {}),
    Case("rounds_to_zero", {"lasting": 29}, {"lasting": 30}),
    Case("rounds_to_zero", {"lasting": 1}, {}),
    Case("rounds_to_zero", {"lasting": 400, "duration_seconds": 0}, {"lasting": 400}),
    Case("no_rate", _rate(None), _rate(1)),
    Case("no_rate", {}, _rate(None), {**PRICED, "service_item_rate_minor": None}, PRICED),
    Case("zero_rate", _rate(0, "0"), _rate(1, "1")),
    Case("zero_rate", _rate(0, "0"), _rate(0, "0"), {}, {"zero_rates": "send"}),
    Case("zero_rate", {}, _rate(0, "0"), {**PRICED, "service_item_rate_minor": 0}, PRICED),
    Case("bad_rate", _rate(None, "4500.5"), _rate(4500, "4500")),
    Case("bad_rate", _rate(-1, "-1"), _rate(1, "1")),
    Case("bad_rate", _rate(MAX_RATE_MINOR + 1, "x"), _rate(MAX_RATE_MINOR, "x")),
    Case("bad_rate", {}, {}, {**PRICED, "service_item_rate_minor": MAX_RATE_MINOR + 1}, PRICED),
    Case("bad_rate", {}, {}, {**PRICED, "service_item_rate_minor": NOT_WHOLE}, PRICED),
    Case("bad_rate", {"currency": "JPY"}, {}, {"home_currency": "JPY"}, {}),
    Case("wrong_currency", {"currency": "EUR"}, {"currency": "USD"}),
    Case("wrong_currency", {"currency": None}, {"currency": "USD"}),
    Case(
        "wrong_currency",
        {"project_name": "Twice", "client_name": "Globex", "currency": "USD"},
        {"project_name": "Twice", "client_name": "Globex", "currency": "EUR"},
    ),
    Case(
        "wrong_currency",
        {"project_name": "Twice", "client_name": "Globex", "currency": "EUR"},
        {"currency": "EUR"},
        PRICED,
    ),
    Case("unknown_entry_type", {"entry_type": "OVERTIME"}, {"entry_type": "REGULAR"}),
    Case("unknown_entry_type", {"entry_type": None}, {"entry_type": "REGULAR"}),
    Case("running", RUNNING, {}),
    Case("in_future", _on(TODAY), _on(YESTERDAY)),
    Case("in_future", {"read_at": END - pd.Timedelta(seconds=1)}, {"read_at": END}),
    Case("settling", _on(YESTERDAY), _on(date(2024, 5, 13)), {"send_after_days": 2}),
    Case("settling", _on(date(2024, 5, 13)), _on(date(2024, 5, 12)), {"send_up_to": "last_week"}),
    Case("settling", _on(date(2024, 5, 1)), _on(date(2024, 4, 30)), {"send_up_to": "last_month"}),
    Case("not_approved", {}, {"is_approved": True}, {"require_approval": True}),
    Case(
        "not_approved",
        {"is_approved": False},
        {"is_approved": False},
        {"require_approval": True},
        {},
    ),
    Case("books_closed", _on(date(2024, 5, 13)), {}, {"books_closed_through": date(2024, 5, 13)}),
    Case(
        "books_closed",
        {},
        {},
        {"books_closed_through": YESTERDAY},
        {"books_closed_through": YESTERDAY, "probe_entry_id": entry()["entry_id"]},
    ),
    Case("not_work", {"entry_type": "BREAK"}, {"entry_type": "REGULAR"}),
    Case("not_work", {"entry_type": "HOLIDAY"}, {}),
    Case("not_work", {"entry_type": "TIME_OFF"}, {}),
    Case("zero_duration", {"lasting": 0}, {"lasting": 30}),
    Case("before_cutover", _on(date(2024, 5, 13)), _on(YESTERDAY), {"send_from": YESTERDAY}),
    Case("filtered_out", {}, {"user_name": "Eve Back"}, {"only_users": ("Eve Back",)}),
    Case("filtered_out", {"client_id": "c2"}, {}, {"only_clients": ("c1",)}),
    Case("filtered_out", {"project_name": None}, {}, {"only_projects": ("Website",)}),
    Case("not_billable", {"is_billable": False}, {"is_billable": True}),
    Case(
        "not_billable",
        {"is_billable": False},
        {"is_billable": False},
        {},
        {"send_non_billable": True},
    ),
]


@pytest.fixture(scope="module", params=CASES, ids=str)
def earned(request: pytest.FixtureRequest) -> tuple[Case, dict[str, Any]]:
    """Each case with the verdict over the entry that earns its reason."""
    case: Case = request.param
    hidden = {"description": "SECRET", "user_email": "secret@example.com"}
    (verdict,) = judged(entry(**{**hidden, **case.earns}), **case.rules)
    return case, verdict


def test_a_reason_is_earned_by_its_case(earned: tuple[Case, dict[str, Any]]) -> None:
    """The one change earns the one reason, and its verdict: who must act, if anybody."""
    case, verdict = earned
    is_held, is_excluded = case.reason in HOLDING, case.reason in EXCLUDING
    expected = "held" if is_held else "excluded" if is_excluded else "rejected"
    assert (verdict["reasons"], verdict["verdict"]) == ([case.reason], expected)


def test_a_fix_is_one_sentence_that_gives_nothing_away(
    earned: tuple[Case, dict[str, Any]],
) -> None:
    """No rate, description or address is in it, and no field is left empty or unfilled."""
    (fix,) = earned[1]["fixes"]
    assert fix[0].isupper()
    assert fix.endswith((".", "?"))
    for hidden in ("secret", "4500", str(MAX_RATE_MINOR), "{", "<na>", "nan"):
        assert hidden not in fix.casefold()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_its_nearest_neighbour_does_not_earn_it(case: Case) -> None:
    """One step short of the limit, the entry is accepted with nothing to fix."""
    given = case.rules if case.other_rules is None else case.other_rules
    (verdict,) = judged(entry(**case.does_not), **given)
    assert verdict["verdict"] == "accepted"
    assert verdict["reasons"] == verdict["fixes"] == []


def test_the_cases_cover_the_whole_catalogue() -> None:
    """A new reason without a case fails here."""
    assert {case.reason for case in CASES} == set(REASON_IDS)
    assert len(REASON_IDS) == len(set(REASON_IDS))


def test_the_catalogue_has_rejections_first_and_exclusions_last() -> None:
    """The first reason's verdict is the entry's, so the order decides."""
    verdicts = [reason.verdict for reason in catalogue(rules())]
    assert verdicts == sorted(verdicts, key=["rejected", "held", "excluded"].index)


@pytest.mark.parametrize("rate_source", ["clockify", "service_item"])
def test_every_reason_reads_columns_that_there_are(rate_source: str) -> None:
    """Neither a check nor a fix names a column that nobody makes."""
    frame = facts(entries(), LISTS, rules(rate_source=rate_source))
    for reason in catalogue(rules(rate_source=rate_source)):
        fields = {field for _, field, _, _ in Formatter().parse(reason.fix) if field}
        assert {reason.column, reason.among or "entry_id", *fields} <= set(frame.columns), reason.id


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"user_name": "Ann Lee "}, ["`Ann Lee `", "`Ann Lee`", "only a trailing blank"]),
        ({"project_name": "website"}, ["`website` of client `Acme`", "only letter case differs"]),
        ({"lasting": MINUTES_1435 + 60}, ["1436 minutes", "`Ann Lee`", "2024-05-14"]),
        ({"currency": "EUR"}, ["EUR", "USD", "`Website`"]),
    ],
)
def test_a_fix_names_the_exact_thing(changes: dict[str, Any], named: list[str]) -> None:
    """Who, what and which day, with the near match and how it differs."""
    (verdict,) = judged(entry(**changes))
    for name in named:
        assert name in verdict["fixes"][0]


SPACED = employees(("1", "Ann\u00a0Lee", True), ("2", "Bo", True), ("3", "Zo\u00eb ", True))
CLIENTS = customers(
    customer("1", "Acme "), customer("2", "Acme :Website", "1"), customer("3", "Birch Street")
)


@pytest.mark.parametrize(
    ("changes", "act"),
    [
        ({"user_name": "Ann Lee"}, "Rename the QuickBooks employee `Ann\u00a0Lee`: "),
        ({"user_name": "Bo "}, "Rename the Clockify user `Bo `: "),
        (
            {"user_name": "bo"},
            "Rename the Clockify user `bo` or the QuickBooks employee `Bo`: ",
        ),
        (
            {"user_name": " Zo\u00eb"},
            "Rename the Clockify user ` Zo\u00eb` or the QuickBooks employee `Zo\u00eb `: ",
        ),
        (
            {"user_name": "Bob"},
            (
                "Rename the Clockify user `Bob` or the QuickBooks employee so that both are the "
                "same, character for character, or add the employee, or, for a contractor, bill "
            ),
        ),
    ],
)
def test_a_fix_says_on_which_side_a_person_is_renamed(changes: dict[str, Any], act: str) -> None:
    """Where only what cannot be seen differs: where that stands."""
    verdicts = judge(entries(entry(**changes)), Lists(users(), SPACED, CUSTOMERS), rules(), {})
    assert verdicts["fixes"][0][0].startswith(act)


@pytest.mark.parametrize(
    ("changes", "mode", "act"),
    [
        ({}, "auto", "Rename the QuickBooks customer `Acme `: "),
        ({"client_name": "Acme  "}, "auto", "Rename the Clockify client `Acme  ` or the Quick"),
        (
            {"client_name": " Acme ", "project_name": "Website "},
            "auto",
            (
                "Rename the Clockify client ` Acme ` and the Clockify project `Website ` of client "
                "` Acme `: "
            ),
        ),
        (
            {"client_name": "Acme ", "project_name": "website"},
            "auto",
            (
                "Rename the Clockify project `website` of client `Acme ` or the QuickBooks "
                "sub-customer `Acme :Website`: "
            ),
        ),
        (
            {"project_name": "Birch  Street", **NO_CLIENT},
            "auto",
            "Rename the Clockify project `Birch  Street`: ",
        ),
        (
            {"project_name": "Website", **NO_CLIENT},
            "client_project",
            "Give the Clockify project `Website` a client: ",
        ),
        (
            {"project_name": "Phase: 1"},
            "auto",
            "Rename the Clockify project `Phase: 1` without a colon, which QuickBooks does not",
        ),
        (
            {"client_name": "A:B", "project_name": "C:D"},
            "auto",
            "Rename the Clockify client `A:B` and the Clockify project `C:D` without a colon, ",
        ),
        (
            {"project_name": "Acme :Website", **NO_CLIENT},
            "auto",
            "Rename the Clockify project `Acme :Website` to `Website`, with the client `Acme `: ",
        ),
        ({"client_name": "A:B"}, "project", "Rename the Clockify project `Website` of client `A"),
        (
            {"project_name": None},
            "auto",
            "In Clockify, give the entry another project: the project has no name in Clockify",
        ),
    ],
)
def test_a_fix_says_whether_the_project_or_its_client_is_renamed(
    changes: dict[str, Any], mode: str, act: str
) -> None:
    """A project without a client that needs one is not renamed at all, nor one without a name."""
    rule = rules(customer_matching=mode)
    verdicts = judge(entries(entry(**changes)), Lists(users(), EMPLOYEES, CLIENTS), rule, {})
    assert verdicts["fixes"][0][0].startswith(act)


def test_namesakes_whom_nobody_can_rename_have_a_fix_that_can_be_done() -> None:
    """Clockify calls everybody who was deleted `DeletedUser`."""
    gone = [entry(number, user_id=f"u{number}", user_name="DeletedUser") for number in (1, 2)]
    for verdict in judged(*gone):
        assert verdict["reasons"] == ["ambiguous_employee"]
        assert "bill their time by hand and mark it not billable in Clockify" in verdict["fixes"][0]


def test_time_of_somebody_removed_whom_nothing_names_is_billed_by_hand() -> None:
    """Nobody can rename them, and an employee of that name would be nobody's."""
    (verdict,) = judged(entry(user_name="DeletedUser"))
    assert verdict["reasons"] == ["unknown_employee"]
    [fix] = verdict["fixes"]
    assert fix == (
        "Bill the time by hand, and mark it not billable in Clockify: Clockify no longer says "
        "whose it was."
    )


@pytest.mark.parametrize("rate", [None, 0, -1])
def test_the_fix_of_a_rate_reaches_the_entry_that_is_there(rate: int | None) -> None:
    """One set now is taken by later entries only; an item's price by all."""
    by_rate, by_item = (
        judged(entry(**_rate(rate)), **changes)[0]["fixes"][0]
        for changes in ({}, {"rate_source": "service_item", "service_item_rate_minor": rate})
    )
    assert "apply it to past entries (or switch the entry's billable mark off and on)" in by_rate
    assert "past entries" not in by_item


def test_an_item_in_another_currency_than_the_customer_has_a_fix_that_can_be_done() -> None:
    """An item has one price, in the home currency."""
    foreign = entry(project_name="Twice", client_name="Globex", currency="EUR")
    (verdict,) = judged(foreign, **PRICED)
    assert verdict["reasons"] == ["wrong_currency"]
    for named in ("Set `RATE_SOURCE=clockify`, or", "`ONLY_PROJECTS`", "in USD", "is EUR"):
        assert named in verdict["fixes"][0]


def test_a_too_long_entry_says_when_only_rounding_pushed_it_over() -> None:
    """23 h 52 min tracked and rounded to 24 h is not what somebody typed."""
    tracked = 23 * 3600 + 52 * 60
    rounded, honest = judged(
        entry(1, lasting=tracked, duration_seconds=24 * 3600), entry(2, lasting=24 * 3600)
    )
    assert rounded["reasons"] == honest["reasons"] == ["too_long"]
    assert "only rounding" in rounded["fixes"][0]
    assert "only rounding" not in honest["fixes"][0]


@pytest.mark.parametrize("odd", ["{user}", "{", "}{0}", "`Ann`", "{0.__class__}", "%s", "\\'\""])
def test_names_may_hold_anything(odd: str) -> None:
    """Braces, quotes and backticks in a name are shown, never interpreted."""
    (verdict,) = judged(entry(user_name=odd, project_name=odd, client_name=odd))
    assert verdict["reasons"] == ["unknown_employee", "unknown_customer"]
    assert f"`{odd}`" in verdict["fixes"][0]
    assert f"`{odd}` of client `{odd}`" in verdict["fixes"][1]


@pytest.mark.parametrize(
    ("today", "send_up_to", "last"),
    [
        (date(2024, 5, 13), "last_week", date(2024, 5, 12)),
        (date(2024, 5, 19), "last_week", date(2024, 5, 12)),
        (date(2024, 5, 20), "last_week", date(2024, 5, 19)),
        (date(2024, 3, 1), "last_month", date(2024, 2, 29)),
        (date(2024, 1, 31), "last_month", date(2023, 12, 31)),
        (date(2024, 3, 1), "yesterday", date(2024, 2, 29)),
    ],
)
def test_a_period_is_let_through_when_its_last_day_has_passed(
    today: date, send_up_to: str, last: date
) -> None:
    """A week ends on its Sunday and a month on its last day, whichever limit is earlier."""
    assert rules(today=today, send_up_to=send_up_to).settled_through == last
    assert rules(today=today, send_up_to=send_up_to, send_after_days=90).settled_through == (
        today - timedelta(days=90)
    )
