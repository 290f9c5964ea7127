"""From Clockify's report rows to the frame of `clockify_time_entries`.

Pure. Holds the reading of durations, money and dates out of the report's JSON; keeps out every
judgement over an entry, which is the review's. Facts: clockify-api.md, 2.2 to 2.5.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeline.fields import Row, values
from pipeline.schemas import ClockifyTimeEntries
from pipeline.settings import TIME_ZONES
from pipeline.stops import Stop
from pipeline.storage.fitting import validated

REMOVED = "DeletedUser"
"""Whom Clockify's reports name for everybody who was removed: clockify-api.md, 2.1."""
_ROW = "Clockify's report row"
_ISO_DURATION = re.compile(r"PT(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+)(?:\.\d+)?S)?")
_OFFSET = r"[+-]\d\d:?\d\d$"
_LARGEST = 10**16
"""Minor units, or seconds, beyond all sense: it takes hundreds to add up to what BIGINT holds."""
_STEADY = (
    *("userId", "userName", "projectId", "projectName", "clientId", "clientName", "taskName"),
    *("tags", "description", "type", "billable", "rate", "earnedRate", "currency"),
)
"""What rounding leaves as it is."""
_column = partial(values, of=_ROW)
_optional = partial(values, of=_ROW, is_optional=True)


def frame_of(  # noqa: PLR0913 - two reads, one approval, and what dates them
    rows: Sequence[Row],
    raw_rows: Sequence[Row],
    approved_ids: AbstractSet[str] | None,
    *,
    zone: ZoneInfo,
    user_zones: Mapping[str, str | None],
    read_at: datetime,
    first: date,
    last: date,
) -> pd.DataFrame:
    """Return the entries whose work date lies in a range of days.

    Args:
        rows: The report's rows, rounded as settled; they give durations and amounts.
        raw_rows: The same entries read without rounding: they give everything else.
        approved_ids: Ids of the approved entries; None where approval is not required.
        zone: The company's zone, which decides the work date.
        user_zones: User id to the IANA zone of the profile.
        read_at: When the report was read.
        first: First work date.
        last: Last work date, included.

    Raises:
        Stop: a row lacks a column, holds another type or is not of the table's form; or Clockify
            has another date for it.
    """
    ids = _column(rows, "_id", str)
    by_id = dict(zip(_column(raw_rows, "_id", str), raw_rows, strict=True))
    raw = [by_id[entry_id] for entry_id in ids]
    start = _instants(raw, "start")
    work_date = work_dates(start, zone)
    _refuse_other_clock(raw, work_date, zone)
    approvals = [None if approved_ids is None else entry_id in approved_ids for entry_id in ids]
    columns = {
        "entry_id": ids,
        **_people_columns(raw),
        **_work_columns(raw),
        **_rate_columns(raw),
        "work_date": work_date,
        "person_work_date": _person_dates(raw, start, user_zones),
        "start_at": start,
        "end_at": _ends(raw),
        "duration_seconds": _seconds(rows),
        "raw_seconds": _seconds(raw),
        "amount_minor": _amounts(rows),
        "is_approved": pd.array(approvals, dtype="boolean"),
    }
    frame = pd.DataFrame(columns).assign(first_seen_at=read_at, read_at=read_at)
    inside = work_date.between(pd.Timestamp(first), pd.Timestamp(last))
    return validated(ClockifyTimeEntries, frame[inside].reset_index(drop=True))


def work_dates(start: pd.Series, zone: ZoneInfo) -> pd.Series:
    """The calendar date of each start in a zone."""
    days: pd.Series = start.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return days


def _refuse_other_clock(rows: Sequence[Row], work_date: pd.Series, zone: ZoneInfo) -> None:
    """Stop where Clockify's clock of the company's zone has another date than this machine's.

    A report's times are on the clock of the zone that was asked for (clockify-api.md, 2.2), so it
    shows whether both know the same rules. Those of western Canada changed in 2026, and a machine
    that was not told dates the hour about midnight wrongly. Only an offset tells.
    """
    texts = pd.Series(_column(rows, "timeInterval.start", str), dtype=object)
    told = texts.str.contains(_OFFSET)
    theirs = pd.to_datetime(texts.str[:10], format="%Y-%m-%d", errors="coerce")
    for place in texts.index[told & theirs.notna() & (theirs != work_date)][:1]:
        raise Stop(
            f"The entry {rows[place]['_id']} starts at {texts[place]} on Clockify's clock of "
            f"{zone.key}, and on {work_date[place]:%Y-%m-%d} on this machine's",
            "update the machine's time zones (on Debian `apt-get install tzdata`), or start the "
            "pipeline with an empty PYTHONTZPATH, which takes those of its package tzdata; if they "
            "are up to date, Clockify's are not: have it start at another hour until they are",
        )


def differing(rows: Sequence[Row], other_rows: Sequence[Row]) -> set[str]:
    """Ids of the entries that only one of two reads has, or that changed between them.

    Compared is what rounding leaves as it is, and the end, which it may move (clockify-api.md,
    2.5).
    """
    one, other = ({row["_id"]: _steady(row) for row in each} for each in (rows, other_rows))
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _steady(row: Row) -> list[object]:
    interval = row.get("timeInterval") or {}
    return [interval.get("start"), interval.get("end"), *map(row.get, _STEADY)]


