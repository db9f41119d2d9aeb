"""Heartbeat (OCPP 1.6 §4.6; the same in 2.0.1 and 2.1)."""

from communication_service.ocpp.route import Answer, Context, Payload
from communication_service.ocpp.wire import stamp


def heartbeat(_: Payload, context: Context) -> Answer:
    """The station is there; tell it the time."""
    return Answer({"currentTime": stamp(context.received_at)})
