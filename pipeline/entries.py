"""From Clockify's report rows to the frame of `clockify_time_entries`.

Pure. Holds the reading of durations, money and dates out of the report's JSON; keeps out every
judgement over an entry, which is the review's. Facts: clockify-api.md, 2.2 to 2.5.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
from pandas.api.extensions import ExtensionArray

from pipeline.fields import values
from pipeline.schemas import ClockifyTimeEntries
from pipeline.stops import Stop

Row = dict[str, Any]
_ROW = "Clockify's report row"
_ISO_DURATION = re.compile(r"PT(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+)(?:\.\d+)?S)?")
_LARGEST = 2**63 - 1


def frame_of(  # noqa: PLR0913 - two reads, one approval, and what dates them
    rows: Sequence[Row],
    raw_rows: Sequence[Row] | None,
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
        rows: The report's rows, rounded as settled; they give durations and money.
        raw_rows: The same entries read without rounding: they give start, end and tracked
            seconds. None where `rows` are unrounded.
        approved_ids: Ids of the approved entries; None where approval is not required.
        zone: The company's zone, which decides the work date.
        user_zones: User id to the IANA zone of the profile.
        read_at: When the report was read.
        first: First work date.
        last: Last work date, included.

    Raises:
        Stop: a row lacks a column or holds another type; the two reads differ in their entries.
    """
    raw = rows if raw_rows is None or raw_rows is rows else _aligned(rows, raw_rows)
    start = _instants(raw, "start")
    work_date = start.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    columns = {
        **_people_columns(rows),
        **_work_columns(rows),
        **_money_columns(rows),
        "work_date": work_date,
        "person_work_date": _person_dates(raw, start, user_zones),
        "start_at": start,
        "end_at": _instants(raw, "end", is_nullable=True),
        "duration_seconds": _seconds(rows),
        "raw_seconds": _seconds(raw),
    }
    frame = pd.DataFrame(columns).assign(first_seen_at=read_at, read_at=read_at)
    frame["is_approved"] = pd.array(_approvals(frame["entry_id"], approved_ids), dtype="boolean")
    inside = work_date.between(pd.Timestamp(first), pd.Timestamp(last))
    return ClockifyTimeEntries.validate(frame[inside].reset_index(drop=True))


def _approvals(ids: Iterable[str], approved: AbstractSet[str] | None) -> list[bool | None]:
    return [None if approved is None else entry_id in approved for entry_id in ids]


def _people_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    in_project = [row for row in rows if row.get("projectId")]
    values(in_project, "projectName", str, of=_ROW)
    values([row for row in rows if row.get("clientId")], "clientName", str, of=_ROW)
    return {
        "entry_id": values(rows, "_id", str, of=_ROW),
        "user_id": values(rows, "userId", str, of=_ROW),
        "user_name": values(rows, "userName", str, of=_ROW, is_nullable=True),
        "user_email": _texts(rows, "userEmail"),
        "project_id": _ids(rows, "projectId", is_nullable=True),
        "project_name": _texts(rows, "projectName"),
        "client_id": _ids(rows, "clientId", is_optional=True),
        "client_name": [name or None for name in _texts(rows, "clientName")],
    }


def _work_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    tags = values(rows, "tags", list, of=_ROW, is_optional=True)
    locks = zip(*(_flags(rows, key) for key in ("isLocked", "locked")), strict=True)
    return {
        "task_name": _texts(rows, "taskName"),
        "tag_names": [values(each or [], "name", str, of="Clockify's tag") for each in tags],
        "description": [
            text or "" for text in values(rows, "description", str, of=_ROW, is_nullable=True)
        ],
        "entry_type": _texts(rows, "type"),
        "is_billable": values(rows, "billable", bool, of=_ROW),
        "is_locked": [new if old is None else old for new, old in locks],
    }


def _money_columns(rows: Sequence[Row]) -> dict[str, object]:
    rates = _numbers(rows, "rate", "earnedRate")
    amounts = _numbers(rows, "amount", "earnedAmount")
    return {
        "reported_rate": [None if rate is None else str(rate) for rate in rates],
        "hourly_rate_minor": _whole(rates),
        "amount_minor": _whole(
            None if each is None else Decimal(each).to_integral_value(ROUND_HALF_UP)
            for each in amounts
        ),
        "currency": _texts(rows, "currency"),
    }


