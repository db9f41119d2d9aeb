"""DataTransfer from a station (OCPP 2.0.1 P02)."""

import orjson

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.v16.data_transfer import answer
from shared_contracts.charge_points import DataReceived, ReceiveData


def data_transfer(payload: Payload, context: Context) -> Ask[DataReceived]:
    """Data that only the vendor understands: any JSON in 2.x, of which the contract carries the text."""
    data = payload.get("data")
    request = ReceiveData(
        station_id=context.station_id,
        vendor_id=payload["vendorId"],
        message_id=payload.get("messageId"),
        data=data if data is None or isinstance(data, str) else orjson.dumps(data).decode(),
    )
    return Ask(request, answer)
