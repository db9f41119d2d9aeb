"""The broker as station directory: a binding per connected station leads its commands to this pod's queue."""

import asyncio

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage

from shared_contracts.amqp.link import Wire, translated
from shared_contracts.amqp.replies import ELSEWHERE, Replies
from shared_contracts.amqp.topology import Topology
from shared_contracts.bus import OnRequest
from shared_contracts.message import MalformedBody, unpack

log = structlog.get_logger(__name__)

UNBIND_AT_ONCE = 50
"""Unbinding needs an answer each; after so many, those that wait to be bound are served again."""


class Stations:
    """The stations this process holds, kept equal to the bindings of its queue."""

    def __init__(self, replies: Replies, topology: Topology, name: str) -> None:
        self._replies = replies
        self._exchange = topology.stations
        self._topology = topology
        self._name = name
        self._handlers: dict[str, OnRequest] = {}
        self._bound: set[str] = set()
        self._touched: set[str] = set()
        self._channel: AbstractChannel | None = None
        self._queue = ""
        self._changed = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._worker: asyncio.Task[None] | None = None

    async def open(self, wire: Wire) -> None:
        """Declare this connection's queue, and bind all stations that are attached."""
        channel = await wire.channel()
        queue = self._topology.own_queue("pods", self._name)
        await channel.queue_declare(queue, exclusive=True, auto_delete=True)
        await channel.basic_consume(queue, self._receive, no_ack=True)
        self._channel, self._queue, self._bound = channel, queue, set()
        await self._bind(list(self._handlers))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="stations")

    async def attach(self, station_id: str, handler: OnRequest) -> None:
        """Returns when commands reach the handler; without a broker at once, to be bound when it is back."""
        self._handlers[station_id] = handler
        if station_id not in self._bound and self._is_open:
            bound: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(bound)
            self._touch(station_id)
            await bound

    def detach(self, station_id: str, handler: OnRequest) -> None:
        """Forget the station; its binding is taken away soon after, and is not missed until then."""
        if self._handlers.get(station_id) == handler:
            del self._handlers[station_id]
            self._touch(station_id)

    async def stop(self) -> None:
        """Bind nothing more; the queue goes with the connection, and all bindings with it."""
        if self._worker is not None:
            self._worker.cancel()
        self._release(self._waiting)

    @property
    def _is_open(self) -> bool:
        return self._channel is not None and not self._channel.is_closed

    def _touch(self, *stations: str) -> None:
        """Have the worker look whether these are bound as they should be."""
        if stations:
            self._touched.update(stations)
            self._changed.set()

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            waiting, self._waiting = self._waiting, []
            touched, self._touched = self._touched, set()
            try:
                await self._bind([item for item in touched if item in self._handlers])
                self._release(waiting)
                await self._unbind([item for item in touched if item not in self._handlers])
            except Exception as error:  # the connection was lost: `open` binds all on the next
                log.info("binding_interrupted", error=repr(error))
            finally:
                self._release(waiting)

    async def _bind(self, stations: list[str]) -> None:
        """Bind in one round trip however many they are: only the last awaits its answer."""
        channel, queue, bound = self._channel, self._queue, self._bound
        missing = [station for station in stations if station not in bound]
        if channel is None or not missing:
            return
        for station in missing[:-1]:
            await translated(channel.queue_bind(queue, self._exchange, station, nowait=True))
        await translated(channel.queue_bind(queue, self._exchange, missing[-1]))
        bound.update(missing)
        self._touch(*(station for station in missing if station not in self._handlers))

    async def _unbind(self, stations: list[str]) -> None:
        channel, queue, bound = self._channel, self._queue, self._bound
        gone = [station for station in stations if station in bound]
        if channel is None:
            return
        for station in gone[:UNBIND_AT_ONCE]:
            bound.discard(station)
            await translated(channel.queue_unbind(queue, self._exchange, station))
        came_back = [station for station in gone[:UNBIND_AT_ONCE] if station in self._handlers]
        self._touch(*gone[UNBIND_AT_ONCE:], *came_back)

    async def _receive(self, message: DeliveredMessage) -> None:
        to = message.header.properties.reply_to or ""
        try:
            commands = unpack(message.body)
        except MalformedBody as error:
            log.warning("command_malformed", reason=str(error))
            return
        for command in commands:
            handler = self._handlers.get(command.station_id or "")
            if handler is None:
                self._replies.send(to, command, ELSEWHERE, b"{}")
            else:
                self._replies.answer(handler, command, to)

    @staticmethod
    def _release(waiting: list[asyncio.Future[None]]) -> None:
        for future in waiting:
            if not future.done():
                future.set_result(None)
