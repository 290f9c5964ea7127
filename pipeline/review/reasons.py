"""The catalogue: every reason why an entry is not accepted, its verdict and its fix.

A new reason is one entry here. Its check is given one column of the frame that `facts` makes, and
only the rows to which it applies; it must return true or false for each, missing values included.
Keeps out the columns themselves (`facts`) and what follows from a failure (`judging`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, Self

import pandas as pd
from pandera.pandas import Check

from pipeline.review.rules import Rules
from pipeline.settings import Settings

LONGEST_MINUTES = 23 * 60 + 55
"""The longest entry that is sent: the manual, "Important notes"."""
NOT_WORK = ("BREAK", "HOLIDAY", "TIME_OFF")
TO_PAST_ENTRIES = (
    ", and apply it to past entries (or switch the entry's billable mark off and on), since an "
    "entry keeps the rate it was made with"
)
"""How a rate reaches an entry that is there: clockify-api.md, 8."""
ENTRY_TYPES = ("REGULAR", *NOT_WORK)
"""What Clockify has had so far: clockify-api.md, 2.3."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry is not accepted; `rejects`, `holds` and `excludes` say what becomes of it."""

    id: str
    column: str
    """The column of `facts` that the check is given."""
    check: Check
    """Passes for a value that is right."""
    among: str | None = None
    """The boolean column of `facts` that marks the rows it applies to; none if to all."""
    is_on: bool = True
    """Whether the settings ask for it."""
    verdict: Literal["rejected", "held", "excluded"] = "rejected"
    fix: str = ""
    """What to change and where: a `str.format` template over the columns of `facts`."""

    def rejects(self, fix: str) -> Self:
        """A person must change something."""
        return replace(self, verdict="rejected", fix=fix)

    def holds(self, fix: str) -> Self:
        """Nothing is wrong: it is not time yet."""
        return replace(self, verdict="held", fix=fix)

    def excludes(self, fix: str) -> Self:
        """It is not for QuickBooks, and there is nothing to do."""
        return replace(self, verdict="excluded", fix=fix)


def catalogue(rules: Rules) -> tuple[Reason, ...]:
    """Every reason, in order: an entry with several is counted under the first of them."""
    return (
        *_of_people(),
        *_of_customers(),
        *_of_time(),
        *_of_price(rules),
        *_of_type(),
        *_of_waiting(rules),
        *_of_exclusion(rules),
    )


def _that(test: Callable[[pd.Series], pd.Series]) -> Check:
    """A check that sees missing values too: pandera leaves them out by default."""
    return Check(test, ignore_na=False)


def _not(value: str) -> Check:
    return _that(lambda found: found != value)


def _since(first: date | None) -> Check:
    """From a day on; without one, any day."""
    day = pd.Timestamp(first) if first else None
    return _that(lambda days: days >= day) if day else _IS_GIVEN


_IS_TRUE = _that(lambda flags: flags.fillna(value=False))
_IS_GIVEN = _that(lambda values: values.notna())


def _of_people() -> tuple[Reason, ...]:
    return (
        Reason("unknown_employee", "employee_problem", _not("unknown")).rejects(
            "{employee_act}: {employee_hint}."
        ),
        Reason("inactive_employee", "employee_problem", _not("inactive")).rejects(
            "In QuickBooks, make the employee of the Clockify user {user} active: {employee_hint}."
        ),
        Reason("ambiguous_employee", "employee_problem", _not("ambiguous")).rejects(
            "In Clockify and QuickBooks, give each person a different name, since {user} may be "
            "more than one: {employee_hint}; if somebody can no longer be renamed, bill their time "
            "by hand and mark it not billable in Clockify."
        ),
    )


def _of_customers() -> tuple[Reason, ...]:
    return (
        Reason("unknown_customer", "customer_problem", _not("unknown")).rejects(
            "{customer_act}: {customer_hint}."
        ),
        Reason("inactive_customer", "customer_problem", _not("inactive")).rejects(
            "In QuickBooks, make the customer of the Clockify project {project} active, or move "
            "the time to another project: {customer_hint}."
        ),
        Reason("ambiguous_customer", "customer_problem", _not("ambiguous")).rejects(
            "{customer_act}: {customer_hint}."
        ),
        Reason("no_project", "project_id", _IS_GIVEN, among="is_billable").rejects(
            "In Clockify, give the entry of {user} on {day} a project, or mark it not billable."
        ),
    )


def _of_time() -> tuple[Reason, ...]:
    return (
        Reason(
            "too_long",
            "sent_minutes",
            _that(lambda minutes: minutes <= LONGEST_MINUTES),
            among="is_measured",
        ).rejects(
            "In Clockify, correct the end of the entry of {user} on {day} if its timer was "
            "forgotten, or split the entry: it would be sent as {sent_minutes} minutes, more than "
            f"{LONGEST_MINUTES} (23 h 55 min){{only_by_rounding}}."
        ),
        Reason("bad_duration", "is_sound", _IS_TRUE, among="is_finished").rejects(
            "In Clockify, correct the start and end of the entry of {user} on {day}: its duration "
            "({tracked_seconds} s) is missing or negative, or does not fit them."
        ),
        Reason(
            "rounds_to_zero",
            "sent_minutes",
            _that(lambda minutes: minutes != 0),
            among="is_tracked",
        ).rejects(
            "In Clockify, lengthen or delete the entry of {user} on {day}: its {tracked_seconds} s "
            "would be sent as 0 minutes."
        ),
    )


