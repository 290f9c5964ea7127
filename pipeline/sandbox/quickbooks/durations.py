"""How long a TimeActivity lasted: hours and minutes, or a start and an end.

Pure. Keeps out: everything else about an activity.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.quickbooks.books import Books, Record
from pipeline.sandbox.quickbooks.faults import FaultError

MAX_HOURS = 8760
LAST_MINUTE = 59


def duration(sent: Record, day: date, books: Books) -> Record:
    """Return the properties that say how long it lasted, as they are stored.

    Args:
        sent: The writable properties of the request.
        day: The posting date, onto which start and end are moved.
        books: The company, for its time zone.

    Raises:
        FaultError: 6340 to 6390.
    """
    by_length, by_clock = {"Hours", "Minutes"} & sent.keys(), {"StartTime", "EndTime"} & sent.keys()
    if by_length and by_clock:
        raise FaultError("6390", "Specify either hours and minutes or start and end time, not both")
    if by_clock:
        return _clock(sent, day, ZoneInfo(books.world.time_zone))
    if not by_length:
        raise FaultError("6350", "Specify hours and minutes, or start and end time")
    return _length(sent)


def _length(sent: Record) -> Record:
    hours, minutes = _whole(sent, "Hours"), _whole(sent, "Minutes")
    is_in_range = 0 <= hours <= MAX_HOURS and 0 <= minutes <= LAST_MINUTE
    if not is_in_range or (hours == MAX_HOURS and minutes):
        raise FaultError("6380", f"The duration {hours}:{minutes} is not within the valid range")
    if hours == 0 and minutes == 0:
        raise FaultError("6340", "You must specify a time (hours:minutes)")
    return {"Hours": hours, "Minutes": minutes}


def _whole(sent: Record, name: str) -> int:
    value = sent.get(name, 0)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise FaultError("6340", "You must specify a time (hours:minutes)", name)
    return value


def _clock(sent: Record, day: date, zone: ZoneInfo) -> Record:
    """Keep the clock times, moved into the company's zone, and throw the sent dates away."""
    start, end = _time_of_day(sent, "StartTime", zone), _time_of_day(sent, "EndTime", zone)
    begins, ends = datetime.combine(day, start, zone), datetime.combine(day, end, zone)
    if begins >= ends:
        raise FaultError("6370", "The start time must be earlier than the end time", "StartTime")
    breaks: Iterable[str] = ("BreakHours", "BreakMinutes")
    rest = {name: _whole(sent, name) for name in breaks if name in sent}
    pause = timedelta(hours=rest.get("BreakHours", 0), minutes=rest.get("BreakMinutes", 0))
    if pause > ends - begins:
        raise FaultError("6360", "The break is longer than the time elapsed", "BreakHours")
    return {"StartTime": begins.isoformat(), "EndTime": ends.isoformat(), **rest}


def _time_of_day(sent: Record, name: str, zone: ZoneInfo) -> time:
    value: Any = sent.get(name)
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise FaultError("6360", f"Invalid start or end time: {name} {value}", name) from None
    return (instant.astimezone(zone) if instant.tzinfo else instant).time()
