"""Firmware updates and log uploads (OCPP 2.0.1 L01, L02, N01)."""

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.wire import present, stamp
from shared_contracts.commands import GetLog, UpdateFirmware

_LOGS = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}


def update_firmware(command: UpdateFirmware) -> list[OutboundCall]:
    """UpdateFirmware, signed or not."""
    firmware = present(
        location=command.location,
        retrieveDateTime=stamp(command.retrieve_at),
        installDateTime=stamp(command.install_at),
        signingCertificate=command.signing_certificate,
        signature=command.signature,
    )
    payload = present(
        requestId=command.request_id,
        firmware=firmware,
        retries=command.retries,
        retryInterval=command.retry_interval_s,
    )
    return [OutboundCall("UpdateFirmware", payload)]


def get_log(command: GetLog) -> list[OutboundCall]:
    """GetLog."""
    log = present(
        remoteLocation=command.location,
        oldestTimestamp=stamp(command.oldest_at),
        latestTimestamp=stamp(command.latest_at),
    )
    payload = present(
        log=log,
        logType=_LOGS[command.log],
        requestId=command.request_id,
        retries=command.retries,
        retryInterval=command.retry_interval_s,
    )
    return [OutboundCall("GetLog", payload)]
