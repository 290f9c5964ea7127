"""The statement: a month's billable time by customer, from Clockify to QuickBooks, to the cent.

Clockify's billable time and amount = in QuickBooks, billed or not, + not sent, by reason, ±
differences, each by its name. Holds the SQL: every entry and every delivery is laid apart into
signed lines, so that nothing can be left over, and lines are summed. Currencies are never added.
Keeps out how it is printed, and activities that are not ours (`books`); but those that may be an
entry's second one stand in its way, as does a delivery of which nobody knows: lines without time.

Where the service item has the price, Clockify's amount is compared with the amount at the price
that was sent: what lies between is the item's, and in nobody's way.
"""

from datetime import date

from pipeline.ledger import DELIVERED, SETTLED, UNSETTLED
from pipeline.reports.books import SECOND, SENT_RATE
from pipeline.reports.figures import PROJECT, was_over
from pipeline.storage import Connection, Row, rows

OF_THE_ITEM = "the price of the service item"
NOT_ITS_TIME = "in Clockify not its time at its rate"
NOT_OVER, UNREAD = "the month is not over", "days never read and judged"
"""What is in the way of every customer of a month."""
LAID_APART = f"""
    SELECT month, customer_id, unmatched, currency, 'clockify' AS part, 'clockify' AS line,
        entry_id, seconds, amount FROM tracked
    UNION ALL BY NAME
    SELECT month, customer_id, currency, 'in_quickbooks' AS part,
        CASE WHEN is_unread THEN 'not read again' WHEN is_billed THEN 'billed' ELSE 'unbilled' END
            AS line, entry_id, minutes * 60 AS seconds, amount FROM held
    UNION ALL BY NAME
    SELECT month, customer_id, currency, 'differing' AS part,
        'changed in QuickBooks since it was sent' AS line, entry_id,
        sum(minutes) * 60 AS seconds, sum(amount) AS amount
    FROM (FROM sent UNION ALL BY NAME
        SELECT * REPLACE (-minutes AS minutes, -amount AS amount) FROM held)
    GROUP BY ALL HAVING sum(minutes) <> 0 OR sum(amount) <> 0
    UNION ALL BY NAME
    SELECT month, customer_id, unmatched, currency, 'not_sent' AS part,
        coalesce(reason, 'accepted: ' || coalesce(state, 'not sent yet')) AS line,
        entry_id, seconds, amount
    FROM tracked WHERE entry_id NOT IN (FROM sent SELECT entry_id)
    UNION ALL BY NAME
    FROM (SELECT month, customer_id, unmatched, currency, entry_id, unnest([
            {{part: 'rounding', line: 'minute rounding', seconds: seconds - minutes * 60,
                amount: at_price - of_minutes}},
            {{part: if(abs(amount - exact) <= 1, 'rounding', 'differing'),
                line: if(abs(amount - exact) <= 1, 'cent rounding', '{NOT_ITS_TIME}'),
                seconds: 0, amount: amount - exact}},
            {{part: 'differing', line: '{OF_THE_ITEM}', seconds: 0, amount: exact - at_price}},
            {{part: 'differing', line: 'another rate in QuickBooks', seconds: 0,
                amount: of_minutes - sent_amount}}
        ], recursive := true) FROM pairs WHERE is_same)
    WHERE seconds <> 0 OR amount <> 0
    UNION ALL BY NAME
    SELECT month, customer_id, unmatched, currency, 'differing' AS part,
        'changed in Clockify since it was sent' AS line, entry_id, seconds, amount
    FROM pairs WHERE NOT is_same
    UNION ALL BY NAME
    SELECT month, customer_id, currency, 'differing' AS part,
        'changed in Clockify since it was sent' AS line, entry_id, -minutes * 60 AS seconds,
        -amount AS amount
    FROM sent WHERE entry_id NOT IN (SELECT entry_id FROM pairs WHERE is_same)
"""
"""Every entry and every delivery in signed lines: `clockify` is the sum of all the others."""
IN_THE_WAY = f"""
    SELECT date_trunc('month', drift.work_date)::DATE AS month, drift.customer_id,
        coalesce(activity.currency, home_currency, 'none') AS currency, 'differing' AS part,
        if(kind = 'duplicated', 'in QuickBooks twice', 'in QuickBooks and like one of ours')
            AS line,
        quickbooks_id AS entry_id, 0 AS seconds, 0 AS amount
    FROM drift LEFT JOIN quickbooks_activities AS activity USING (quickbooks_id)
        LEFT JOIN quickbooks_company ON TRUE
    WHERE kind IN {SECOND}
    UNION ALL BY NAME
    SELECT date_trunc('month', work_date)::DATE AS month,
        coalesce(payload->>'$.CustomerRef.value', '') AS customer_id, currency,
        'differing' AS part, 'nobody knows yet: ' || state AS line, entry_id, 0 AS seconds,
        0 AS amount
    FROM deliveries WHERE state IN {(*UNSETTLED, "doubtful")} AND currency IS NOT NULL
        AND entry_id NOT IN (SELECT entry_id FROM tracked)
"""
"""Lines without time: what may be an entry's second activity, or one that nobody knows of."""
SUMMED = """
SELECT month, customer_id, coalesce(fully_qualified_name, any_value(unmatched), customer_id)
        AS customer, lines.currency, part, line, count(DISTINCT entry_id) AS entries,
    sum(seconds)::BIGINT AS duration_seconds, sum(amount)::BIGINT AS amount_minor
FROM lines LEFT JOIN quickbooks_customers ON quickbooks_customer_id = customer_id
GROUP BY month, customer_id, fully_qualified_name, CASE WHEN customer_id = '' THEN unmatched END,
    lines.currency, part, line
"""


