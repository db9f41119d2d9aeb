"""Charging: from plugging in to the last transaction message, online or not."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from simulator.call import Message, OutgoingCall
from simulator.charge import Charge
from simulator.connector import Connector, State
from simulator.dialect import Situation
from simulator.frames import Payload
from simulator.ledger import TransactionRecord
from simulator.outcome import Answered, Refused

if TYPE_CHECKING:
    from simulator.core import StationCore

PERIODIC = "Sample.Periodic"
TRIGGERED = "Trigger"


class ChargeRefused(Exception):
    """The central system did not accept the id token; `status` is its verdict or its error code."""

    def __init__(self, id_token: str, status: str) -> None:
        super().__init__(f"id token {id_token!r}: {status}")
        self.id_token = id_token
        self.status = status


class ConnectorUnavailable(Exception):
    """The connector is not there, in use, or out of service."""

    def __init__(self, number: int) -> None:
        super().__init__(f"connector {number} is not available")
        self.number = number


async def begin(
    station: "StationCore",
    *,
    id_token: str,
    connector: int,
    power_w: int,
    lasts: timedelta | None = None,
    authorize: bool = True,
    remote_start_id: int | None = None,
) -> Charge:
    """Plug in, authorize, and start; returns once the start was tried, or at once while offline.

    A station that cannot ask starts anyway (AllowOfflineTxForUnknownId). Raises ChargeRefused or
    ConnectorUnavailable.
    """
    place = free_connector(station, connector)
    station.set_state(place, State.PREPARING)
    if authorize and (verdict := await ask(station, id_token)) != "Accepted":
        station.set_state(place, place.idle_state())
        raise ChargeRefused(id_token, verdict)
    charge = _open(station, place, id_token, power_w, remote_start_id)
    start = _queue_start(station, charge)
    station.set_state(place, State.CHARGING)
    _queue_energized(station, charge)
    charge.task = station.tasks.spawn(_meter(station, charge, lasts))
    await start.tried.wait()
    return charge


def free_connector(station: "StationCore", number: int) -> Connector:
    """Return a connector where a charge may begin, or raise ConnectorUnavailable."""
    connector = station.connectors.get(number)
    if connector is None or not connector.free:
        raise ConnectorUnavailable(number)
    return connector


async def ask(station: "StationCore", id_token: str) -> str:
    """Return the central system's verdict on an id token; Accepted if it cannot be asked."""
    call = station.sender.say(station.dialect.authorize(id_token))
    await call.tried.wait()
    match call.outcome:
        case Answered(payload):
            return station.dialect.token_status(payload) or "Accepted"
        case Refused(code, _):
            return code
    return "Accepted"


def _open(
    station: "StationCore", connector: Connector, id_token: str, power_w: int, remote_start_id: int | None
) -> Charge:
    """Begin to draw energy."""
    record = TransactionRecord(
        station_id=station.station_id,
        version=station.dialect.version,
        connector=connector.number,
        id_token=id_token,
        station_transaction_id=str(UUID(int=station.rng.getrandbits(128), version=4)),
        started_at=station.clock.now(),
        meter_start_wh=connector.register_wh,
    )
    charge = Charge(record, power_w, remote_start_id=remote_start_id, reservation_id=connector.reservation_id)
    connector.reservation_id = None
    connector.charge = charge
    station.ledger.began(record)
    return charge


async def _meter(station: "StationCore", charge: Charge, lasts: timedelta | None) -> None:
    """Take a reading every interval, and end the charge when it lasted long enough."""
    record = charge.record
    ends_at = None if lasts is None else record.started_at + lasts
    read_at = record.started_at
    while True:
        interval = timedelta(seconds=station.settings.meter_interval_s)
        read_at += interval or timedelta(days=1)
        if ends_at is not None and ends_at <= read_at:
            await station.clock.sleep_until(ends_at)
            await end(station, charge, reason="Local", at=ends_at)
            return
        await station.clock.sleep_until(read_at)
        if interval:
            read(station, charge, at=read_at)


def read(station: "StationCore", charge: Charge, *, at: datetime, context: str = PERIODIC) -> OutgoingCall:
    """Take a reading and queue it."""
    sample = charge.sample(at)

    def acknowledged(_: Payload) -> None:
        sample.acknowledged = True

    situation = _situation(station, charge)
    message = station.dialect.sampled(charge, sample, context, situation)
    return _queue(station, charge, f"sample/{situation.seq}", message, acknowledged)


async def end(station: "StationCore", charge: Charge, *, reason: str, at: datetime | None = None) -> None:
    """Stop a charge and unplug; returns once the stop was tried, or at once while offline."""
    if charge.ended:
        return
    connector = station.connectors[charge.record.connector]
    stop = _close(station, charge, reason, at or station.clock.now())
    station.set_state(connector, State.FINISHING)
    if stop is not None:
        await stop.tried.wait()
    if connector.charge is None and connector.state is State.FINISHING:
        station.set_state(connector, connector.idle_state())
    charge.over.set()


def cut_all(station: "StationCore", reason: str) -> None:
    """End all charges without a word about the connectors: the station is going down."""
    for connector in station.connectors.values():
        if connector.charge is not None:
            connector.charge.over.set()
            _close(station, connector.charge, reason, station.clock.now())
        connector.state = connector.idle_state()


def _close(station: "StationCore", charge: Charge, reason: str, at: datetime) -> OutgoingCall | None:
    """Stop drawing energy, and queue the stop."""
    record = charge.record
    charge.end(max(at, record.samples[-1].at if record.samples else record.started_at), reason)
    connector = station.connectors[record.connector]
    connector.register_wh = record.meter_stop_wh or connector.register_wh
    connector.charge = None
    if charge.task is not None and charge.task is not asyncio.current_task():
        charge.task.cancel()
    station.ledger.ended(record)
    stop = _queue_stop(station, charge) if station.quirks.habits.stops else None
    if station.quirks.habits.meters_after_stop:
        read(station, charge, at=charge.stopped_at)
    return stop


def _queue_start(station: "StationCore", charge: Charge) -> OutgoingCall:
    """Queue the message that begins the transaction."""

    def answered(answer: Payload) -> None:
        charge.record.start_acknowledged = True
        station.dialect.learn(charge, answer)
        verdict = station.dialect.token_status(answer) or "Accepted"
        if verdict != "Accepted" and station.settings.stop_on_invalid_id:
            station.tasks.spawn(end(station, charge, reason="DeAuthorized"))

    situation = _situation(station, charge)
    message = station.dialect.started(charge, situation)
    charge.start = _queue(station, charge, f"start/{situation.seq}", message, answered)
    return charge.start


def _queue_energized(station: "StationCore", charge: Charge) -> None:
    """Queue the message that energy flows, in the versions that have one."""
    situation = _situation(station, charge)
    message = station.dialect.energized(charge, station.clock.now(), situation)
    if message is not None:
        _queue(station, charge, f"energized/{situation.seq}", message)


def _queue_stop(station: "StationCore", charge: Charge) -> OutgoingCall:
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


def flush_history(station: "StationCore") -> None:
    """Queue a charge of three days ago that the central system never heard of."""
    connector = station.connectors[1]
    charge = _open(station, connector, "HISTORY", 7_000, None)
    charge.record.started_at -= timedelta(days=3)
    _queue_start(station, charge)
    read(station, charge, at=charge.record.started_at + timedelta(minutes=15))
    _close(station, charge, "Local", charge.record.started_at + timedelta(hours=1))
