"""What stands before several pods: each new connection goes to the next one that takes it."""

import asyncio
from itertools import cycle

from tests.faults.proxy import FaultProxy


class Balancer(FaultProxy):
    """Round robin over ports of the loopback; one that refuses is passed over, as by a check of its health."""

    def __init__(self, *ports: int) -> None:
        super().__init__(ports[0])
        self._turns = len(ports)
        self._ports = cycle(ports)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in range(self._turns):
            try:
                return await asyncio.open_connection("127.0.0.1", next(self._ports))
            except ConnectionRefusedError:
                continue
        raise ConnectionRefusedError
