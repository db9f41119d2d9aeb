"""(b) MeterValues through the whole system: rate, latency, and the CPU that each part spends on a message."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import systems
from benchmarks.costs import PARTS, Meter
from benchmarks.ground import Ground
from benchmarks.processes import Process
from benchmarks.spread import Figures

ID_TAG = "BENCHMARK"
_POLL_S = 0.1
_DRAIN_S = 60.0


class NotStored(Exception):
    """Not everything that was acknowledged came to the database in time: no figure would be true."""


async def measure(ground: Ground) -> Figures:
    """Saturate, then send half of what was stored a second, run by run; and saturate without the log of frames."""
    size, figures = ground.size, Figures()
    async with ready(ground) as (meter, load):
        for _ in range(size.runs):
            _note(figures, "end_to_end", await run(meter, load, "saturate", seconds=size.seconds))
            rate = figures.median("end_to_end_messages_per_s") / 2
            _note(figures, "half_load", await run(meter, load, "pace", rate=rate, seconds=size.seconds))
    async with ready(ground, frame_log="false") as (meter, load):
        for _ in range(size.runs):
            _note(figures, "without_frame_log", await run(meter, load, "saturate", seconds=size.seconds))
    return figures


@asynccontextmanager
async def ready(ground: Ground, **how: Any) -> AsyncIterator[tuple[Meter, Process]]:
    """A `whole` system, warm, with stations in transactions."""
    size = ground.size
    async with (
        measured(ground, **how) as (meter, port),
        systems.stations(port, "WHOLE", size.stations, password="", id_tag=ID_TAG) as load,
    ):
        await run(meter, load, "saturate", seconds=size.warm_up_s)
        yield meter, load


@asynccontextmanager
async def measured(ground: Ground, **how: Any) -> AsyncIterator[tuple[Meter, int]]:
    """A `whole` system that knows the id token, the meter of its parts, and its port for stations."""
    async with systems.whole(ground, **how) as system:
        await system.add_id_token(ID_TAG)
        meter = await Meter.of(ground, system)
        try:
            yield meter, system.ocpp_port
        finally:
            await meter.close()


async def run(meter: Meter, load: Process, how: str, *, what: str = "message", **arguments: Any) -> dict[str, float]:
    """One run of a load of messages or transactions, over when all that was acknowledged is stored.

    CPU in microseconds for each.
    """
    stored, before, began = await meter.stored(what), meter.read(), time.perf_counter()
    result = await load.ask(how, **arguments)
    count = result["count"]
    await _wait_until_stored(meter, what, stored + count)
    took_s = time.perf_counter() - began
    await asyncio.sleep(meter.settle_s)  # frames and statuses are stored a moment later: their cost belongs to these
    after = meter.read()
    spent = {f"{part}_cpu_us": (after[part] - before[part]) / count * 1e6 for part in PARTS}
    return {
        f"{what}s_per_s": count / took_s,
        "acknowledged_per_s": count / result["seconds"],
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
        f"cpu_us_per_{what}": sum(spent.values()),
        **spent,
        "load_cpu_us": result["load_cpu_s"] / count * 1e6,
        "not_acknowledged": result["unanswered"] + result["refused"],
    }


async def _wait_until_stored(meter: Meter, what: str, count: int) -> None:
    until = time.perf_counter() + _DRAIN_S
    while (stored := await meter.stored(what)) < count:
        if time.perf_counter() > until:
            raise NotStored(f"{stored} of {count} {what}s")
        await asyncio.sleep(_POLL_S)


def _note(figures: Figures, name: str, run: dict[str, float]) -> None:
    figures.add(**{f"{name}_{figure}": value for figure, value in run.items()})
