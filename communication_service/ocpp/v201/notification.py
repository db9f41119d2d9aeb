"""Notifications that nobody needs to understand yet, but that are kept and answered."""

from communication_service.ocpp.route import Context, Inbound, Payload, Publish
from shared_contracts.secrets import without_secrets
from shared_contracts.stations import StationNotified


def notification(action: str) -> Inbound:
    """The route of an action whose answer is empty: its payload is published as it came, without secrets."""

    def inbound(payload: Payload, context: Context) -> Publish:
        event = StationNotified(
            station_id=context.station_id,
            ocpp_version=str(context.version),
            action=action,
            payload=without_secrets(payload),
            reported_at=context.received_at,
        )
        return Publish(event, {})

    return inbound
