"""Where a pipeline's process is ended, stopped, or finds its disk full: at its own seams.

Runs in the process that is about to die. The product has no hooks: its functions are wrapped here,
and say that they are passed; at the pass that a scenario asks for, the process strikes itself.
Keeps out which point is struck when (`scenarios`).
"""

import os
import resource
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from pipeline import ledger
from pipeline.delivery import planning, settlement
from pipeline.ledger import Delivery, Ledger
from pipeline.quickbooks.client import QuickBooks
from pipeline.quickbooks.token_service import TokenService
from pipeline.quickbooks.tokens import Tokens

SETTLING_READS = ("first settling read", "second settling read", "third settling read")
POINTS = (
    "after claim",
    "after intent commit",
    "before send",
    "batch in flight",
    "after the answer",
    "before outcome commit",
    "after outcome commit",
    *SETTLING_READS,
    "between the two reads",
    "before adoption commit",
    "after adoption commit",
    "token spent, not stored",
    "token stored",
    "analysis copy half published",
)
A_BATCH = POINTS[1:7]
"""Points that a run passes once a batch, the others once."""
SETTLING = (*SETTLING_READS, "between the two reads")
ADOPTING = ("before adoption commit", "after adoption commit")
ROTATING = ("token spent, not stored", "token stored")


@dataclass(frozen=True)
class Strike:
    """What befalls a process: where, at which pass, and what."""

    point: str
    at: int = 1
    action: str = "kill"
    """`kill`, `stop` (SIGSTOP) or `fill` (no file can grow any more)."""


@dataclass
class Wire:
    """Counts the passes of the points, and strikes."""

    strike: Strike | None
    said: Connection
    ledger: Path
    passes: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    """Reads of the settling that goes on; none while nothing is settled."""
    is_settling: bool = False
    commit: str = ""
    """What is being committed to the ledger."""

    def passed(self, point: str, *, is_so: bool = True) -> None:
        """Strike, if this is the point and the pass."""
        self.passes[point] += is_so
        strike = self.strike
        if not (strike and is_so) or strike.point != point or self.passes[point] != strike.at:
            return
        self.said.send((strike.action, point))
        if strike.action == "fill":
            self._fill()
        else:
            os.kill(os.getpid(), signal.SIGKILL if strike.action == "kill" else signal.SIGSTOP)

    def _fill(self) -> None:
        """From now on no file can grow beyond the ledger's log: what a full disk does to it."""
        log = self.ledger.with_name(f"{self.ledger.name}.wal")
        size = log.stat().st_size if log.exists() else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def install(wire: Wire) -> None:
    """Wrap the product's functions in this process."""
    _watch_commits(wire)
    _watch_requests(wire)
    _watch_settling(wire)
    _after(planning, "plan", lambda plan: wire.passed("after claim", is_so=bool(plan.send)))
    _after(TokenService, "refreshed", lambda _: wire.passed("token spent, not stored"))
    _after(Tokens, "_kept", lambda _: wire.passed("token stored"))
    _after(shutil, "copyfile", lambda to: wire.passed(POINTS[-1], is_so=_is_draft(to)))


def _is_draft(path: object) -> bool:
    return str(path).endswith("analysis.duckdb.new")


def _after(owner: Any, name: str, then: Callable[[Any], object]) -> None:  # noqa: ANN401 - any owner
    """Call a function after another, with its result."""
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever is wrapped
        result = original(*args, **kwargs)
        then(result)
        return result

    setattr(owner, name, wrapped)


def _watch_commits(wire: Wire) -> None:
    record, transaction = Ledger.record, ledger.transaction  # type: ignore[attr-defined]

    def recorded(self: Ledger, rows: Sequence[Delivery], batch_id: str | None = None) -> None:
        wire.commit = kind_of(rows, batch_id)
        record(self, rows, batch_id)
        if rows:
            wire.passed(f"after {wire.commit} commit")

    @contextmanager
    def watched(connection: Any) -> Iterator[Any]:  # noqa: ANN401 - DuckDB's
        with transaction(connection):
            yield connection
            wire.passed(f"before {wire.commit} commit")

    Ledger.record = recorded  # type: ignore[method-assign]
    ledger.transaction = watched  # type: ignore[attr-defined]


def kind_of(rows: Sequence[Delivery], batch_id: str | None) -> str:
    """What is committed: an intent, an outcome, an adoption, or a settlement."""
    states = {row.state for row in rows}
    if batch_id:
        return "intent" if states == {"pending"} else "outcome"
    return "adoption" if states == {"adopted"} else "settlement"


def _watch_requests(wire: Wire) -> None:
    send, create = httpx.Client.send, QuickBooks.create_batch

    def trace(event: str, _: object) -> None:
        if event == "http11.send_request_body.complete":
            wire.passed("batch in flight")

    @wraps(send)
    def sent(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401
        if request.url.path.endswith("/batch"):
            request.extensions = {**request.extensions, "trace": trace}
        return send(self, request, **options)

    def created(self: QuickBooks, *batch: Any) -> Any:  # noqa: ANN401
        wire.passed("before send")
        answer = create(self, *batch)
        wire.passed("after the answer")
        return answer

    httpx.Client.send = sent  # type: ignore[method-assign]
    QuickBooks.create_batch = created  # type: ignore[method-assign]


def _watch_settling(wire: Wire) -> None:
    settle = settlement.settle

    @wraps(settle)
    def settled(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever is wrapped
        wire.is_settling, wire.reads = True, 0
        try:
            return settle(*args, **kwargs)
        finally:
            wire.is_settling = False

    def read(_: object) -> None:
        if wire.is_settling:
            wire.reads += 1
            wire.passed(SETTLING_READS[min(wire.reads, len(SETTLING_READS)) - 1])

    def sleep(seconds: float) -> None:
        if wire.is_settling and wire.reads == len(SETTLING_READS) - 1:
            wire.passed("between the two reads")
        time.sleep(seconds)

    settlement.settle = settled
    settlement.time = SimpleNamespace(sleep=sleep)  # type: ignore[assignment,attr-defined]
    _after(QuickBooks, "time_activities_created", read)
