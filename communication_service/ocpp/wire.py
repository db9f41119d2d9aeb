"""Primitives between the wire and the contracts: times, whole numbers and decimals, read leniently, written strictly.

What cannot be taken as it came is replaced by what is safe to store, and a flag is added that keeps the raw text.
"""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from communication_service.ocpp import times
from communication_service.ocpp.route import Context, NotExpressible

_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)  # older than OCPP 1.6: a clock that was never set
_AHEAD = timedelta(days=1)
_RAW_CHARACTERS = 64
_LARGEST_LIMIT = Decimal(10) ** 9
_TENTH = Decimal("0.1")


def moment(text: str | None, context: Context, flags: list[str]) -> datetime:
    """The time a station gave, in UTC; the time of receipt where it gave none, or none that can be true."""
    if not text:
        flags.append("time_absent")
        return context.received_at
    at, oddities = times.parse(text, context.zone)
    if oddities:
        flags.extend(f"time_{oddity}:{text[:_RAW_CHARACTERS]}" for oddity in oddities)
    if at is None:
        return context.received_at
    if _EARLIEST <= at <= context.received_at + _AHEAD:
        return at
    flags.append(f"time_not_credible:{text[:_RAW_CHARACTERS]}")
    return context.received_at


def whole(value: float, name: str, flags: list[str], *, bits: int = 32) -> int:
    """A whole number that fits a signed integer of so many bits; one that does not is cut to the nearest that does."""
    number = int(value)
    if number < 0:
        flags.append(f"{name}_negative")
    limit = 1 << (bits - 1)
    if -limit <= number < limit:
        return number
    flags.append(f"{name}_out_of_range:{str(number)[:_RAW_CHARACTERS]}")
    return limit - 1 if number > 0 else -limit


def maybe_whole(value: float | None, name: str, flags: list[str], *, bits: int = 32) -> int | None:
    """The same for a field that may be absent."""
    return None if value is None else whole(value, name, flags, bits=bits)


def stamp(at: datetime | None) -> str | None:
    """A time as OCPP writes it; None stays None."""
    return None if at is None else times.to_wire(at)


def tenths(limit: Decimal | None) -> int | float | None:
    """A limit as a JSON number with at most one decimal, half to even (OCPP 1.6 §7.14: "at most one digit fraction").

    Raises NotExpressible beyond a thousand million, which no installation has.
    """
    if limit is None:
        return None
    if limit > _LARGEST_LIMIT:
        raise NotExpressible(f"a charging limit of {limit} is out of range")
    rounded = limit.quantize(_TENTH, ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def present(**fields: Any) -> dict[str, Any]:
    """The fields that are there: OCPP knows no null."""
    return {name: value for name, value in fields.items() if value is not None}
