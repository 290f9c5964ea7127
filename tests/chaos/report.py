"""What many trials say together: totals, the matrix of crash points and answers, times.

Pure. Keeps out how it is shown (`__main__`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from math import ceil
from typing import Any

from tests.chaos.answers import ANSWERS
from tests.chaos.crash_points import POINTS
from tests.chaos.trial import Trial

RULE_OF_THREE = 3
"""No event in n trials: its probability is below 3/n with 95 % confidence."""
WRONG = ("duplicates", "losses", "wrong_values", "wrongly")
Json = dict[str, Any]


def summary(trials: Sequence[Trial], seed: int) -> Json:
    """Everything that the README and the JSON file say.

    Args:
        trials: what was tried.
        seed: with which the scenarios can be made again.
    """
    seconds = sorted(trial.seconds for trial in trials if trial.is_quiet)
    hits = matrix(trials)
    return {
        "seed": seed,
        "runs": len(trials),
        "processes": sum(trial.runs for trial in trials),
        "killed": sum(len(trial.died_at) for trial in trials),
        "killed twice": sum(len(trial.died_at) > 1 for trial in trials),
        **{name: sum(getattr(trial.finding, name) for trial in trials) for name in WRONG[:3]},
        "not quiet": sum(not trial.is_quiet for trial in trials),
        "errors that are no stop": sum(len(trial.bugs) for trial in trials),
        "left for a person": {
            "rightly": sum(trial.finding.rightly for trial in trials),
            "wrongly": sum(trial.finding.wrongly for trial in trials),
        },
        "rule of three": RULE_OF_THREE / len(trials),
        "seconds to quiescence": {
            "median": round(_quantile(seconds, 0.5), 1),
            "95 %": round(_quantile(seconds, 0.95), 1),
        },
        "cells": len(POINTS) * len(ANSWERS),
        "cells hit": sum(count > 0 for row in hits.values() for count in row.values()),
        "by drive": _by(trials, "drive"),
        "by request ids": _by(trials, "request_ids"),
        "by clock": _by(trials, "clock_seconds"),
        "by circumstance": _by(trials, "circumstance"),
        "by act": _by(trials, "act"),
        "by what the button had sent": _by(trials, "button"),
        "matrix": hits,
        "failures": [failure(trial) for trial in trials if is_failed(trial)],
    }


def table(found: Json) -> str:
    """The figures as the README shows them."""
    rows = {
        f"scenarios (seed {found['seed']}), processes, of them killed": (
            f"{found['runs']:,}, {found['processes']:,}, {found['killed']:,}"
        ),
        "scenarios in which more than one process was killed": f"{found['killed twice']:,}",
        "duplicates, losses, wrong values": (
            f"{found['duplicates']}, {found['losses']}, {found['wrong_values']}"
        ),
        "so each has a probability below (95 %, rule of three)": f"{found['rule of three']:.2%}",
        "left for a person: rightly, wrongly": "{rightly}, {wrongly}".format(
            **found["left for a person"]
        ),
        "pairs of crash point and answer that met": f"{found['cells hit']} of {found['cells']}",
        "seconds to quiescence: median, 95 %": "{median}, {95 %}".format(
            **found["seconds to quiescence"]
        ),
        "scenarios through the whole Dagster job": f"{found['by drive'].get('job', 0):,}",
    }
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def matrix(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """How often a process really died at a point of a scenario whose answer really struck."""
    hits = Counter(
        (trial.scenario.crash, trial.scenario.answer) for trial in trials if trial.is_hit
    )
    return {point: {answer: hits[point, answer] for answer in ANSWERS} for point in POINTS}


def is_failed(trial: Trial) -> bool:
    """Whether a trial shows that a promise does not hold."""
    counted = any(getattr(trial.finding, name) for name in WRONG)
    return counted or not trial.is_quiet or bool(trial.bugs)


def failure(trial: Trial) -> Json:
    """What must be known to look into a failed trial."""
    return {
        "scenario": asdict(trial.scenario),
        "notes": trial.finding.notes,
        "is quiet": trial.is_quiet,
        "problems": trial.problems,
        "bugs": trial.bugs,
        "died at": trial.died_at,
    }


def _by(trials: Sequence[Trial], name: str) -> dict[str, int]:
    counts = Counter(str(getattr(trial.scenario, name)) or "none" for trial in trials)
    return dict(sorted(counts.items()))


def _quantile(values: Sequence[float], share: float) -> float:
    return values[ceil(share * len(values)) - 1] if values else float("nan")
