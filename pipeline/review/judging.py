"""The review: exactly one verdict for every entry, with all its reasons and their fixes.

Pure, from frames to a frame. Keeps out the rules (`reasons`), what they look at (`facts`), and
reading and writing (`verdicts`).
"""

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.ledger import DELIVERED
from pipeline.review.facts import facts
from pipeline.review.lists import Lists
from pipeline.review.reasons import LONGEST_MINUTES, Reason, catalogue
from pipeline.review.rules import Rules
from pipeline.schemas import Verdicts, sql_types
from pipeline.storage.fitting import coerced

Matrix = npt.NDArray[np.bool_]
"""Entries × reasons: whether the entry fails the reason's check."""


def judge(
    entries: pd.DataFrame, lists: Lists, rules: Rules, settled: Mapping[str, str]
) -> pd.DataFrame:
    """Judge every entry.

    An excluded entry has that one reason. Another is rejected if any reason rejects it, else held
    if any holds it, else accepted. What is settled stays accepted, whatever it has become; what
    of it cannot be sent any more is then missing.

    Args:
        entries: `ClockifyTimeEntries`, at least the columns that `facts` reads.
        lists: Whom and what the entries may be for.
        rules: What else the rules need.
        settled: States of the entries of which nothing is left to do (`ledger.SETTLED`), by id.

    Returns:
        `Verdicts`, one row an entry, in the entries' order; validated where they are written.

    Raises:
        Exception: whatever a check raises; it is a bug in the rule, not a reason.
    """
    frame = facts(entries, lists, rules)
    reasons = [reason for reason in catalogue(rules) if reason.is_on]
    states = frame["entry_id"].map(settled)
    failing = failures(frame, reasons)
    failing[states.notna()] = False
    _end_at_exclusion(failing, reasons)
    matched = frame[["entry_id", "quickbooks_employee_id", "quickbooks_customer_id"]]
    ids, fixes = _explained(failing, reasons, frame)
    decided: dict[str, Any] = {
        "verdict": _verdicts(failing, reasons),
        "reasons": ids,
        "fixes": fixes,
        "suggestion": _suggestions(failing, reasons, frame),
        "is_delivered": states.isin(DELIVERED),
    }
    verdicts = matched.assign(**decided, **_sent(frame, rules))
    return coerced(Verdicts, verdicts, list(sql_types(Verdicts)), "a rule has a bug: report it")


def failures(frame: pd.DataFrame, reasons: Sequence[Reason]) -> Matrix:
    """Evaluate each reason's check on the rows that it applies to.

    Raises:
        ValueError: a check leaves open whether a value passes.
    """
    failing = np.zeros((len(frame), len(reasons)), dtype=bool)
    for number, reason in enumerate(reasons):
        among: Any = slice(None)
        if reason.among is not None:
            among = frame[reason.among].to_numpy(dtype=bool)
        output = reason.check(frame[reason.column][among]).check_output
        failing[among, number] = ~output.to_numpy(dtype=bool)
    return failing


def _end_at_exclusion(failing: Matrix, reasons: Sequence[Reason]) -> None:
    """Leave an excluded entry its first excluding reason and no other."""
    excluding = np.array([reason.verdict == "excluded" for reason in reasons])
    is_out = failing[:, excluding].any(axis=1)
    first = np.flatnonzero(excluding)[failing[np.ix_(is_out, excluding)].argmax(axis=1)]
    failing[is_out] = False
    failing[is_out, first] = True


def _verdicts(failing: Matrix, reasons: Sequence[Reason]) -> npt.NDArray[np.object_]:
    """The first reason's verdict: the catalogue has rejections first, then what is held."""
    verdicts = np.array([*(reason.verdict for reason in reasons), "accepted"], dtype=object)
    return verdicts[np.where(failing.any(axis=1), failing.argmax(axis=1), len(reasons))]


def _explained(
    failing: Matrix, reasons: Sequence[Reason], frame: pd.DataFrame
) -> tuple[list[list[str]], list[list[str]]]:
    """The ids of each entry's reasons, and their fixes in the same order."""
    ids: list[list[str]] = [[] for _ in failing]
    fixes: list[list[str]] = [[] for _ in failing]
    for reason, is_failing in zip(reasons, failing.T, strict=True):
        failed = np.flatnonzero(is_failing)
        rendered = _rendered(reason.fix, frame.iloc[failed]) if failed.size else ()
        for row, fix in zip(failed, rendered, strict=True):
            ids[row].append(reason.id)
            fixes[row].append(fix)
    return ids, fixes


def _rendered(fix: str, frame: pd.DataFrame) -> Iterator[str]:
    """The template filled in for each row; a value may hold braces, since it is never parsed."""
    fields = [field for _, field, _, _ in Formatter().parse(fix) if field]
    shown = (frame[name].astype(object).where(frame[name].notna(), "none") for name in fields)
    for _, *values in zip(range(len(frame)), *shown, strict=True):
        yield fix.format(**dict(zip(fields, values, strict=True)))


def _suggestions(
    failing: Matrix, reasons: Sequence[Reason], frame: pd.DataFrame
) -> list[str | None]:
    hints = []
    for kind in ("employee", "customer"):
        is_asked = np.array([reason.column == f"{kind}_problem" for reason in reasons])
        hints.append(frame[f"{kind}_hint"].where(failing @ is_asked, "").tolist())
    return ["; ".join(filter(None, pair)) or None for pair in zip(*hints, strict=True)]


def _sent(frame: pd.DataFrame, rules: Rules) -> dict[str, pd.Series]:
    """Time and money as they would be sent; missing where they cannot be."""
    minutes, rate = frame["sent_minutes"], frame["rate_minor"]
    minutes = minutes.where(minutes.between(0, LONGEST_MINUTES).fillna(value=False))
    is_usable = rate.between(0, rules.max_rate_minor) & frame["is_billable"]
    rate = rate.where(is_usable.fillna(value=False))
    return {
        "hours": minutes // 60,
        "minutes": minutes % 60,
        "sent_rate_minor": rate,
        "sent_amount_minor": (minutes * rate * 2 + 60) // 120,
    }
