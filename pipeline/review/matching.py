"""Who in QuickBooks is meant by a name in Clockify: character for character, or nobody.

Holds the design's rules of matching for people and customers; keeps out how names are looked up
(`directory`) and the reasons made of it (`reasons`). Works on distinct names, so that its cost
does not grow with the entries.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, Literal, NamedTuple

import pandas as pd

from pipeline.extract.entries import REMOVED
from pipeline.review.directory import Candidate, Directory, Match

PROJECT = "Clockify project"
Mode = Literal["auto", "project", "client_project"]
Pair = tuple[str | None, str | None]
"""A client's name, none if there is no client, and a project's."""


def rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """The columns' values row by row, with None for a missing one."""
    values = (
        [None if lacks else value for value, lacks in zip(each, each.isna(), strict=True)]
        for each in map(frame.__getitem__, columns)
    )
    return zip(*values, strict=True)


def match_people(
    people: Iterable[tuple[str, str | None]], users: pd.DataFrame, employees: pd.DataFrame
) -> dict[str | None, Match]:
    """Match Clockify users with employees by display name.

    Args:
        people: User id and user name of the entries.
        users: Id and name of every user known, so that a namesake without entries counts too.
        employees: `QuickbooksEmployees`, inactive ones included.

    Returns:
        Each user name to its match. A name that two users share, by id, is `ambiguous`.

    Source: the manual's step 1, "Match Employees".
    """
    bearers: dict[str | None, set[str]] = defaultdict(set)
    people = set(people)
    for user_id, name in chain(people, rows(users, "user_id", "user_name")):
        bearers[name].add(user_id)
    staff = Directory("QuickBooks employee", "Clockify user", _employees(employees))
    found = {name: _match_person(name, bearers[name], staff) for _, name in people}
    return {name: _of_another(match, bearers) for name, match in found.items()}


def _of_another(match: Match, bearers: Mapping[str | None, set[str]]) -> Match:
    """The match, without the advice to rename where another Clockify user bears the nearest name.

    That would give the time of the one to the other.
    """
    if not match.nearest or match.nearest not in bearers:
        return match
    others = " and ".join(f"`{user_id}`" for user_id in sorted(bearers[match.nearest]))
    hint = f"{match.hint}; that is the name of the Clockify user {others}"
    return replace(match, hint=hint, act="")


def _match_person(name: str | None, bearers: set[str], staff: Directory) -> Match:
    by_hand = "Bill the time by hand, and mark it not billable in Clockify"
    if not name:
        hint = "the user has no name in Clockify"
        return Match(problem="unknown", hint=hint, act=f"{by_hand}, or give the user a name there")
    if len(bearers) > 1:
        ids = " and ".join(f"`{user_id}`" for user_id in sorted(bearers))
        return Match(problem="ambiguous", hint=f"the Clockify users {ids} share the name")
    if name == REMOVED:
        return Match(problem="unknown", hint="Clockify no longer says whose it was", act=by_hand)
    return staff.match((name,))


def _employees(employees: pd.DataFrame) -> Iterator[Candidate]:
    columns = ("quickbooks_employee_id", "display_name", "is_active")
    for employee_id, display_name, is_active in rows(employees, *columns):
        name = living_name(display_name, is_active=is_active)
        yield Candidate(employee_id, (name,), name, is_active)


def living_name(display_name: str, *, is_active: bool) -> str:
    """The name without what QuickBooks adds to an inactive one."""
    return display_name if is_active else display_name.removesuffix(" (deleted)")


def match_customers(
    pairs: Iterable[Pair], customers: pd.DataFrame, mode: Mode, shared: Collection[str] = ()
) -> dict[Pair, Match]:
    """Match Clockify projects with customers.

    By client and project (`client_project`, and `auto` where there is a client): the customer
    whose display name is the project and whose parent's is the client. By project alone
    (`project`, and `auto` where there is no client): the top-level customer or QuickBooks project
    of that display name. A plain sub-customer is then only suggested: without its parent's, its
    name says little. No name alone decides against what is known of the client: where it would be
    the project of another client, or a sub-customer elsewhere bears the name too, it is
    `ambiguous`.

    Args:
        pairs: Client and project names of the entries that have a project.
        customers: `QuickbooksCustomers`, inactive ones included.
        mode: `CUSTOMER_MATCHING`.
        shared: Names of projects that Clockify has for several clients: by project alone these are
            `ambiguous`, since the time of all would be one customer's.

    Returns:
        Each pair to its match.

    Source: the manual's step 1, "Match Customers", and its FAQ on clients and projects.
    """
    book = _CustomerBook(customers, shared)
    return {pair: book.match(*pair, mode) for pair in set(pairs)}


class _Customer(NamedTuple):
    """The columns of `QuickbooksCustomers` that matching reads."""

    quickbooks_customer_id: str
    display_name: str
    fully_qualified_name: str
    parent_id: str | None
    is_active: bool
    is_project: bool

    @property
    def name(self) -> str:
        return living_name(self.display_name, is_active=self.is_active)

    def answering_to(self, *names: str) -> Candidate:
        customer_id, label = self.quickbooks_customer_id, self.fully_qualified_name
        return Candidate(customer_id, names, label, self.is_active)