def _numbers(rows: Sequence[Row], key: str, older: str) -> list[int | Decimal | None]:
    columns = (values(rows, each, int, Decimal, of=_ROW, is_optional=True) for each in (key, older))
    return [second if first is None else first for first, second in zip(*columns, strict=True)]


def _whole(numbers: Iterable[int | Decimal | None]) -> ExtensionArray:
    """Whole numbers that a BIGINT holds; others are none. Never through a float."""
    fitting = [
        int(number)
        if number is not None and -_LARGEST <= number <= _LARGEST and number % 1 == 0
        else None
        for number in numbers
    ]
    return pd.array(fitting, dtype="Int64")


def _texts(rows: Sequence[Row], key: str) -> list[str | None]:
    return values(rows, key, str, of=_ROW, is_optional=True)


def _flags(rows: Sequence[Row], key: str) -> list[bool | None]:
    return values(rows, key, bool, of=_ROW, is_optional=True)


def _ids(rows: Sequence[Row], key: str, **rules: bool) -> list[str | None]:
    """Ids, where an empty text is none: Clockify spells "no client" both ways."""
    return [found or None for found in values(rows, key, str, of=_ROW, **rules)]


def _instants(rows: Sequence[Row], key: str, *, is_nullable: bool = False) -> pd.Series:
    found = values(rows, f"timeInterval.{key}", str, of=_ROW, is_nullable=is_nullable)
    try:
        read = pd.to_datetime(pd.Series(found, dtype=object), utc=True, format="ISO8601")
    except ValueError as error:
        raise Stop(
            f"Clockify's report has a `timeInterval.{key}` that is no time: {error}",
            "Correct the entry in Clockify",
        ) from error
    return read.dt.as_unit("us")


def _seconds(rows: Sequence[Row]) -> ExtensionArray:
    kinds = (int, Decimal, str)
    found = values(rows, "timeInterval.duration", *kinds, of=_ROW, is_nullable=True)
    return _whole(each if type(each) is int else _parsed_seconds(each) for each in found)


def _parsed_seconds(duration: Decimal | str | None) -> int | None:
    """Seconds of a duration that is no plain integer: ISO 8601 as the core API writes it."""
    if duration is None:
        return None
    if isinstance(duration, Decimal) and duration == int(duration):
        return int(duration)
    parts = _ISO_DURATION.fullmatch(str(duration))
    if parts is None:
        raise Stop(
            f"Clockify's report has `{duration}` as a `timeInterval.duration`",
            "Correct the entry in Clockify",
        )
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def _person_dates(
    rows: Sequence[Row], start: pd.Series, user_zones: Mapping[str, str | None]
) -> pd.Series:
    """Dates of the starts on the person's own clock: as reported, or by the best zone known."""
    zoned = values(rows, "timeInterval.zonedStart", str, of=_ROW, is_optional=True)
    dates = pd.to_datetime(
        pd.Series([text and text[:10] for text in zoned], dtype=object), format="%Y-%m-%d"
    )
    named = values(rows, "timeInterval.timeZone", str, of=_ROW, is_optional=True)
    zones = pd.Series(
        [zone or user_zones.get(row["userId"]) for zone, row in zip(named, rows, strict=True)],
        dtype=object,
    )
    for zone in set(zones[dates.isna()].dropna()) & available_timezones():
        at = dates.isna() & (zones == zone)
        dates[at] = start[at].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return dates


def _aligned(rows: Sequence[Row], raw_rows: Sequence[Row]) -> list[Row]:
    """The unrounded rows in the order of the rounded ones."""
    by_id = dict(zip(values(raw_rows, "_id", str, of=_ROW), raw_rows, strict=True))
    ids = values(rows, "_id", str, of=_ROW)
    if len(by_id) != len(ids) or (odd := by_id.keys() ^ set(ids)):
        some = ", ".join(sorted(odd)[:3]) if len(by_id) == len(ids) else "their number"
        raise Stop(
            f"incomplete read of Clockify: the reads with and without rounding differ ({some})",
            "Entries changed meanwhile: run again",
            is_transient=True,
        )
    return [by_id[id_] for id_ in ids]
