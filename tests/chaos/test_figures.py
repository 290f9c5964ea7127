"""The README says what the last figures say, and those are good."""

import json
from pathlib import Path

import pytest

from tests.chaos import report

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs/chaos.json"


@pytest.fixture
def found() -> report.Json:
    """The figures of the last `make chaos`."""
    figures: report.Json = json.loads(FIGURES.read_text())
    return figures


def test_the_readme_has_the_figures_as_they_were_measured(found: report.Json) -> None:
    """To the row."""
    assert report.table(found) in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "count",
    ["duplicates", "losses", "wrong_values", "not quiet", "errors that are no stop"],
)
def test_nothing_was_doubled_lost_or_wrong(found: report.Json, count: str) -> None:
    """What was left to a person for no reason, the README explains."""
    assert found[count] == 0


def test_the_figures_name_no_folder_of_the_machine() -> None:
    """Where they were measured is nobody's business."""
    assert "site-packages" not in FIGURES.read_text()
