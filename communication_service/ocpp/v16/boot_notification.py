"""BootNotification (OCPP 1.6 §4.2)."""

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.wire import stamp
from shared_contracts.charge_points import BootAnswered, BootStation


def boot_notification(payload: Payload, context: Context) -> Ask[BootAnswered]:
    """A station started. Its own serial number counts; the deprecated one of its box stands in for it."""
    request = BootStation(
        station_id=context.station_id,
        ocpp_version=str(context.version),
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial_number=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber"),
        firmware_version=payload.get("firmwareVersion"),
        iccid=payload.get("iccid"),
        imsi=payload.get("imsi"),
        meter_type=payload.get("meterType"),
        meter_serial_number=payload.get("meterSerialNumber"),
        booted_at=context.received_at,
    )
    return Ask(request, lambda reply: answer(reply, context))


def answer(reply: BootAnswered, context: Context) -> Payload:
    """The CALLRESULT, the same in all versions. `currentTime` is the time of receipt."""
    return {
        "status": reply.registration.capitalize(),
        "currentTime": stamp(context.received_at),
        "interval": reply.interval_s,
    }
