"""(e) The memory of an idle connection: what the edge's resident memory grows by, over the number of connections."""

import asyncio

from benchmarks import processes, systems
from benchmarks.cpu import rss_kib, slab_kib
from benchmarks.fakes import PASSWORD
from benchmarks.ground import Ground
from benchmarks.spread import Figures

_WARM_UP = 50


async def measure(ground: Ground) -> Figures:
    """A fresh edge for each run, since memory once taken is seldom given back."""
    figures = Figures()
    for _ in range(ground.size.runs):
        async with systems.edge(ground) as (system, service), processes.running("load") as load:
            door = {"port": system.ocpp_port, "password": PASSWORD}
            await load.ask("connect", prefix="FIRST", count=min(_WARM_UP, ground.size.idle), **door)
            await load.ask("close")
            await asyncio.sleep(ground.size.settle_s)
            rss_before, slab_before = rss_kib(systems.pid_of(service)), slab_kib()
            await load.ask("connect", prefix="IDLE", count=ground.size.idle, **door)
            await asyncio.sleep(ground.size.settle_s)
            figures.add(
                idle_kib_per_connection=(rss_kib(systems.pid_of(service)) - rss_before) / ground.size.idle,
                idle_kernel_kib_per_connection=(slab_kib() - slab_before) / ground.size.idle,
            )
    return figures
