"""What the reports of a 2.x station say about one transaction, in whatever order they arrive (OCPP 2.0.1 E01-E15).

Reports come late, twice, with gaps, the last one first. So what is known is kept as values that only ever become
earlier, later or more: `join` is commutative, associative and idempotent, and any order of the same reports, however
often each came, ends in the same facts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVar

from shared_contracts.authorization import TokenJudged, TokenStatus, fold_token
from shared_contracts.stations import MeterReading
from shared_contracts.transactions import TransactionReport

T = TypeVar("T")
Said: TypeAlias = tuple[datetime, int, T]
"""When, in which report (by sequence number), and what."""

_REGISTER = "Energy.Active.Import.Register"
_MOST_STRETCHES = 64
_DEFAULT_REASON = "Local"
"""`stoppedReason` may be left out where it is Local (2.0.1 TransactionType)."""


class TokenUse(NamedTuple):
    """The token that a transaction was begun with. The best is the least: accepted before refused, then the earliest.

    `status` is empty where the token was not judged, `driver_id` and `type` where there is none.
    """

    rank: int
    at: datetime
    sequence_number: int
    folded: str
    value: str
    type: str
    status: str
    driver_id: str


class Register(NamedTuple):
    """A reading of the energy register. What the station marked as begin or end has the extreme `rank`."""

    rank: int
    at: datetime
    energy_wh: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a transaction. `sequence` are the stretches of sequence numbers that arrived.

    `started_last` is another start than `started` where the station used the id of the transaction once more.
    """

    earliest_at: datetime
    received_at: datetime
    last_sequence_number: int
    offline: bool = False
    started: Said[int] | None = None
    started_last: Said[int] | None = None
    ended: Said[str] | None = None
    evse_id: Said[int] | None = None
    connector_id: Said[int] | None = None
    remote_start_id: Said[int] | None = None
    charging_state: Said[str] | None = None
    token: TokenUse | None = None
    opening: Register | None = None
    closing: Register | None = None
    sequence: tuple[tuple[int, int], ...] = ()
    flags: tuple[str, ...] = ()


def facts_of(report: TransactionReport, judged: TokenJudged | None) -> Facts:
    """What one report says; `judged` is the verdict on its token, where it was asked for."""

    def said(value: T | None) -> Said[T] | None:
        return None if value is None else (report.happened_at, report.sequence_number, value)

    started = said(0 if report.kind == "started" else None)
    ended = (report.stopped_reason or _DEFAULT_REASON) if report.kind == "ended" else None
    return Facts(
        earliest_at=report.happened_at,
        received_at=report.received_at,
        last_sequence_number=report.sequence_number,
        offline=report.offline,
        started=started,
        started_last=started,
        ended=said(ended),
        evse_id=said(report.evse_id),
        connector_id=said(report.connector_id),
        remote_start_id=said(report.remote_start_id),
        charging_state=said(report.charging_state),
        token=_token_use(report, judged),
        opening=_opening(report),
        closing=_closing(report),
        sequence=((report.sequence_number, report.sequence_number),),
        flags=tuple(sorted(set(report.flags))),
    )


def join(one: Facts, other: Facts) -> Facts:
    """What both say together."""
    return Facts(
        earliest_at=min(one.earliest_at, other.earliest_at),
        received_at=min(one.received_at, other.received_at),
        last_sequence_number=max(one.last_sequence_number, other.last_sequence_number),
        offline=one.offline or other.offline,
        started=_least(one.started, other.started),
        started_last=_greatest(one.started_last, other.started_last),
        ended=_least(one.ended, other.ended),
        evse_id=_least(one.evse_id, other.evse_id),
        connector_id=_least(one.connector_id, other.connector_id),
        remote_start_id=_least(one.remote_start_id, other.remote_start_id),
        charging_state=_greatest(one.charging_state, other.charging_state),
        token=_least(one.token, other.token),
        opening=_least(one.opening, other.opening),
        closing=_greatest(one.closing, other.closing),
        sequence=_together(one.sequence, other.sequence),
        flags=tuple(sorted({*one.flags, *other.flags})),
    )


def is_complete(facts: Facts) -> bool:
    """Whether all reports between the first and the last arrived. A station that always counts 0 has no gaps."""
    if facts.started is None or facts.ended is None:
        return True
    first, last = facts.started[1], facts.ended[1]
    return first >= last or any(begin <= first and last <= end for begin, end in facts.sequence)


def _token_use(report: TransactionReport, judged: TokenJudged | None) -> TokenUse | None:
    """The token that was to begin the transaction; one presented to stop it is not kept (2.0.1 E07)."""
    if report.id_token is None or report.kind == "ended" or report.trigger_reason == "StopAuthorized":
        return None
    status = judged.status if judged else None
    return TokenUse(
        rank=2 if status is None else int(status is not TokenStatus.ACCEPTED),
        at=report.happened_at,
        sequence_number=report.sequence_number,
        folded=fold_token(report.id_token),
        value=report.id_token,
        type=report.token_type or "",
        status=status or "",
        driver_id=(judged and judged.driver_id) or "",
    )


def _opening(report: TransactionReport) -> Register | None:
    """The reading at the begin: what is marked so, else the first of the start, else the first of all."""
    found = [
        Register(_rank(reading, "Transaction.Begin", preferred=report.kind == "started"), at, energy_wh)
        for reading, at, energy_wh in _registers(report)
    ]
    return min(found, default=None)


def _closing(report: TransactionReport) -> Register | None:
    """The reading at the end: what is marked so, else the last of the end, else the last of all."""
    found = [
        Register(-_rank(reading, "Transaction.End", preferred=report.kind == "ended"), at, energy_wh)
        for reading, at, energy_wh in _registers(report)
    ]
    return max(found, default=None)


def _registers(report: TransactionReport) -> list[tuple[MeterReading, datetime, int]]:
    return [
        (reading, reading.sampled_at, reading.energy_wh) for reading in report.readings if reading.energy_wh is not None
    ]


def _rank(reading: MeterReading, context: str, *, preferred: bool) -> int:
    if any(value.context == context for value in reading.values if value.measurand == _REGISTER):
        return 0
    return 1 if preferred else 2


def _together(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The union of stretches. Of a transaction in shreds only the first stretches are kept, to bound its size."""
    stretches: list[tuple[int, int]] = []
    for begin, end in sorted({*one, *other}):
        if stretches and begin <= stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
        else:
            stretches.append((begin, end))
    return tuple(stretches[:_MOST_STRETCHES])


C = TypeVar("C", bound=tuple[object, ...])


def _least(one: C | None, other: C | None) -> C | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _greatest(one: C | None, other: C | None) -> C | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
