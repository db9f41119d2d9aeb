"""What of the events goes to whom as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing

from modules.diagnostics.feed import Feed, FeedEvent
from modules.kernel.http import ServerEvent
from shared_contracts.charge_points import CommandCompleted, StationBooted, StationRegistered, StationRemoved
from shared_contracts.configuration import FirmwareUpdateProgressed
from shared_contracts.stations import (
    FirmwareStatusReported,
    LogStatusReported,
    MetersSampled,
    StationConnected,
    StationDisconnected,
    StatusReported,
)
from shared_contracts.transactions import (
    TransactionEnded,
    TransactionReported,
    TransactionStarted,
    TransactionUpdated,
)

NAMES: Mapping[str, str] = {
    StationConnected.key: "connected",
    StationDisconnected.key: "disconnected",
    StatusReported.key: "status",
    TransactionStarted.key: "transaction_started",
    TransactionUpdated.key: "transaction_updated",
    TransactionEnded.key: "transaction_ended",
    MetersSampled.key: "meters",
    TransactionReported.key: "meters",
    CommandCompleted.key: "command_completed",
    StationRegistered.key: "registered",
    StationBooted.key: "booted",
    StationRemoved.key: "removed",
    FirmwareStatusReported.key: "firmware",
    FirmwareUpdateProgressed.key: "firmware",
    LogStatusReported.key: "log",
}
"""Routing key → the name of the event in the stream."""

_TRANSACTION_KEYS = frozenset({TransactionStarted.key, TransactionUpdated.key, TransactionEnded.key})
_LONGEST_S = 15 * 60.0


class DriverView:
    """A driver sees their own transactions and the meters of these, and nothing else."""

    def __init__(self, driver_id: str, charging: Iterable[tuple[str, str]]) -> None:
        self._driver_id = driver_id
        self._own = set(charging)

    def sees(self, event: FeedEvent) -> bool:
        """Whether an event is theirs; a transaction that is makes its meters so."""
        if event.key in _TRANSACTION_KEYS:
            if event.payload.get("driver_id") != self._driver_id:
                return False
            self._own.add((event.station_id or "", event.payload.get("transaction_ref", "")))
            return True
        return NAMES[event.key] == "meters" and self._is_own_meter(event)

    def _is_own_meter(self, event: FeedEvent) -> bool:
        return (event.station_id or "", event.payload.get("transaction_ref")) in self._own


class Selection:
    """Which events one client gets: of a station, of some names, and only what a driver may see."""

    def __init__(
        self, *, station_id: str | None = None, names: frozenset[str] | None = None, driver: DriverView | None = None
    ) -> None:
        self._station_id = station_id
        self._names = names
        self._driver = driver

    def name_of(self, event: FeedEvent) -> str | None:
        """The name under which the client gets the event; None where it does not."""
        name = NAMES.get(event.key)
        if name is None or (self._station_id is not None and event.station_id != self._station_id):
            return None
        if event.key == TransactionReported.key and not event.has_readings:
            return None
        seen = self._driver is None or self._driver.sees(event)  # before the names: a driver's view learns from all
        return name if seen and (self._names is None or name in self._names) else None


async def follow(feed: Feed, selection: Selection, *, after: int | None) -> AsyncGenerator[ServerEvent, None]:
    """What is stored from now on, or after a position.

    It ends after a quarter of an hour, so that nobody whose rights were taken away goes on reading, and for a client
    that is too slow. A client comes back by itself, with the id of the last event that it had.
    """
    until = asyncio.get_running_loop().time() + _LONGEST_S
    async with aclosing(_events(feed, after, until)) as found:
        async for event in found:
            name = selection.name_of(event)
            if name is not None:
                yield ServerEvent(data=event.text, id=str(event.position), event=name)


async def _events(feed: Feed, after: int | None, until: float) -> AsyncGenerator[FeedEvent, None]:
    with feed.listen() as listener:
        since = await listener.begun()
        if since is None:
            return
        last = since if after is None else after
        async with aclosing(feed.missed(last, since)) as missed:
            async for event in missed:
                yield event
        while (following := await listener.next(until)) is not None:
            if following.position > last:
                yield following
