from datetime import UTC, datetime

import pytest

from communication_service.ocpp.route import NotExpressible, OutboundCall
from communication_service.ocpp.v16.files import firmware_answered, get_log, log_answered, update_firmware
from shared_contracts.commands import CommandOutcome, GetLog, UpdateFirmware

AT, AT_TEXT = datetime(2025, 3, 1, 12, tzinfo=UTC), "2025-03-01T12:00:00.000Z"
PLAIN = UpdateFirmware(location="ftp://x/f", retrieve_at=AT, request_id=4, retries=3)
SIGNED = PLAIN.model_copy(update={"signing_certificate": "PEM", "signature": "sig", "install_at": AT})
DIAGNOSTICS = GetLog(location="ftp://x/l", request_id=5, oldest_at=AT, retry_interval_s=9)
SECURITY = DIAGNOSTICS.model_copy(update={"log": "security"})


def test_firmware_without_a_signature_is_updated_plainly() -> None:
    payload = {"location": "ftp://x/f", "retrieveDate": AT_TEXT, "retries": 3}
    assert update_firmware(PLAIN) == [OutboundCall("UpdateFirmware", payload)]
    answered = firmware_answered(PLAIN, [{}])
    assert (answered.outcome, answered.status) == (CommandOutcome.ACCEPTED, None)


def test_firmware_with_a_signature_is_updated_securely() -> None:
    firmware = {
        "location": "ftp://x/f",
        "retrieveDateTime": AT_TEXT,
        "installDateTime": AT_TEXT,
        "signingCertificate": "PEM",
        "signature": "sig",
    }
    payload = {"requestId": 4, "firmware": firmware, "retries": 3}
    assert update_firmware(SIGNED) == [OutboundCall("SignedUpdateFirmware", payload)]
    answered = firmware_answered(SIGNED, [{"status": "InvalidCertificate"}])
    assert (answered.outcome, answered.status) == (CommandOutcome.REJECTED, "InvalidCertificate")


def test_a_signature_without_its_certificate_is_not_sent() -> None:
    with pytest.raises(NotExpressible, match="certificate"):
        update_firmware(PLAIN.model_copy(update={"signature": "sig"}))


def test_diagnostics_are_fetched_the_old_way() -> None:
    payload = {"location": "ftp://x/l", "startTime": AT_TEXT, "retryInterval": 9}
    assert get_log(DIAGNOSTICS) == [OutboundCall("GetDiagnostics", payload)]
    answered = log_answered(DIAGNOSTICS, [{"fileName": "d.zip"}])
    assert (answered.outcome, answered.payload) == (CommandOutcome.ACCEPTED, {"fileName": "d.zip"})


def test_the_security_log_is_fetched_the_new_way() -> None:
    log = {"remoteLocation": "ftp://x/l", "oldestTimestamp": AT_TEXT}
    payload = {"log": log, "logType": "SecurityLog", "requestId": 5, "retryInterval": 9}
    assert get_log(SECURITY) == [OutboundCall("GetLog", payload)]
    assert log_answered(SECURITY, [{"status": "Rejected"}]).outcome is CommandOutcome.REJECTED
