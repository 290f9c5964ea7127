"""Behaviours that the real services leave unconfirmed, or that a test needs on demand.

Holds: one table of every switch with its default, what it may be and what it means; how a switch
is read. Keeps out: the behaviours themselves. A world stores only the switches that differ from
their defaults, in `World.switches`.
"""

from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.clockify.switches import SWITCHES as CLOCKIFY_SWITCHES
from pipeline.sandbox.world import World


@dataclass(frozen=True)
class Switch:
    """One behaviour: its default, the values it may take, its meaning."""

    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()
    """The only values allowed; empty means any value of the default's type, or none."""


def _on_off(meaning: str, *, is_on: bool = False) -> Switch:
    return Switch(is_on, meaning, (True, False))


QUICKBOOKS: dict[str, Switch] = {
    "missing_rate": Switch(
        "reject",
        "A billable activity without HourlyRate: refused with 6330, or priced by its item.",
        ("reject", "item_price"),
    ),
    "inactive_reference": Switch(
        "2500", "The code that answers a reference to an inactive record.", ("2500", "610")
    ),
    "wrong_person": Switch(
        "other",
        "EmployeeRef that names a customer or a vendor: stored as NameOf Other, or refused.",
        ("other", "refuse"),
    ),
    "charset": Switch(
        "utf8",
        "Outside ISO-8859-1: kept, turned into question marks (latin1), or answered 2040 (refuse).",
        ("utf8", "latin1", "refuse"),
    ),
    "closed_books": Switch(
        "6210",
        "The code that answers a write into the closed period; ignore lets it through.",
        ("6210", "6200", "ignore"),
    ),
    "subscription": Switch(
        "active",
        "Ended: every call is answered 6190, with status 400 or inside a 200.",
        ("active", "ended", "ended_in_200"),
    ),
    "omit_zeros": _on_off("Leave zero Hours, Minutes and HourlyRate out of answers."),
    "extra_keys": _on_off("Put keys into answers that no client has seen before."),
    "kept_rate": _on_off(
        "Keep an HourlyRate sent with NotBillable; otherwise it is stored as 0.", is_on=True
    ),
    "batch_limit": Switch(30, "Items that one batch may hold; more is refused with 1040."),
    "request_ids": Switch(
        "honour",
        "A request id seen before: replayed, ignored, or refused with 600 or 6000.",
        ("honour", "ignore", "refuse_600", "refuse_6000"),
    ),
    "request_id_memory_seconds": Switch(
        None, "How long a request id is remembered, in seconds of the service's clock; none: ever."
    ),
    "remember_faults": _on_off("Whether a refused first attempt is replayed too."),
    "throttle": _on_off("Enforce 500 requests a minute, 10 a second, 40 batches a minute."),
    "rotate_on_refresh": Switch(
        "always",
        "When a refresh gives a new refresh token: each time, or once in 24 hours.",
        ("always", "daily"),
    ),
    "reuse_revokes": _on_off("Reusing a dead refresh token revokes the living one as well."),
    "clock_skew_seconds": Switch(
        0, "Seconds by which both services' clocks are ahead of this machine's; ages tokens too."
    ),
}

CLOCKIFY = {name: Switch(*row) for name, row in CLOCKIFY_SWITCHES.items()}

SWITCHES = {**QUICKBOOKS, **CLOCKIFY}


def setting(world: World, name: str) -> Any:  # noqa: ANN401  # a switch's value is whatever its table row says
    """Return what a switch is set to in this world, or its default.

    Raises:
        KeyError: there is no such switch.
    """
    return world.switches.get(name, SWITCHES[name].default)


def refusal(name: str, value: object) -> str | None:
    """Return why a switch cannot take a value, or nothing where it can."""
    if name not in SWITCHES:
        return f"there is no switch {name!r}; there are: {', '.join(sorted(SWITCHES))}"
    choices = SWITCHES[name].choices
    if choices and value not in choices:
        return f"{name} must be one of {', '.join(repr(choice) for choice in choices)}"
    return None
