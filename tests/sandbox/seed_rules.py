"""The product's reasons in a few plain lines, to see what an invented company holds.

Written apart from the product on purpose: it looks at raw values only, and knows no settings.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.world import Entry, World

DELETED = " (deleted)"
HIGHEST_RATE = 10_000_000
EXCLUDING = ("not_billable", "before_cutover", "zero_duration", "not_work")
HOLDING = ("running", "in_future")


def work_date(world: World, entry: Entry) -> date:
    """Return the company's own date of an entry's start."""
    return entry.start.astimezone(ZoneInfo(world.time_zone)).date()


def seconds(entry: Entry) -> int:
    """Return what an entry claims; nothing while it runs."""
    if entry.reported_seconds is not None:
        return entry.reported_seconds
    return int((entry.end - entry.start).total_seconds()) if entry.end else 0


class Rules:
    """What is wrong with the entries of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.members = Counter(user.name for user in world.workspace.users.values())
        self.employees = self._named(world.company.employees.values())
        self.customers = dict(self._customers())

    def reasons(self, entry: Entry) -> set[str]:
        """Return every reason that holds, excluding and holding ones too."""
        found = {name for name, holds in self._conditions(entry).items() if holds}
        return found | {name for name in (self._person(entry), self._customer(entry)) if name}

    def _conditions(self, entry: Entry) -> dict[str, bool]:
        day, took, rate = work_date(self.world, entry), seconds(entry), entry.rate_minor
        is_work = entry.type == "REGULAR"
        fits = entry.end is None or took == (entry.end - entry.start).total_seconds()
        return {
            "no_project": entry.project_id is None and entry.is_billable,
            "too_long": (took + 30) // 60 > 23 * 60 + 55,
            "bad_duration": took < 0 or not fits,
            "rounds_to_zero": 0 < took < 30,
            "no_rate": rate is None,
            "zero_rate": rate == 0,
            "bad_rate": rate is not None and (rate < 0 or rate != int(rate) or rate > HIGHEST_RATE),
            "wrong_currency": self._has_wrong_currency(entry),
            "unknown_entry_type": entry.type not in ("REGULAR", "BREAK", "HOLIDAY", "TIME_OFF"),
            "running": entry.end is None,
            "in_future": day >= self.world.today,
            "not_billable": is_work and not entry.is_billable,
            "before_cutover": day < self.world.send_from,
            "zero_duration": entry.end is not None and took == 0,
            "not_work": entry.type in ("BREAK", "HOLIDAY", "TIME_OFF"),
        }

    def _person(self, entry: Entry) -> str | None:
        name = self.world.workspace.users[entry.user_id].name
        if self.members[name] > 1:
            return "ambiguous_employee"
        return self._state("employee", self.employees.get(str(name), []))

    def _customer(self, entry: Entry) -> str | None:
        if entry.project_id is None:
            return None
        project = self.world.workspace.projects[entry.project_id]
        key = (project.client_name, project.name)
        return self._state("customer", self.customers.get(key, []))

    def _state(self, kind: str, records: list[dict[str, Any]]) -> str | None:
        active = [record for record in records if record["Active"]]
        if len(active) == 1:
            return None
        if active:
            return f"ambiguous_{kind}"
        return f"inactive_{kind}" if records else f"unknown_{kind}"

    def _has_wrong_currency(self, entry: Entry) -> bool:
        if entry.project_id is None or self._customer(entry) is not None:
            return False
        project = self.world.workspace.projects[entry.project_id]
        (record,) = self.customers[(project.client_name, project.name)]
        return bool(record["CurrencyRef"]["value"] != entry.currency)

    def _customers(self) -> Iterator[tuple[tuple[str | None, str], list[dict[str, Any]]]]:
        records = self.world.company.customers
        tops: list[dict[str, Any]] = []
        below: dict[str, list[dict[str, Any]]] = {}
        for record in records.values():
            parent = records.get(record.get("ParentRef", {}).get("value", ""))
            if parent is not None:
                below.setdefault(parent["DisplayName"], []).append(record)
            if parent is None or record["IsProject"]:
                tops.append(record)
        for parent_name, group in [(None, tops), *below.items()]:
            for name, found in self._named(group).items():
                yield (parent_name, name), found

    def _named(self, records: Any) -> dict[str, list[dict[str, Any]]]:  # noqa: ANN401 # any view
        named: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            name = record["DisplayName"]
            plain = name if record["Active"] else name.removesuffix(DELETED)
            named.setdefault(plain, []).append(record)
        return named


def count(rules: Rules, is_counted: Callable[[Entry], bool]) -> Counter[str]:
    """Return how many entries have each reason, `accepted` among them."""
    found: Counter[str] = Counter()
    for entry in rules.world.workspace.entries.values():
        if is_counted(entry):
            found.update(rules.reasons(entry) or {"accepted"})
    return found
