"""What the carrier counts, for Prometheus: read when it is asked for, so that counting costs nothing."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared_contracts.bus import Bus

_COUNTED = {
    "published": "Events that the carrier confirmed",
    "bodies_published": "Batches of events that the carrier confirmed",
    "failed": "Events of which it is not known that they are durable",
    "unroutable": "Events that no consumer keeps",
    "retried_bodies": "Batches that were published again",
    "received": "Events handed to consumers",
    "bodies_received": "Batches of events handed to consumers",
    "poisoned": "Bodies that were no batch of messages",
    "dead_letters": "Bodies that were delivered too often, on their way to the quarantine",
    "late_replies": "Replies that came when nobody waited any more",
    "reconnects": "Times that a connection to the broker was made again",
}
_NOW = {
    "waiting_envelopes": "Events that wait to be confirmed",
    "waiting_bytes": "The payloads of events that wait to be confirmed",
}


def bus_metrics(bus: Bus) -> bytes:
    """The counters of a bus in Prometheus' text format: `strum_bus_published_total` and so on."""
    registry = CollectorRegistry()
    registry.register(_BusCollector(bus))
    return generate_latest(registry)


class _BusCollector(Collector):
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def collect(self) -> Iterator[Metric]:
        for name, text in _COUNTED.items():
            yield CounterMetricFamily(f"strum_bus_{name}", text, value=getattr(self._bus.counters, name))
        for name, text in _NOW.items():
            yield GaugeMetricFamily(f"strum_bus_{name}", text, value=getattr(self._bus.counters, name))
        yield GaugeMetricFamily(
            "strum_bus_ready", "1 while what is published is confirmed", value=float(self._bus.ready)
        )
