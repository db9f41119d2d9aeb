"""Charging: from plugging in to the last transaction message, online or not."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from simulator import telling
from simulator.call import OutgoingCall
from simulator.charge import Charge
from simulator.connector import Connector, State
from simulator.ledger import TransactionRecord
from simulator.outcome import Answered, Refused

if TYPE_CHECKING:
    from simulator.core import StationCore


class ChargeRefused(Exception):
    """The central system did not accept the id token; `status` is its verdict or its error code."""

    def __init__(self, id_token: str, status: str) -> None:
        super().__init__(f"id token {id_token!r}: {status}")
        self.id_token = id_token
        self.status = status


class ConnectorUnavailable(Exception):
    """The connector is not there, in use, out of service, or without power."""

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
    if not station.powered:
        raise ConnectorUnavailable(connector)
    charge = _open(station, place, id_token, power_w, remote_start_id)
    start = _tell_start(station, charge)
    station.set_state(place, State.CHARGING)
    telling.energized(station, charge)
    charge.task = station.tasks.spawn(_meter(station, charge, lasts))
    await start.tried.wait()
    return charge


def free_connector(station: "StationCore", number: int) -> Connector:
    """Return a connector where a charge may begin, or raise ConnectorUnavailable."""
    connector = station.connectors.get(number)
    if connector is None or not connector.free or not station.powered:
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


def _tell_start(station: "StationCore", charge: Charge) -> OutgoingCall:
    """Tell of the start; a token refused in the answer stops the charge (StopTransactionOnInvalidId)."""

    def refused() -> None:
        if station.settings.stop_on_invalid_id:
            station.tasks.spawn(end(station, charge, reason="DeAuthorized"))

    return telling.start(station, charge, on_refused=refused)


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
            telling.sample(station, charge, at=read_at)


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
    stop = telling.stop(station, charge) if station.quirks.habits.stops else None
    if station.quirks.habits.meters_after_stop:
        telling.sample(station, charge, at=charge.stopped_at)
    return stop


def flush_history(station: "StationCore") -> None:
    """Queue a charge of three days ago that the central system never heard of."""
    connector = station.connectors[1]
    charge = _open(station, connector, "HISTORY", 7_000, None)
    charge.record.started_at -= timedelta(days=3)
    _tell_start(station, charge)
    telling.sample(station, charge, at=charge.record.started_at + timedelta(minutes=15))
    _close(station, charge, "Local", charge.record.started_at + timedelta(hours=1))
