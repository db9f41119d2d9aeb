from typing import Any

import pytest

from communication_service.ocpp.v201 import words
from communication_service.ocpp.v201.transaction_event import KINDS
from communication_service.ocpp.versions import Version
from shared_contracts.authorization import TokenStatus
from shared_contracts.stations import MeterReading, SampledValue
from shared_contracts.transactions import JudgeTransactionReport, TransactionReported, TransactionReportJudged
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, EXPIRES_AT, RECEIVED_AT, Station

STATION = Station(Version.V201)
EVENT = {
    "eventType": "Updated",
    "timestamp": AT_TEXT,
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "T-1"},
}
REPORT: dict[str, Any] = {
    "station_id": "CS1",
    "transaction_ref": "T-1",
    "kind": "updated",
    "sequence_number": 3,
    "trigger_reason": "MeterValuePeriodic",
    "happened_at": AT,
    "received_at": RECEIVED_AT,
}
TOKEN = {"idToken": {"idToken": "A", "type": "ISO14443"}}


def test_an_event_without_a_token_is_published_with_all_it_tells() -> None:
    payload = EVENT | {
        "eventType": "Ended",
        "offline": True,
        "evse": {"id": 1, "connectorId": 2},
        "meterValue": [{"timestamp": AT_TEXT, "sampledValue": [{"value": 5400}]}],
        "transactionInfo": {
            "transactionId": "T-1",
            "chargingState": "Idle",
            "stoppedReason": "EVDisconnected",
            "remoteStartId": 9,
        },
    }
    fields = REPORT | {
        "kind": "ended",
        "offline": True,
        "evse_id": 1,
        "connector_id": 2,
        "charging_state": "Idle",
        "stopped_reason": "EVDisconnected",
        "remote_start_id": 9,
        "readings": (MeterReading(sampled_at=AT, energy_wh=5400, values=(SampledValue(value="5400"),)),),
    }
    assert STATION.publishes("TransactionEvent", payload) == TransactionReported(**fields)


def test_an_event_with_a_token_is_judged() -> None:
    request = STATION.asks("TransactionEvent", EVENT | TOKEN)
    assert request == JudgeTransactionReport(**REPORT, id_token="A", token_type="ISO14443")


def test_the_verdict_is_told() -> None:
    reply = TransactionReportJudged(status=TokenStatus.BLOCKED, expires_at=EXPIRES_AT)
    assert STATION.is_told("TransactionEvent", EVENT | TOKEN, reply) == {
        "idTokenInfo": {"status": "Blocked", "cacheExpiryDateTime": "2026-01-01T00:00:00.000Z"}
    }


def test_words_that_ocpp_does_not_have_are_kept_and_flagged() -> None:
    transaction = {"transactionId": "T-1", "chargingState": "Full", "stoppedReason": "Bored"}
    payload = EVENT | {"eventType": "Paused", "triggerReason": "Whim", "transactionInfo": transaction}
    event = STATION.publishes("TransactionEvent", payload, odd=True)
    assert isinstance(event, TransactionReported)
    assert (event.kind, event.trigger_reason, event.charging_state, event.stopped_reason) == (
        "updated",
        "Whim",
        "Full",
        "Bored",
    )
    assert event.flags == (
        "unknown_event_type:Paused",
        "unknown_trigger_reason",
        "unknown_charging_state",
        "unknown_stopped_reason",
    )


@pytest.mark.parametrize(
    ("known", "path"),
    [
        (set(KINDS), ("eventType",)),
        (words.TRIGGER_REASONS, ("triggerReason",)),
        (words.CHARGING_STATES, ("transactionInfo", "chargingState")),
        (words.STOPPED_REASONS, ("transactionInfo", "stoppedReason")),
    ],
)
def test_every_word_of_both_schemas_is_known(known: set[str], path: tuple[str, ...]) -> None:
    assert set(official.words(Version.V21, "TransactionEvent", *path)) == known
    assert set(official.words(Version.V201, "TransactionEvent", *path)) <= known
