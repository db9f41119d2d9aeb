"""Firmware updates and log uploads (OCPP 1.6 §5.9, §5.19; security whitepaper §4)."""

from communication_service.ocpp.route import NotExpressible, OutboundCall, Payload
from communication_service.ocpp.verdicts import by_arrival, by_status
from communication_service.ocpp.wire import present, stamp
from shared_contracts.commands import CommandAnswered, GetLog, UpdateFirmware


def update_firmware(command: UpdateFirmware) -> list[OutboundCall]:
    """SignedUpdateFirmware if there is a signature, else UpdateFirmware, which installs as soon as it has the file."""
    tries = {"retries": command.retries, "retryInterval": command.retry_interval_s}
    if command.signature is None:
        payload = present(location=command.location, retrieveDate=stamp(command.retrieve_at), **tries)
        return [OutboundCall("UpdateFirmware", payload)]
    if command.signing_certificate is None:
        raise NotExpressible("a signed firmware update needs the certificate it is signed with")
    firmware = present(
        location=command.location,
        retrieveDateTime=stamp(command.retrieve_at),
        installDateTime=stamp(command.install_at),
        signingCertificate=command.signing_certificate,
        signature=command.signature,
    )
    payload = present(requestId=command.request_id, firmware=firmware, **tries)
    return [OutboundCall("SignedUpdateFirmware", payload)]


def firmware_answered(command: UpdateFirmware, answers: list[Payload]) -> CommandAnswered:
    """The plain update has an empty answer, the signed one a status."""
    return by_arrival(command, answers) if command.signature is None else by_status(command, answers)


def get_log(command: GetLog) -> list[OutboundCall]:
    """GetDiagnostics for the diagnostics, GetLog for the security log."""
    tries = {"retries": command.retries, "retryInterval": command.retry_interval_s}
    oldest, latest = stamp(command.oldest_at), stamp(command.latest_at)
    if command.log == "diagnostics":
        payload = present(location=command.location, startTime=oldest, stopTime=latest, **tries)
        return [OutboundCall("GetDiagnostics", payload)]
    log = present(remoteLocation=command.location, oldestTimestamp=oldest, latestTimestamp=latest)
    payload = present(log=log, logType="SecurityLog", requestId=command.request_id, **tries)
    return [OutboundCall("GetLog", payload)]


def log_answered(command: GetLog, answers: list[Payload]) -> CommandAnswered:
    """GetDiagnostics names a file or, if there is nothing to upload, none (§5.9); GetLog has a status."""
    return by_arrival(command, answers) if command.log == "diagnostics" else by_status(command, answers)
