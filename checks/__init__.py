"""The asset checks: gates judge a run's window, standing checks all that is open."""

from checks import books, gates, standing
from checks.claim import checks_of

checks = checks_of(
    [
        *(("rows_fit_the_schema", claim) for claim in gates.SCHEMA_CLAIMS),
        *gates.CLAIMS.items(),
        *standing.CLAIMS.items(),
        *books.CLAIMS.items(),
    ]
)
