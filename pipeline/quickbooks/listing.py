"""Lists of QuickBooks read completely or not at all, by its query language.

Holds the pages, and the counting before and after that proves a read complete. Keeps out which
records are asked for (`client`) and what an answer refuses (`answers`). Facts: quickbooks-api.md,
4.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.fields import Row, value, values
from pipeline.quickbooks.answers import Answer, accepted
from pipeline.quickbooks.faults import TOO_BIG
from pipeline.stops import Stop

PAGE = 1000
SMALLEST_PAGE = 100
"""Below it, what is too big for one answer is no matter of rows."""
READS = 3
"""Reads of one list that may disagree with its count before the run stops."""


@dataclass
class Listing:
    """Reads of one company's lists."""

    asked: Callable[[str], Answer]
    """Gives the answer to a query."""
    page: int = PAGE
    """Records asked for at once; fewer, once they were too big for one answer."""

    def all_of(self, entity: str, where: str) -> dict[str, Row]:
        """Every record that a condition selects, by id, as QuickBooks' JSON.

        Raises:
            Stop: the read stays incomplete, or is refused.
        """
        for _ in range(READS):
            before = self._count(entity, where)
            rows = self._pages(entity, where, before)
            after = self._count(entity, where)
            if before == len(rows) == after:
                return rows
        raise Stop(
            f"incomplete read: QuickBooks counts {after} {entity} records where {where} and gave "
            f"{len(rows)}, {READS} times over",
            "Run again when nobody is editing them",
            is_transient=True,
        )

    def _pages(self, entity: str, where: str, count: int) -> dict[str, Row]:
        """So many records by id; none if they changed between two pages.

        Each page begins with the last record of the one before: where one is deleted and another
        added meanwhile, a record slips from the next page to this, and no count tells.
        """
        rows: dict[str, Row] = {}
        for start in range(1, count + 1, self.page - 1):
            page = f"WHERE {where} ORDERBY Id STARTPOSITION {start} MAXRESULTS {self.page}"
            answer = self._selected("*", entity, page)
            if answer.fault and answer.fault.code == TOO_BIG and self.page > SMALLEST_PAGE:
                self.page //= 2
                return self._pages(entity, where, count)
            found = _found(answer).get(entity, [])
            ids = values(found, "Id", str, of=f"QuickBooks' {entity}")
            if rows and ids[:1] != [next(reversed(rows))]:
                return {}
            rows |= zip(ids, found, strict=True)
        return rows

    def _count(self, entity: str, where: str) -> int:
        found = _found(self._selected("COUNT(*)", entity, f"WHERE {where}"))
        count: int = value(found, "totalCount", int, of="QuickBooks' count")
        return count

    def _selected(self, what: str, entity: str, rest: str) -> Answer:
        return self.asked(f"SELECT {what} FROM {entity} {rest}")  # noqa: S608 - no SQL; all of it is ours


def _found(answer: Answer) -> Row:
    row: Row = value(accepted(answer), "QueryResponse", dict, of="QuickBooks' answer")
    return row
