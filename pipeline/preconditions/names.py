"""Preconditions between the two: every name that is going to be looked for can be found."""

from collections.abc import Mapping

import pandas as pd

from pipeline.preconditions.precondition import Doubt, listed
from pipeline.review import matching
from pipeline.review.directory import Match
from pipeline.review.facts import expected_projects
from pipeline.settings import Settings
from pipeline.stops import Stop

PEOPLE = {
    "unknown": "make the Clockify user's name and the employee's display name the same",
    "inactive": "make the inactive employee active in QuickBooks",
    "ambiguous": "where two people share a name, give them different names in both systems",
}
PROJECTS = {
    "unknown": "make the names the same, or create the customer",
    "inactive": "make the inactive customer active in QuickBooks",
    "ambiguous": "rename all but one of the customers that share a name",
}
"""What to do about each problem that a match can have."""


def _people(users: pd.DataFrame, employees: pd.DataFrame) -> str | Stop:
    """People match employees."""
    active = users[users["is_active"] & users["user_name"].notna()]
    people = list(zip(active["user_id"], active["user_name"], strict=True))
    matches = matching.match_people(people, users, employees)
    return _matched(
        {str(name): matches[name] for _, name in people},
        "members of the workspace match no employee",
        PEOPLE,
    )


def _projects(projects: pd.DataFrame, customers: pd.DataFrame, settings: Settings) -> str | Stop:
    """Projects match customers."""
    found = expected_projects(projects, customers, settings)
    return _matched(
        {name: match for name, _, match in found},
        "billable projects match no customer",
        PROJECTS,
    )


def _matched(matches: Mapping[str, Match], what: str, fixes: Mapping[str, str]) -> str | Stop:
    wrong = {name: match.hint for name, match in sorted(matches.items()) if match.problem}
    if not wrong:
        return f"all {len(matches)}"
    named = [f"`{name}`: {hint}" for name, hint in wrong.items()]
    problems = {match.problem for match in matches.values()}
    fix = "; ".join(act for problem, act in fixes.items() if problem in problems)
    return Doubt(f"{len(wrong)} {what}: {listed(named, '; ')}", fix[:1].upper() + fix[1:])


PRECONDITIONS = (_people, _projects)
