"""TransactionEvent (OCPP 2.0.1 E01 to E15)."""

from collections.abc import Iterable
from typing import Any, Literal

from communication_service.ocpp.route import Ask, Context, Outcome, Payload, Publish
from communication_service.ocpp.v201.authorize import id_token_info
from communication_service.ocpp.v201.meter_values import reading
from communication_service.ocpp.v201.words import CHARGING_STATES, STOPPED_REASONS, TRIGGER_REASONS
from communication_service.ocpp.wire import maybe_whole, moment, whole
from shared_contracts.stations import MeterReading
from shared_contracts.transactions import JudgeTransactionReport, TransactionReported, TransactionReportJudged

KINDS: dict[str, Literal["started", "updated", "ended"]] = {
    "Started": "started",
    "Updated": "updated",
    "Ended": "ended",
}


def transaction_event(payload: Payload, context: Context) -> Outcome:
    """Something happened in a transaction. With an id token somebody has to judge it; without, storing it is all."""
    report = _report(payload, context)
    token = payload.get("idToken")
    if not token:
        return Publish(TransactionReported(**report), {})
    request = JudgeTransactionReport(**report, id_token=token["idToken"], token_type=token["type"])
    return Ask(request, _answer)


def _report(payload: Payload, context: Context) -> dict[str, Any]:
    """The fields of `TransactionReport`. An eventType that OCPP does not have is taken for an update, and flagged."""
    transaction, evse = payload["transactionInfo"], payload.get("evse") or {}
    flags = _unknown_words(payload, transaction)
    return {
        "station_id": context.station_id,
        "transaction_ref": transaction["transactionId"],
        "kind": KINDS.get(payload["eventType"], "updated"),
        "sequence_number": whole(payload["seqNo"], "sequence_number", flags),
        "trigger_reason": payload["triggerReason"],
        "happened_at": moment(payload["timestamp"], context, flags),
        "received_at": context.received_at,
        "offline": bool(payload.get("offline")),
        "evse_id": maybe_whole(evse.get("id"), "evse_id", flags),
        "connector_id": maybe_whole(evse.get("connectorId"), "connector_id", flags),
        "charging_state": transaction.get("chargingState"),
        "stopped_reason": transaction.get("stoppedReason"),
        "remote_start_id": maybe_whole(transaction.get("remoteStartId"), "remote_start_id", flags),
        "readings": _readings(payload.get("meterValue") or (), context),
        "flags": tuple(flags),
    }


def _unknown_words(payload: Payload, transaction: Payload) -> list[str]:
    """A flag for each word that OCPP does not have; the words themselves are kept, all but the eventType."""
    flags = []
    if payload["eventType"] not in KINDS:
        flags.append(f"unknown_event_type:{payload['eventType'][:40]}")
    if payload["triggerReason"] not in TRIGGER_REASONS:
        flags.append("unknown_trigger_reason")
    if transaction.get("chargingState", "Idle") not in CHARGING_STATES:
        flags.append("unknown_charging_state")
    if transaction.get("stoppedReason", "Local") not in STOPPED_REASONS:
        flags.append("unknown_stopped_reason")
    return flags


def _readings(meter_values: Iterable[Payload], context: Context) -> tuple[MeterReading, ...]:
    return tuple(MeterReading.model_validate(reading(meter_value, context)) for meter_value in meter_values)


def _answer(reply: TransactionReportJudged) -> Payload:
    return {"idTokenInfo": id_token_info(reply.status, reply.expires_at, reply.group)}
