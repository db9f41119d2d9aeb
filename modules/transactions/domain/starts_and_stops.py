"""The start and the stop of a transaction as OCPP 1.6 reports them (§4.8, §4.10)."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

from modules.transactions.domain.transaction import (
    CLOCK_JUMP,
    MATCHED_BY_STATION,
    METER_DECREASED,
    POWER_IMPLAUSIBLE,
    REGISTER_ROLLOVER,
    SUSPECT,
    Transaction,
    duration_s,
    energy_between,
    state_after,
    with_flags,
)
from shared_contracts.authorization import TokenJudged, fold_token
from shared_contracts.transactions import CloseTransaction, OpenTransaction

LATE = timedelta(minutes=2)
"""1.6 does not say what was queued while offline: what is received so much after it happened was."""

_UNNAMED = (0, -1)
_OF_A_STOP = {MATCHED_BY_STATION, SUSPECT, METER_DECREASED, REGISTER_ROLLOVER, POWER_IMPLAUSIBLE, CLOCK_JUMP}
REPLACED = ("time_absent", "time_unparseable", "time_out_of_range", "time_not_credible")
"""How the flags begin that tell that the time of receipt stands in for the station's."""


def start_digest(message: OpenTransaction) -> str:
    """The same for a retry, whatever its message id, and other for another start: a digest of the content."""
    return _digest(
        message.station_id,
        message.connector_id,
        fold_token(message.id_token),
        _said_at(message.started_at, message.flags),
        message.meter_start_wh,
    )


def stop_digest(message: CloseTransaction) -> str:
    """The same for a retry of the stop."""
    return _digest(
        message.station_id,
        message.number,
        message.id_token and fold_token(message.id_token),
        _said_at(message.stopped_at, message.flags),
        message.meter_stop_wh,
        message.reason,
    )


def opened(message: OpenTransaction, judged: TokenJudged, *, transaction_id: str, number: int) -> Transaction:
    """The transaction that a start begins. A refused token does not prevent it: the station decides (§4.8)."""
    return Transaction(
        id=transaction_id,
        station_id=message.station_id,
        ref=str(number),
        number=number,
        connector_id=message.connector_id,
        id_token=message.id_token,
        driver_id=judged.driver_id,
        authorization=judged.status,
        meter_start_wh=message.meter_start_wh,
        started_at=message.started_at,
        received_at=message.received_at,
        offline=message.received_at - message.started_at > LATE,
        flags=with_flags(message.flags),
    )


def closed(
    transaction: Transaction, message: CloseTransaction, *more_flags: str, rollover_wh: int | None = None
) -> Transaction:
    """The transaction after its stop; `rollover_wh` as of `energy_between`."""
    lasted_s = duration_s(transaction.started_at, message.stopped_at)
    start_wh = transaction.meter_start_wh or 0
    energy_wh, odd = energy_between(start_wh, message.meter_stop_wh, lasted_s, rollover_wh=rollover_wh)
    if message.stopped_at < transaction.started_at:
        odd = (*odd, CLOCK_JUMP)
    return replace(
        transaction,
        meter_stop_wh=message.meter_stop_wh,
        energy_wh=energy_wh,
        ended_at=message.stopped_at,
        reason=message.reason,
        state=state_after(message.reason),
        offline=transaction.offline or message.received_at - message.stopped_at > LATE,
        flags=with_flags(transaction.flags, *message.flags, *odd, *more_flags),
        stop_digest=stop_digest(message),
        stop_received_at=message.received_at,
        ended_revision=transaction.ended_revision + 1,
    )


def may_be_stopped_unnamed(transaction: Transaction, message: CloseTransaction) -> bool:
    """Whether a stop without a usable number can be that of this transaction, the only one open at its station.

    A station that never got its number, because it was offline at the start, says 0 or -1. Another token than it began
    with may be of the same group, but is more likely that of a transaction whose start never came.
    """
    return (
        message.number in _UNNAMED
        and (message.id_token is None or _is_its_token(transaction, message.id_token))
        and message.meter_stop_wh >= (transaction.meter_start_wh or 0)
        and message.stopped_at >= transaction.started_at
    )


def unmatched(transaction: Transaction) -> tuple[Transaction, CloseTransaction]:
    """A transaction that was stopped unnamed, without the flags of that, and the stop: its own came by number later.

    Of that stop the id token and the flags are not known any more.
    """
    assert transaction.meter_stop_wh is not None
    assert transaction.ended_at is not None
    assert transaction.stop_received_at is not None
    stop = CloseTransaction(
        station_id=transaction.station_id,
        number=_UNNAMED[-1],
        meter_stop_wh=transaction.meter_stop_wh,
        stopped_at=transaction.ended_at,
        received_at=transaction.stop_received_at,
        reason=transaction.reason or "",
    )
    flags = tuple(flag for flag in transaction.flags if flag not in _OF_A_STOP)
    return replace(transaction, flags=flags), stop


def _is_its_token(transaction: Transaction, id_token: str) -> bool:
    return transaction.id_token is None or fold_token(transaction.id_token) == fold_token(id_token)


def _said_at(at: datetime, flags: tuple[str, ...]) -> str:
    """The time as the station said it: where the time of receipt stands in for it, a flag holds its text."""
    replaced = [flag for flag in flags if flag.startswith(REPLACED)]
    return "|".join(replaced) or at.isoformat()


def _digest(*content: str | int | None) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
