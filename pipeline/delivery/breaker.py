"""The circuit breaker: what stops a run although each of its rows, by itself, would pass. Pure.

Holds the tally that lives as long as a run, and the judgement on whether a scheduled run may send,
by what was sent last and by how much it would be. Keeps out waiting, reading and recording
(`sending`, `loading`), and the faults that stop a run at once (`faults`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median_high

from pipeline.delivery.classification import Outcome, differing_in, is_business_rule, is_named
from pipeline.ledger import PASSING, Delivery
from pipeline.quickbooks.faults import THROTTLED_SECONDS
from pipeline.stops import Stop

MAY_DIFFER = 3
"""Activities stored otherwise than sent, after which we misunderstand the other side."""
MAY_BE_SILENT = 2
"""Batches in a row of which nothing is known, after which QuickBooks is down."""
MAY_SHARE = 3
"""People, and customers, that one fault may meet before it is taken for a fault of ours."""
PATIENCES = 5
"""Times the patience for one request that a run waits, in all, while it is throttled."""
HARMLESS = frozenset({"description", "item"})
"""Differences that bill the right person and customer the right amount."""
UNUSUAL = 5
"""Times the usual number of rows that a scheduled run may send."""
ALWAYS_ALLOWED = 200
"""Rows that a scheduled run may send whatever is usual."""
SETTLING_IN = timedelta(days=20)
"""Since the first delivery: until then nothing is usual."""
REMEMBERED = timedelta(weeks=8)
OVERRIDE = "launch the load once with `override_breaker: true`"


@dataclass
class Tally:
    """What a run has met so far, over all its pieces."""

    is_overridden: bool = False
    """Whether one fault may meet any number of people and customers in this run."""
    differing: int = 0
    silent: int = 0
    waited_seconds: float = 0
    refused: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    """The refused rows by fault, less those refused for the moment only."""

    def add(self, told: Sequence[tuple[Delivery, Outcome]]) -> None:
        """Count what a batch came to."""
        self.differing += sum(_bills_otherwise(outcome.differs) for _, outcome in told)
        self.silent = self.silent + 1 if _is_silent(told) else 0
        for row, outcome in told:
            is_no = outcome.state == "refused" or (
                # What is tried once more alone is settled by itself: else no run gets past three.
                outcome.state == "unknown"
                and is_business_rule(outcome.error_code)
                and not row.revision
            )
            if is_no and outcome.error_code not in PASSING:
                self.refused[str(outcome.error_code)].append(row)

    def stop(self) -> Stop | None:
        """What stops the run now, if anything does."""
        if self.differing >= MAY_DIFFER:
            return Stop(
                f"QuickBooks did not store {self.differing} time activities as they were sent",
                "compare them in the table `deliveries` (error_message) with QuickBooks before "
                "loading again",
            )
        if self.silent >= MAY_BE_SILENT:
            return Stop(
                f"QuickBooks did not say what became of {self.silent} batches in a row",
                "run again when QuickBooks is well; none is sent again before its outcome is known",
                is_transient=True,
            )
        stops = (_shared_fault(code, rows) for code, rows in self.refused.items())
        return None if self.is_overridden else next(filter(None, stops), None)

    def pause(self, asked_seconds: float | None, patience_seconds: float) -> float | None:
        """How long a throttled batch now waits; none once the run has waited long enough in all.

        Args:
            asked_seconds: what `Retry-After` asks for, if it is there.
            patience_seconds: the longest that one request is waited for.
        """
        asked = THROTTLED_SECONDS if asked_seconds is None else max(asked_seconds, 1.0)
        seconds = min(asked, patience_seconds)
        if self.waited_seconds + seconds > PATIENCES * patience_seconds:
            return None
        self.waited_seconds += seconds
        return seconds


def _is_silent(told: Sequence[tuple[Delivery, Outcome]]) -> bool:
    """Whether nothing is known; a fault that meets what is tried alone tells of that row only."""
    is_tried_alone = len(told) == 1 and told[0][0].revision > 0
    is_answered = is_named if is_tried_alone else is_business_rule
    is_unknown = [each.state == "unknown" and not is_answered(each.error_code) for _, each in told]
    return bool(told) and all(is_unknown)


def _shared_fault(code: str, rows: Sequence[Delivery]) -> Stop | None:
    """The same fault on several people and customers: ours or the company's, not a row's."""
    sent = [row.facts for row in rows]
    people = {each.person for each in sent}
    customers = {each.customer for each in sent if each.customer}
    if min(len(people), len(customers)) < MAY_SHARE:
        return None
    return Stop(
        f"QuickBooks refused {len(rows)} time activities of {len(people)} people and "
        f"{len(customers)} customers for one reason: its fault {code}",
        "read its words in the table `deliveries` (error_message) and put the cause right; if each "
        f"refusal is right, {OVERRIDE}",
    )


def misunderstood(said: Iterable[str | None]) -> Stop | None:
    """What stops a scheduled run where the last run to send anything had too much stored otherwise.

    Else each morning that nobody watches would send as many again.

    Args:
        said: what the ledger says of each time activity that was sent last.
    """
    differing = sum(_bills_otherwise(differing_in(each)) for each in said)
    if differing < MAY_DIFFER:
        return None
    return Stop(
        f"Of the time activities sent last, QuickBooks did not store {differing} as they were sent",
        "compare them in the table `deliveries` (error_message) and correct them in QuickBooks; "
        f"then launch the days by hand, or {OVERRIDE}: no scheduled run sends before that",
    )


def _bills_otherwise(differing: Iterable[str]) -> bool:
    return bool(set(differing) - HARMLESS)


def unusual(
    rows: int, sent_by_day: Mapping[date, int], today: date, *, comes_in_bulk: bool
) -> Stop | None:
    """What stops a scheduled run that would send far more than is usual.

    Args:
        rows: how many the run would send.
        sent_by_day: how many were sent on each day on which any were, since the first delivery.
        today: the run's date.
        comes_in_bulk: whether entries wait and are then sent together on days that no weekday
            tells: after an approval, or after a month.
    """
    if is_settling_in(sent_by_day, today) or rows <= ALWAYS_ALLOWED:
        return None
    expected = usual(sent_by_day, today, comes_in_bulk=comes_in_bulk)
    if rows <= UNUSUAL * expected:
        return None
    return Stop(
        f"This scheduled run would send {rows} time activities; {expected} are usual on a "
        f"{today:%A}",
        "look at them with `dry_run: true`; if they are right, launch the days by hand, or "
        + OVERRIDE,
    )


def is_settling_in(sent_by_day: Mapping[date, int], today: date) -> bool:
    """Whether the first delivery is too recent for anything to be usual, or still to come."""
    return today - min(sent_by_day, default=today) < SETTLING_IN


def usual(sent_by_day: Mapping[date, int], today: date, *, comes_in_bulk: bool) -> int:
    """How many rows a run of today usually sends.

    The median of the same weekdays in the last eight weeks, less those that sent nothing (nobody
    ran it, or a holiday). A weekday that sent nothing in eight weeks is measured by the busiest day
    of them, as is everything that comes in bulk; after eight weeks of nothing, nothing is usual.
    """
    lately = {day: rows for day, rows in sent_by_day.items() if today - REMEMBERED <= day < today}
    same = [rows for day, rows in lately.items() if day.weekday() == today.weekday()]
    if comes_in_bulk or not same:
        return max(lately.values(), default=0)
    return median_high(same)
