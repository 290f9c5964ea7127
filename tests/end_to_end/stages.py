"""Names of assets, by what a test launches alone."""

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
