"""StartTransaction (OCPP 1.6 §4.8)."""

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.v16.authorize import id_tag_info
from communication_service.ocpp.wire import maybe_whole, moment, whole
from shared_contracts.transactions import OpenTransaction, TransactionOpened


def start_transaction(payload: Payload, context: Context) -> Ask[TransactionOpened]:
    """Charging began. A time that cannot be true is kept in a flag, so that a retry still has the same content."""
    flags: list[str] = []
    request = OpenTransaction(
        station_id=context.station_id,
        connector_id=whole(payload["connectorId"], "connector_id", flags),
        id_token=payload["idTag"],
        meter_start_wh=whole(payload["meterStart"], "meter_start_wh", flags, bits=64),
        started_at=moment(payload["timestamp"], context, flags),
        received_at=context.received_at,
        reservation_id=maybe_whole(payload.get("reservationId"), "reservation_id", flags),
        flags=tuple(flags),
    )
    return Ask(request, _answer)


def _answer(reply: TransactionOpened) -> Payload:
    return {
        "transactionId": reply.number,
        "idTagInfo": id_tag_info(reply.status, reply.expires_at, reply.group),
    }
