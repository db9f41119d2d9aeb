"""Takes one protection away, to show what it protects from: each replaces the function that protects."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from communication_service.inbound import Inbound
from communication_service.ocpp.route import Publish, seal
from communication_service.registry import Registry
from management_service import hosted
from management_service.consumers import Consumer
from management_service.outbox import Relay
from modules.transactions import reporting, starting
from modules.transactions.domain.transaction import Transaction
from modules.transactions.repository import starts
from modules.transactions.repository.rows import COLUMNS, maybe
from modules.transactions.tables import transactions
from shared_contracts.amqp.stations import Stations
from shared_contracts.bus import Delivery
from shared_contracts.stations import MetersSampled
from shared_contracts.transactions import TransactionReported
from tests.faults.sabotaged import Function, wrap


def _confirm() -> None:
    """The edge answers as soon as it has handed an event over."""

    def around(original: Function) -> Function:
        async def carry_out(self: Inbound, outcome: Any, context: Any, *rest: Any) -> Any:
            if not isinstance(outcome, Publish):
                return await original(self, outcome, context, *rest)
            self._bus.publish(seal(outcome.event, occurred_at=context.received_at))
            return outcome.answer

        return carry_out

    wrap(Inbound, "_carry_out", around)


def _epoch() -> None:
    """Whichever connection ends takes the station's place and binding with it."""

    def dismissing(original: Function) -> Function:
        async def dismiss(self: Registry, session: Any) -> None:
            self._living[session.station_id] = session
            await original(self, session)

        return dismiss

    def detaching(_: Function) -> Function:
        def detach(self: Stations, station_id: str, __: object) -> None:
            self._handlers.pop(station_id, None)
            self._touch(station_id)

        return detach

    wrap(Registry, "dismiss", dismissing)
    wrap(Stations, "detach", detaching)


def _ownership() -> None:
    """A transaction is found by its id alone, whoever asks."""

    def by_number(_: Function) -> Function:
        async def lock_by_number(work: Any, __: str, number: int) -> Transaction | None:
            statement = select(*COLUMNS).where(transactions.c.number == number).with_for_update()
            return maybe((await work.execute(statement)).mappings().first())

        return lock_by_number

    def by_ref(original: Function) -> Function:
        async def merge(work: Any, told: Any) -> Any:
            column = transactions.c
            stored = await work.execute(
                select(column.ref, column.station_id).where(column.ref.in_([r for _, r in told]))
            )
            owner = {row.ref: row.station_id for row in stored}
            taken = {key: (owner.get(key[1], key[0]), key[1]) for key in told}
            known = await original(work, {taken[key]: facts for key, facts in told.items()})
            return {key: known[taken[key]] for key in told}

        return merge

    wrap(starts, "lock_by_number", by_number)
    wrap(reporting, "_merge", by_ref)


def _inbox() -> None:
    """Deliveries are processed as often as they come."""

    def around(_: Function) -> Function:
        async def fresh(__: Consumer, deliveries: Any, ___: Any) -> list[Any]:
            return [envelope for delivery in deliveries for envelope in delivery.envelopes]

        return fresh

    wrap(Consumer, "_fresh", around)


def _order() -> None:
    """The event store takes the first that a station says of a transaction after what that station says next."""
    held: list[Delivery] = []
    awaited: set[str | None] = set()

    def speaking(delivery: Delivery) -> set[str | None]:
        said = {MetersSampled.key, TransactionReported.key}
        return {envelope.station_id for envelope in delivery.envelopes if envelope.key in said}

    def swapped(deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
        for delivery in deliveries:
            stations = speaking(delivery)
            if stations and not awaited:
                held.append(delivery)
                awaited.update(stations)
                continue
            yield delivery
            if held and stations & awaited:
                yield held.pop()

    def around(original: Function) -> Function:
        async def take(self: Consumer, shard: int, deliveries: tuple[Delivery, ...]) -> None:
            taken = tuple(swapped(deliveries)) if self.name == "diagnostics" else deliveries
            if taken:
                await original(self, shard, taken)

        return take

    wrap(Consumer, "take", around)


def _outbox() -> None:
    """Events are published when the work they tell of is committed, and stored nowhere until then."""
    outgoing: dict[str, list[tuple[Any, str | None]]] = {}

    def keeping(_: Function) -> Function:
        async def store_outgoing(work: Any, schema: str) -> None:
            outgoing.setdefault(schema, []).extend(work.outgoing)

        return store_outgoing

    def noting(original: Function) -> Function:
        def init(self: Relay, schema: str, *rest: Any) -> None:
            vars(self)["without_outbox"] = schema
            original(self, schema, *rest)

        return init

    def publishing(_: Function) -> Function:
        def wake(self: Relay) -> None:
            for envelope, only in outgoing.pop(vars(self)["without_outbox"], ()):
                self._bus.publish(envelope, only=only)

        return wake

    wrap(hosted, "store_outgoing", keeping)
    wrap(Relay, "__init__", noting)
    wrap(Relay, "wake", publishing)


def _idempotent_start() -> None:
    """Each StartTransaction is a new one, though its content be that of another."""
    wrap(starting, "start_digest", lambda _: lambda __: secrets.token_hex(32))


REMOVALS: Mapping[str, Callable[[], None]] = {
    "confirm": _confirm,
    "epoch": _epoch,
    "ownership": _ownership,
    "inbox": _inbox,
    "order": _order,
    "outbox": _outbox,
    "idempotent_start": _idempotent_start,
}
