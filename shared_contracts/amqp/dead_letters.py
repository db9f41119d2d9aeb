"""Brings what was delivered too often back to the queue that gave it up, marked, so that it is set aside unread.

Unread, because reading it may be what its consumer died of. The shard's other events do not wait for it: it goes to
the end of the queue.
"""

import asyncio
import contextlib
import re

import structlog
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic
from pamqp.common import FieldTable

from shared_contracts.amqp.link import Wire, acknowledge
from shared_contracts.amqp.post import Post
from shared_contracts.amqp.topology import Topology, message_id_of, route_to
from shared_contracts.bus import BusUnavailable, Counters, Unroutable

log = structlog.get_logger(__name__)

MARK = "strum-dead-letter"
"""A header: why the broker gave the body up."""

_AT_ONCE = 10
_AGAIN_S = 60.0


class DeadLetters:
    """Takes the dead letters of all consumers; whichever process takes one, its own consumer sets it aside.

    What cannot be brought back, because no such queue is there, goes to the end of the dead letters after a while.
    """

    def __init__(self, post: Post, topology: Topology, counters: Counters) -> None:
        self._post = post
        self._topology = topology
        self._counters = counters

    async def open(self, wire: Wire) -> None:
        """Consume the queue of dead letters on a new connection."""
        channel = await wire.channel()
        await channel.basic_qos(prefetch_count=_AT_ONCE)
        await channel.basic_consume(self._topology.dead, self._receive)

    async def _receive(self, message: DeliveredMessage) -> None:
        headers = message.header.properties.headers or {}
        queue, reason = _text(headers.get("x-first-death-queue")), _text(headers.get("x-first-death-reason"))
        log.error("dead_letter", queue=queue, reason=reason, size=len(message.body))
        place = re.fullmatch(rf"{re.escape(self._topology.prefix)}\.(.+)\.s(\d+)", queue)
        try:
            if place is None:
                raise Unroutable(f"no consumer has {queue}")
            marked = self._properties(message, {MARK: f"the broker gave it up: {reason} of {queue}"})
            await self._publish(message, self._topology.events, route_to(place[1], int(place[2])), marked)
            self._counters.dead_letters += 1
        except BusUnavailable as error:
            log.warning("dead_letter_waits", queue=queue, error=str(error))
            await asyncio.sleep(_AGAIN_S)  # and not for ever unacknowledged: the broker would end the channel
            with contextlib.suppress(BusUnavailable):
                await self._publish(message, self._topology.dead, "", self._properties(message, headers))

    async def _publish(self, message: DeliveredMessage, exchange: str, key: str, properties: Basic.Properties) -> None:
        await self._post.publish(message.body, exchange, key, properties, mandatory=True)
        await acknowledge(message.channel, message.delivery_tag)

    @staticmethod
    def _properties(message: DeliveredMessage, headers: FieldTable) -> Basic.Properties:
        identity = message_id_of(message)
        return Basic.Properties(message_id=identity, delivery_mode=2, headers=headers)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
