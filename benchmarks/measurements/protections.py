"""(h) What each protection costs: the same load on the whole system with one of them taken away, in turn.

The system as it is comes first and last, so that a machine that changes its speed meanwhile shows in its spread.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import systems
from benchmarks.costs import Meter
from benchmarks.ground import Ground
from benchmarks.measurements.end_to_end import ID_TAG, measured, ready, run
from benchmarks.processes import Process
from benchmarks.spread import Figures

_WHOLE = "without_nothing"
OF_MESSAGES: Mapping[str, dict[str, Any]] = {
    _WHOLE: {},
    "without_confirm": {"without": "confirm"},
    "without_inbox": {"without": "inbox"},
    "with_roles": {"apart": True},
}
"""What is on the way of a MeterValues: protections of `tests.faults.removals`, and a database role per module."""
OF_TRANSACTIONS: Mapping[str, dict[str, Any]] = {
    _WHOLE: {},
    "without_outbox": {"without": "outbox"},
    "without_idempotent_start": {"without": "idempotent_start"},
    "without_ownership": {"without": "ownership"},
}
"""What is on the way of StartTransaction and StopTransaction."""
_AT_ONCE = 20
"""Stations that start and stop transactions: enough to keep the system busy."""


async def measure(ground: Ground) -> Figures:
    """Saturate each system for the same time: rates, CPU for each message or transaction, and the median latency."""
    figures = Figures()
    for name, how in _in_turn(OF_MESSAGES):
        async with ready(ground, **how) as (meter, load):
            for _ in range(ground.size.runs):
                found = await run(meter, load, "saturate", seconds=ground.size.seconds)
                _note(figures, name, found, ("messages_per_s", "cpu_us_per_message", "p50_ms", "not_acknowledged"))
    for name, how in _in_turn(OF_TRANSACTIONS):
        async with _charging(ground, **how) as (meter, load):
            for _ in range(ground.size.runs):
                found = await _charge(ground, meter, load)
                _note(figures, name, found, ("transactions_per_s", "cpu_us_per_transaction", "not_acknowledged"))
    return figures


@asynccontextmanager
async def _charging(ground: Ground, **how: Any) -> AsyncIterator[tuple[Meter, Process]]:
    async with (
        measured(ground, **how) as (meter, port),
        systems.stations(port, "CHARGE", min(_AT_ONCE, ground.size.stations), password="") as load,
    ):
        await _charge(ground, meter, load)
        yield meter, load


async def _charge(ground: Ground, meter: Meter, load: Process) -> dict[str, float]:
    return await run(meter, load, "charge", what="transaction", seconds=ground.size.seconds, id_tag=ID_TAG)


def _in_turn(systems: Mapping[str, dict[str, Any]]) -> Sequence[tuple[str, dict[str, Any]]]:
    return [*systems.items(), (_WHOLE, systems[_WHOLE])]


def _note(figures: Figures, system: str, found: Mapping[str, float], names: Sequence[str]) -> None:
    figures.add(**{f"{system}_{name}": found[name] for name in names})
