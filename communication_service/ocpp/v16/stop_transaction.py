"""StopTransaction (OCPP 1.6 §4.10)."""

from communication_service.ocpp.route import Ask, Context, Payload
from communication_service.ocpp.v16.authorize import id_tag_info
from communication_service.ocpp.v16.meter_values import reading
from communication_service.ocpp.v16.words import REASONS
from communication_service.ocpp.wire import moment, whole
from shared_contracts.stations import MeterReading
from shared_contracts.transactions import CloseTransaction, TransactionClosed


def stop_transaction(payload: Payload, context: Context) -> Ask[TransactionClosed]:
    """Charging ended. An absent reason is Local (§6.49); one that 1.6 does not have is kept and flagged."""
    flags: list[str] = []
    reason = payload.get("reason") or "Local"
    if reason not in REASONS:
        flags.append("unknown_reason")
    request = CloseTransaction(
        station_id=context.station_id,
        number=whole(payload["transactionId"], "number", flags, bits=64),
        id_token=payload.get("idTag"),
        meter_stop_wh=whole(payload["meterStop"], "meter_stop_wh", flags, bits=64),
        stopped_at=moment(payload["timestamp"], context, flags),
        received_at=context.received_at,
        reason=reason,
        readings=tuple(
            MeterReading.model_validate(reading(meter_value, context))
            for meter_value in payload.get("transactionData") or ()
        ),
        flags=tuple(flags),
    )
    return Ask(request, _answer)


def _answer(reply: TransactionClosed) -> Payload:
    if reply.status is None:
        return {}
    return {"idTagInfo": id_tag_info(reply.status, reply.expires_at, reply.group)}
