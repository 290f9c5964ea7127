"""The columns that rules look at: the entries beside what matching and arithmetic make of them.

A rule over two columns becomes one column here. Pure. Keeps out which values are right
(`reasons`). Seconds and minutes are whole, money is minor units.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd

from pipeline.money import OTHER_EXPONENTS
from pipeline.review.directory import Match
from pipeline.review.lists import Lists
from pipeline.review.matching import match_customers, match_people, rows
from pipeline.review.reasons import LONGEST_MINUTES
from pipeline.review.rules import Rules
from pipeline.settings import Settings

Columns = dict[str, Any]
ACT = (
    "Rename the Clockify {} {} or the QuickBooks {kind} so that both are the same, character for "
    "character, or add the {kind}{or_else}"
)
"""What may be right where a name does not only look like another."""
OR_ELSE = {
    "employee": ", or, for a contractor, bill by hand and mark the time not billable in Clockify",
    "customer": "",
}
"""QuickBooks has contractors among its vendors, of whom no time activity of ours can be."""
APART = "In QuickBooks, rename all but one of the {kind}s that the Clockify {} {} may mean"


def facts(entries: pd.DataFrame, lists: Lists, rules: Rules) -> pd.DataFrame:
    """Put beside each entry everything that a reason's check or fix asks for.

    Args:
        entries: `ClockifyTimeEntries`, at least the columns read here.
        lists: Whom and what the entries may be for.
        rules: What else the rules need.

    Returns:
        One row an entry, in the same order, numbered from 0.
    """
    frame = entries.reset_index(drop=True)
    frame = frame.assign(**_people(frame, lists))
    frame = frame.assign(**_customers(frame, lists.customers, rules))
    is_chosen = chosen(frame, rules.settings, "user", "client", "project")
    is_no_probe = ~frame["entry_id"].isin([rules.probe_entry_id])
    frame = frame.assign(**_times(frame, rules.today), is_chosen=is_chosen, is_no_probe=is_no_probe)
    return frame.assign(**_prices(frame, rules))


def minutes(seconds: pd.Series) -> pd.Series:
    """Seconds to the nearest whole minute, half up: the design, "Minutes and money"."""
    return seconds // 60 + seconds % 60 // 30


def _people(frame: pd.DataFrame, lists: Lists) -> Columns:
    people = list(rows(frame, "user_id", "user_name"))
    found = match_people(people, lists.users, lists.employees)
    labels = [_label(name, user_id) for user_id, name in people]
    return {
        **_matched("employee", [found[name] for _, name in people], "user", labels),
        "user": labels,
    }


def _customers(frame: pd.DataFrame, customers: pd.DataFrame, rules: Rules) -> Columns:
    # A client without a name is still a client: "" matches nobody, None would match by project.
    projects = [
        (project_id, project, client or (client_id and ""))
        for project_id, project, client_id, client in rows(
            frame, "project_id", "project_name", "client_id", "client_name"
        )
    ]
    pairs = [(client, project) if id_ else None for id_, project, client in projects]
    mode, shared = rules.settings.customer_matching, rules.shared_projects
    found = match_customers(filter(None, pairs), customers, mode, shared)
    matches = [found[pair] if pair else Match() for pair in pairs]
    currencies = dict(rows(customers, "quickbooks_customer_id", "currency"))
    labels = [
        _label(name, id_) + (f" of client `{client}`" if client else "")
        for id_, name, client in projects
    ]
    return {
        **_matched("customer", matches, "project", labels),
        "project": labels,
        "customer_currency": _text(
            (currencies[match.id] or rules.home_currency) if match.id else None for match in matches
        ),
    }


def _matched(kind: str, matches: list[Match], ours: str, labels: list[str]) -> Columns:
    return {
        f"quickbooks_{kind}_id": _text(match.id for match in matches),
        f"{kind}_problem": _text(match.problem or "" for match in matches),
        f"{kind}_hint": _text(match.hint for match in matches),
        f"{kind}_act": _text(
            match.act
            or (APART if match.problem == "ambiguous" else ACT).format(
                ours, label, kind=kind, or_else=OR_ELSE[kind]
            )
            for match, label in zip(matches, labels, strict=True)
        ),
    }


def _times(frame: pd.DataFrame, today: date) -> Columns:
    reported, day = frame["duration_seconds"], frame["work_date"]
    tracked = frame["raw_seconds"].fillna(reported)
    elapsed = (frame["end_at"] - frame["start_at"]).dt.total_seconds()
    sent = minutes(reported)
    is_measured = frame["end_at"].notna() & reported.notna()
    is_positive = (reported >= 0) & (tracked >= 0) & (elapsed >= 0)
    is_sound = is_measured & is_positive & ((tracked - elapsed).abs() <= 1)
    is_by_rounding = (sent > LONGEST_MINUTES) & (minutes(tracked) <= LONGEST_MINUTES)
    return {
        "day": day.map({each: f"{each:%Y-%m-%d}" for each in day.unique()}),
        "tracked_seconds": tracked,
        "sent_minutes": sent,
        "only_by_rounding": is_by_rounding.fillna(value=False).map(
            {True: ", and only rounding makes it so", False: ""}
        ),
        "is_finished": frame["end_at"].notna(),
        "has_passed": (day < pd.Timestamp(today)) & ~(frame["end_at"] > frame["read_at"]),
        "is_measured": is_measured,
        "is_tracked": is_measured & (tracked > 0),
        "is_sound": is_sound,
        "is_empty": is_sound & (tracked == 0) & (reported == 0),
    }


def chosen(frame: pd.DataFrame, settings: Settings, *kinds: str) -> pd.Series:
    """Which rows the filters of these kinds leave: by name or id, all where a kind names none."""
    is_chosen = pd.Series(data=True, index=frame.index)
    for kind in kinds:
        if wanted := getattr(settings, f"only_{kind}s"):
            is_chosen &= frame[f"{kind}_name"].isin(wanted) | frame[f"{kind}_id"].isin(wanted)
    return is_chosen


def expected_projects(
    projects: pd.DataFrame, customers: pd.DataFrame, settings: Settings
) -> list[tuple[str, str, Match]]:
    """Active billable projects that the filters leave: with its client's name, by id, its match."""
    is_chosen = chosen(projects, settings, "client", "project")
    active = projects[projects["is_billable"] & ~projects["is_archived"] & is_chosen]
    pairs = rows(active, "client_name", "project_name")
    ids = dict(zip(pairs, active["project_id"], strict=True))
    clients = projects[~projects["is_archived"]].fillna({"client_name": ""})
    shared = clients.groupby("project_name")["client_name"].nunique().loc[lambda each: each > 1]
    matches = match_customers(ids, customers, settings.customer_matching, set(shared.index))
    return [(" / ".join(filter(None, pair)), id_, matches[pair]) for pair, id_ in ids.items()]


