"""DataTransfer from a station (OCPP 1.6 §4.3)."""

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.wire import present
from shared_contracts.charge_points import DataReceived, ReceiveData

STATUSES = frozenset({"Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"})


def data_transfer(payload: Payload, context: Context) -> Ask[DataReceived]:
    """Data that only the vendor understands."""
    request = ReceiveData(
        station_id=context.station_id,
        vendor_id=payload["vendorId"],
        message_id=payload.get("messageId"),
        data=payload.get("data"),
    )
    return Ask(request, answer)


def answer(reply: DataReceived) -> Payload:
    """The CALLRESULT, the same in all versions. A status that OCPP does not have becomes Rejected."""
    return present(status=reply.status if reply.status in STATUSES else "Rejected", data=reply.data)