class _CustomerBook:
    """The customers as they are asked for: by project, by client and project, and as children."""

    def __init__(self, customers: pd.DataFrame, shared: Collection[str]) -> None:
        self._shared = shared
        all_ = [_Customer(*row) for row in rows(customers, *_Customer._fields)]
        names = {one.quickbooks_customer_id: one.name for one in all_}
        below = [(names[one.parent_id], one) for one in all_ if one.parent_id in names]
        self._clients = {one.name for one in all_ if one.is_active and one.parent_id is None}
        self._paths = {one.quickbooks_customer_id: one.fully_qualified_name for one in all_}
        self._known_paths = set(self._paths.values())
        self._on_top = {one.quickbooks_customer_id for one in all_ if one.parent_id is None}
        self._alone = Directory(
            "QuickBooks customer",
            PROJECT,
            (one.answering_to(one.name) for one in all_ if one.parent_id is None or one.is_project),
        )
        self._below = Directory(
            "QuickBooks sub-customer",
            PROJECT,
            (one.answering_to(parent, one.name) for parent, one in below),
        )
        self._children = Directory(
            "QuickBooks sub-customer", PROJECT, (one.answering_to(one.name) for _, one in below)
        )

    def match(self, client: str | None, project: str | None, mode: Mode) -> Match:
        is_client_used = mode == "client_project" or (mode == "auto" and client is not None)
        if not project:
            act = "In Clockify, give the entry another project"
            return Match(problem="unknown", hint="the project has no name in Clockify", act=act)
        if mode == "project" and project in self._shared:
            act = "Set `CUSTOMER_MATCHING=client_project`, or rename one in Clockify and QuickBooks"
            hint = f"several clients in Clockify have a project `{project}`"
            return Match(problem="ambiguous", hint=hint, act=act)
        if not is_client_used:
            match = self._by_name_alone(client, project, mode)
        elif client is None:
            act = f"Give the Clockify project `{project}` a client"
            match = Match(problem="unknown", hint="the Clockify project has no client", act=act)
        else:
            match = self._below.match((client, project))
        if mode == "auto" and client is None and self._may_be_below(match, project):
            match = replace(match, act=f"Give the Clockify project `{project}` its client")
        if match.problem != "unknown":
            return match
        otherwise = self._otherwise(client, project, is_client_used=is_client_used)
        act = match.act or (self._as_its_path(client, project) if mode == "auto" else "")
        act = act or _without_colon(client if is_client_used else None, project)
        return replace(match, act=act, hint="; ".join(filter(None, (match.hint, otherwise))))

    def _by_name_alone(self, client: str | None, project: str, mode: Mode) -> Match:
        """The customer of a project's name, if nothing says that another is meant."""
        match = self._alone.match((project,))
        above = self._paths.get(match.id or "", "").split(":")[:-1]
        if not above:
            return match
        label = f"`{self._paths[match.id or '']}`"
        if client in self._clients - set(above):
            act = "Set `CUSTOMER_MATCHING=client_project`, or rename the Clockify project "
            hint = f"QuickBooks has the customer `{client}`, and {label} belongs to another"
            return Match(
                problem="ambiguous", hint=hint, act=f"{act}`{project}` of client `{client}`"
            )
        others = [one for one in self._children.named((project,)) if one.id != match.id]
        if mode == "auto" and others and others[0].is_active:
            hint = f"QuickBooks has {label} and `{others[0].label}`"
            return Match(problem="ambiguous", hint=hint)
        return match

    def _as_its_path(self, client: str | None, project: str) -> str:
        """What to do about a project that is called by its customer's whole path."""
        *above, name = project.split(":")
        if client or not above or project not in self._known_paths:
            return ""
        return f"Rename the Clockify project `{project}` to `{name}`, with the client `{above[-1]}`"

    def _may_be_below(self, match: Match, project: str) -> bool:
        """Whether a client would tell which customer is meant."""
        is_unknown = match.problem == "unknown"
        return match.problem == "ambiguous" or (
            is_unknown and bool(self._children.named((project,)))
        )

    def _otherwise(self, client: str | None, project: str, *, is_client_used: bool) -> str:
        """What the other mode would make of a project that does not match."""
        if is_client_used:
            mode, found = "project", self._alone.named((project,))
            # Another client's project of that name is nobody's advice.
            found = [one for one in found if client is None or one.id in self._on_top]
        else:
            mode, found = "client_project", self._below.named((client or "", project))
        if len(found) == 1 and found[0].is_active:
            setting = f"with `CUSTOMER_MATCHING={mode}` it would match `{found[0].label}`"
            return f"{setting} (a setting for all projects)"
        children = self._children.named((project,)) if client is None else []
        if not children:
            return ""
        labels = " and ".join(f"`{child.label}`" for child in children[:3])
        return f"sub-customers are matched only together with their client: {labels}"


def _without_colon(client: str | None, project: str) -> str:
    """What to do about names that no customer can have; nothing if they have no colon.

    In QuickBooks one parts parent and child (quickbooks-api.md, 2.6).
    """
    kinds = {"client": client, "project": project}
    odd = [f"the Clockify {kind} `{name}`" for kind, name in kinds.items() if ":" in (name or "")]
    to = "without a colon, which QuickBooks does not take, and the customer likewise"
    return f"Rename {' and '.join(odd)} {to}" if odd else ""
