"""Clockify's detailed report, read completely or not at all.

Holds the request, the pages and the counting that proves a read complete. Paging has no snapshot:
an entry added or deleted meanwhile shifts the later pages, so the rows are counted against the
report's own `entriesCount` (clockify-api.md, 1.4 and 2). Whoever asks cuts a range into pieces: a
free plan gives no more than 31 days. Where clocks go back these are an hour too long: two requests.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from pipeline.clockify.answers import DOMAIN, accepted, code_of, parsed
from pipeline.fields import Row, value, values
from pipeline.http import Http
from pipeline.stops import Stop

A_DAY = timedelta(days=1)
LONGEST = 31 * A_DAY
"""What a free plan answers, counted between two instants (clockify-api.md, 2 and 2.2)."""
FORBIDDEN = 403
HIDDEN = "HIDE_AMOUNT"
"""What a key may ask for that is refused with 403 for amounts (clockify-api.md, 2.4)."""
PAGE = 1000
IN_FLIGHT = 3
READS = 3
"""Reads of one range that may disagree with their own count before the run stops."""
_REPORT, _TOTALS, _ROW = "Clockify's report", "Clockify's report's totals", "Clockify's report row"


@dataclass
class DetailedReport:
    """The detailed report of one workspace."""

    http: Http
    url: str
    """Of the report, on the reports host."""
    time_zone: str
    """The IANA zone in which days are meant."""
    on_progress: Callable[[str], object]
    """Told how far a long read has come."""
    needs_amounts: bool
    """Whether a key that may not see amounts is refused; else it is asked without them."""
    shown: str = "EARNED"
    """The amounts asked for, until such a key is told so."""

    def rows(
        self,
        first: date,
        last: date,
        *,
        rounding: bool,
        only_approved: bool = False,
        former: Collection[str] = (),
    ) -> list[Row]:
        """Read every entry of at most 31 work dates.

        That a report of everybody has former members' time is not confirmed (clockify-api.md,
        2.1): those of whom it has none are asked for by id. Not everybody is: some are in no list
        of users (4.2), and such a filter would leave their time out.

        Args:
            first: First work date in the zone.
            last: Last work date, included.
            rounding: Whether durations and amounts are rounded as the workspace is set.
            only_approved: Whether only approved entries are read.
            former: Ids of former members.

        Returns:
            The rows as they came, each entry once; fractions are `Decimal`.

        Raises:
            Stop: the read stays incomplete, the key or workspace is wrong, or it may not see rates.
        """
        bodies = self._bodies(first, last, rounding=rounding)
        if only_approved:
            bodies = [{**body, "approvalState": "APPROVED"} for body in bodies]
        rows = self._complete(bodies)
        seen = values(list(rows.values()), "userId", str, of=_ROW)
        if silent := sorted({*former}.difference(seen)):
            asked = {"contains": "CONTAINS", "ids": silent, "status": "ALL"}
            rows |= self._complete([{**body, "users": asked} for body in bodies])
        return list(rows.values())

    def totals(self, first: date, last: date, *, rounding: bool) -> Row:
        """Return what at most 31 days add up to, as plain JSON: to notice a change of old months.

        Returns:
            `entries`, `seconds`, `billable_seconds`, and `amounts`: currency to minor units,
            exactly as text.
        """
        pages = [
            self._page(body, 1, size=1) for body in self._bodies(first, last, rounding=rounding)
        ]
        said = [totals for _, totals in pages if totals is not None]
        amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        for totals in said:
            # An older report gives one amount without its currency.
            alone = [{"amount": totals.get("totalAmount")}]
            for each in totals.get("totalAmountByCurrency") or alone:
                amounts[each.get("currency") or ""] += Decimal(each.get("amount") or 0)
        return {
            "entries": sum(map(_count, said)),
            "seconds": sum(values(said, "totalTime", int, of=_TOTALS)),
            "billable_seconds": sum(values(said, "totalBillableTime", int, of=_TOTALS)),
            "amounts": {currency: format(amount, "f") for currency, amount in amounts.items()},
        }

    def _complete(self, bodies: list[Row]) -> dict[str, Row]:
        """The rows of some requests by id, as many as the report itself counts for each.

        Raises:
            Stop: the read stays incomplete or is refused.
        """
        return {key: row for body in bodies for key, row in self._counted(body).items()}

    def _counted(self, body: Row) -> dict[str, Row]:
        for _ in range(READS):
            pages = list(self._pages(body))
            rows = {row["_id"]: row for page, _ in pages for row in page}
            counts = {_count(totals) for _, totals in pages}
            if counts == {len(rows)}:
                return rows
        first, last = (body[key][:10] for key in ("dateRangeStart", "dateRangeEnd"))
        raise Stop(
            f"incomplete read: from {first} to {last} Clockify counts {sorted(counts)} entries "
            f"and gave {len(rows)}, {READS} times over",
            "Run again when nobody is editing these days",
            is_transient=True,
        )

    def _pages(self, body: Row) -> Iterator[tuple[list[Row], Row | None]]:
        first = self._page(body, 1)
        yield first
        last = -(-_count(first[1]) // PAGE)
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            others = pool.map(lambda number: self._page(body, number), range(2, last + 1))
            for number, page in enumerate(others, 2):
                self.on_progress(f"Clockify: page {number} of {last} read")
                yield page

    def _page(self, body: Row, number: int, size: int = PAGE) -> tuple[list[Row], Row | None]:
        """One page: its rows, and the totals of the whole range, None where it holds nothing."""
        options = {"totals": "CALCULATE"}
        page = {"page": number, "pageSize": size, "sortColumn": "ID", "options": options}
        amounts = {"amountShown": self.shown, "amounts": [self.shown]}
        asked = {**body, **amounts, "detailedFilter": page}
        response = self.http.read("POST", self.url, json=asked)
        is_refused = response.status_code == FORBIDDEN and code_of(parsed(response)) != DOMAIN
        if is_refused and not self.needs_amounts and self.shown != HIDDEN:
            self.shown = HIDDEN
            return self._page(body, number, size)
        answer = accepted(response)
        key = "timeEntries" if "timeEntries" in answer else "timeentries"
        rows = value(answer, key, list, of=_REPORT)
        values(rows, "_id", str, of=_ROW)
        totals = value(answer, "totals", list, of=_REPORT)
        return rows, totals[0] if totals else None

    def _bodies(self, first: date, last: date, *, rounding: bool) -> list[Row]:
        """Requests for everybody's entries: one, or two where clocks go back within 31 days."""
        zone = ZoneInfo(self.time_zone)
        start, end = (
            datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
            for text in (_start(first, zone), _end(last, zone))
        )
        is_too_long = end - start > LONGEST
        parts = [(first, last - A_DAY), (last, last)] if is_too_long else [(first, last)]
        windows = [(_start(day, zone), _end(until, zone)) for day, until in parts]
        return [self._body(*window, rounding=rounding) for window in windows]

    def _body(self, start: str, end: str, *, rounding: bool) -> Row:
        """A request; its window is a wall clock in `timeZone`."""
        return {
            "dateRangeStart": start,
            "dateRangeEnd": end,
            "timeZone": self.time_zone,
            "rounding": rounding,
            "sortOrder": "ASCENDING",
            "exportType": "JSON",
        }


def _start(first: date, zone: ZoneInfo) -> str:
    """The first moment of a day, or the last of the one before where its first hour comes twice.

    As where clocks fall back from one to midnight (America/Havana): as in `_end`.
    """
    is_twice = _comes_twice(datetime.combine(first, time(), zone))
    return f"{first - A_DAY}T23:59:59.999" if is_twice else f"{first}T00:00:00.000"


def _end(last: date, zone: ZoneInfo) -> str:
    """The last moment of a day, or the first of the next where the day's last hour comes twice.

    As where clocks fall back at midnight (America/Santiago): which of the two is meant nobody says,
    and of the other no window had the entries. The reader of the rows leaves out what is too late.
    """
    is_twice = _comes_twice(datetime.combine(last, time(23, 59, 59, 999_000), zone))
    return f"{last + A_DAY}T00:00:00.000" if is_twice else f"{last}T23:59:59.999"


def _comes_twice(at: datetime) -> bool:
    return at.utcoffset() != at.replace(fold=1).utcoffset()


def _count(totals: Row | None) -> int:
    count: int = 0 if totals is None else value(totals, "entriesCount", int, of=_TOTALS)
    return count
