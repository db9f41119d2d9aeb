"""What is stored and printed: nine headline figures, what was aimed at, and every figure with its spread."""

import os
import platform
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.ground import Ground, Size
from benchmarks.spread import Spread, rounded

_PACKAGES = ("strum", "aio-pika", "aiohttp", "asyncpg", "jsonschema-rs", "orjson", "pydantic", "sqlalchemy", "uvloop")


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach: at least, or at most, so much."""

    figure: str
    bound: float
    at_least: bool

    def judge(self, value: float) -> dict[str, Any]:
        """The target, the value, and whether it is reached."""
        met = value >= self.bound if self.at_least else value <= self.bound
        return {("at_least" if self.at_least else "at_most"): self.bound, "value": rounded(value), "met": met}


HEADLINES = (
    "edge_messages_per_cpu_s",
    "echo_messages_per_cpu_s",
    "end_to_end_messages_per_s",
    "end_to_end_cpu_us_per_message",
    "start_transaction_p50_ms",
    "command_p50_ms",
    "idle_kib_per_connection",
    "handshakes_per_cpu_s",
    "two_workers_over_one",
)
"""The medians that stand at the top of the file."""

TARGETS = (
    Target("edge_messages_per_cpu_s", 12_000, at_least=True),
    Target("edge_over_echo", 0.25, at_least=True),
    Target("end_to_end_cpu_us_per_message", 160, at_least=False),
    Target("end_to_end_messages_per_s", 3_000, at_least=True),
    Target("half_load_p99_ms", 100, at_least=False),
    Target("start_transaction_p50_ms", 10, at_least=False),
    Target("command_p50_ms", 8, at_least=False),
    Target("idle_kib_per_connection", 20, at_least=False),
    Target("handshakes_per_cpu_s", 1_500, at_least=True),
)


def report(spreads: Mapping[str, Spread], size: Size, versions: Mapping[str, str]) -> dict[str, Any]:
    """The content of the file; a headline or target whose figure was not measured is left out."""
    medians = {name: spread.median for name, spread in spreads.items()}
    return {
        **{name: rounded(medians[name]) for name in HEADLINES if name in medians},
        "targets": {t.figure: t.judge(medians[t.figure]) for t in TARGETS if t.figure in medians},
        "figures": {name: spread.as_json() for name, spread in sorted(spreads.items())},
        "size": asdict(size),
        "machine": _machine(),
        "versions": dict(versions),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


async def versions(ground: Ground) -> dict[str, str]:
    """What was measured with: Python, the packages that matter, the servers."""
    return {
        "python": f"{platform.python_version()}, {_build()}",
        **{name: version(name) for name in _PACKAGES},
        "postgresql": await ground.postgres_version(),
        "rabbitmq": (await ground.rabbit.control("version")).strip(),
    }


def _build() -> str:
    """How the interpreter was built: without its optimizations it takes a tenth more."""
    optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "optimized" if optimized else "built without --enable-optimizations"


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": rounded(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
    }


def _field(path: str, name: str) -> str:
    lines: Iterable[str] = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
