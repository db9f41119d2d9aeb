"""Where the host and its modules register what they count; the host serves it at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared_contracts.sink import DROPPED

REGISTRY = CollectorRegistry()
REGISTRY.register(DROPPED)
OLDEST_KEPT = Gauge(
    "strum_oldest_kept_seconds", "Age of the oldest week that a table still has", ["table"], registry=REGISTRY
)
PARTITIONS_DROPPED = Counter("strum_partitions_dropped_total", "Weeks dropped", ["table"], registry=REGISTRY)
