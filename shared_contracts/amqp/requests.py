"""The asking side: requests and commands out, replies back to two queues of this process."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
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


@dataclass(slots=True)
class Desk:
    """Asks on one exchange, and hears replies in one queue: whoever answers commands cannot answer a request."""

    exchange: str
    refusal: type[BusError]
    reply_to: str = ""
    pending: dict[str, asyncio.Future[bytes]] = field(default_factory=dict)


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
        at_edge: bool = False,
    ) -> None:
        self._out = out
        self._replies = replies
        self._name = name
        self._topology = topology
        self._limits = limits
        self._counters = counters
        self._modules = Desk(topology.edge if at_edge else topology.requests, NoHandler)
        self._stations = Desk(topology.stations, StationOffline)
        self._to_modules = Couriers(partial(self._carry, self._modules), limits)
        self._to_stations = Couriers(partial(self._carry, self._stations), limits)

    async def open(self, wire: Wire) -> None:
        """Declare this connection's own reply queues. Replies to earlier ones are lost, and time out."""
        channel = await wire.channel()
        for desk, purpose in ((self._modules, "replies"), (self._stations, "answers")):
            name = self._topology.own_queue(purpose, self._name)
            await channel.queue_declare(name, exclusive=True, auto_delete=True)
            await channel.basic_consume(name, partial(self._receive, desk), no_ack=True)
            desk.reply_to = name
        await channel.queue_bind(self._stations.reply_to, self._topology.answers, self._stations.reply_to)

    async def stop(self) -> None:
        """Fail whoever still waits."""
        for future in (*self._modules.pending.values(), *self._stations.pending.values()):
            _fail(future, BusUnavailable("the bus was stopped"))
        await self._to_modules.stop(0)
        await self._to_stations.stop(0)

    async def request(self, envelope: Envelope, timeout: float) -> bytes:
        """Ask whoever serves the key."""
        return await self._ask(self._modules, self._to_modules, envelope.key, envelope, timeout)

    async def command(self, envelope: Envelope, timeout: float) -> bytes:
        """Ask the pod that holds the station."""
        return await self._ask(self._stations, self._to_stations, envelope.station_id or "", envelope, timeout)

    async def echo(self, timeout: float) -> None:
        """Send a reply to ourselves and wait for it: both connections and the broker between them work."""
        question = new_id()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        desk = self._stations
        desk.pending[question] = future
        answer = Envelope(new_id(), REPLY, None, datetime.now(UTC), b"{}", cause=question)
        properties = Basic.Properties(expiration=str(max(1, int(timeout * 1000))), delivery_mode=1)
        try:
            async with asyncio.timeout(timeout):
                await self._out.publish(
                    pack([answer]), self._topology.answers, desk.reply_to, properties, mandatory=True
                )
                await future
        except TimeoutError as error:
            raise RequestTimedOut(f"an echo took longer than {timeout:g} s") from error
        finally:
            desk.pending.pop(question, None)

    async def _ask(self, desk: Desk, couriers: Couriers, address: str, envelope: Envelope, timeout: float) -> bytes:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        desk.pending[envelope.id] = future
        try:
            async with asyncio.timeout(timeout):
                couriers.put(address, Letter(envelope, loop.time() + timeout))
                return await future
        except TimeoutError as error:
            raise RequestTimedOut(f"{envelope.key} took longer than {timeout:g} s") from error
        finally:
            desk.pending.pop(envelope.id, None)

    async def _carry(self, desk: Desk, address: str, letters: list[Letter]) -> None:
        """Publish until it has left this process; then only the replies, or the callers' patience, count.

        What nobody waits for any more when it could leave, after both connections were away, is not sent.
        """
        while True:
            await self._replies.up()
            await self._out.free()
            letters = [letter for letter in letters if letter.envelope.id in desk.pending]
            if not letters:
                return None
            try:
                return await self._publish(desk, address, letters)
            except Unroutable:
                if self._replies.settled:
                    return _refuse(desk, letters, desk.refusal(address))
                await asyncio.sleep(RESEND_PAUSE_S)
            except NotSent:
                await asyncio.sleep(RESEND_PAUSE_S)
            except BusUnavailable:
                return None

    async def _publish(self, desk: Desk, address: str, letters: list[Letter]) -> None:
        left = max(letter.wanted_until for letter in letters) - asyncio.get_running_loop().time()
        properties = Basic.Properties(reply_to=desk.reply_to, expiration=str(max(1, int(left * 1000))), delivery_mode=1)
        body = pack([letter.envelope for letter in letters])
        await self._out.publish(body, desk.exchange, address, properties, mandatory=True)

    async def _receive(self, desk: Desk, message: DeliveredMessage) -> None:
        try:
            replies = unpack(message.body)
        except MalformedBody:
            self._counters.poisoned += 1
            return
        for reply in replies:
            future = desk.pending.get(reply.cause or "")
            if future is None or future.done():
                self._counters.late_replies += 1
            else:
                _settle(future, reply)


def _refuse(desk: Desk, letters: list[Letter], error: BusError) -> None:
    for letter in letters:
        if letter.envelope.id in desk.pending:
            _fail(desk.pending[letter.envelope.id], error)


def _settle(future: asyncio.Future[bytes], reply: Envelope) -> None:
    if reply.key == REPLY:
        future.set_result(reply.payload)
    elif reply.key == ELSEWHERE:
        offline = StationOffline(reply.station_id)
        asyncio.get_running_loop().call_later(ELSEWHERE_S, _fail, future, offline)
    else:
        _fail(future, _refusal(reply))


def _refusal(reply: Envelope) -> RequestFailed:
    try:
        refusal = orjson.loads(reply.payload)
        return RequestFailed(str(refusal["code"]), str(refusal["detail"]))
    except (ValueError, KeyError, TypeError):
        return RequestFailed("invalid_reply", "the refusal cannot be read")


def _fail(future: asyncio.Future[bytes], error: BusError) -> None:
    if not future.done():
        future.set_exception(error)
