"""Which scenarios there are: a plain value each, and the order in which a run takes them.

Pure. Every crash point meets every kind of answer before any pair comes again; what people do, how
request ids are treated, clocks, circumstances and the drive are crossed with them by seeded choice.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from tests.chaos.answers import ANSWERS
from tests.chaos.crash_points import A_BATCH, ADOPTING, POINTS
from tests.chaos.people import ACTS, BUTTONS, IN_CLOCKIFY

REQUEST_IDS = ("honoured", "ignored", "forgotten", "refused with 600", "refused with 6000")
CLOCKS = (-90, 0, 90)
"""Seconds by which Intuit's clock is ahead of ours."""
CONCURRENCY = (
    "two loaders together",
    "schedule against backfill",
    "stopped, woken up later",
    "second warehouse and ledger",
)
FULL_AT_SETTLEMENT = "disk full at the settlement commit"
DISK = (
    "disk full at the intent commit",
    "disk full at the outcome commit",
    "disk full at the adoption commit",
    FULL_AT_SETTLEMENT,
    "ledger truncated",
    "ledger restored from yesterday",
    "ledger of another realm",
)
CIRCUMSTANCES = (*CONCURRENCY, *DISK)
FORGETTING = ("second warehouse and ledger", "ledger truncated", "ledger restored from yesterday")
"""What the ledger knew of the first process is not known any more."""
FOR_ANOTHER = "wrong person substituted"
"""Its rows are found by the ledger and their creation time. Without a ledger they are another
person's work, which nobody can tell from a colleague's: a limit that the README names."""
BEFORE_THE_CRASH = ("stopped, woken up later", *DISK[:4])
"""Circumstances that strike the first process instead of the crash."""
A_SORT_EACH = (
    "as it should",
    "stored, then dropped",
    "dropped before storing",
    "stored long after our time-out",
    "502 after storing",
    "503 before storing",
    "429 empty",
    "401 in mid-run",
    "HTML with 200, not stored",
    "truncated JSON",
    "Fault with 200, stored",
    "items throttled",
    "items missing",
    "unknown bId",
    "wrong person substituted",
    "text changed by the charset",
)
"""Answers of which the others are variants: another status, header or order."""
DRIVES = {"load": 92, "job": 8}
"""Shares, in percent, of how a scenario's first process and its first recovery are driven."""


@dataclass(frozen=True)
class Scenario:
    """One thing that may happen to a pipeline."""

    number: int
    seed: int
    crash: str
    at: int
    """At which pass of the crash point."""
    answer: str
    act: str = ""
    """What people do after the first process has ended."""
    request_ids: str = "honoured"
    clock_seconds: int = 0
    circumstance: str = ""
    drive: str = "load"
    button: str = ""
    """What of these days the vendor's button had sent before, if anything."""
    second_crash: str = ""
    """Where the first recovery is struck too, if it is."""
    second_answer: str = ""
    """What QuickBooks answers to the first batch of that recovery."""
    sabotage: str = ""
    """How the pipeline is broken, to see that the harness notices."""


def scenarios(seed: int, runs: int) -> Iterator[Scenario]:
    """The scenarios of a run, every one of them reproducible from its seed and number."""
    cells = list(product(POINTS, ANSWERS))
    shuffle = random.Random(seed)
    shuffle.shuffle(cells)
    for number in range(runs):
        crash, answer = cells[number % len(cells)]
        yield scenario(seed, number, crash, answer, is_plain=number < len(cells))


def scenario(seed: int, number: int, crash: str, answer: str, *, is_plain: bool) -> Scenario:
    """One scenario; a plain one is certain to reach its crash point in its first process."""
    choose = random.Random(f"{seed}/{number}")
    act = choose.choice(list(ACTS)) if choose.random() < 0.5 else ""
    circumstances = [each for each in CIRCUMSTANCES if each not in BEFORE_THE_CRASH or not is_plain]
    circumstance = choose.choice(circumstances) if choose.random() < 0.4 else ""
    drive = choose.choices(list(DRIVES), list(DRIVES.values()))[0]
    button = "" if is_plain or choose.random() < 0.8 else choose.choice(list(BUTTONS))
    once_more = random.Random(f"{seed}/{number}/once more")
    is_struck_again = not is_plain and once_more.random() < 0.4
    second_crash = once_more.choice(POINTS) if is_struck_again else ""
    second_answer = once_more.choice(list(ANSWERS)) if is_struck_again else ""
    circumstance = _told((answer, second_answer), circumstance)
    return Scenario(
        number=number,
        seed=seed,
        crash=crash,
        at=choose.choice((1, 1, 2)) if crash in A_BATCH else 1,
        answer=answer,
        act=act,
        request_ids=choose.choice(REQUEST_IDS),
        clock_seconds=choose.choice(CLOCKS),
        circumstance=circumstance,
        drive="whole" if act in IN_CLOCKIFY and drive == "load" else drive,
        button=button or _before_adoption(crash, circumstance),
        second_crash=second_crash,
        second_answer=second_answer,
    )


def _told(answers: tuple[str, ...], circumstance: str) -> str:
    """The circumstance, or none if nobody could tell then what became of the answers' rows."""
    return "" if FOR_ANOTHER in answers and circumstance in FORGETTING else circumstance


def _before_adoption(crash: str, circumstance: str) -> str:
    """What the button must have sent before an adoption can be struck."""
    is_struck = crash in ADOPTING or circumstance == "disk full at the adoption commit"
    return "one entry" if is_struck else ""


def few(seed: int) -> Iterator[Scenario]:
    """A small fixed set with each crash point, act and circumstance, and an answer of each sort."""
    acts, circumstances = ["", *ACTS], ["", *CIRCUMSTANCES]
    for number, (crash, answer) in enumerate(zip(POINTS, A_SORT_EACH, strict=True)):
        act = acts[number % len(acts)]
        circumstance = _told((answer,), circumstances[number % len(circumstances)])
        yield Scenario(
            number=number,
            seed=seed,
            crash=crash,
            at=1,
            answer=answer,
            act=act,
            request_ids=REQUEST_IDS[number % len(REQUEST_IDS)],
            clock_seconds=CLOCKS[number % len(CLOCKS)],
            circumstance=circumstance,
            drive="whole" if act in IN_CLOCKIFY else "load",
            button=_before_adoption(crash, circumstance),
        )
