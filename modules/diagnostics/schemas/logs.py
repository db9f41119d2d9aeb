"""Logs that stations are asked for."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from modules.diagnostics.domain import LogRequest
from modules.kernel.http import Body, Moment, View
from modules.kernel.urls import TransferUrl


class NewLogRequest(Body):
    """A log that a station is to upload."""

    log: Literal["diagnostics", "security"] = "diagnostics"
    location: TransferUrl = Field(description="URL to upload to: ftp, ftps, sftp, http or https.")
    since: Moment | None = Field(default=None, description="Oldest entry.")
    until: Moment | None = Field(default=None, description="Newest entry.")


class LogRequestView(View):
    """A log that was asked for: `outcome` is that of the command, `status` the station's last word on the upload.

    Credentials in the URL are masked.
    """

    id: UUID
    station_id: str
    log: str
    location: str
    since: datetime | None
    until: datetime | None
    requested_by: str
    requested_at: datetime
    command_id: str | None
    outcome: str | None
    status: str | None
    status_at: datetime | None

    @classmethod
    def of(cls, request: LogRequest) -> Self:
        """A view of a request."""
        return cls(
            id=request.id,
            station_id=request.station_id,
            log=request.log,
            location=request.location,
            since=request.oldest_at,
            until=request.latest_at,
            requested_by=request.requested_by,
            requested_at=request.requested_at,
            command_id=request.command_id,
            outcome=request.outcome,
            status=request.status,
            status_at=request.status_at,
        )
