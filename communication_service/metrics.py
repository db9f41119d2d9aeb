"""What the edge counts. Labels are few and never come from a station."""

import time

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


class Sparse:
    """Lets one line of a kind into the log per second: what a counter counts need not be told a thousand times."""

    def __init__(self, every_s: float = 1.0) -> None:
        self._every_s = every_s
        self._next_at = 0.0

    def due(self) -> bool:
        """Whether the line may be written now."""
        now = time.monotonic()
        if now < self._next_at:
            return False
        self._next_at = now + self._every_s
        return True
