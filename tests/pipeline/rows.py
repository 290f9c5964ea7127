"""One valid row of every table, with single changes to it."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd

from pipeline.ledger import Delivery
from pipeline.schemas import Table, sql_types

NOW = datetime(2024, 5, 15, 6, 7, 8, 123456, tzinfo=UTC)
DAY = date(2024, 5, 14)
NAMED: dict[str, object] = {
    "state": "pending",
    "action": "send",
    "side": "clockify",
    "kind": "edited",
    "verdict": "rejected",
    "hours": 1,
    "minutes": 30,
    "realm_id": "4620816365",
}
MEASURES = (
    "clockify_seconds",
    "clockify_amount_minor",
    "minute_rounding_seconds",
    "minute_rounding_amount_minor",
    "item_price_amount_minor",
    "cent_rounding_amount_minor",
    "entry_drift_seconds",
    "entry_drift_amount_minor",
    "ledger_minutes",
    "ledger_amount_minor",
    "activity_drift_minutes",
    "activity_drift_amount_minor",
    "not_ours_minutes",
    "not_ours_amount_minor",
    "quickbooks_minutes",
    "quickbooks_amount_minor",
)
"""What `books_and_ledger` sums, step by step from Clockify to QuickBooks."""
STATES = ("pending", "sent", "adopted", "refused", "unknown", "doubtful", "gone", "skipped")
"""Of a delivery."""
DELIVERED = {"sent", "adopted"}
"""Those that QuickBooks holds."""
SETTLED = {*DELIVERED, "gone", "skipped"}
"""Those after which nothing is left to do."""
TYPED: dict[str, object] = {"BIGINT": 1, "BOOLEAN": True, "TIMESTAMPTZ": NOW, "VARCHAR[]": ["a"]}


def valid(model: type[Table], number: int = 0, **changes: object) -> dict[str, Any]:
    """The valid row of a table with this number, which makes its ids and days unique."""
    row = {name: _value(name, sql, number) for name, sql in sql_types(model).items()}
    assert changes.keys() <= row.keys()
    return row | changes


def sparse(model: type[Table], number: int = 0, **changes: object) -> dict[str, Any]:
    """The same with nothing in every column that may be empty."""
    return valid(model, number, **{**_nothing(model), **changes})


def frame(model: type[Table], *rows: dict[str, Any]) -> pd.DataFrame:
    """Rows as a frame whose columns hold the values just as they are."""
    return pd.DataFrame(list(rows), columns=list(sql_types(model)), dtype=object)


def delivery(number: int = 1, **changes: Any) -> Delivery:  # noqa: ANN401 - fields of any type
    """A valid intent, with changes."""
    given: dict[str, Any] = {
        "entry_id": f"{number:024x}",
        "realm_id": "1",
        "work_date": DAY,
        "request_id": f"request {number}",
        "payload": '{"Hours":1}',
        "fingerprint": "f",
        "minutes": 60,
        "updated_at": NOW,
        "run_id": "run",
    }
    return Delivery(**{**given, **changes})


@cache
def _nothing(model: type[Table]) -> dict[str, None]:
    columns = model.to_schema().columns
    return {name: None for name, column in columns.items() if column.nullable}


def _value(name: str, sql: str, number: int) -> object:
    if name == "entry_id":
        return f"{number:024x}"
    if name in {"quickbooks_employee_id", "quickbooks_customer_id"}:
        return str(number + 1)
    if sql == "DATE":
        return DAY + timedelta(days=number)
    return NAMED.get(name, f"{name} {number}" if sql == "VARCHAR" else TYPED.get(sql))
