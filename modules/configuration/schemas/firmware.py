"""Bodies and views of firmware updates."""

import secrets
from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from modules.configuration.domain.firmware import FirmwareUpdate, UpdateState
from modules.kernel.http import Body, Moment, View
from modules.kernel.urls import TransferUrl
from shared_contracts.commands import UpdateFirmware

_HIGHEST_NUMBER = 2**31 - 1


class NewFirmwareUpdate(Body):
    """Firmware for a station to fetch and install. A signed one needs the certificate it is signed with (PEM)."""

    location: TransferUrl
    retrieve_at: Moment | None = Field(default=None, description="When to fetch it; now, if left out.")
    install_at: Moment | None = None
    retries: int | None = Field(default=None, ge=0, le=1000)
    retry_interval_s: int | None = Field(default=None, ge=0, le=7 * 24 * 3600)
    signing_certificate: str | None = Field(default=None, min_length=1, max_length=5500)
    signature: str | None = Field(default=None, min_length=1, max_length=800)

    @model_validator(mode="after")
    def _is_signed_or_not(self) -> Self:
        if (self.signature is None) != (self.signing_certificate is None):
            raise ValueError("signature and signing_certificate come together")
        return self

    def command(self, now: datetime) -> UpdateFirmware:
        """What the station is told."""
        return UpdateFirmware(
            location=self.location,
            retrieve_at=self.retrieve_at or now,
            install_at=self.install_at,
            retries=self.retries,
            retry_interval_s=self.retry_interval_s,
            request_id=secrets.randbelow(_HIGHEST_NUMBER) + 1,
            signing_certificate=self.signing_certificate,
            signature=self.signature,
        )


class FirmwareUpdateView(View):
    """A firmware update and how it goes."""

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
    status: str | None = Field(description="OCPP's last word.")
    requested_by: str
    requested_at: datetime
    command_id: str | None
    updated_at: datetime

    @classmethod
    def of(cls, firmware_update: FirmwareUpdate) -> Self:
        """Show an update."""
        return cls.model_validate(firmware_update, from_attributes=True)
