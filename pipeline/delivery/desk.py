"""What a load works with, from its first read to its last. Keeps out how it is opened."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pipeline.company import Company
from pipeline.ledger import Delivery, Ledger
from pipeline.quickbooks.client import QuickBooks
from pipeline.review import verdicts
from pipeline.review.lists import Lists
from pipeline.review.rules import Rules


@dataclass(frozen=True)
class Desk:
    """The company, its ledger, held open, QuickBooks, and what all deliveries of a run share."""

    company: Company
    ledger: Ledger
    quickbooks: QuickBooks
    lists: Lists
    rules: Rules
    item: Mapping[str, Any]
    """What `quickbooks_company` holds of the service item, by column; all None without one."""
    rounding: str
    rounding_minutes: int
    log: Callable[[str], object]

    def of_today(self, entry_ids: Iterable[str]) -> pd.DataFrame:
        """The entries as they would be judged by now; see `verdicts.of_today`."""
        with self.company.warehouse.connect() as connection:
            return verdicts.of_today(connection, self.lists, self.rules, entry_ids)

    def noted(self, row: Delivery, **changes: Any) -> Delivery:  # noqa: ANN401 - its fields
        """A delivery with what this run changes of it now."""
        return replace(row, updated_at=self.company.now(), run_id=self.company.run_id, **changes)
