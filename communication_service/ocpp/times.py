"""Times as stations write them: read leniently, flagged, and always aware UTC.

RFC 3339 is what OCPP asks for; stations in the field leave out the zone, shorten the offset, count leap
seconds, or have no clock at all. Who uses a reading keeps the text it was read from.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import NamedTuple

EARLIEST_YEAR, LATEST_YEAR = 1970, 2199
"""Years beyond these are broken clocks or attacks: some databases and clients cannot even hold them."""

_USUAL_LENGTHS = frozenset({20, 24})  # 2026-01-01T00:00:00Z, and with milliseconds
_LENIENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,30}))?(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_STANDARD = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LONG_YEAR = re.compile(r"[+-]?\d{5,}-\d\d-\d\dT", re.ASCII)


class TimeFlag(StrEnum):
    """What is odd about a time."""

    NO_ZONE = "no_zone"
    NOT_STANDARD = "not_standard"
    OUT_OF_RANGE = "out_of_range"
    UNPARSEABLE = "unparseable"


class Reading(NamedTuple):
    """A time that was read: an aware UTC time, or None and the reason among the flags."""

    at: datetime | None
    flags: tuple[TimeFlag, ...] = ()


def parse(text: str | None, zone: tzinfo = UTC) -> Reading:
    """Read a date-time; one without an offset is local to `zone`, the station's."""
    if text is None:
        return Reading(None, (TimeFlag.UNPARSEABLE,))
    if len(text) in _USUAL_LENGTHS and text[7] == "-" and text[10] == "T" and text[-1] == "Z":
        try:
            return _in_range(datetime.fromisoformat(text), ())
        except ValueError:
            pass  # the lenient way may still know it: 24:00:00Z, 23:59:60Z
    return _parse_leniently(text, zone)


def to_wire(at: datetime) -> str:
    """An aware time as OCPP writes it, with milliseconds: `2026-01-01T00:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse_leniently(text: str, zone: tzinfo) -> Reading:
    text = text.strip()
    match = _LENIENT.fullmatch(text)
    if match is None:
        flag = TimeFlag.OUT_OF_RANGE if _LONG_YEAR.match(text) else TimeFlag.UNPARSEABLE
        return Reading(None, (flag,))
    flags: tuple[TimeFlag, ...] = ()
    if match["zone"] is None:
        flags = (TimeFlag.NO_ZONE,)
    elif not _STANDARD.fullmatch(text):
        flags = (TimeFlag.NOT_STANDARD,)
    try:
        return _in_range(_clock_time(match).replace(tzinfo=_offset(match["zone"], zone)), flags)
    except OverflowError:
        return Reading(None, (*flags, TimeFlag.OUT_OF_RANGE))
    except ValueError:
        return Reading(None, (*flags, TimeFlag.UNPARSEABLE))


def _in_range(at: datetime, flags: tuple[TimeFlag, ...]) -> Reading:
    if EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        return Reading(at.astimezone(UTC), flags)
    return Reading(None, (*flags, TimeFlag.OUT_OF_RANGE))


def _clock_time(match: re.Match[str]) -> datetime:
    """The time of day as written. 24:00:00 is the next midnight, and a leap second the next minute."""
    hour, second, over = match["hour"], match["second"], timedelta()
    if (hour, match["minute"], second) == ("24", "00", "00"):
        hour, over = "00", timedelta(days=1)
    elif second == "60":
        second, over = "59", timedelta(seconds=1)
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{match['date']}T{hour}:{match['minute']}:{second}.{fraction}") + over


def _offset(written: str | None, default: tzinfo) -> tzinfo:
    if written is None:
        return default
    if written in {"Z", "z"}:
        return UTC
    hours, minutes = int(written[1:3]), int(written[3:].lstrip(":") or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if written[0] == "-" else offset)
