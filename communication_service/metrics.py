"""What the edge counts. Labels are few and never come from a station."""

from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY = CollectorRegistry()
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
HANDSHAKES = Counter("strum_ocpp_handshakes_total", "Upgrades by how they ended", ["outcome"], registry=REGISTRY)
COMMANDS = Counter("strum_ocpp_commands_total", "Commands to stations by outcome", ["outcome"], registry=REGISTRY)
LOOP_LAG = Gauge("strum_event_loop_lag_seconds", "How late the event loop was at its last tick", registry=REGISTRY)
