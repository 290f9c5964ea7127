"""The asset checks: gates judge a run's window, standing checks all that is open."""

from checks import books, gates, standing
from checks.claim import checks_of

checks = checks_of(
    [
        *(("rows_fit_the_schema", gates.schema_claim(model)) for model in gates.GATED_TABLES),
        *gates.CLAIMS.items(),
        *standing.CLAIMS.items(),
        *books.CLAIMS.items(),
    ]
)
