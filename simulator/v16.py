"""OCPP 1.6 as a station speaks it (OCPP 1.6 edition 2, §4 and §6)."""

from collections.abc import Mapping
from datetime import datetime

from simulator import commands_v16
from simulator.call import Message, message
from simulator.charge import Charge
from simulator.connector import Connector
from simulator.dialect import Handler, Situation
from simulator.frames import Payload
from simulator.identity import Identity
from simulator.ledger import Sample
from simulator.meter import readings, stamp
from simulator.variables import Variable
from simulator.variables_v16 import configuration_keys

UNKNOWN_TRANSACTION = -1
REASONS = {
    "DeAuthorized",
    "EmergencyStop",
    "EVDisconnected",
    "HardReset",
    "Local",
    "Other",
    "PowerLoss",
    "Reboot",
    "Remote",
    "SoftReset",
    "UnlockCommand",
}


class V16:
    """StartTransaction, MeterValues, StopTransaction; the central system numbers the transactions."""

    version = "1.6"
    subprotocol = "ocpp1.6"
    format_violation = "FormationViolation"
    commands: Mapping[str, Handler] = commands_v16.TABLE

    def variables(self, connectors: int) -> list[Variable]:
        """Return the configuration keys."""
        return configuration_keys(connectors)

    def boot(self, identity: Identity, reason: str) -> Message:  # noqa: ARG002 - 1.6 tells no reason
        """Return a BootNotification."""
        return message(
            "BootNotification",
            {
                "chargePointVendor": identity.vendor,
                "chargePointModel": identity.model,
                "chargePointSerialNumber": identity.serial,
                "firmwareVersion": identity.firmware,
            },
        )

    def status(self, connector: Connector, at: datetime) -> Message:
        """Return a StatusNotification."""
        return message(
            "StatusNotification",
            {
                "connectorId": connector.number,
                "errorCode": "NoError",
                "status": self.reported_state(connector),
                "timestamp": stamp(at),
            },
        )

    def reported_state(self, connector: Connector) -> str:
        """Return the connector's state; the simulator thinks in those of 1.6."""
        return connector.state.value

    def authorize(self, id_token: str) -> Message:
        """Return an Authorize."""
        return message("Authorize", {"idTag": id_token})

    def token_status(self, answer: Payload) -> str | None:
        """Return the status of an idTagInfo."""
        status = answer.get("idTagInfo", {}).get("status")
        return str(status) if status is not None else None

    def started(self, charge: Charge, situation: Situation) -> Message:  # noqa: ARG002 - 1.6 tells no more
        """Return a StartTransaction."""
        payload: Payload = {
            "connectorId": charge.record.connector,
            "idTag": charge.record.id_token,
            "meterStart": charge.record.meter_start_wh,
            "timestamp": stamp(charge.record.started_at),
        }
        if charge.reservation_id is not None:
            payload["reservationId"] = charge.reservation_id
        return message("StartTransaction", payload)

    def energized(self, charge: Charge, at: datetime, situation: Situation) -> None:
        """Return nothing: 1.6 tells it by the connector's status alone."""

    def learn(self, charge: Charge, answer: Payload) -> None:
        """Take the number that the central system gave."""
        charge.record.csms_transaction_id = answer.get("transactionId")

    def sampled(self, charge: Charge, sample: Sample, context: str, situation: Situation) -> Message:
        """Return MeterValues; without an id if the start was given up."""

        def build() -> Payload:
            known = charge.record.csms_transaction_id
            return {
                "connectorId": charge.record.connector,
                **({} if known is None else {"transactionId": known}),
                "meterValue": [_meter_value(sample.at, sample.wh, charge.power_w, context, situation.measurands)],
            }

        return Message("MeterValues", build)

    def stopped(self, charge: Charge, situation: Situation) -> Message:  # noqa: ARG002 - 1.6 tells no more
        """Return a StopTransaction; its id is -1 if the start was given up."""
        record = charge.record

        def build() -> Payload:
            known = record.csms_transaction_id
            return {
                "transactionId": UNKNOWN_TRANSACTION if known is None else known,
                "idTag": record.id_token,
                "meterStop": charge.stop_wh,
                "timestamp": stamp(charge.stopped_at),
                "reason": record.reason if record.reason in REASONS else "Other",
            }

        return Message("StopTransaction", build)

    def loose_meter(self, connector: Connector, at: datetime, measurands: tuple[str, ...]) -> Message:
        """Return MeterValues of a connector without a transaction."""
        value = _meter_value(at, connector.register_wh, 0, "Trigger", measurands)
        return message("MeterValues", {"connectorId": connector.number, "meterValue": [value]})


def _meter_value(at: datetime, wh: int, power_w: int, context: str, measurands: tuple[str, ...]) -> Payload:
    """Return one MeterValue; 1.6 writes numbers as text."""
    return {
        "timestamp": stamp(at),
        "sampledValue": [
            {
                "value": str(reading.value),
                "context": context,
                "measurand": reading.measurand,
                "unit": reading.unit,
                **({"phase": reading.phase} if reading.phase else {}),
            }
            for reading in readings(wh, power_w, measurands)
        ],
    }
