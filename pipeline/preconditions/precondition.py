"""What a precondition is: a claim, and a small pure function that looks at it."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.stops import Stop

NAMED = 5
"""Names that one finding spells out."""


@dataclass(frozen=True)
class Precondition:
    """A claim and what looks at it.

    The function names the facts that it needs as its parameters, and returns a sentence where all
    is well, else the problem with its fix.
    """

    claim: str
    look: Callable[..., str | Stop]
    is_vital: bool = True
    """Whether a run does not do its work without; else it is worth a look."""


def listed(names: list[str], comma: str = ", ") -> str:
    """The first names, and how many more there are."""
    rest = len(names) - NAMED
    return comma.join(names[:NAMED]) + (f"{comma}and {rest} more" if rest > 0 else "")
