"""Charts as Dagster shows them: an image within Markdown, for its light and its dark theme.

Holds what is drawn; keeps out where its numbers come from. The image is SVG with its letters as
text, a few kilobytes, since metadata is kept for ever.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Any

import dagster as dg

INK = "#868e99"
"""A grey that reads on white as well as on near black."""
COLOURS = {
    "accepted": "#3d8bd4",
    "rejected": "#e2662c",
    "held": "#b58500",
    "excluded": "#868e99",
}
"""By verdict; told apart by those who do not see red and green as others do.

Each stands out from white and from near black by the 3:1 that WCAG 2.2 asks of graphics (1.4.11).
"""
MOST_DAYS = 31
MARGINS = {"left": 0.075, "right": 0.99, "bottom": 0.16, "top": 0.87}
"""Given, since having matplotlib find them takes as long as the drawing."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "clockify",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def hours_by_day(
    days: Sequence[date], hours: Mapping[tuple[date, str], float]
) -> dg.MarkdownMetadataValue:
    """Each day's hours as a bar, stacked by verdict.

    Args:
        days: the days to show, in order; of more than `MOST_DAYS`, the last ones.
        hours: hours by day and verdict; what is missing is none.
    """
    # Each of Dagster's processes imports this module, few draw, and matplotlib takes half a second.
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.collections import PolyCollection  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    days = days[-MOST_DAYS:]
    with rc_context(STYLE):
        figure = Figure(figsize=(7.6, 2.6))
        axes = figure.subplots(gridspec_kw=MARGINS)
        floor = [0.0] * len(days)
        for verdict, colour in COLOURS.items():
            tops = [
                below + max(0.0, hours.get((day, verdict), 0.0))
                for below, day in zip(floor, days, strict=True)
            ]
            bars = [
                [(place - 0.4, below), (place - 0.4, top), (place + 0.4, top), (place + 0.4, below)]
                for place, (below, top) in enumerate(zip(floor, tops, strict=True))
                if top > below
            ]
            # All bars of a verdict as one: matplotlib spends two milliseconds on each by itself.
            axes.add_collection(PolyCollection(bars, facecolors=colour, label=verdict))
            floor = tops
        axes.set(xlim=(-0.8, len(days) - 0.2), ylim=(0, 1.05 * max(floor) or 1))
        step = 1 + len(days) // 11
        shown = range(0, len(days), step)
        axes.set_xticks(list(shown), [f"{days[place]:%a}\n{days[place]:%d %b}" for place in shown])
        axes.set_ylabel("hours")
        axes.tick_params(length=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(COLOURS), frameon=False)
        image = BytesIO()
        figure.savefig(image, format="svg", transparent=True, metadata={"Date": None})
    return dg.MarkdownMetadataValue(
        f"![Hours by day and verdict](data:image/svg+xml;base64,"
        f"{base64.b64encode(image.getvalue()).decode()})"
    )
