"""BootNotification (OCPP 2.0.1 B01)."""

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.v16.boot_notification import answer
from shared_contracts.charge_points import BootAnswered, BootStation


def boot_notification(payload: Payload, context: Context) -> Ask[BootAnswered]:
    """A station started, and says why."""
    station = payload["chargingStation"]
    modem = station.get("modem") or {}
    request = BootStation(
        station_id=context.station_id,
        ocpp_version=str(context.version),
        vendor=station["vendorName"],
        model=station["model"],
        serial_number=station.get("serialNumber"),
        firmware_version=station.get("firmwareVersion"),
        iccid=modem.get("iccid"),
        imsi=modem.get("imsi"),
        reason=payload["reason"],
        booted_at=context.received_at,
    )
    return Ask(request, lambda reply: answer(reply, context))
