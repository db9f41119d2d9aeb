"""From events to statuses: what each event says about the latest state of a station's items."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from modules.diagnostics.domain import Status
from shared_contracts.message import Envelope
from shared_contracts.stations import (
    POD_SILENT,
    FirmwareStatusReported,
    LogStatusReported,
    MeterReading,
    MetersSampled,
    StationConnected,
    StationDisconnected,
    StationsSeen,
    StatusReported,
)
from shared_contracts.transactions import TransactionReported, TransactionStarted

_K = TypeVar("_K")
_V = TypeVar("_V")

_SEQUENCE_BITS = 20
_LARGEST = 2**63 - 1
_TRANSACTIONS = 50_000
_STATIONS = 200_000
_HIGHEST_ID = 10_000
"""Of an EVSE or a connector, as where stations' connectors are listed: beyond it a number is no number of a thing."""

SEEN_EVERY_S = 60
"""A station that is heard again within a minute is not worth a write."""


class Projection:
    """Turns envelopes, in the order of each station, into statuses.

    Stations' own clocks may be wrong, so the newer of two statuses is the one that was received later: the version
    is the time at which the edge sealed the event, and then the order of arrival. For the connection it is the epoch,
    and whether that has really ended: it may be lost with its pod and heard again any number of times before.
    """

    def __init__(self) -> None:
        self._arrived = 0
        self._evse_of: dict[tuple[str, str], int] = {}
        self._seen_at: dict[str, datetime] = {}

    def statuses(self, envelope: Envelope) -> list[Status]:
        """What an event says; raises pydantic.ValidationError on a payload that does not fit its contract."""
        self._arrived += 1
        return list(_PROJECTIONS[envelope.key](self, envelope))

    def _connected(self, envelope: Envelope) -> Iterable[Status]:
        event = envelope.read(StationConnected)
        body = event.model_dump(mode="json", exclude={"station_id"})
        at = event.heard_again_at or event.connected_at
        yield Status(event.station_id, "station", "connected", at, min(event.epoch * 2, _LARGEST), body)

    def _disconnected(self, envelope: Envelope) -> Iterable[Status]:
        event = envelope.read(StationDisconnected)
        body = event.model_dump(mode="json", exclude={"station_id"})
        has_ended = event.reason != POD_SILENT
        version = min(event.epoch * 2 + has_ended, _LARGEST)
        yield Status(event.station_id, "station", "disconnected", event.disconnected_at, version, body)

    def _reported(self, envelope: Envelope) -> Iterable[Status]:
        event = envelope.read(StatusReported)
        if not _are_sane(event.evse_id or 0, event.connector_id):
            return
        body = event.model_dump(mode="json", exclude={"station_id"})
        yield self._status(envelope, connector_item(event.evse_id, event.connector_id), event.status, body)

    def _sampled(self, envelope: Envelope) -> Iterable[Status]:
        event = envelope.read(MetersSampled)
        number = event.evse_id if event.evse_id is not None else event.connector_id or 0
        return self._meter(envelope, number, event.transaction_ref, event.readings)

    def _transaction_started(self, envelope: Envelope) -> Iterable[Status]:
        """The start of a transaction with an id token is reported to the transactions module, which tells of it."""
        event = envelope.read(TransactionStarted)
        self._remember_evse((event.station_id, event.transaction_ref), event.evse_id)
        return ()

    def _transaction_reported(self, envelope: Envelope) -> Iterable[Status]:
        """The EVSE is sent once in a transaction only (OCPP 2.0.1 E02): it is remembered until the end."""
        event = envelope.read(TransactionReported)
        transaction = (event.station_id, event.transaction_ref)
        self._remember_evse(transaction, event.evse_id)
        number = self._evse_of.get(transaction)
        if event.kind == "ended":
            self._evse_of.pop(transaction, None)
        return () if number is None else self._meter(envelope, number, event.transaction_ref, event.readings)

    def _remember_evse(self, transaction: tuple[str, str], evse_id: int | None) -> None:
        if evse_id is not None:
            self._evse_of[transaction] = evse_id
            _forget_oldest(self._evse_of, _TRANSACTIONS)

    def _meter(
        self, envelope: Envelope, number: int, transaction_ref: str | None, readings: Iterable[MeterReading]
    ) -> Iterable[Status]:
        body = latest_values(readings)
        if body and _are_sane(number):
            yield self._status(envelope, f"meter:{number}", None, {"transaction_ref": transaction_ref, **body})

    def _firmware(self, envelope: Envelope) -> Iterable[Status]:
        event = envelope.read(FirmwareStatusReported)
        body = event.model_dump(mode="json", exclude={"station_id"})
        yield self._status(envelope, "firmware", event.status, body)

    def _log(self, envelope: Envelope) -> Iterable[Status]:
        event = envelope.read(LogStatusReported)
        yield self._status(envelope, "log", event.status, event.model_dump(mode="json", exclude={"station_id"}))

    def _seen(self, envelope: Envelope) -> Iterable[Status]:
        for station_id, at in envelope.read(StationsSeen).last_seen_at.items():
            earlier = self._seen_at.get(station_id)
            if earlier is None or (at - earlier).total_seconds() >= SEEN_EVERY_S:
                self._seen_at[station_id] = at
                _forget_oldest(self._seen_at, _STATIONS)
                version = int(at.timestamp() * 1000) << _SEQUENCE_BITS
                yield Status(station_id, "last_seen", None, at, version, {"last_seen_at": at.isoformat()})

    def _status(self, envelope: Envelope, item: str, state: str | None, body: Mapping[str, object]) -> Status:
        assert envelope.station_id is not None
        received_ms = sealed_at_ms(envelope)
        version = received_ms << _SEQUENCE_BITS | self._arrived & ((1 << _SEQUENCE_BITS) - 1)
        received_at = datetime.fromtimestamp(received_ms / 1000, UTC)
        return Status(envelope.station_id, item, state, received_at, version, body)


