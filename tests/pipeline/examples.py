"""One valid entry and the small company that it belongs to, with single changes to either."""

from datetime import date
from typing import Any

import pandas as pd

from pipeline.review.judging import judge
from pipeline.review.lists import Lists
from pipeline.review.rules import Rules
from pipeline.schemas import (
    ClockifyTimeEntries,
    ClockifyUsers,
    QuickbooksCustomers,
    QuickbooksEmployees,
    Table,
    sql_types,
)
from pipeline.settings import Settings
from pipeline.storage.fitting import fitting

TODAY = date(2024, 5, 15)
"""A Wednesday."""
START = pd.Timestamp("2024-05-14T09:00:00Z")
MAX_RATE_MINOR = 100_000


def rules(**changes: object) -> Rules:
    """What the rules need, with changes."""
    usual = {"today": TODAY, "home_currency": "USD", "max_rate": MAX_RATE_MINOR / 100}
    given = {**usual, "time_zone": "UTC", **changes}
    chosen = {name: given.pop(name) for name in Settings.model_fields.keys() & given.keys()}
    return Rules(settings=Settings.model_construct(**chosen), **given)


def entry(number: int = 1, *, lasting: int = 3600, **changes: object) -> dict[str, Any]:
    """A valid entry of so many seconds, with changes."""
    example = {
        "entry_id": f"{number:024x}",
        "work_date": pd.Timestamp("2024-05-14"),
        "user_id": "u1",
        "user_name": "Ann Lee",
        "project_id": "p1",
        "project_name": "Website",
        "client_id": "c1",
        "client_name": "Acme",
        "tag_names": [],
        "description": "Draft the front page",
        "entry_type": "REGULAR",
        "is_billable": True,
        "start_at": START,
        "end_at": START + pd.Timedelta(seconds=lasting),
        "duration_seconds": lasting,
        "raw_seconds": lasting,
        "reported_rate": "4500",
        "hourly_rate_minor": 4500,
        "currency": "USD",
        "first_seen_at": START,
        "read_at": START + pd.Timedelta(days=9),
    }
    return {**example, **changes}


def _typed(model: type[Table], frame: pd.DataFrame) -> pd.DataFrame:
    return fitting(model, frame, list(sql_types(model)), "correct the example")


def entries(*rows: dict[str, Any]) -> pd.DataFrame:
    """The entries as the warehouse gives them."""
    frame = pd.DataFrame(list(rows), columns=list(sql_types(ClockifyTimeEntries)), dtype=object)
    return _typed(ClockifyTimeEntries, frame)


def users(*rows: tuple[str, str | None]) -> pd.DataFrame:
    """Clockify users by id and name."""
    frame = pd.DataFrame(rows, columns=["user_id", "user_name"], dtype=object)
    frame = frame.assign(user_email=None, is_active=True, time_zone=None)
    return _typed(ClockifyUsers, frame)


def employees(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    """QuickBooks employees by id, display name and whether they are active."""
    columns = ["quickbooks_employee_id", "display_name", "is_active"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return _typed(QuickbooksEmployees, frame.assign(email=None, sync_token=None))


def customer(
    id_: str, path: str, parent_id: str | None = None, **changes: object
) -> dict[str, Any]:
    """An active QuickBooks customer by id and fully qualified name, with changes."""
    example = {
        "quickbooks_customer_id": id_,
        "display_name": path.rpartition(":")[2],
        "fully_qualified_name": path,
        "parent_id": parent_id,
        "level": path.count(":"),
        "is_active": True,
        "is_project": False,
    }
    return {**example, **changes}


def customers(*rows: dict[str, Any]) -> pd.DataFrame:
    """QuickBooks customers."""
    frame = pd.DataFrame(list(rows), columns=list(sql_types(QuickbooksCustomers)), dtype=object)
    return _typed(QuickbooksCustomers, frame)


USERS = users(("u1", "Ann Lee"), ("u5", "Dana Dup"), ("u6", "Dana Dup"))
EMPLOYEES = employees(
    ("1", "Ann Lee", True),
    ("2", "Bob Roy (deleted)", False),
    ("3", "Cy Twin", True),
    ("4", "Cy Twin", True),
    ("5", "Dana Dup", True),
    ("6", "Eve Back", True),
    ("7", "Eve Back (deleted)", False),
    ("8", "Zo\u00eb O'Neil", True),
)
CUSTOMERS = customers(
    customer("10", "Acme"),
    customer("11", "Acme:Website", "10"),
    customer("12", "Globex", currency="EUR"),
    customer("13", "Globex:Twice", "12", currency="EUR"),
    customer("14", "Twice"),
    customer("15", "Acme:Twice", "10", is_project=True),
    customer("16", "Old Co (deleted)", is_active=False),
    customer("17", "New Co"),
    customer("18", "New Co (deleted)", is_active=False),
)
LISTS = Lists(USERS, EMPLOYEES, CUSTOMERS)


def judged(
    *rows: dict[str, Any], delivered: tuple[str, ...] = (), **changes: object
) -> list[dict[str, Any]]:
    """The verdicts over entries in the example company, with changes to the rules."""
    settled = dict.fromkeys(delivered, "sent")
    verdicts = judge(entries(*rows), LISTS, rules(**changes), settled)
    return verdicts.to_dict("records")
