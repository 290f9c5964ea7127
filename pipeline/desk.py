"""What a load works with, from its first read to its last. Keeps out how it is opened."""

from dataclasses import dataclass

from pipeline.candidates import Terms
from pipeline.company import Company
from pipeline.ledger import Ledger
from pipeline.quickbooks import QuickBooks
from pipeline.rules import Rules


@dataclass(frozen=True)
class Desk:
    """The company, its ledger, held open, QuickBooks, the rules of the run and its terms."""

    company: Company
    ledger: Ledger
    quickbooks: QuickBooks
    rules: Rules
    terms: Terms
