"""(g) One edge process against two that share the port."""

from benchmarks import systems
from benchmarks.cpu import cpu_s
from benchmarks.ground import Ground
from benchmarks.spread import Figures


async def measure(ground: Ground) -> Figures:
    """Saturate each in turn. On two cores, stations, broker and consumers take their part of what a worker could."""
    figures = Figures()
    for _ in range(ground.size.runs):
        one = await _rate(ground, 1, figures)
        two = await _rate(ground, 2, figures)
        figures.add(two_workers_over_one=two / one)
    return figures


async def _rate(ground: Ground, workers: int, figures: Figures) -> float:
    async with (
        systems.edge(ground, "--workers", str(workers)) as (system, service),
        systems.stations(system.ocpp_port, "CREW", ground.size.stations) as load,
    ):
        await load.ask("saturate", seconds=ground.size.warm_up_s)
        before_s = cpu_s(systems.pid_of(service))
        result = await load.ask("saturate", seconds=ground.size.seconds)
        spent_s = cpu_s(systems.pid_of(service)) - before_s
    rate: float = result["count"] / result["seconds"]
    figures.add(
        **{
            f"workers_{workers}_messages_per_s": rate,
            f"workers_{workers}_messages_per_cpu_s": result["count"] / spent_s,
        }
    )
    return rate
