"""(f) What a handshake costs the edge: connect, Basic authentication, 101, bind, tell, close."""

from benchmarks import processes, systems
from benchmarks.cpu import cpu_s
from benchmarks.fakes import PASSWORD
from benchmarks.ground import Ground
from benchmarks.spread import Figures

_AT_ONCE = 50


async def measure(ground: Ground) -> Figures:
    """Stations come and go as fast as they can; their access is remembered, as in a storm of reconnects."""
    figures = Figures()
    async with systems.edge(ground) as (system, service), processes.running("load") as load:
        pid = systems.pid_of(service)
        storm = {"port": system.ocpp_port, "prefix": "STORM", "count": _AT_ONCE, "password": PASSWORD}
        await load.ask("handshakes", seconds=ground.size.warm_up_s, **storm)
        for _ in range(ground.size.runs):
            before_s = cpu_s(pid)
            result = await load.ask("handshakes", seconds=ground.size.seconds, **storm)
            figures.add(
                handshakes_per_cpu_s=result["count"] / (cpu_s(pid) - before_s),
                handshakes_per_s=result["count"] / result["seconds"],
                handshake_p50_ms=result["p50_ms"],
                handshake_p99_ms=result["p99_ms"],
                handshakes_load_cpu_us=result["load_cpu_s"] / result["count"] * 1e6,
            )
    return figures
