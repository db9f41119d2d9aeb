"""OCPP 2.0.1 and 2.1 as a station speaks them: TransactionEvent, and the station numbers the transactions."""

from collections.abc import Mapping
from datetime import datetime

from simulator import commands_v2, commands_v21
from simulator.call import Message, message
from simulator.charge import Charge
from simulator.connector import Connector, State
from simulator.dialect import Handler, Situation
from simulator.frames import Payload
from simulator.identity import Identity
from simulator.ledger import Sample
from simulator.meter import readings, stamp
from simulator.variables import Variable
from simulator.variables_v2 import device_model

TRIGGERS = {
    "Local": "StopAuthorized",
    "Remote": "RemoteStop",
    "DeAuthorized": "Deauthorized",
    "EVDisconnected": "EVCommunicationLost",
    "EmergencyStop": "AbnormalCondition",
    "PowerLoss": "AbnormalCondition",
    "ImmediateReset": "ResetCommand",
    "UnlockCommand": "UnlockCommand",
    "TimeLimitReached": "TimeLimitReached",
    "EnergyLimitReached": "EnergyLimitReached",
}
STOPPED_REASONS = {
    "DeAuthorized",
    "EmergencyStop",
    "EnergyLimitReached",
    "EVDisconnected",
    "GroundFault",
    "ImmediateReset",
    "Local",
    "LocalOutOfCredit",
    "MasterPass",
    "Other",
    "OvercurrentFault",
    "PowerLoss",
    "PowerQuality",
    "Reboot",
    "Remote",
    "SOCLimitReached",
    "StoppedByEV",
    "TimeLimitReached",
    "Timeout",
}
STATES = {State.PREPARING: "Occupied", State.CHARGING: "Occupied", State.FINISHING: "Occupied"}


class V201:
    """OCPP 2.0.1; each EVSE has one connector."""

    version = "2.0.1"
    subprotocol = "ocpp2.0.1"
    format_violation = "FormatViolation"
    commands: Mapping[str, Handler] = commands_v2.TABLE

    def variables(self, connectors: int) -> list[Variable]:
        """Return the device model."""
        return device_model(connectors)

    def boot(self, identity: Identity, reason: str) -> Message:
        """Return a BootNotification."""
        station = {
            "vendorName": identity.vendor,
            "model": identity.model,
            "serialNumber": identity.serial,
            "firmwareVersion": identity.firmware,
        }
        return message("BootNotification", {"reason": reason, "chargingStation": station})

    def status(self, connector: Connector, at: datetime) -> Message:
        """Return a StatusNotification."""
        return message(
            "StatusNotification",
            {
                "timestamp": stamp(at),
                "connectorStatus": self.reported_state(connector),
                "evseId": connector.number,
                "connectorId": 1,
            },
        )

    def reported_state(self, connector: Connector) -> str:
        """Return the connector's state in the five words of 2.x."""
        return STATES.get(connector.state, connector.state.value)

    def authorize(self, id_token: str) -> Message:
        """Return an Authorize."""
        return message("Authorize", {"idToken": _id_token(id_token)})

    def token_status(self, answer: Payload) -> str | None:
        """Return the status of an idTokenInfo."""
        status = answer.get("idTokenInfo", {}).get("status")
        return str(status) if status is not None else None

    def started(self, charge: Charge, situation: Situation) -> Message:
        """Return the Started event; an authorized, connected vehicle that draws no energy yet."""
        record = charge.record
        remote = charge.remote_start_id
        event = _event(charge, situation, "Started", "Authorized" if remote is None else "RemoteStart")
        event["timestamp"] = stamp(record.started_at)
        event["idToken"] = _id_token(record.id_token)
        event["transactionInfo"]["chargingState"] = "EVConnected"
        if remote is not None:
            event["transactionInfo"]["remoteStartId"] = remote
        if charge.reservation_id is not None:
            event["reservationId"] = charge.reservation_id
        event["meterValue"] = [
            _meter_value(record.started_at, record.meter_start_wh, 0, "Transaction.Begin", situation.measurands)
        ]
        return message("TransactionEvent", event)

    def energized(self, charge: Charge, at: datetime, situation: Situation) -> Message:
        """Return the Updated event that says energy flows."""
        event = _event(charge, situation, "Updated", "ChargingStateChanged")
        event["timestamp"] = stamp(at)
        event["transactionInfo"]["chargingState"] = "Charging"
        return message("TransactionEvent", event)

    def learn(self, charge: Charge, answer: Payload) -> None:
        """Take nothing: the station made the transaction's id."""

    def sampled(self, charge: Charge, sample: Sample, context: str, situation: Situation) -> Message:
        """Return the Updated event with a reading."""
        trigger = "Trigger" if context == "Trigger" else "MeterValuePeriodic"
        event = _event(charge, situation, "Updated", trigger)
        event["timestamp"] = stamp(sample.at)
        event["transactionInfo"]["chargingState"] = "Charging"
        event["meterValue"] = [_meter_value(sample.at, sample.wh, charge.power_w, context, situation.measurands)]
        return message("TransactionEvent", event)

    def stopped(self, charge: Charge, situation: Situation) -> Message:
        """Return the Ended event."""
        reason = charge.record.reason or "Local"
        event = _event(charge, situation, "Ended", TRIGGERS.get(reason, "AbnormalCondition"))
        event["timestamp"] = stamp(charge.stopped_at)
        event["idToken"] = _id_token(charge.record.id_token)
        event["transactionInfo"] |= {
            "chargingState": "EVConnected",
            "stoppedReason": reason if reason in STOPPED_REASONS else "Other",
        }
        event["meterValue"] = [
            _meter_value(charge.stopped_at, charge.stop_wh, 0, "Transaction.End", situation.measurands)
        ]
        return message("TransactionEvent", event)

    def loose_meter(self, connector: Connector, at: datetime, measurands: tuple[str, ...]) -> Message:
        """Return MeterValues of an EVSE without a transaction."""
        value = _meter_value(at, connector.register_wh, 0, "Trigger", measurands)
        return message("MeterValues", {"evseId": connector.number, "meterValue": [value]})


class V21(V201):
    """OCPP 2.1: the same messages, and more commands to obey."""

    version = "2.1"
    subprotocol = "ocpp2.1"
    commands: Mapping[str, Handler] = commands_v21.TABLE


def _event(charge: Charge, situation: Situation, event_type: str, trigger: str) -> Payload:
    """Return what every TransactionEvent has in common."""
    event: Payload = {
        "eventType": event_type,
        "triggerReason": trigger,
        "seqNo": situation.seq,
        "transactionInfo": {"transactionId": charge.record.station_transaction_id},
        "evse": {"id": charge.record.connector, "connectorId": 1},
    }
    if situation.offline:
        event["offline"] = True
    return event


def _id_token(id_token: str) -> Payload:
    """Return an RFID token in the shape of 2.x."""
    return {"idToken": id_token, "type": "ISO14443"}


def _meter_value(at: datetime, wh: int, power_w: int, context: str, measurands: tuple[str, ...]) -> Payload:
    """Return one MeterValue; 2.x writes numbers as numbers."""
    return {
        "timestamp": stamp(at),
        "sampledValue": [
            {
                "value": reading.value,
                "context": context,
                "measurand": reading.measurand,
                "unitOfMeasure": {"unit": reading.unit},
                **({"phase": reading.phase} if reading.phase else {}),
            }
            for reading in readings(wh, power_w, measurands)
        ],
    }
