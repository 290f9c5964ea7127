"""Decisions in a file, as spreadsheet programs save them."""

from pathlib import Path

import pytest

from pipeline.delivery.decisions import Decision, decision, read_csv
from pipeline.stops import Stop

ENTRY = "a" * 24


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_read_whatever_the_program_puts_between_its_columns(
    tmp_path: Path, delimiter: str
) -> None:
    """Where a comma stands in numbers, Excel saves a semicolon."""
    path = tmp_path / "it.csv"
    rows = (
        ["entry_id", "decision", "person"],
        [ENTRY, "adopt 12", "Müller"],
        ["b" * 24, "", "Ann" + ",;\t".replace(delimiter, "") * 9],
    )
    path.write_text("".join(delimiter.join(row) + "\r\n" for row in rows), encoding="utf-8-sig")
    assert read_csv(path) == [Decision(ENTRY, "adopt", "12", "line 2")]


def test_a_file_that_is_not_utf_8_is_refused_with_the_way_to_save_it(tmp_path: Path) -> None:
    """What Excel calls CSV, without more, loses every name that is not English."""
    path = tmp_path / "it.csv"
    path.write_bytes(f"entry_id,decision,person\n{ENTRY},send,Müller\n".encode("cp1252"))
    with pytest.raises(Stop, match="Save it from the spreadsheet program as `CSV UTF-8`"):
        read_csv(path)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("send", Decision(ENTRY, "send", place="here")),
        ("skip", Decision(ENTRY, "skip", place="here")),
        ("keep", Decision(ENTRY, "keep", place="here")),
        ("adopt 12", Decision(ENTRY, "adopt", "12", "here")),
        *((wrong, None) for wrong in ("", "adopt", "adopt x", "adopt 1 2", "Send", "send 12")),
    ],
)
def test_a_decision_is_one_of_four(typed: str, expected: Decision | None) -> None:
    """Blanks about the entry's id are none of it."""
    if expected:
        assert decision(f" {ENTRY} ", typed.split(), "here") == expected
        return
    with pytest.raises(ValueError, match=f"^`{typed}` is not a decision: write `send`, `adopt` "):
        decision(ENTRY, typed.split())


def test_every_line_that_is_wrong_is_named_and_nothing_is_decided(tmp_path: Path) -> None:
    """As the spreadsheet program counts them."""
    path = tmp_path / "it.csv"
    lines = ["entry_id,decision", f"{ENTRY},send", ",adopt", f"{ENTRY}", f"{ENTRY},no way"]
    path.write_text("\n".join(lines))
    with pytest.raises(Stop) as stop:
        read_csv(path)
    said = str(stop.value)
    assert said.startswith("Nothing was decided: line 3: `adopt` is not a decision")
    assert "; line 5: `no way` is not a decision" in said
    assert said.count("line") == 2


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("entry_id,person", "has no column decision"),
        ("decision", "has no column entry_id"),
        ("", "has no column decision and no column entry_id"),
    ],
)
def test_a_file_without_a_column_is_refused(tmp_path: Path, heading: str, said: str) -> None:
    """It is not the one that was written."""
    path = tmp_path / "it.csv"
    path.write_text(heading)
    with pytest.raises(Stop, match=f"{said}. Start from the file that"):
        read_csv(path)


def test_a_line_that_was_cut_short_names_no_entry(tmp_path: Path) -> None:
    """It is told as an entry that nobody knows."""
    path = tmp_path / "it.csv"
    path.write_text("decision,entry_id\nskip")
    assert read_csv(path) == [Decision("", "skip", place="line 2")]
