"""Does harm at random: which, for how long, and when is decided by a seed, and what was done is told."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from random import Random

from tests.e2e.stack import Service
from tests.faults.ground import Ground
from tests.faults.proxy import Fault, FaultProxy
from tests.services.postgres import PrivatePostgres
from tests.services.rabbitmq import PrivateRabbit

Harm = Callable[[], Awaitable[None]]
_LONGEST_S = 8.0
_BETWEEN_S = (1.0, 6.0)
_TWO_AT_ONCE = 0.25


class Nemesis:
    """Kills, ends, freezes and cuts off each part of the ground, and always makes it whole again."""

    def __init__(self, ground: Ground, services: dict[str, Service], seed: int) -> None:
        self.done: list[str] = []
        self._random = Random(seed)
        self._began = time.monotonic()
        self._harms: dict[str, list[tuple[str, Harm]]] = {
            "broker": self._harms_of_server(ground.broker),
            "broker line": self._harms_of_line(ground.broker_proxy),
            "database": self._harms_of_server(ground.database),
            "database line": self._harms_of_line(ground.database_proxy),
            **{name: self._harms_of_service(service) for name, service in services.items()},
        }

    async def rage(self, seconds: float) -> None:
        """Do harm for so long, then leave everything whole."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(self._random.uniform(*_BETWEEN_S))
            count = 2 if self._random.random() < _TWO_AT_ONCE else 1
            victims = self._random.sample(sorted(self._harms), count)
            chosen = [(victim, *self._random.choice(self._harms[victim])) for victim in victims]
            await asyncio.gather(*(self._do(victim, name, harm) for victim, name, harm in chosen))

    async def _do(self, victim: str, name: str, harm: Harm) -> None:
        began = time.monotonic()
        await harm()
        took_s = time.monotonic() - began
        line = f"{began - self._began:6.1f} s  {victim}: {name}, {took_s:.1f} s"
        self.done.append(line)
        print(line, flush=True)  # noqa: T201 -- what a failure is looked for with

    def _pause_s(self) -> float:
        return self._random.uniform(0.5, _LONGEST_S)

    def _harms_of_service(self, service: Service) -> list[tuple[str, Harm]]:
        async def killed() -> None:
            await service.kill()
            await asyncio.sleep(self._pause_s() / 2)
            await service.start(wait=False)

        async def ended() -> None:
            await service.stop()
            await service.start(wait=False)

        async def frozen() -> None:
            assert service.process is not None
            service.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self._pause_s())
            service.process.send_signal(signal.SIGCONT)

        return [("killed", killed), ("ended", ended), ("frozen", frozen)]

    def _harms_of_server(self, server: PrivateRabbit | PrivatePostgres) -> list[tuple[str, Harm]]:
        async def killed() -> None:
            await server.kill()
            await asyncio.sleep(self._pause_s() / 2)
            await server.start()

        async def restarted() -> None:
            await server.restart()

        async def frozen() -> None:
            server.freeze()
            await asyncio.sleep(self._pause_s())
            server.thaw()

        return [("killed", killed), ("restarted", restarted), ("frozen", frozen)]

    def _harms_of_line(self, line: FaultProxy) -> list[tuple[str, Harm]]:
        def spoiled(fault: Fault) -> Harm:
            async def spoil() -> None:
                line.set(fault)
                await asyncio.sleep(self._pause_s())
                line.heal()

            return spoil

        async def refused() -> None:
            line.refusing = True
            line.cut(reset=True)
            await asyncio.sleep(self._pause_s())
            line.heal()

        async def cut() -> None:
            line.cut(reset=self._random.random() < 0.5)

        return [
            ("slow", spoiled(Fault(latency_s=0.2, jitter_s=0.3))),
            ("sliced", spoiled(Fault(slice_bytes=7))),
            ("stopped", spoiled(Fault(stopped=True))),
            ("reset now and then", spoiled(Fault(reset_share=0.02))),
            ("refused", refused),
            ("cut", cut),
        ]
