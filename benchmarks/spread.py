"""Statistics of a handful of runs and of many latencies."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several runs, the least and the greatest, and each run in its order."""

    median: float
    least: float
    greatest: float
    runs: tuple[float, ...]

    @classmethod
    def of(cls, runs: Sequence[float]) -> Self:
        """Summarise at least one run. Raises ValueError for none."""
        if not runs:
            raise ValueError("there is no run to summarise")
        return cls(statistics.median(runs), min(runs), max(runs), tuple(runs))

    def as_json(self) -> dict[str, object]:
        """As it is stored."""
        summary = {name: rounded(getattr(self, name)) for name in ("median", "least", "greatest")}
        return {**summary, "runs": [rounded(value) for value in self.runs]}


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` of them do not exceed. Raises ValueError for none."""
    if not values:
        raise ValueError("there is no value to take a percentile of")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def rounded(value: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{value:.4g}") if abs(value) < 1000 else float(round(value))


class Figures:
    """Gathers named figures, run by run."""

    def __init__(self) -> None:
        self._runs: dict[str, list[float]] = {}

    def add(self, **figures: float) -> None:
        """Note what one run gave."""
        for name, value in figures.items():
            self._runs.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        """The median of one figure so far."""
        return statistics.median(self._runs[name])

    def spreads(self) -> dict[str, Spread]:
        """Each figure over its runs."""
        return {name: Spread.of(runs) for name, runs in self._runs.items()}