def _people_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    # A name may be null, as that of a project that is gone; a key that is missing is another API.
    for kind in ("project", "client"):
        owners = [row for row in rows if row.get(f"{kind}Id")]
        _column(owners, f"{kind}Name", str, is_nullable=True)
    return {
        "user_id": _column(rows, "userId", str),
        "user_name": _column(rows, "userName", str, is_nullable=True),
        "user_email": _optional(rows, "userEmail", str),
        # Clockify spells "none" as null and as an empty text.
        "project_id": [each or None for each in _column(rows, "projectId", str, is_nullable=True)],
        "project_name": _optional(rows, "projectName", str),
        "client_id": [each or None for each in _optional(rows, "clientId", str)],
        "client_name": [each or None for each in _optional(rows, "clientName", str)],
    }


def _work_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    tags = values(rows, "tags", list, of=_ROW, default=[])
    return {
        "task_name": _optional(rows, "taskName", str),
        "tag_names": [values(each, "name", str, of="Clockify's tag") for each in tags],
        "description": [text or "" for text in _column(rows, "description", str, is_nullable=True)],
        "entry_type": _optional(rows, "type", str),
        "is_billable": _column(rows, "billable", bool),
        "is_locked": _either(rows, "isLocked", "locked", bool),
    }


def _rate_columns(rows: Sequence[Row]) -> dict[str, object]:
    rates = _either(rows, "rate", "earnedRate", int, Decimal)
    return {
        "reported_rate": [None if rate is None else str(rate) for rate in rates],
        "hourly_rate_minor": _whole(rates),
        "currency": _optional(rows, "currency", str),
    }


def _amounts(rows: Sequence[Row]) -> ExtensionArray:
    return _whole(
        None if amount is None else Decimal(amount).to_integral_value(ROUND_HALF_UP)
        for amount in _either(rows, "amount", "earnedAmount", int, Decimal)
    )


def _either(rows: Sequence[Row], key: str, older: str, *kinds: type) -> list[Any]:
    """The values of a key, or else of the one that an older report has."""
    columns = (_optional(rows, each, *kinds) for each in (key, older))
    return [second if first is None else first for first, second in zip(*columns, strict=True)]


def _whole(numbers: Iterable[int | Decimal | None]) -> ExtensionArray:
    """Whole numbers of which a BIGINT holds the sums; others are none. Never through a float."""
    fitting = [
        int(number)
        if number is not None and -_LARGEST <= number <= _LARGEST and number % 1 == 0
        else None
        for number in numbers
    ]
    return pd.array(fitting, dtype="Int64")


def _instants(rows: Sequence[Row], key: str, *, is_optional: bool = False) -> pd.Series:
    found = _column(rows, f"timeInterval.{key}", str, is_optional=is_optional)
    texts = pd.Series(found, dtype=object)
    read = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    for place in read.index[read.isna() & texts.notna()][:1]:
        raise Stop(
            f"Clockify's report has `{texts[place]}` as the `timeInterval.{key}` of the entry "
            f"{rows[place]['_id']}, which is not a time",
            "Correct the entry in Clockify",
        )
    return read.dt.as_unit("us")


def _ends(rows: Sequence[Row]) -> pd.Series:
    """When each ended; only what has no time yet, and so may be running, may leave it out."""
    timed = [row for row in rows if (row["timeInterval"] or {}).get("duration")]
    _column(timed, "timeInterval.end", str, is_nullable=True)
    return _instants(rows, "end", is_optional=True)


def _seconds(rows: Sequence[Row]) -> ExtensionArray:
    # What runs may leave it out, as it may its end.
    finished = [row for row in rows if (row["timeInterval"] or {}).get("end")]
    _column(finished, "timeInterval.duration", int, Decimal, str, is_nullable=True)
    found = _optional(rows, "timeInterval.duration", int, Decimal, str)
    return _whole(
        each if each is None or type(each) is int else _parsed_seconds(each, row["_id"])
        for each, row in zip(found, rows, strict=True)
    )


def _parsed_seconds(duration: Decimal | str, entry_id: str) -> int:
    """Seconds of a duration that is no plain integer: ISO 8601 as the core API writes it."""
    if isinstance(duration, Decimal) and duration == int(duration):
        return int(duration)
    parts = _ISO_DURATION.fullmatch(str(duration))
    if parts is None:
        raise Stop(
            f"Clockify's report has `{duration}` as the `timeInterval.duration` of the entry "
            f"{entry_id}",
            "Correct the entry in Clockify",
        )
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def _person_dates(
    rows: Sequence[Row], start: pd.Series, user_zones: Mapping[str, str | None]
) -> pd.Series:
    """Dates of the starts on the person's own clock: as reported, or by the best zone known."""
    zoned = _optional(rows, "timeInterval.zonedStart", str)
    texts = pd.Series([text and text[:10] for text in zoned], dtype=object)
    dates = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
    named = _optional(rows, "timeInterval.timeZone", str)
    best = [zone or user_zones.get(row["userId"]) for zone, row in zip(named, rows, strict=True)]
    zones = pd.Series(best, dtype=object)
    for zone in set(zones[dates.isna()].dropna()) & TIME_ZONES:
        at = dates.isna() & (zones == zone)
        dates[at] = start[at].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return dates
