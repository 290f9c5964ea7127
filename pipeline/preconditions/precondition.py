"""What a precondition is: a small pure function that looks at a claim, which is its docstring."""

from collections.abc import Callable

from pipeline.stops import Stop

NAMED = 5
"""Names that one finding spells out."""
Precondition = Callable[..., str | Stop]
"""Names the facts that it needs as its parameters.

Returns a sentence where all is well, else the problem with its fix: a `Doubt` where a run does its
work all the same.
"""


class Doubt(Stop):
    """What is worth a look, and stops nothing."""


def listed(names: list[str], comma: str = ", ") -> str:
    """The first names, and how many more there are."""
    rest = len(names) - NAMED
    return comma.join(names[:NAMED]) + (f"{comma}and {rest} more" if rest > 0 else "")
