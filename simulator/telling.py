"""What a station tells of its charges: each fact is queued under a key of its own."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.call import Message, OutgoingCall
from simulator.charge import Charge
from simulator.connector import Connector
from simulator.dialect import Situation
from simulator.frames import Payload
from simulator.outcome import Answered

if TYPE_CHECKING:
    from simulator.core import StationCore

PERIODIC = "Sample.Periodic"
TRIGGERED = "Trigger"


def sample(station: "StationCore", charge: Charge, *, at: datetime, context: str = PERIODIC) -> OutgoingCall:
    """Take a reading and queue it."""
    taken = charge.sample(at)

    def acknowledged(_: Payload) -> None:
        taken.acknowledged = True

    situation = _situation(station, charge)
    message = station.dialect.sampled(charge, taken, context, situation)
    return _queue(station, charge, f"sample/{situation.seq}", message, acknowledged)


def start(station: "StationCore", charge: Charge, *, on_refused: Callable[[], None]) -> OutgoingCall:
    """Queue the message that begins the transaction; `on_refused` is called if the token is not accepted."""

    def answered(answer: Payload) -> None:
        charge.record.start_acknowledged = True
        station.dialect.learn(charge, answer)
        if (station.dialect.token_status(answer) or "Accepted") != "Accepted":
            on_refused()

    situation = _situation(station, charge)
    message = station.dialect.started(charge, situation)
    charge.start = _queue(station, charge, f"start/{situation.seq}", message, answered)
    return charge.start


def energized(station: "StationCore", charge: Charge) -> None:
    """Queue the message that energy flows, in the versions that have one."""
    situation = _situation(station, charge)
    message = station.dialect.energized(charge, station.clock.now(), situation)
    if message is not None:
        _queue(station, charge, f"energized/{situation.seq}", message)


def stop(station: "StationCore", charge: Charge) -> OutgoingCall:
    """Queue the message that ends the transaction."""

    def answered(_: Payload) -> None:
        charge.record.stop_acknowledged = True

    situation = _situation(station, charge)
    message = station.dialect.stopped(charge, situation)
    return _queue(station, charge, f"stop/{situation.seq}", message, answered)


def _situation(station: "StationCore", charge: Charge) -> Situation:
    """Return what the next message of a charge tells beside it, and count the message."""
    return Situation(
        seq=next(charge.numbers),
        offline=not station.ready,
        measurands=tuple(station.settings.measurands.split(",")),
    )


def _queue(
    station: "StationCore",
    charge: Charge,
    fact: str,
    message: Message,
    on_answer: Callable[[Payload], None] | None = None,
) -> OutgoingCall:
    """Queue a fact of a charge under a key of its own: station / transaction / kind / number."""
    key = f"{station.station_id}/{charge.record.station_transaction_id}/{fact}"
    call = OutgoingCall(message, key, on_answer, transaction=charge.record)
    station.sender.queue_up(call)
    return call


def read_loose(station: "StationCore", connector: Connector) -> None:
    """Send a reading outside any transaction, as a trigger asks for."""
    measurands = tuple(station.settings.measurands.split(","))
    message = station.dialect.loose_meter(connector, station.clock.now(), measurands)
    station.sender.say(message, forced=True)


def resend_starts(station: "StationCore") -> None:
    """Queue the answered starts of running charges again, as if they had never been answered."""
    for connector in station.connectors.values():
        start = connector.charge.start if connector.charge is not None else None
        if start is not None and isinstance(start.outcome, Answered):
            again = OutgoingCall(start.message, start.key, start.on_answer, transaction=start.transaction)
            station.sender.queue_up(again)
