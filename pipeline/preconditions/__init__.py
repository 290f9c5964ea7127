"""The preconditions of a good morning's run, in the order in which a person puts things right.

Each is a function in the file of its side; a finding is what one comes to. Pure. Keeps out how
facts are come by (`examination`) and how findings are shown (`commands.doctor`).
"""

from collections.abc import Iterator
from inspect import signature
from typing import Literal, NamedTuple

from pipeline.preconditions import clockify, machine, names, quickbooks
from pipeline.preconditions.examination import Facts
from pipeline.preconditions.precondition import Doubt, Precondition
from pipeline.stops import Stop

PRECONDITIONS: tuple[Precondition, ...] = (
    *clockify.PRECONDITIONS,
    *quickbooks.PRECONDITIONS,
    *names.PRECONDITIONS,
    *machine.PRECONDITIONS,
)
State = Literal["right", "wrong", "doubtful", "unseen"]


class Finding(NamedTuple):
    """What one precondition came to."""

    claim: str
    state: State
    """`doubtful` is worth a look and stops nothing; `unseen` could not be looked at."""
    said: str
    fix: str | None = None


def findings(facts: Facts) -> Iterator[Finding]:
    """Look at every precondition in turn.

    A fact that could not be had is said once, by the first precondition that needs it.
    """
    said: list[Stop] = []
    for each in PRECONDITIONS:
        needs = [facts[name] for name in signature(each).parameters]
        stop = next((need for need in needs if isinstance(need, Stop)), None)
        if stop is None:
            yield _finding(each, needs)
        elif stop in said:
            yield Finding(claim(each), "unseen", "not checked, because of what is wrong above")
        else:
            said.append(stop)
            yield Finding(claim(each), "wrong", stop.what, stop.fix)


def claim(each: Precondition) -> str:
    """What a precondition claims: its docstring, without the full stop."""
    return str(each.__doc__).removesuffix(".")


def _finding(each: Precondition, needs: list[object]) -> Finding:
    found = each(*needs)
    if isinstance(found, str):
        return Finding(claim(each), "right", found)
    state: State = "doubtful" if isinstance(found, Doubt) else "wrong"
    return Finding(claim(each), state, found.what, found.fix)
