"""Does harm at random: which, for how long, and when is decided by a seed, and what was done is told."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import product
from random import Random

import aiormq
from pamqp.commands import Basic

from shared_contracts.message import Envelope, new_id, pack
from shared_contracts.stations import StatusReported
from shared_contracts.transactions import TransactionReported
from tests.e2e.stack import SHARDS, Service
from tests.faults.databases import connect
from tests.faults.ground import PREFIX, Ground
from tests.faults.proxy import Fault, FaultProxy
from tests.services.postgres import PrivatePostgres
from tests.services.rabbitmq import PrivateRabbit

Harm = Callable[[float], Awaitable[object]]
"""Does it for about so many seconds, and makes it whole again."""
Harms = dict[str, Harm]

POISONER = "POISONER"
"""The station that poison names."""
POISONED = (StatusReported.key, TransactionReported.key)

_LONGEST_S = 8.0
_BETWEEN_S = (1.0, 6.0)
_TWO_AT_ONCE = 0.25
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Blow:
    """What is done to whom, and for how long."""

    victim: str
    harm: str
    lasts_s: float


def plan(harms: Mapping[str, Iterable[str]], seed: int) -> Iterator[tuple[float, tuple[Blow, ...]]]:
    """Without end: how long to wait, and what is done then at once. The same seed gives the same plan.

    `harms` names what may be done to each victim.
    """
    random = Random(seed)
    while True:
        count = 2 if random.random() < _TWO_AT_ONCE else 1
        victims = random.sample(sorted(harms), count)
        blows = (Blow(one, random.choice(sorted(harms[one])), random.uniform(0.5, _LONGEST_S)) for one in victims)
        yield random.uniform(*_BETWEEN_S), tuple(blows)


class Nemesis:
    """Kills, ends, freezes, fills, locks and cuts off each part of the ground, and always makes it whole again.

    How many blows of its plan there is time for depends on how quickly things are whole again.
    """

    def __init__(self, ground: Ground, services: Mapping[str, Service], stations_line: FaultProxy, seed: int) -> None:
        self.done: list[Blow] = []
        self.harms: dict[str, Harms] = {
            "broker": _harms_of_server(ground.broker) | _harms_of_broker(ground.broker),
            "broker line": _harms_of_line(ground.broker_proxy),
            "database": _harms_of_server(ground.database) | _harms_of_database(ground.database),
            "database line": _harms_of_line(ground.database_proxy),
            "stations' line": _harms_of_line(stations_line),
            **{name: _harms_of_service(service) for name, service in services.items()},
        }
        self._seed = seed
        self._began = time.monotonic()

    async def rage(self, seconds: float) -> None:
        """Do harm for so long, then leave everything whole."""
        until = time.monotonic() + seconds
        for wait_s, blows in plan(self.harms, self._seed):
            if time.monotonic() > until:
                return
            await asyncio.sleep(wait_s)
            await asyncio.gather(*(self._strike(blow) for blow in blows))

    async def _strike(self, blow: Blow) -> None:
        began = time.monotonic()
        await self.harms[blow.victim][blow.harm](blow.lasts_s)
        took_s = time.monotonic() - began
        self.done.append(blow)
        line = f"{began - self._began:6.1f} s  {blow.victim}: {blow.harm}, {took_s:.1f} s"
        print(line, flush=True)  # noqa: T201 -- what a failure is looked for with


def _harms_of_service(service: Service) -> Harms:
    async def killed(lasts_s: float) -> None:
        await service.kill()
        await asyncio.sleep(lasts_s / 2)
        await service.start(wait=False)

    async def ended(_: float) -> None:
        await service.stop()
        await service.start(wait=False)

    async def frozen(lasts_s: float) -> None:
        assert service.process is not None
        service.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(lasts_s)
        service.process.send_signal(signal.SIGCONT)

    return {"killed": killed, "ended": ended, "frozen": frozen}


def _harms_of_server(server: PrivateRabbit | PrivatePostgres) -> Harms:
    async def killed(lasts_s: float) -> None:
        await server.kill()
        await asyncio.sleep(lasts_s / 2)
        await server.start()

    async def restarted(_: float) -> None:
        await server.restart()

    async def frozen(lasts_s: float) -> None:
        server.freeze()
        await asyncio.sleep(lasts_s)
        server.thaw()

    return {"killed": killed, "restarted": restarted, "frozen": frozen}


def _harms_of_broker(broker: PrivateRabbit) -> Harms:
    async def alarmed(setting: str, bad: str, good: str, lasts_s: float) -> None:
        await broker.control(setting, bad)
        await asyncio.sleep(lasts_s)
        await broker.control(setting, good)

    async def poisoned(_: float) -> None:
        connection = await aiormq.connect(broker.url)
        channel = await connection.channel(publisher_confirms=True)
        async with asyncio.timeout(_PATIENCE_S):
            for shard, key in product(range(SHARDS), POISONED):
                body = pack([Envelope(new_id(), key, POISONER, datetime.now(UTC), b"{}")])
                to, durable = f"s{shard}.{key.replace('.', '-')}", Basic.Properties(delivery_mode=2)
                await channel.basic_publish(body, exchange=f"{PREFIX}.events", routing_key=to, properties=durable)
        await connection.close()

    return {
        "out of memory": partial(alarmed, "set_vm_memory_high_watermark", "0.00001", "0.4"),
        "out of disk": partial(alarmed, "set_disk_free_limit", "1000GB", "1MB"),
        "poisoned": poisoned,
    }


def _harms_of_database(database: PrivatePostgres) -> Harms:
    async def lock(table: str, lasts_s: float) -> None:
        holder = await connect(database)
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(lasts_s)
        await holder.close()

    tables = ("transactions.transactions", "transactions.inbox", "diagnostics.events")
    return {f"{table} locked": partial(lock, table) for table in tables}


def _harms_of_line(line: FaultProxy) -> Harms:
    async def spoiled(fault: Fault, lasts_s: float) -> None:
        line.set(fault)
        await asyncio.sleep(lasts_s)
        line.heal()

    async def refused(lasts_s: float) -> None:
        line.refusing = True
        line.cut(reset=True)
        await asyncio.sleep(lasts_s)
        line.heal()

    async def cut(_: float, *, reset: bool) -> None:
        line.cut(reset=reset)

    return {
        "slow": partial(spoiled, Fault(latency_s=0.2, jitter_s=0.3)),
        "sliced": partial(spoiled, Fault(slice_bytes=7)),
        "stopped": partial(spoiled, Fault(stopped=True)),
        "reset now and then": partial(spoiled, Fault(reset_share=0.02)),
        "refused": refused,
        "closed": partial(cut, reset=False),
        "reset": partial(cut, reset=True),
    }
