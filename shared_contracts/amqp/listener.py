"""Hearing events as they pass: one queue of this process, gone with its connection."""

import structlog
from aiormq.abc import DeliveredMessage

from shared_contracts.amqp.link import Wire
from shared_contracts.amqp.topology import Topology, listening_patterns, stray
from shared_contracts.bus import OnEvent
from shared_contracts.message import MalformedBody, unpack

log = structlog.get_logger(__name__)

KEPT_BODIES = 10_000
"""A process that listens too slowly misses the oldest beyond these."""


class Listener:
    """Tells callbacks of events; what passes while there is no connection is not heard."""

    def __init__(self, topology: Topology, name: str) -> None:
        self._topology = topology
        self._name = name
        self._callbacks: list[tuple[frozenset[str], OnEvent]] = []

    def add(self, keys: frozenset[str], on_event: OnEvent) -> None:
        """Hear events with these keys."""
        self._callbacks.append((keys, on_event))

    async def open(self, wire: Wire) -> None:
        """Declare and consume the queue on a new connection."""
        if not self._callbacks:
            return
        channel = await wire.channel()
        queue = self._topology.own_queue("listeners", self._name)
        await channel.queue_declare(queue, exclusive=True, auto_delete=True, arguments={"x-max-length": KEPT_BODIES})
        for pattern in listening_patterns(frozenset[str]().union(*(keys for keys, _ in self._callbacks))):
            await channel.queue_bind(queue, self._topology.events, pattern)
        await channel.basic_consume(queue, self._receive, no_ack=True)

    async def _receive(self, message: DeliveredMessage) -> None:
        try:
            envelopes = unpack(message.body)
        except MalformedBody:  # the durable consumers of the same body report it
            return
        if stray(message.routing_key or "", envelopes):  # which they set aside
            return
        for envelope in envelopes:
            for keys, on_event in self._callbacks:
                if envelope.key in keys:
                    try:
                        on_event(envelope)
                    except Exception:
                        log.exception("listener_failed", key=envelope.key)
