"""The answering side of requests and commands: run the handler, send the reply to the queue that asked."""

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import UTC, datetime

import orjson
import structlog
from pamqp.commands import Basic

from shared_contracts.amqp.couriers import Couriers, Letter
from shared_contracts.amqp.post import Post
from shared_contracts.amqp.topology import Topology
from shared_contracts.bus import BusUnavailable, Limits, OnRequest, RequestFailed, StationOffline
from shared_contracts.message import Envelope, new_id, pack

log = structlog.get_logger(__name__)

REPLY = "reply"
REFUSAL = "error"
ELSEWHERE = "elsewhere"
"""The station is not here (any more): another pod's reply counts, if there is one."""

KEPT_FOR_S = 60.0
"""A reply that could not be sent for this long is dropped: its asker has given up."""


class Replies:
    """Runs handlers in tasks of their own, and gathers the replies per asking process."""

    def __init__(self, out: Post, topology: Topology, limits: Limits) -> None:
        self._out = out
        self._answers = topology.answers
        self._patience_s = limits.publish_timeout_s
        self._couriers = Couriers(self._carry, limits)
        self._running: set[asyncio.Task[None]] = set()

    def answer(self, handler: OnRequest, request: Envelope, to: str, places: asyncio.Semaphore | None = None) -> None:
        """Begin to answer a request. A place that was taken for it is given back when its handler returns."""
        task = asyncio.create_task(self._answer(handler, request, to, places))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def send(self, to: str, request: Envelope, kind: str, payload: bytes) -> None:
        """Send a reply without running anything."""
        now = datetime.now(UTC)
        reply = Envelope(new_id(), kind, request.station_id, now, payload, request.id, request.trace)
        self._couriers.put(to, Letter(reply, asyncio.get_running_loop().time() + KEPT_FOR_S))

    async def stop(self) -> None:
        """Let the handlers finish and their replies leave, but not for ever."""
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=self._patience_s)
        for task in self._running:
            task.cancel()
        await self._couriers.stop(self._patience_s)

    async def _answer(self, handler: OnRequest, request: Envelope, to: str, places: asyncio.Semaphore | None) -> None:
        try:
            kind, payload = await _outcome(handler(request), request)
        finally:
            if places is not None:
                places.release()
        if not isinstance(payload, bytes):
            kind, payload = await _outcome(payload, request)
        assert isinstance(payload, bytes)
        self.send(to, request, kind, payload)

    async def _carry(self, address: str, letters: list[Letter]) -> None:
        properties = Basic.Properties(delivery_mode=1)
        body = pack([letter.envelope for letter in letters])
        exchange = self._answers if address.startswith(f"{self._answers}.") else ""
        with contextlib.suppress(BusUnavailable):  # the asker's timeout covers a lost reply
            await self._out.publish(body, exchange, address, properties, mandatory=False)


async def _outcome(
    reply: Awaitable[bytes | Awaitable[bytes]], request: Envelope
) -> tuple[str, bytes | Awaitable[bytes]]:
    try:
        return REPLY, await reply
    except StationOffline:
        return ELSEWHERE, b"{}"
    except RequestFailed as error:
        return REFUSAL, orjson.dumps({"code": error.code, "detail": error.detail})
    except Exception as error:
        log.exception("request_failed", key=request.key, id=request.id)
        return REFUSAL, orjson.dumps({"code": "internal", "detail": type(error).__name__})
