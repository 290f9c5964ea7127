"""Decisions in a file, as spreadsheet programs save them."""

from pathlib import Path

import pytest

from pipeline.delivery.decisions import Decision, read_csv
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
        ["b" * 24, "", "Ann"],
    )
    path.write_text("".join(delimiter.join(row) + "\r\n" for row in rows), encoding="utf-8-sig")
    assert read_csv(path) == [Decision(ENTRY, "adopt", "12", "line 2")]


def test_a_file_that_is_not_utf_8_is_refused_with_the_way_to_save_it(tmp_path: Path) -> None:
    """What Excel calls CSV, without more, loses every name that is not English."""
    path = tmp_path / "it.csv"
    path.write_bytes(f"entry_id,decision,person\n{ENTRY},send,Müller\n".encode("cp1252"))
    with pytest.raises(Stop, match="Save it from the spreadsheet program as `CSV UTF-8`"):
        read_csv(path)
