"""Names of assets, by what a test launches alone, and their work without Dagster."""

from collections.abc import Collection
from datetime import date

from pipeline import stages
from pipeline.company import Company, Log
from pipeline.delivery.loading import Wishes
from pipeline.schemas import name_of

LOAD = "quickbooks_time_activities"
REVIEW = ("accepted_time_entries", "rejected_time_entries")
ENTRIES = "clockify_time_entries"
REFERENCES = (
    "clockify_users",
    "clockify_projects",
    "quickbooks_employees",
    "quickbooks_customers",
    "quickbooks_company",
)
UP_TO_REVIEW = (*REFERENCES, ENTRIES, *REVIEW)
UP_TO_LOAD = (*UP_TO_REVIEW, LOAD)
REPORT = ("fix_list", "hours_at_risk", "statement")
DAILY = (ENTRIES, *REVIEW, LOAD)
"""All that is partitioned: what a backfill launches."""
CONFIRMED = {LOAD: {"confirm_cutover": True}}
"""The config of a first load beside activities that somebody else made."""
NO_WISHES = Wishes()


def take(
    company: Company,
    log: Log,
    first: date,
    last: date,
    assets: Collection[str],
    wishes: Wishes = NO_WISHES,
    *,
    is_scheduled: bool = False,
) -> None:
    """Do the work of some assets without Dagster, in the order in which it would.

    Raises:
        Stop: one of them stopped; those before it are done.
    """
    for model in stages.LISTS:
        if name_of(model) in assets:
            stages.snapshot(company, log, model)
    if ENTRIES in assets:
        stages.extract(company, log, first, last)
    if {*REVIEW} & {*assets}:
        stages.review(company, log, first, last)
    if LOAD in assets:
        stages.load(company, log, first, last, wishes, is_scheduled=is_scheduled)
