"""Messages as the edge sends them, with what a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from shared_contracts.stations import MeterReading, MetersSampled, SampledValue
from shared_contracts.transactions import CloseTransaction, OpenTransaction, TransactionReport, TransactionReported

NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
REF = "7c0e-42"


def at(minutes: float) -> datetime:
    """So many minutes after the start of every story here."""
    return NOON + timedelta(minutes=minutes)


def accept(request: JudgeToken) -> TokenJudged:
    """Accept tokens, but for those that are named after another verdict; a token `x@driver` belongs to that driver."""
    status = request.id_token if request.id_token in set(TokenStatus) else TokenStatus.ACCEPTED
    _, _, driver_id = request.id_token.partition("@")
    return TokenJudged(status=TokenStatus(status), driver_id=driver_id or None, group="fleet")


def start(**fields: Any) -> OpenTransaction:
    begun_at = fields.get("started_at", at(0))
    values = {"station_id": "CS1", "connector_id": 1, "id_token": "Ab1", "meter_start_wh": 1000, "started_at": begun_at}
    return OpenTransaction(**values | {"received_at": begun_at} | fields)


def stop(number: int, **fields: Any) -> CloseTransaction:
    stopped_at = fields.get("stopped_at", at(60))
    values = {"station_id": "CS1", "number": number, "meter_stop_wh": 8000, "stopped_at": stopped_at}
    return CloseTransaction(**values | {"received_at": stopped_at} | fields)


def reading(minutes: float, energy_wh: int | None, **fields: Any) -> MeterReading:
    context = fields.pop("context", "Sample.Periodic")
    values = (SampledValue(value=str(energy_wh), unit="Wh", context=context),)
    return MeterReading(sampled_at=at(minutes), energy_wh=energy_wh, values=values, **fields)


def metered(ref: str | None, *readings: MeterReading, **fields: Any) -> MetersSampled:
    values = {"station_id": "CS1", "connector_id": 1, "transaction_ref": ref, "readings": readings}
    return MetersSampled(**values | fields)


def report(kind: str, sequence_number: int, minutes: float, **fields: Any) -> TransactionReported:
    return TransactionReported(**report_fields(kind, sequence_number, minutes, **fields))


def report_fields(kind: str, sequence_number: int, minutes: float, **fields: Any) -> dict[str, Any]:
    values = {
        "station_id": "CS1",
        "transaction_ref": REF,
        "kind": kind,
        "sequence_number": sequence_number,
        "trigger_reason": "Trigger",
        "happened_at": at(minutes),
        "received_at": at(minutes),
    }
    return values | fields


def one_charge() -> list[TransactionReport]:
    """The reports of an ordinary charge of 5 kWh that took an hour."""
    begin, end = "Transaction.Begin", "Transaction.End"
    return [
        report(
            "started",
            0,
            0,
            evse_id=1,
            connector_id=1,
            id_token="Ab1",
            remote_start_id=7,
            charging_state="EVConnected",
            readings=(reading(0, 1000, context=begin),),
        ),
        report("updated", 1, 1, charging_state="Charging"),
        report("updated", 2, 30, charging_state="Charging", readings=(reading(30, 3000), reading(29, 2900))),
        report("updated", 3, 45, charging_state="SuspendedEV", offline=True, flags=("time_no_zone:x",)),
        report(
            "ended",
            4,
            60,
            stopped_reason="EVDisconnected",
            charging_state="Idle",
            readings=(reading(60, 6000, context=end),),
        ),
    ]
