"""A delivery's problem in our own words, in SQL, for Dagster's metadata.

A fault may repeat a rate or a description, and metadata lives for ever: QuickBooks' own words stay
in the tables, `error_message` of `deliveries`. Keeps out what an answer proves (`classification`).
"""

MEANINGS = {
    "610": "it names a person, customer or item that is inactive or gone",
    "2020": "a field that QuickBooks requires is missing",
    "2040": "its text has a character that QuickBooks does not accept",
    "2050": "its text is too long",
    "2500": "it names a person, customer or item that is inactive or gone",
    "6000": "a business rule of its own forbids it; its words in the ledger say which",
    "6200": "the books are closed for its date",
    "6210": "the books are closed for its date",
    "6310": "billable time needs a customer",
    "6330": "billable time needs a rate",
}
"""QuickBooks' faults, by code (its reference, 9.2)."""
REFUSED = f"""'QuickBooks refused it with fault ' || coalesce(error_code, 'none')
    || coalesce(': ' || (MAP {MEANINGS})[error_code], '')"""
"""SQL of what a refusal means; as Python spells them, the meanings are a map in SQL too."""
PROBLEM = f"""CASE WHEN coalesce(error_message, '') = '' THEN NULL
    WHEN state NOT IN ('refused', 'unknown') OR NOT regexp_full_match(error_code, '[0-9]*')
        THEN error_message
    WHEN state = 'refused' THEN {REFUSED}
    ELSE 'QuickBooks'' answer' || coalesce(' (' || nullif(error_code, '') || ')', '')
        || ' does not say whether it was stored' END"""
"""SQL of what went wrong or differs, without a word of QuickBooks', over a row of `deliveries`."""
