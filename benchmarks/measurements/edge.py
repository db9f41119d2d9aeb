"""(a) What an acknowledged MeterValues costs the edge, against a bare echo of the same frames."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from benchmarks import processes, systems
from benchmarks.cpu import cpu_s
from benchmarks.ground import Ground
from benchmarks.processes import Process
from benchmarks.spread import Figures
from tests.services.ports import free_port


@dataclass(frozen=True, slots=True)
class Server:
    """Something that answers MeterValues, and its stations."""

    name: str
    pid: int
    load: Process


async def measure(ground: Ground) -> Figures:
    """Saturate each server in turn, run by run, while the others idle."""
    figures = Figures()
    async with AsyncExitStack() as opened:
        servers = [await opened.enter_async_context(start(ground)) for start in (_echo, _edge, _edge_in_process)]
        for server in servers:
            await server.load.ask("saturate", seconds=ground.size.warm_up_s)
        for _ in range(ground.size.runs):
            rates = {server.name: await _rate(server, ground.size.seconds, figures) for server in servers}
            figures.add(edge_over_echo=rates["edge"] / rates["echo"])
    return figures


async def _rate(server: Server, seconds: float, figures: Figures) -> float:
    """Messages per CPU second."""
    before_s = cpu_s(server.pid)
    result = await server.load.ask("saturate", seconds=seconds)
    rate: float = result["count"] / (cpu_s(server.pid) - before_s)
    figures.add(
        **{
            f"{server.name}_messages_per_cpu_s": rate,
            f"{server.name}_messages_per_s": result["count"] / result["seconds"],
            f"{server.name}_load_cpu_us_per_message": result["load_cpu_s"] / result["count"] * 1e6,
            f"{server.name}_not_acknowledged": result["unanswered"] + result["refused"],
        }
    )
    return rate


@asynccontextmanager
async def _echo(ground: Ground) -> AsyncIterator[Server]:
    port = free_port()
    async with (
        processes.running("echo", str(port)) as echo,
        systems.stations(port, "ECHO", ground.size.stations, echoed=True) as load,
    ):
        yield Server("echo", echo.pid, load)


@asynccontextmanager
async def _edge(ground: Ground) -> AsyncIterator[Server]:
    async with (
        systems.edge(ground) as (system, service),
        systems.stations(system.ocpp_port, "EDGE", ground.size.stations) as load,
    ):
        yield Server("edge", systems.pid_of(service), load)


@asynccontextmanager
async def _edge_in_process(ground: Ground) -> AsyncIterator[Server]:
    ports = {"STRUM_OCPP_PORT": str(port := free_port()), "STRUM_HEALTH_PORT": str(free_port())}
    async with (
        processes.running("fakes", "edge", environment=systems.clean_environment() | ports) as edge,
        systems.stations(port, "ALONE", ground.size.stations) as load,
    ):
        yield Server("edge_in_process", edge.pid, load)
