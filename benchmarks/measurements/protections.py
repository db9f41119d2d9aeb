"""(h) What each protection costs: the same load on the whole system with one of them taken away, in turn."""

from benchmarks.ground import Ground
from benchmarks.measurements.end_to_end import ready, run
from benchmarks.spread import Figures

REMOVED = ("nothing", "confirm", "inbox")
"""Of `tests.faults.removals`; the others are not on the way of a MeterValues."""


async def measure(ground: Ground) -> Figures:
    """Saturate each system for the same time; rates and CPU, and what a run with the protection costs more."""
    figures = Figures()
    for removed in REMOVED:
        async with ready(ground, without="" if removed == "nothing" else removed) as (meter, load):
            for _ in range(ground.size.runs):
                found = await run(meter, load, "saturate", seconds=ground.size.seconds)
                for name in ("messages_per_s", "cpu_us_per_message", "p50_ms"):
                    figures.add(**{f"without_{removed}_{name}": found[name]})
    whole_us = figures.median("without_nothing_cpu_us_per_message")
    for removed in REMOVED[1:]:
        figures.add(
            **{f"price_of_{removed}_cpu_us": whole_us - figures.median(f"without_{removed}_cpu_us_per_message")}
        )
    return figures
