"""Firmware updates: asked for, and followed (OCPP 1.6 §4.5, §5.19; 2.0.1 L01, L02)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from modules.configuration.domain.answers import NUMBERS
from modules.configuration.domain.firmware import FirmwareUpdate, UpdateState, moved
from modules.configuration.errors import FirmwareUpdateNotFound
from modules.configuration.repository import firmware as stored
from modules.kernel.secrets import without_user_info
from modules.kernel.work import Work
from shared_contracts.commands import CommandOutcome, UpdateFirmware
from shared_contracts.configuration import FirmwareUpdateProgressed
from shared_contracts.message import new_id
from shared_contracts.stations import FirmwareStatusReported


async def remember(work: Work, station_id: str, command: UpdateFirmware, *, requested_by: str) -> FirmwareUpdate:
    """Store an update before the station is asked: it may report on it before it has answered."""
    firmware_update = FirmwareUpdate(
        update_id=new_id(),
        station_id=station_id,
        request_id=command.request_id,
        location=without_user_info(command.location),
        retrieve_at=command.retrieve_at,
        install_at=command.install_at,
        retries=command.retries,
        retry_interval_s=command.retry_interval_s,
        signed=command.signature is not None,
        state=UpdateState.REQUESTED,
        status=None,
        requested_by=requested_by,
        requested_at=work.now,
        command_id=None,
        updated_at=work.now,
    )
    await stored.add(work, firmware_update)
    return firmware_update


async def get(work: Work, station_id: str, update_id: str) -> FirmwareUpdate:
    """One update. Raises FirmwareUpdateNotFound."""
    firmware_update = await stored.find(work, station_id, update_id)
    if firmware_update is None:
        raise FirmwareUpdateNotFound(update_id)
    return firmware_update


async def list_page(work: Work, station_id: str, *, before: str | None, limit: int) -> Sequence[FirmwareUpdate]:
    """The updates of a station, newest first."""
    return await stored.list_page(work, station_id, before=before, limit=limit)


async def record_command(
    work: Work, station_id: str, request_id: int, command_id: str, outcome: CommandOutcome | None, status: str | None
) -> None:
    """Remember how a station took the request: an update that it will not make has failed.

    One that it reported on before counts as reported; no answer in time says nothing.
    """
    firmware_update = await _take(work, station_id, request_id)
    if firmware_update is None:
        return
    now_known = replace(firmware_update, command_id=command_id)
    if firmware_update.state is UpdateState.REQUESTED and outcome not in {None, CommandOutcome.TIMED_OUT}:
        refused = outcome is not CommandOutcome.ACCEPTED
        state = UpdateState.FAILED if refused else UpdateState.REQUESTED
        said = firmware_update.status or status or (str(outcome) if refused else None)
        now_known = replace(now_known, state=state, status=said, updated_at=work.now)
    await stored.store(work, now_known)
    _tell(work, firmware_update, now_known, work.now)


async def follow(work: Work, report: FirmwareStatusReported) -> None:
    """Move an update on by what the station reports."""
    firmware_update = await _take(work, report.station_id, report.request_id)
    if firmware_update is None:
        return
    state = moved(firmware_update.state, report.status)
    now_known = replace(firmware_update, state=state, status=report.status[:100], updated_at=work.now)
    await stored.store(work, now_known)
    _tell(work, firmware_update, now_known, report.reported_at)


async def forget_unasked(work: Work, update_id: str) -> None:
    """Remove an update whose station does not exist."""
    await stored.remove(work, update_id)


async def _take(work: Work, station_id: str, request_id: int | None) -> FirmwareUpdate | None:
    if request_id is not None and request_id not in NUMBERS:
        return None
    return await stored.take(work, station_id, request_id)


def _tell(work: Work, before: FirmwareUpdate, after: FirmwareUpdate, at: datetime) -> None:
    if before.state is not after.state:
        work.publish(
            FirmwareUpdateProgressed(
                station_id=after.station_id, update_id=after.update_id, state=after.state, happened_at=at
            )
        )
