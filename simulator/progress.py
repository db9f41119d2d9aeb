"""How a fleet goes, shown on a terminal while it runs."""

import asyncio
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from simulator.fleet import Fleet
from simulator.ledger import Class

REFRESH_S = 0.5


async def watch(fleet: Fleet, running: asyncio.Task[None], duration_s: float | None, *, terminal: TextIO) -> None:
    """Wait for `running`, and show the figures meanwhile if `terminal` is one."""
    if not terminal.isatty():
        await asyncio.wait({running})
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=10), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=terminal), auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=duration_s)
        began = asyncio.get_running_loop().time()
        while not running.done():
            await asyncio.wait({running}, timeout=REFRESH_S)
            elapsed = asyncio.get_running_loop().time() - began
            progress.update(task, description=figures(fleet), completed=elapsed, refresh=True)


def figures(fleet: Fleet) -> str:
    """Return the state of a fleet in one line."""
    counts = fleet.ledger.counts
    connected = sum(1 for station in fleet.stations if station.ready)
    running = counts["charges_started"] - counts["charges_finished"]
    latency = fleet.ledger.latencies.percentile(0.99)
    return (
        f"{connected}/{len(fleet.stations)} connected  {running} charging  {counts['charges_finished']} charged  "
        f"{counts['sent']} sent  {counts[Class.REFUSED]} refused  {counts[Class.UNANSWERED]} unanswered"
        + ("" if latency is None else f"  p99 {latency * 1000:.0f} ms")
    )