def _prices(frame: pd.DataFrame, rules: Rules) -> Columns:
    if rules.settings.rate_source == "service_item":
        rate = pd.Series(rules.service_item_rate_minor, frame.index, dtype="Int64")
        currency = pd.Series(rules.home_currency, frame.index, dtype="string")
        is_given = rate.notna()
    else:
        rate, currency = frame["hourly_rate_minor"], frame["currency"]
        is_given = rate.notna() | frame["reported_rate"].notna()
    # What has no project is priced by the one that it is given.
    is_to_price = frame["is_billable"] & frame["project_id"].notna()
    is_priced = is_to_price & is_given
    usable = rate.mask(currency.isin(OTHER_EXPONENTS))
    is_same = (currency == frame["customer_currency"]).fillna(value=False)
    return {
        "rate_minor": usable,
        "rate_currency": currency,
        "is_to_price": is_to_price,
        "is_priced": is_priced,
        "is_rated": is_priced & usable.notna(),
        "is_currency_right": is_same | frame["customer_currency"].isna() | ~is_priced,
    }


def _label(name: str | None, id_: str | None) -> str:
    """How a fix shows a name; an id stands in for a missing one."""
    return f"`{name}`" if name else f"`{id_}` (without a name)"


def _text(values: Iterable[str | None]) -> pd.Series:
    return pd.Series(list(values), dtype="string[python]")
