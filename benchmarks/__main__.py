"""`python -m benchmarks`: measure, print, store."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import orjson

from benchmarks.ground import Ground, Size, prepared
from benchmarks.measurements import command, edge, end_to_end, handshakes, idle, protections, start_transaction, workers
from benchmarks.report import report, versions
from benchmarks.spread import Figures, Spread
from shared_contracts import logs

RESULTS = Path(__file__).parent / "results" / "latest.json"

MEASUREMENTS: Mapping[str, Callable[[Ground], Awaitable[Figures]]] = {
    "a": edge.measure,
    "b": end_to_end.measure,
    "c": start_transaction.measure,
    "d": command.measure,
    "e": idle.measure,
    "f": handshakes.measure,
    "g": workers.measure,
    "h": protections.measure,
}
"""By the letters of docs/benchmarks.md."""


def main() -> None:
    """Measure what the arguments choose. Only a whole run is stored: the figures of one file belong together."""
    chosen = _arguments(sys.argv[1:])
    if not Path("/proc/self/stat").exists():
        sys.exit("The benchmarks read CPU and memory from /proc: they need Linux.")
    logs.configure("error", "console", service="benchmarks")
    result = asyncio.run(measure(chosen.only, Size(runs=chosen.runs, seconds=chosen.seconds)))
    print(result.decode())
    if set(chosen.only) == set(MEASUREMENTS):
        RESULTS.write_bytes(result + b"\n")


async def measure(names: Sequence[str], size: Size) -> bytes:
    """Run the measurements one after the other; the report as JSON."""
    spreads: dict[str, Spread] = {}
    async with prepared(size) as ground:
        for name in names:
            began = time.monotonic()
            spreads |= (await MEASUREMENTS[name](ground)).spreads()
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        measured = report(spreads, size, await versions(ground))
    return orjson.dumps(measured, option=orjson.OPT_INDENT_2)


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_letters, default=list(MEASUREMENTS), help="which, as in a,b")
    parser.add_argument("--runs", type=int, default=Size.runs, help="of each measurement")
    parser.add_argument("--seconds", type=float, default=Size.seconds, help="of each run")
    return parser.parse_args(given)


def _letters(text: str) -> list[str]:
    letters = text.split(",")
    if unknown := set(letters) - set(MEASUREMENTS):
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}"
        )
    return letters


if __name__ == "__main__":
    main()