def _of_price(rules: Rules) -> tuple[Reason, ...]:
    highest = rules.max_rate_minor
    place = {
        "clockify": "In Clockify, for {user} on project {project}",
        "service_item": "In QuickBooks, for the item that `SERVICE_ITEM` names",
    }[rules.settings.rate_source]
    too = {"clockify": TO_PAST_ENTRIES, "service_item": ""}[rules.settings.rate_source]
    unseen = {"clockify": "; or let the API key's owner see rates", "service_item": ""}[
        rules.settings.rate_source
    ]
    other_currency = {
        "clockify": f"{place}: bring the currency of the rate, {{rate_currency}}, into line with "
        "the QuickBooks customer's, {customer_currency}.",
        "service_item": "Set `RATE_SOURCE=clockify`, or name only the other projects in "
        "`ONLY_PROJECTS` and bill project {project} by hand: the service item's price is in "
        "{rate_currency}, the QuickBooks customer's currency is {customer_currency}.",
    }[rules.settings.rate_source]
    return (
        Reason("no_rate", "is_priced", _IS_TRUE, among="is_to_price").rejects(
            f"{place}: set the hourly rate, which is missing{too}."
        ),
        Reason(
            "zero_rate",
            "rate_minor",
            _that(lambda rates: rates != 0),
            among="is_rated",
            is_on=rules.settings.zero_rates == "reject",
        ).rejects(
            f"{place}: set the hourly rate, which is 0{too}{unseen}; if 0 is meant, set "
            "`ZERO_RATES=send`."
        ),
        Reason(
            "bad_rate",
            "rate_minor",
            _that(lambda rates: rates.between(0, highest).fillna(value=False)),
            among="is_priced",
        ).rejects(
            f"{place}: correct the hourly rate, which must be in whole cents, not negative, at "
            "most `MAX_RATE` and in a currency that has cents (it is in {rate_currency})"
            f"{too}."
        ),
        Reason("wrong_currency", "is_currency_right", _IS_TRUE).rejects(other_currency),
    )


def _of_type() -> tuple[Reason, ...]:
    return (
        Reason(
            "unknown_entry_type", "entry_type", _that(lambda types: types.isin(ENTRY_TYPES))
        ).rejects(
            "Tell the data engineer that the entry of {user} on {day} has the type {entry_type}, "
            "which is new: is it work?"
        ),
    )


def _of_waiting(rules: Rules) -> tuple[Reason, ...]:
    today, settled = pd.Timestamp(rules.today), pd.Timestamp(rules.settled_through)
    closed = rules.books_closed_through
    reopened = closed and closed + timedelta(days=1)
    return (
        Reason("running", "end_at", _IS_GIVEN).holds(
            "Nothing, unless forgotten: the timer of {user} from {day} still runs in Clockify."
        ),
        Reason("in_future", "has_passed", _IS_TRUE).holds(
            "Nothing, unless the date or end is wrong in Clockify: {day} is not over, or the entry "
            "of {user} ended in the future when it was read."
        ),
        Reason(
            "settling", "work_date", _that(lambda days: (days <= settled) | (days >= today))
        ).holds("Nothing: `SEND_AFTER_DAYS` and `SEND_UP_TO` let {day} through later."),
        Reason(
            "not_approved", "is_approved", _IS_TRUE, is_on=rules.settings.require_approval
        ).holds("In Clockify, have the timesheet of {user} for {day} submitted and approved."),
        Reason("books_closed", "work_date", _since(reopened), among="is_no_probe").holds(
            f"In QuickBooks, reopen the books, closed through {closed}; or bill the entry of "
            "{user} on {day} by hand and mark it not billable in Clockify, since it would be sent "
            "too once they are open."
        ),
    )


def _of_exclusion(rules: Rules) -> tuple[Reason, ...]:
    return (
        Reason("not_work", "entry_type", _that(lambda types: ~types.isin(NOT_WORK))).excludes(
            "Nothing: {entry_type} is not work."
        ),
        Reason("zero_duration", "is_empty", _that(lambda flags: ~flags)).excludes(
            "Nothing: the entry of {user} on {day} has no time in it."
        ),
        Reason("before_cutover", "work_date", _since(rules.settings.send_from)).excludes(
            f"Nothing: `SEND_FROM` leaves the days before {rules.settings.send_from} to others."
        ),
        Reason("filtered_out", "is_chosen", _IS_TRUE).excludes(
            "Nothing: `ONLY_USERS`, `ONLY_CLIENTS` or `ONLY_PROJECTS` leaves it out."
        ),
        Reason(
            "not_billable", "is_billable", _IS_TRUE, is_on=not rules.settings.send_non_billable
        ).excludes(
            "Nothing, unless it should be billed: then mark it so in Clockify ({user}, {day})."
        ),
    )


_ANY = Rules(settings=Settings.model_construct(), today=date(2000, 1, 1), home_currency="")
REASON_IDS = tuple(reason.id for reason in catalogue(_ANY))
"""The ids of all reasons in the catalogue's order, whatever the settings."""
REJECTING = tuple(reason.id for reason in catalogue(_ANY) if reason.verdict == "rejected")
"""The ids of those for which a person must change something."""
