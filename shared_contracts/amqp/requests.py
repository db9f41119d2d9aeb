"""The asking side: requests and commands out, replies back to one queue of this process."""

import asyncio
from functools import partial

import orjson
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from shared_contracts.amqp.couriers import Couriers, Letter
from shared_contracts.amqp.link import Link, Wire
from shared_contracts.amqp.post import NotSent, Post
from shared_contracts.amqp.replies import ELSEWHERE, REPLY
from shared_contracts.amqp.topology import Topology
from shared_contracts.bus import (
    BusError,
    BusUnavailable,
    Counters,
    Limits,
    NoHandler,
    RequestFailed,
    RequestTimedOut,
    StationOffline,
    Unroutable,
)
from shared_contracts.message import Envelope, MalformedBody, new_id, pack, unpack

ELSEWHERE_S = 0.25
"""While a station moves between pods, both may hear a command: so long the reply of the right one is awaited."""

RESEND_PAUSE_S = 0.1


class Requests:
    """Sends requests and commands, and matches replies with them by the request's id."""

    def __init__(
        self,
        out: Post,
        replies: Link,
        *,
        topology: Topology,
        name: str,
        limits: Limits,
        counters: Counters,
    ) -> None:
        self._out = out
        self._replies = replies
        self._name = name
        self._prefix = topology.prefix
        self._limits = limits
        self._counters = counters
        self._reply_to = ""
        self._pending: dict[str, asyncio.Future[bytes]] = {}
        self._to_modules = Couriers(partial(self._carry, topology.requests, NoHandler), limits)
        self._to_stations = Couriers(partial(self._carry, topology.stations, StationOffline), limits)

    async def open(self, wire: Wire) -> None:
        """Declare this connection's own reply queue. Replies to an earlier one are lost, and time out."""
        channel = await wire.channel()
        name = f"{self._prefix}.replies.{self._name}.{new_id()}"
        await channel.queue_declare(name, exclusive=True, auto_delete=True)
        await channel.basic_consume(name, self._receive, no_ack=True)
        self._reply_to = name

    async def stop(self) -> None:
        """Fail whoever still waits."""
        for future in self._pending.values():
            _fail(future, BusUnavailable("the bus was stopped"))
        await self._to_modules.stop(0)
        await self._to_stations.stop(0)

    async def request(self, envelope: Envelope, timeout: float) -> bytes:
        """Ask whoever serves the key."""
        return await self._ask(self._to_modules, envelope.key, envelope, timeout)

    async def command(self, envelope: Envelope, timeout: float) -> bytes:
        """Ask the pod that holds the station."""
        return await self._ask(self._to_stations, envelope.station_id or "", envelope, timeout)

    async def _ask(self, couriers: Couriers, address: str, envelope: Envelope, timeout: float) -> bytes:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        self._pending[envelope.id] = future
        try:
            async with asyncio.timeout(timeout):
                couriers.put(address, Letter(envelope, loop.time() + timeout))
                return await future
        except TimeoutError as error:
            raise RequestTimedOut(f"{envelope.key} took longer than {timeout:g} s") from error
        finally:
            self._pending.pop(envelope.id, None)

    async def _carry(self, exchange: str, refusal: type[BusError], address: str, letters: list[Letter]) -> None:
        """Publish until it has left this process; then only the replies, or the callers' patience, count."""
        while letters := [letter for letter in letters if letter.envelope.id in self._pending]:
            try:
                await self._replies.up()
                return await self._publish(exchange, address, letters)
            except Unroutable:
                if self._replies.settled:
                    return self._refuse(letters, refusal(address))
                await asyncio.sleep(RESEND_PAUSE_S)
            except NotSent:
                await asyncio.sleep(RESEND_PAUSE_S)
            except BusUnavailable:
                return None
        return None

    async def _publish(self, exchange: str, address: str, letters: list[Letter]) -> None:
        left = max(letter.wanted_until for letter in letters) - asyncio.get_running_loop().time()
        properties = Basic.Properties(
            reply_to=self._reply_to, expiration=str(max(1, int(left * 1000))), delivery_mode=1
        )
        body = pack([letter.envelope for letter in letters])
        await self._out.publish(body, exchange, address, properties, mandatory=True)

    def _refuse(self, letters: list[Letter], error: BusError) -> None:
        for letter in letters:
            if letter.envelope.id in self._pending:
                _fail(self._pending[letter.envelope.id], error)

    async def _receive(self, message: DeliveredMessage) -> None:
        try:
            replies = unpack(message.body)
        except MalformedBody:
            self._counters.poisoned += 1
            return
        for reply in replies:
            future = self._pending.get(reply.cause or "")
            if future is None or future.done():
                self._counters.late_replies += 1
            else:
                _settle(future, reply)


def _settle(future: asyncio.Future[bytes], reply: Envelope) -> None:
    if reply.key == REPLY:
        future.set_result(reply.payload)
    elif reply.key == ELSEWHERE:
        offline = StationOffline(reply.station_id)
        asyncio.get_running_loop().call_later(ELSEWHERE_S, _fail, future, offline)
    else:
        refusal = orjson.loads(reply.payload)
        _fail(future, RequestFailed(refusal["code"], refusal["detail"]))


def _fail(future: asyncio.Future[bytes], error: BusError) -> None:
    if not future.done():
        future.set_exception(error)
