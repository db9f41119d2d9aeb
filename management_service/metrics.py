"""What the management service counts."""

from prometheus_client import Counter, Gauge, Histogram

from modules.kernel.metrics import REGISTRY as REGISTRY  # noqa: PLC0414 -- handed on

REQUESTS = Histogram(
    "strum_http_request_seconds", "Duration of API requests", ["method", "path", "status"], registry=REGISTRY
)
_OF_A_SHARD = ["module", "shard"]
CONSUMER_PAUSED = Gauge(
    "strum_consumer_paused", "1 while a consumer waits for its database or the bus", _OF_A_SHARD, registry=REGISTRY
)
CONSUMER_IN_WORK = Gauge(
    "strum_consumer_in_work_seconds", "For how long what a consumer works on has been", _OF_A_SHARD, registry=REGISTRY
)
CONSUMER_OLDEST = Gauge(
    "strum_consumer_oldest_message_seconds",
    "Age of the oldest message that a consumer works on, from when it was made; 0 when idle",
    _OF_A_SHARD,
    registry=REGISTRY,
)
CONSUMER_STALLED = Counter(
    "strum_consumer_stalled_total", "Batches that were ended because they took too long", ["module"], registry=REGISTRY
)
BATCHES = Counter("strum_consumer_batches_total", "Batches committed", ["module"], registry=REGISTRY)
QUARANTINED = Counter("strum_quarantined_total", "Messages set aside", ["module"], registry=REGISTRY)
QUARANTINE_WAITING = Gauge(
    "strum_quarantine_waiting", "Messages set aside that nobody has dealt with", ["module"], registry=REGISTRY
)
OUTBOX_WAITING = Gauge(
    "strum_outbox_waiting", "Events that are stored and not published yet", ["module"], registry=REGISTRY
)
OUTBOX_OLDEST = Gauge(
    "strum_outbox_oldest_seconds", "Age of the oldest event that is not published yet", ["module"], registry=REGISTRY
)
DATABASE_GIVEN_UP = Counter(
    "strum_database_given_up_total",
    "Times that the database did not answer, and all connections to it were cut",
    registry=REGISTRY,
)
LOOP_LAG = Gauge("strum_event_loop_lag_seconds", "How late the event loop was at its last tick", registry=REGISTRY)
