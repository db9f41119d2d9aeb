"""What the edge counts. Labels are few and never come from a station."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared_contracts.sink import DROPPED

REGISTRY = CollectorRegistry()
REGISTRY.register(DROPPED)
CONNECTIONS = Gauge("strum_ocpp_connections", "Open connections of stations", ["version"], registry=REGISTRY)
MESSAGES = Counter(
    "strum_ocpp_messages_total",
    "CALLs of stations by how they were answered",
    ["version", "outcome"],
    registry=REGISTRY,
)
DEFECTS = Counter("strum_ocpp_defects_total", "Messages that are no valid frame", ["defect"], registry=REGISTRY)
DEVIATIONS = Counter(
    "strum_ocpp_deviations_total", "What was tolerated in messages, by kind", ["version", "kind"], registry=REGISTRY
)
STRAY_ANSWERS = Counter("strum_ocpp_stray_answers_total", "Answers to no CALL of ours, or late", registry=REGISTRY)
LATE_ANSWERS = Counter("strum_ocpp_late_answers_total", "Answers that completed a command late", registry=REGISTRY)
HANDSHAKES = Counter("strum_ocpp_handshakes_total", "Upgrades by how they ended", ["outcome"], registry=REGISTRY)
TLS_REFUSALS = Counter("strum_ocpp_tls_refusals_total", "Handshakes of TLS that failed", ["kind"], registry=REGISTRY)
INCIDENTS = Counter("strum_ocpp_incidents_total", "Security incidents by kind", ["kind"], registry=REGISTRY)
COMMANDS = Counter("strum_ocpp_commands_total", "Commands to stations by outcome", ["outcome"], registry=REGISTRY)
PATH_STATE = Gauge(
    "strum_ocpp_path_state", "The way to the broker: 0 open, 1 doubted, 2 outage", ["shard"], registry=REGISTRY
)
REQUESTS_STATE = Gauge(
    "strum_ocpp_requests_state", "The transactions module: 0 answers, 2 is silent for too long", registry=REGISTRY
)
UNCONFIRMED = Gauge(
    "strum_bus_oldest_unconfirmed_seconds", "Age of the oldest event not confirmed", ["shard"], registry=REGISTRY
)
UNROUTABLE = Counter("strum_bus_queue_missing_total", "Probes that found no queue", registry=REGISTRY)
LET_GO = Counter("strum_ocpp_let_go_total", "Connections that we closed", ["cause"], registry=REGISTRY)
FRAMES_DROPPED = Counter(
    "strum_ocpp_frames_dropped_total",
    "Frames that the frame log misses: too many waited, or a queue was missing",
    registry=REGISTRY,
)
LOOP_LAG = Gauge("strum_event_loop_lag_seconds", "How late the event loop was at its last tick", registry=REGISTRY)