def lines(*, is_priced_by_item: bool) -> str:
    """The view `statement_lines`: `clockify` is the sum of all other lines of its customer.

    Args:
        is_priced_by_item: whether rates are the service item's (`RATE_SOURCE`).
    """
    paired = _paired(is_priced_by_item=is_priced_by_item)
    laid = f"{LAID_APART} UNION ALL BY NAME {IN_THE_WAY}"
    return f"WITH {paired}, lines AS ({laid}) {SUMMED}"


def _paired(*, is_priced_by_item: bool) -> str:
    """What is tracked, what was sent of it, what QuickBooks holds, and which of them belong."""
    currency, exact, rate = (
        ("coalesce(delivered_currency, home_currency)", "amount", "sent.rate")
        if is_priced_by_item
        else ("currency", "(2 * seconds * rate + 3600) // 7200", "tracked.rate")
    )
    return f"""
known AS (
    SELECT entry_id, state, currency AS delivered_currency, CASE WHEN state IN {SETTLED}
        AND entry_id NOT IN (
            SELECT entry_id FROM drift WHERE side = 'clockify' AND field = 'customer')
        THEN payload->>'$.CustomerRef.value' END AS sent_customer
    FROM deliveries WHERE part = 0
), tracked AS (
    SELECT entry_id, date_trunc('month', work_date)::DATE AS month, state,
        verdict || ': ' || reason AS reason,
        coalesce(quickbooks_customer_id, sent_customer, '') AS customer_id,
        CASE WHEN coalesce(quickbooks_customer_id, sent_customer) IS NULL THEN {PROJECT} END
            AS unmatched,
        coalesce({currency}, 'none') AS currency,
        coalesce(duration_seconds, 0)::HUGEINT AS seconds, (seconds + 30) // 60 AS minutes,
        CASE WHEN currency IS NOT DISTINCT FROM {currency} THEN coalesce(amount_minor, 0) ELSE 0 END
            AS amount, hourly_rate_minor::HUGEINT AS rate, {exact} AS exact
    FROM verdicts LEFT JOIN known USING (entry_id) LEFT JOIN quickbooks_company ON TRUE
    WHERE is_billable
), sent AS (
    SELECT entry_id, part, date_trunc('month', work_date)::DATE AS month,
        coalesce(payload->>'$.CustomerRef.value', '') AS customer_id, currency, minutes,
        coalesce(amount_minor, 0) AS amount, {SENT_RATE} AS rate
    FROM deliveries WHERE state IN {DELIVERED} AND currency IS NOT NULL
), held AS (
    SELECT delivery.entry_id, activity.quickbooks_id IS NULL AS is_unread, is_billed,
        if(is_unread, sent.month, date_trunc('month', activity.work_date)::DATE) AS month,
        if(is_unread, sent.customer_id, activity.customer_id) AS customer_id,
        if(is_unread, sent.currency, activity.currency) AS currency,
        if(is_unread, sent.minutes, activity.minutes) AS minutes,
        if(is_unread, sent.amount, coalesce(activity.amount_minor, 0)) AS amount
    FROM deliveries AS delivery LEFT JOIN sent USING (entry_id, part)
    LEFT JOIN quickbooks_activities AS activity ON activity.quickbooks_id = delivery.quickbooks_id
    WHERE state IN {DELIVERED} AND coalesce(is_billable, sent.entry_id IS NOT NULL)
), pairs AS (
    SELECT tracked.*, sent.amount AS sent_amount, {rate} AS price,
        (2 * seconds * price + 3600) // 7200 AS at_price,
        (2 * tracked.minutes * price + 60) // 120 AS of_minutes,
        sent.month IS NOT DISTINCT FROM tracked.month AND sent.customer_id = tracked.customer_id
        AND sent.currency = tracked.currency AND sent.minutes = tracked.minutes
        AND price IS NOT NULL AS is_same
    FROM tracked JOIN sent USING (entry_id)
)
"""


