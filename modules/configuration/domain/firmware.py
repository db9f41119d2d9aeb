"""Firmware updates: OCPP's many words for their progress, and the few states that an operator needs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UpdateState(StrEnum):
    """`failed` may be left again, by a station that tries once more; `installed` may not."""

    REQUESTED = "requested"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    INSTALLING = "installing"
    INSTALLED = "installed"
    FAILED = "failed"


_STATES = {
    "DownloadScheduled": UpdateState.REQUESTED,
    "Downloading": UpdateState.DOWNLOADING,
    "DownloadPaused": UpdateState.DOWNLOADING,
    "Downloaded": UpdateState.DOWNLOADED,
    "SignatureVerified": UpdateState.DOWNLOADED,
    "InstallScheduled": UpdateState.DOWNLOADED,
    "Installing": UpdateState.INSTALLING,
    "InstallRebooting": UpdateState.INSTALLING,
    "Installed": UpdateState.INSTALLED,
    "DownloadFailed": UpdateState.FAILED,
    "InstallationFailed": UpdateState.FAILED,
    "InstallVerificationFailed": UpdateState.FAILED,
    "InvalidSignature": UpdateState.FAILED,
    "InvalidCertificate": UpdateState.FAILED,
    "RevokedCertificate": UpdateState.FAILED,
}


@dataclass(frozen=True, slots=True)
class FirmwareUpdate:
    """An update that an operator asked for. `status` is OCPP's last word, or how the command failed."""

    update_id: str
    station_id: str
    request_id: int
    location: str
    retrieve_at: datetime
    install_at: datetime | None
    retries: int | None
    retry_interval_s: int | None
    signed: bool
    state: UpdateState
    status: str | None
    requested_by: str
    requested_at: datetime
    command_id: str | None
    updated_at: datetime


def moved(state: UpdateState, status: str) -> UpdateState:
    """The state after OCPP's word (1.6 FirmwareStatus, 2.0.1 FirmwareStatusEnumType); unknown words change nothing.

    `Idle` says that no update is under way now, as 1.6 stations do when asked between two steps.
    """
    if state is UpdateState.INSTALLED:
        return state
    return _STATES.get(status, state)