_PROJECTIONS: Mapping[str, Callable[[Projection, Envelope], Iterable[Status]]] = {
    StationConnected.key: Projection._connected,  # noqa: SLF001 -- the table of this very class
    StationDisconnected.key: Projection._disconnected,  # noqa: SLF001 -- the table of this very class
    StatusReported.key: Projection._reported,  # noqa: SLF001 -- the table of this very class
    MetersSampled.key: Projection._sampled,  # noqa: SLF001 -- the table of this very class
    TransactionStarted.key: Projection._transaction_started,  # noqa: SLF001 -- the table of this very class
    TransactionReported.key: Projection._transaction_reported,  # noqa: SLF001 -- the table of this very class
    FirmwareStatusReported.key: Projection._firmware,  # noqa: SLF001 -- the table of this very class
    LogStatusReported.key: Projection._log,  # noqa: SLF001 -- the table of this very class
    StationsSeen.key: Projection._seen,  # noqa: SLF001 -- the table of this very class
}
PROJECTED = frozenset(_PROJECTIONS)
"""The keys of the events that say something about a status."""


def connector_item(evse_id: int | None, connector_id: int) -> str:
    """The item of a connector. In 1.6 connector n is what 2.x calls connector 1 of EVSE n; 0 is the station."""
    if evse_id is None:
        return f"connector:{connector_id}:{min(connector_id, 1)}"
    return f"connector:{evse_id}:{connector_id}"


def _are_sane(*numbers: int) -> bool:
    return all(0 <= number <= _HIGHEST_ID for number in numbers)


def _forget_oldest(known: dict[_K, _V], most: int) -> None:
    """What was first put in goes first."""
    if len(known) > most:
        del known[next(iter(known))]


def latest_values(readings: Iterable[MeterReading]) -> dict[str, Any]:
    """The newest energy (Wh), power (W) and charge level (%) of some readings, and when they were taken."""
    values: dict[str, Any] = {}
    for reading in sorted(readings, key=lambda reading: reading.sampled_at):
        known = reading.model_dump(include={"energy_wh", "power_w", "state_of_charge_percent"}, exclude_none=True)
        if known:
            values |= known | {"sampled_at": reading.sampled_at.isoformat()}
    return values


def sealed_at_ms(envelope: Envelope) -> int:
    """When an envelope was made, milliseconds since 1970: its id begins with it."""
    try:
        return int(envelope.id[:12], 16)
    except ValueError:
        return int(envelope.occurred_at.timestamp() * 1000)
