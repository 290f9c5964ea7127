"""Queries answered from the books: which properties can be asked for, compared and sorted by.

Keeps out: the grammar.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from pipeline.sandbox.quickbooks import company_pages
from pipeline.sandbox.quickbooks.books import LISTS, Books, Record
from pipeline.sandbox.quickbooks.faults import PACIFIC, FaultError
from pipeline.sandbox.quickbooks.names import LISTED
from pipeline.sandbox.quickbooks.operations import shown
from pipeline.sandbox.quickbooks.properties import PROPERTIES
from pipeline.sandbox.quickbooks.query_parser import Condition, Query, parse

DEFAULT_ROWS = 100
MAX_ROWS = 1000
_INSTANTS = ("MetaData.CreateTime", "MetaData.LastUpdatedTime")
_FILTERABLE = {
    "TimeActivity": "Id TxnDate ProjectRef BillableStatus",
    "Employee": "Id DisplayName GivenName MiddleName FamilyName PrintOnCheckName Active",
    "Vendor": "Id DisplayName GivenName FamilyName CompanyName PrintOnCheckName Active",
    "Customer": "Id DisplayName FullyQualifiedName GivenName FamilyName CompanyName Active Job "
    "PrintOnCheckName",
    "Item": "Id Name FullyQualifiedName Type Active Sku",
}
FILTERABLE = {entity: {*names.split(), *_INSTANTS} for entity, names in _FILTERABLE.items()}
"""The only properties that WHERE and ORDERBY may name."""
EMPTY = {"class", "department", "account", "invoice", "term", "paymentmethod", "taxcode"}
"""Entities that exist and of which this company has none."""
_ENTITIES = {entity.lower(): entity for entity in LISTS}
_Row = Callable[[Record], bool]


def run(text: str, books: Books) -> Record:
    """Return the `QueryResponse` for a query.

    Raises:
        FaultError: 4000 for what cannot be parsed, 4001 for what cannot be asked.
    """
    query = parse(text)
    word = query.entity.lower()
    if word in company_pages.PAGES:
        name, page = company_pages.PAGES[word]
        return {name: [page(books)], "startPosition": 1, "maxResults": 1}
    if word in EMPTY:
        return {"totalCount": 0} if query.is_count else {}
    if word not in _ENTITIES:
        raise _invalid(f"invalid context declaration: {query.entity}")
    return _answer(_ENTITIES[word], query, books)


def _answer(entity: str, query: Query, books: Books) -> Record:
    for column in query.columns:
        _property(entity, column)
    rows = list(_select(entity, query.conditions, books))
    if query.is_count:
        return {"totalCount": len(rows)}
    for name, descends in reversed(query.order or [("Id", False)]):
        rows.sort(key=_sort_key(_filterable(entity, name)), reverse=descends)
    limit = min(DEFAULT_ROWS if query.limit is None else query.limit, MAX_ROWS)
    page = rows[query.start - 1 : query.start - 1 + limit]
    if not page:
        return {}
    found = [shown(entity, row, books) for row in page]
    return {entity: found, "startPosition": query.start, "maxResults": len(found)}


def _select(entity: str, conditions: list[Condition], books: Books) -> Iterable[Record]:
    tests = [_test(entity, condition) for condition in conditions]
    names = {_filterable(entity, condition.name) for condition in conditions}
    if entity in LISTED and "Active" not in names:
        tests.append(lambda row: bool(row.get("Active", True)))
    return (row for row in books.records(entity).values() if all(test(row) for test in tests))


def _test(entity: str, condition: Condition) -> _Row:
    name = _filterable(entity, condition.name)
    if condition.operator == "like":
        parts = (re.escape(part) for part in condition.values[0].split("%"))
        pattern = re.compile(".*".join(parts), re.IGNORECASE | re.DOTALL)
        return lambda row: pattern.fullmatch(str(_value(row, name) or "")) is not None
    read = _reader(name)
    wanted = [_wanted(read, value, condition.name) for value in condition.values]
    return _comparison(condition.operator, wanted, lambda row: read(_value(row, name)))


def _comparison(operator: str, wanted: list[Any], value: Callable[[Record], Any]) -> _Row:
    first = wanted[0]
    tests: dict[str, _Row] = {
        "in": lambda row: value(row) in wanted,
        "=": lambda row: bool(value(row) == first),
        "!=": lambda row: bool(value(row) != first),
        "<": lambda row: value(row) is not None and bool(value(row) < first),
        ">": lambda row: value(row) is not None and bool(value(row) > first),
        "<=": lambda row: value(row) is not None and bool(value(row) <= first),
        ">=": lambda row: value(row) is not None and bool(value(row) >= first),
    }
    return tests[operator]


def _wanted(read: Callable[[Any], Any], value: str, name: str) -> Any:  # noqa: ANN401  # by property
    try:
        return read(value)
    except ValueError:
        raise _invalid(f"value {value} is not valid for property '{name}'") from None


def _reader(name: str) -> Callable[[Any], Any]:
    """Return how a property's values are read before they are compared."""
    if name == "Id":
        return int
    if name in _INSTANTS:
        return instant
    if name == "TxnDate":
        return lambda value: date.fromisoformat(str(value)[:10])
    return _folded


def _folded(value: Any) -> str | None:  # noqa: ANN401  # whatever a record holds
    """Text is compared without its case; true and false as words."""
    if value is None:
        return None
    return str(value["value"] if isinstance(value, dict) else value).casefold()


def instant(value: Any) -> datetime:  # noqa: ANN401  # text, or nothing where a record has none
    """Return an instant in UTC; without an offset it is Pacific time.

    Raises:
        ValueError: it is no instant.
    """
    read = datetime.fromisoformat(str(value))
    return (read if read.tzinfo else read.replace(tzinfo=PACIFIC)).astimezone(UTC)


def _value(row: Record, name: str) -> Any:  # noqa: ANN401  # whatever a record holds
    outer, _, inner = name.partition(".")
    value = row.get(outer)
    return value.get(inner) if inner and value is not None else value


def _sort_key(name: str) -> Callable[[Record], tuple[bool, Any]]:
    read = _reader(name)

    def key(row: Record) -> tuple[bool, Any]:
        value = _value(row, name)
        return (value is None, None if value is None else read(value))

    return key


def _filterable(entity: str, name: str) -> str:
    known = _property(entity, name)
    if known not in FILTERABLE[entity]:
        raise _invalid(f"property '{name}' is not queryable")
    return known


def _property(entity: str, name: str) -> str:
    """Return a property as it is spelled, whatever the query's case."""
    for known in (*FILTERABLE[entity], *PROPERTIES[entity]):
        if known.lower() == name.lower():
            return known
    raise _invalid(f"Property {name} not found for Entity {entity}")


def _invalid(text: str) -> FaultError:
    return FaultError("4001", f"QueryValidationError: {text}")
