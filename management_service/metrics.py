"""What the management service counts."""

from prometheus_client import CollectorRegistry, Gauge, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Histogram(
    "strum_http_request_seconds", "Duration of API requests", ["method", "path", "status"], registry=REGISTRY
)
CONSUMER_PAUSED = Gauge(
    "strum_consumer_paused", "1 while a consumer waits for its database or the bus", ["module"], registry=REGISTRY
)
LOOP_LAG = Gauge("strum_event_loop_lag_seconds", "How late the event loop was at its last tick", registry=REGISTRY)
