"""The steps between a delivery or a request and its acknowledgement at which the management service can be ended.

Only what one module does counts, by default that of the transactions.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from management_service import requests
from management_service.consumers import Consumer
from management_service.outbox import Relay
from modules.kernel.work import Work
from tests.faults.crashes_at_edge import EVENTS
from tests.faults.sabotaged import Function, Fuse, wrap


def _after_receive_before_commit(fuse: Fuse) -> None:
    """A batch of events has had its effects, which are about to be committed."""
    consuming: ContextVar[bool] = ContextVar("consuming", default=False)

    def noting(original: Function) -> Function:
        async def take(self: Consumer, *rest: Any) -> None:
            consuming.set(self.name == fuse.module)
            await original(self, *rest)

        return take

    def around(original: Function) -> Function:
        async def commit(self: Work) -> None:
            if consuming.get():
                fuse.reached()
            await original(self)

        return commit

    wrap(Consumer, "take", noting)
    wrap(Work, "commit", around)


def _after_commit_before_ack(fuse: Fuse) -> None:
    """A batch with events of transactions or meters is committed, and the broker not told so."""

    def around(original: Function) -> Function:
        async def take(self: Consumer, shard: int, deliveries: Any) -> None:
            await original(self, shard, deliveries)
            keys = {envelope.key for delivery in deliveries for envelope in delivery.envelopes}
            if self.name == fuse.module and keys & EVENTS:
                fuse.reached()

        return take

    wrap(Consumer, "take", around)


def _relay_of(relay: Relay) -> str:
    return str(vars(relay)["sabotaged_schema"])


def _note_schemas() -> None:
    def noting(original: Function) -> Function:
        def init(self: Relay, schema: str, *rest: Any) -> None:
            vars(self)["sabotaged_schema"] = schema
            original(self, schema, *rest)

        return init

    wrap(Relay, "__init__", noting)


def _after_outbox_insert_before_relay(fuse: Fuse) -> None:
    """Effects and outbox are committed, and nothing is published."""
    _note_schemas()

    def around(original: Function) -> Function:
        def wake(self: Relay) -> None:
            if _relay_of(self) == fuse.module:
                fuse.reached()
            original(self)

        return wake

    wrap(Relay, "wake", around)


def _after_relay_before_mark(fuse: Fuse) -> None:
    """The oldest of the outbox are published and confirmed, and still in the outbox."""
    _note_schemas()

    def around(original: Function) -> Function:
        async def publish_oldest(self: Relay, *rest: Any) -> Any:
            taken = await original(self, *rest)
            if taken and _relay_of(self) == fuse.module:
                fuse.reached()
            return taken

        return publish_oldest

    wrap(Relay, "_publish_oldest", around)


def _before_answer(fuse: Fuse) -> None:
    """A request was carried out and committed, and not answered."""

    def around(original: Function) -> Function:
        async def answer(hosted: Any, handler: Any, envelope: Any) -> Any:
            reply = await original(hosted, handler, envelope)
            if envelope.key.startswith(f"{fuse.module}."):
                fuse.reached()
            return reply

        return answer

    wrap(requests, "_answer", around)


POINTS: dict[str, Callable[[Fuse], None]] = {
    "after_receive_before_commit": _after_receive_before_commit,
    "after_commit_before_ack": _after_commit_before_ack,
    "after_outbox_insert_before_relay": _after_outbox_insert_before_relay,
    "after_relay_before_mark": _after_relay_before_mark,
    "before_answer": _before_answer,
}
