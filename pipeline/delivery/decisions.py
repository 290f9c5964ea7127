"""Decisions: what a person says of an entry that nobody else can tell, as it is spelled.

In a command, and in a CSV as spreadsheet programs save it. Keeps out what a decision makes of a
delivery (`deciding`).
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.stops import Stop

SPELLING = "`send`, `adopt` with the id of a QuickBooks time activity, `skip` or `keep`"


@dataclass(frozen=True)
class Decision:
    """One decision."""

    entry_id: str
    verb: str
    quickbooks_id: str = ""
    place: str = ""
    """Where it stands, such as `line 3`, for messages."""


def decision(entry_id: str, words: Sequence[str], place: str = "") -> Decision:
    """A decision as it is typed.

    Raises:
        ValueError: it is none; says what would be.
    """
    match words:
        case ["send" | "skip" | "keep" as verb]:
            return Decision(entry_id.strip(), verb, place=place)
        case ["adopt", quickbooks_id] if quickbooks_id.isdecimal():
            return Decision(entry_id.strip(), "adopt", quickbooks_id, place)
    raise ValueError(f"`{' '.join(words)}` is not a decision: write {SPELLING}")


def read_csv(path: Path) -> list[Decision]:
    """The decisions in a CSV that `cutover --csv` wrote; rows without one are left out.

    Raises:
        Stop: it is no CSV in UTF-8, a column is missing, or a row holds no decision; names every
            line that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(
            f"{path} cannot be read as UTF-8 ({error})",
            "save it from the spreadsheet program as `CSV UTF-8`",
        ) from error
    with io.StringIO(text) as file:
        reader = csv.DictReader(file, delimiter=_delimiter(text))
        if missing := {"entry_id", "decision"} - set(reader.fieldnames or ()):
            raise Stop(
                f"{path} has no column {' and no column '.join(sorted(missing))}",
                "start from the file that `cutover --csv` writes, and fill in its column decision",
            )
        made, wrong = [], []
        for row in reader:
            words, place = (row["decision"] or "").split(), f"line {reader.line_num}"
            try:
                made += [decision(row["entry_id"] or "", words, place)] if words else []
            except ValueError as error:
                wrong.append(f"{place}: {error}")
    refuse(wrong)
    return made


def _delimiter(text: str) -> str:
    """What parts the columns: a semicolon where a spreadsheet program's country has it so."""
    heading = text.partition("\n")[0]
    return max(",;\t", key=heading.count)


def refuse(wrong: Sequence[str]) -> None:
    """Stop where anything is wrong, with all of it: of some decisions, none is made.

    Raises:
        Stop: something is.
    """
    if wrong:
        raise Stop(
            "Nothing was decided: " + "; ".join(wrong),
            "correct that and decide again",
        )
