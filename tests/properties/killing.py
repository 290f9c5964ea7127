"""A run that dies in the middle of its load, as it looks from inside one process.

Dead is dead: what it would still ask or write while it unwinds, it cannot. What is left of a real
process, its files and locks, is the fault harness's (`tests/chaos`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import httpx
import pytest

from pipeline import company as companies
from pipeline.ledger import Ledger


class KilledError(BaseException):
    """The process is no more."""


@dataclass
class Executioner:
    """Lets a run do so much, and then nothing more."""

    left: int | None = None
    """How many doings are left to it; none if it is to live."""

    def passed(self) -> None:
        """Begin or end one of its doings.

        Raises:
            KilledError: none is left.
        """
        if self.left is not None:
            self.left = max(self.left - 1, -1)
            if self.left < 0:
                raise KilledError


EXECUTIONER = Executioner()


def install(patch: pytest.MonkeyPatch) -> None:
    """Have the executioner see what is done: what is written in QuickBooks, the ledger, copies.

    Reads count for nothing: to die in one is to have died after what was done before it. Nor does
    the renewal of the tokens: to die in it may end the connection (QuickBooks' reference, 10.3).
    """
    _see(patch, httpx.Client, "send", lambda _, request: _is_write(request))
    _see(patch, Ledger, "record", lambda _, rows, *__: bool(rows))
    _see(patch, companies, "_leave_copies", lambda *_: True)


def _see(patch: pytest.MonkeyPatch, owner: object, name: str, is_done: Callable[..., bool]) -> None:
    do = getattr(owner, name)

    @wraps(do)
    def seen(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever is wrapped
        if not is_done(*args):
            return do(*args, **kwargs)
        EXECUTIONER.passed()
        result = do(*args, **kwargs)
        EXECUTIONER.passed()
        return result

    patch.setattr(owner, name, seen)


def _is_write(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.startswith("/v3/company/")
