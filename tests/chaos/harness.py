"""Many scenarios at once: a few workers, each with a sandbox of its own at its own address.

Most of a scenario is waiting, so there are more workers than processors. Keeps out what one
scenario is (`trial`) and what many say together (`report`).
"""

import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from math import inf
from pathlib import Path
from queue import SimpleQueue

from tests.chaos import premises
from tests.chaos.scenarios import Scenario
from tests.chaos.trial import Trial, tried
from tests.chaos.witness import Site

MEMORY = Path("/dev/shm")
"""Where files cost no disk; a killed process cannot tell the difference."""
WORKERS = 8


def run(
    scenarios: Iterable[Scenario],
    workers: int = WORKERS,
    minutes: float = inf,
    on_end: Callable[[Trial], object] = lambda _: None,
) -> list[Trial]:
    """Try every scenario, or as many as there is time for.

    Args:
        scenarios: what to try.
        workers: how many at once.
        minutes: after which no further scenario is begun.
        on_end: told of each trial when it has ended.
    """
    with ExitStack() as stack:
        memory = MEMORY if MEMORY.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory, prefix="chaos-")))
        sites: SimpleQueue[Site] = SimpleQueue()
        for site in [stack.enter_context(Site().open()) for _ in range(workers)]:
            sites.put(site)
        made = premises.make(site, folder / "premises")
        end = time.monotonic() + minutes * 60
        pool = stack.enter_context(ThreadPoolExecutor(workers))

        def one(scenario: Scenario) -> Trial | None:
            if time.monotonic() > end:
                return None
            site = sites.get()
            try:
                place = folder / f"{scenario.number}{scenario.sabotage}"
                trial = tried(scenario, made, site, place)
            finally:
                sites.put(site)
            on_end(trial)
            return trial

        return [trial for trial in pool.map(one, scenarios) if trial]
