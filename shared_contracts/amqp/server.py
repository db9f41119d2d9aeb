"""Serving requests: processes that serve the same consumer compete for its queue."""

import asyncio
from collections.abc import Mapping

import structlog
from aiormq.abc import DeliveredMessage

from shared_contracts.amqp.link import Wire, acknowledge
from shared_contracts.amqp.replies import Replies
from shared_contracts.amqp.topology import Topology
from shared_contracts.bus import Counters, Limits, OnRequest, RequestFailed
from shared_contracts.message import Envelope, MalformedBody, unpack

log = structlog.get_logger(__name__)


class Server:
    """Answers one consumer's requests, a bounded number at a time.

    A body is acknowledged when its last request has begun: what was begun is not carried out again should this
    process die, what was not begun goes to another.
    """

    def __init__(
        self,
        consumer: str,
        handlers: Mapping[str, OnRequest],
        *,
        replies: Replies,
        topology: Topology,
        limits: Limits,
        counters: Counters,
    ) -> None:
        self._consumer = consumer
        self._handlers = dict(handlers)
        self._replies = replies
        self._topology = topology
        self._limits = limits
        self._counters = counters
        self._places = asyncio.Semaphore(limits.concurrent_requests)
        self._stopping = False

    async def open(self, wire: Wire) -> None:
        """Declare the queue and consume it on a new connection."""
        channel = await wire.channel()
        queue = await self._topology.declare_request_queue(channel, self._consumer, self._handlers)
        await channel.basic_qos(prefetch_count=self._limits.prefetch_bodies)
        await channel.basic_consume(queue, self._receive)

    def stop(self) -> None:
        """Begin nothing more; what is not acknowledged goes to another process."""
        self._stopping = True

    async def _receive(self, message: DeliveredMessage) -> None:
        arrived_at = asyncio.get_running_loop().time()
        properties = message.header.properties
        patience_s = int(properties.expiration or 60_000) / 1000
        for request in self._read(message):
            await self._places.acquire()
            late = asyncio.get_running_loop().time() > arrived_at + patience_s
            handler = self._handlers.get(request.key) if request.key == message.routing_key else None
            if self._stopping or late:
                self._places.release()
            else:
                self._replies.answer(handler or _refuse, request, properties.reply_to or "", self._places)
        if not self._stopping:
            await acknowledge(message.channel, message.delivery_tag)

    def _read(self, message: DeliveredMessage) -> list[Envelope]:
        try:
            return unpack(message.body)
        except MalformedBody as error:
            self._counters.poisoned += 1
            log.warning("request_malformed", consumer=self._consumer, reason=str(error))
            return []


async def _refuse(request: Envelope) -> bytes:
    """A newer release bound this key to the queue, and its processes compete with ours for a moment; or a lie.

    The broker judges by the routing key who may ask what, so the request must be what that says.
    """
    raise RequestFailed("unknown_request", request.key)
