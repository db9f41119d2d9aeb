"""The figures of a fleet's run, as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from simulator.ledger import Class, Ledger
from simulator.station import Station

Summary = dict[str, Any]


def summarise(stations: Sequence[Station], ledger: Ledger, refusals: Counter[str], *, elapsed_s: float) -> Summary:
    """Return the figures; latencies in milliseconds, from the send of a call to its answer."""
    counts = ledger.counts
    return {
        "duration_s": round(elapsed_s, 3),
        "stations": len(stations),
        "connected": sum(1 for station in stations if station.ever_ready),
        "connected_now": sum(1 for station in stations if station.ready),
        "charges": {
            "started": counts["charges_started"],
            "finished": counts["charges_finished"],
            "running": counts["charges_started"] - counts["charges_finished"],
            "not_started": dict(refusals),
            "energy_wh": counts["energy_wh"],
        },
        "messages": {
            "sent": counts["sent"],
            "answered": counts[Class.ANSWERED],
            "refused": counts[Class.REFUSED],
            "unanswered": counts[Class.UNANSWERED],
            "discarded": counts["discarded"],
            "queued": sum(station.queued for station in stations),
            "per_second": round(counts["sent"] / elapsed_s, 1) if elapsed_s else None,
            "by_action": _by_action(ledger),
        },
        "latency_ms": {
            "p50": _milliseconds(ledger.latencies.percentile(0.50)),
            "p99": _milliseconds(ledger.latencies.percentile(0.99)),
            "max": _milliseconds(ledger.latencies.max_s or None),
        },
        "dial_failures": dict(Counter(reason for station in stations for reason in station.dial_failures)),
    }


def _by_action(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Return how often each action ended in each way."""
    table: dict[str, dict[str, int]] = {}
    for (action, outcome), number in sorted(ledger.by_action.items()):
        table.setdefault(action, {})[outcome.value] = number
    return table


def _milliseconds(seconds: float | None) -> float | None:
    """Return a latency for a reader."""
    return None if seconds is None else round(seconds * 1000, 3)
