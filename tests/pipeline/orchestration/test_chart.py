"""The chart: an image within Markdown, small, of the last days."""

import base64
from datetime import date, timedelta

import pytest

from pipeline.orchestration.chart import COLOURS, INK, MOST_DAYS, hours_by_day

DAY = date(2026, 11, 1)


def drawn(days: int, hours: float = 8.0) -> str:
    """The image of some days as text."""
    shown = [DAY + timedelta(days=number) for number in range(days)]
    chart = hours_by_day(shown, {(day, verdict): hours for day in shown for verdict in COLOURS})
    start, _, image = chart.value.removesuffix(")").partition("base64,")
    assert start == "![Hours by day and verdict](data:image/svg+xml;"
    return base64.b64decode(image).decode()


@pytest.mark.parametrize(("days", "hours"), [(1, 8.0), (14, 0.0), (14, -0.5), (400, 8.0)])
def test_a_chart_of_any_run_is_small_and_names_its_verdicts(days: int, hours: float) -> None:
    """Metadata is kept for ever: a year is not drawn, and nothing breaks on an empty fortnight."""
    image = drawn(days, hours)
    assert len(image) < 40_000
    assert [verdict for verdict in COLOURS if f">{verdict}<" not in image] == []


@pytest.mark.parametrize("colour", [INK, *COLOURS.values()])
@pytest.mark.parametrize("ground", ["#ffffff", "#101418"])
def test_it_is_legible_in_the_light_and_the_dark_theme(colour: str, ground: str) -> None:
    """By WCAG's contrast, 3:1 for graphics; the grounds are those of Dagster's two themes."""
    darker, lighter = sorted((luminance(colour), luminance(ground)))
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour: str) -> float:
    """WCAG's relative luminance, from 0 to 1."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_chart_draws_the_last_days() -> None:
    """Those that somebody may still mend."""
    last = DAY + timedelta(days=99)
    image = drawn(100)
    assert f">{last:%d %b}<" in image or f">{last - timedelta(days=1):%d %b}<" in image
    assert f">{last - timedelta(days=MOST_DAYS):%d %b}<" not in image


def test_the_same_hours_are_the_same_image() -> None:
    """No clock and no chance in it."""
    assert drawn(3) == drawn(3)
