"""What a station says, in each version, with the message id "7"."""

import json
from typing import Any

from communication_service.ocpp.versions import Version

AT = "2026-01-01T00:00:00Z"


def call(action: str, payload: Any, message_id: Any = "7") -> str:
    """A CALL."""
    return json.dumps([2, message_id, action, payload], ensure_ascii=False, separators=(",", ":"))


def boot(version: Version, **more: Any) -> str:
    """BootNotification; `more` is said of the station."""
    if version is Version.V16:
        return call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"} | more)
    return call("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"} | more})


def status(version: Version, *, word: Any = "Available", at: Any = AT, connector: Any = 1, **more: Any) -> str:
    """StatusNotification."""
    if version is Version.V16:
        payload = {"connectorId": connector, "errorCode": "NoError", "status": word, "timestamp": at}
    else:
        payload = {"evseId": 1, "connectorId": connector, "connectorStatus": word, "timestamp": at}
    return call("StatusNotification", payload | more)


def meters(version: Version, *, value: Any = None, at: Any = AT, evse: Any = 1, **sample: Any) -> str:
    """MeterValues with one sample."""
    default = "5" if version is Version.V16 else 5
    reading = {"timestamp": at, "sampledValue": [{"value": default if value is None else value} | sample]}
    name = "connectorId" if version is Version.V16 else "evseId"
    return call("MeterValues", {name: evse, "meterValue": [reading]})


def begin(version: Version, *, token: Any = "ABC", at: Any = AT, seq: Any = 0, meter: Any = 0, **more: Any) -> str:
    """StartTransaction, or a TransactionEvent of the kind Started with an id token."""
    if version is Version.V16:
        payload = {"connectorId": 1, "idTag": token, "meterStart": meter, "timestamp": at}
        return call("StartTransaction", payload | more)
    return _event("Started", at, seq, {"idToken": {"idToken": token, "type": "ISO14443"}} | more)


def end(version: Version, *, at: Any = AT, number: Any = 1, seq: Any = 9, meter: Any = 5, **more: Any) -> str:
    """StopTransaction, or a TransactionEvent of the kind Ended."""
    if version is Version.V16:
        payload = {"transactionId": number, "meterStop": meter, "timestamp": at}
        return call("StopTransaction", payload | more)
    return _event("Ended", at, seq, more)


def authorize(version: Version, token: Any, **more: Any) -> str:
    """Authorize."""
    if version is Version.V16:
        return call("Authorize", {"idTag": token} | more)
    return call("Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}} | more)


def security_event(_: Version) -> str:
    """SecurityEventNotification, the same in all versions."""
    return call("SecurityEventNotification", {"type": "SettingSystemTime", "timestamp": AT})


def _event(kind: str, at: Any, seq: Any, more: dict[str, Any]) -> str:
    payload = {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": "Trigger",
        "seqNo": seq,
        "transactionInfo": {"transactionId": "T1"},
    }
    return call("TransactionEvent", payload | more)
