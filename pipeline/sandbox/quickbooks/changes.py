"""Change data capture: the name lists' records that changed since an instant.

Time activities are not part of it, as in the real service. Keeps out: the address.
"""

from datetime import datetime

from pipeline.sandbox.quickbooks.books import Books, Record
from pipeline.sandbox.quickbooks.faults import FaultError
from pipeline.sandbox.quickbooks.names import LISTED
from pipeline.sandbox.quickbooks.operations import shown
from pipeline.sandbox.quickbooks.query import instant


def changes(entities: str, since: str, books: Books) -> list[Record]:
    """Return one object an entity, in the order asked for; empty where nothing changed.

    Args:
        entities: Names separated by commas.
        since: An instant, as ISO 8601.
        books: The company.

    Raises:
        FaultError: 500 for an entity that is not captured, 2060 for an unreadable instant.
    """
    try:
        after = instant(since.replace(" ", "+"))
    except ValueError:
        raise FaultError("2060", f"Invalid Date : changedSince {since}", "changedSince") from None
    return [_changed(name.strip(), after, books) for name in entities.split(",")]


def _changed(entity: str, after: datetime, books: Books) -> Record:
    if entity not in LISTED:
        raise FaultError("500", f"Operation cdc is not supported for {entity}.")
    rows = [
        shown(entity, row, books)
        for row in books.records(entity).values()
        if instant(row["MetaData"]["LastUpdatedTime"]) > after
    ]
    return {entity: rows, "startPosition": 1, "maxResults": len(rows)} if rows else {}
