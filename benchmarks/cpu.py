"""CPU time and memory of processes, out of /proc: what the kernel charged them, however busy the machine is."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/<pid>/stat that count here. Times in seconds; `waited_s` is of children that ended."""

    parent: int
    own_s: float
    waited_s: float

    @classmethod
    def parse(cls, text: str) -> "Stat":
        """Read the line; the name of the program, in parentheses, may hold anything."""
        fields = text.rpartition(")")[2].split()
        user, system, waited_user, waited_system = (int(field) for field in fields[11:15])
        return cls(int(fields[1]), (user + system) * _TICK_S, (waited_user + waited_system) * _TICK_S)


def cpu_s(pid: int) -> float:
    """The CPU seconds of a process and of all its descendants, those that ended included."""
    stats = dict(_stats())
    return sum(stats[each].own_s + stats[each].waited_s for each in _family(pid, stats))


def own_cpu_s(pid: int) -> float:
    """The CPU seconds of one process alone."""
    return Stat.parse(Path(f"/proc/{pid}/stat").read_text()).own_s


def rss_kib(pid: int) -> float:
    """The resident memory of a process, without its descendants."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_KIB


def slab_kib() -> float:
    """The memory of all kernel objects of this machine, sockets among them."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("Slab:")))


def _family(pid: int, stats: dict[int, Stat]) -> set[int]:
    family = {pid} & stats.keys()
    while born := {child for child, stat in stats.items() if stat.parent in family} - family:
        family |= born
    return family


def _stats() -> Iterable[tuple[int, Stat]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                yield int(entry.name), Stat.parse((Path(entry.path) / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
                continue
