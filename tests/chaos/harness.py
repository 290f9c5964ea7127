"""Many scenarios at once: a few workers, each with a sandbox of its own at its own address.

Most of a scenario is waiting, so there are more workers than processors. Keeps out what one
scenario is (`trial`) and what many say together (`report`).
"""

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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
    sabotage: str = "",
    on_end: Callable[[Trial], object] = lambda _: None,
) -> list[Trial]:
    """Try every scenario.

    Args:
        scenarios: what to try.
        workers: how many at once.
        sabotage: how the pipelines are broken, if they are.
        on_end: told of each trial when it has ended.
    """
    with ExitStack() as stack:
        place = MEMORY if MEMORY.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place, prefix="chaos-")))
        sites: SimpleQueue[Site] = SimpleQueue()
        for site in [stack.enter_context(Site().open()) for _ in range(workers)]:
            sites.put(site)
        made = premises.make(site, folder / "premises")
        pool = stack.enter_context(ThreadPoolExecutor(workers))

        def one(scenario: Scenario) -> Trial:
            site = sites.get()
            try:
                trial = tried(scenario, made, site, folder / str(scenario.number), sabotage)
            finally:
                sites.put(site)
            on_end(trial)
            return trial

        return list(pool.map(one, scenarios))