PARTS = ("clockify", "in_quickbooks", "billed", "unbilled", "not_sent", "rounding", "differing")
"""What is summed, in time and amount; `billed` and `unbilled` are of what is in QuickBooks."""


def statement(since: date, today: date, zone: str) -> str:
    """The view `statement`: a row per month, customer and currency, and whether it may be invoiced.

    Args:
        since: the first work date that concerns us.
        today: the calendar date now in `TIME_ZONE`.
        zone: `TIME_ZONE`.
    """
    sums = ",\n    ".join(
        f"coalesce(sum({name}) FILTER (WHERE '{part}' IN (part, line)), 0)::BIGINT AS {part}_{unit}"
        for part in PARTS
        for name, unit in (("duration_seconds", "seconds"), ("amount_minor", "amount_minor"))
    )
    return f"""
WITH calendar AS (
    SELECT day::DATE AS day, date_trunc('month', day)::DATE AS month
    FROM generate_series(DATE '{since}', DATE '{today}' - 1, INTERVAL 1 DAY) AS days(day)
), unread AS (
    SELECT month, count(*) AS days FROM calendar
    WHERE day NOT IN (SELECT work_date FROM days WHERE reviewed_at IS NOT NULL
        AND {was_over(f"'{zone}'")}) GROUP BY month
), summed AS (
    SELECT month, customer_id, customer, currency,
    {sums},
    list(line || ' (' || entries || ')' ORDER BY line) FILTER (WHERE
        part = 'differing' AND line <> '{OF_THE_ITEM}'
        OR part = 'not_sent' AND NOT starts_with(line, 'excluded')
        AND line <> 'accepted: skipped') AS open_lines
    FROM statement_lines GROUP BY month, customer_id, customer, currency
)
SELECT summed.* EXCLUDE open_lines,
    list_concat(
        CASE WHEN last_day(month) >= DATE '{today}' THEN ['{NOT_OVER}'] ELSE [] END,
        CASE WHEN days > 0 THEN [days || ' {UNREAD}'] ELSE [] END,
        coalesce(open_lines, [])) AS blocks,
    len(blocks) = 0 AS is_ready
FROM summed LEFT JOIN unread USING (month)
WHERE last_day(month) >= DATE '{since}'
"""


SHOWN = (
    "customer",
    "currency",
    "hours",
    "in_quickbooks",
    "billed",
    "not_sent",
    "difference",
    "blocks",
)
"""Of a row in hours, as it is shown where no amount may be."""


IN_HOURS = """
SELECT customer, customer_id, currency, is_ready, round(clockify_seconds / 3600, 2) AS hours,
    round(in_quickbooks_seconds / 3600, 2) AS in_quickbooks,
    round(billed_seconds / 3600, 2) AS billed, round(not_sent_seconds / 3600, 2) AS not_sent,
    round((rounding_seconds + differing_seconds) / 3600, 2) AS difference,
    coalesce(nullif(array_to_string(blocks, ', '), ''), 'ready to invoice') AS blocks
FROM statement
"""
"""The statement for people who may not see rates: hours, and what blocks them."""


def is_of_the_month(block: str) -> bool:
    """Whether what blocks a customer is the whole month's, and so blocks each."""
    return block == NOT_OVER or block.endswith(UNREAD)


def of_month(connection: Connection, month: date, query: str = "FROM statement") -> list[Row]:
    """The statement of the month that begins on a day; what is not ready first, then by time.

    Args:
        connection: one with the analysts' views.
        month: its first day.
        query: what to see of the view: all of it, or `IN_HOURS`.
    """
    return rows(
        connection,
        f"{query} WHERE month = $1 ORDER BY is_ready, clockify_seconds DESC, customer",
        [month],
    )


def lines_of_month(connection: Connection, month: date) -> list[Row]:
    """What a month's statement adds up, line by line, by customer and currency."""
    return rows(
        connection,
        "FROM statement_lines WHERE month = $1 ORDER BY customer, currency, part, line",
        [month],
    )
