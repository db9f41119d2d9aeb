"""Asks stations for firmware updates, once those are committed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from modules.configuration.domain.firmware import FirmwareUpdate
from modules.configuration.errors import StationNotFound
from modules.configuration.service import asking, firmware
from modules.kernel.work import ModuleContext
from shared_contracts.commands import UpdateFirmware


class FirmwareSender:
    """A resource of the module: opens works of its own, for the request's work has ended by then."""

    def __init__(self, context: ModuleContext) -> None:
        self._context = context

    async def send(self, remembered: FirmwareUpdate, command: UpdateFirmware, trace: str | None) -> FirmwareUpdate:
        """Ask the station, and store how it took it. Errors as of `ask_station`."""
        station_id, request_id = remembered.station_id, remembered.request_id
        try:
            async with self._context.work(trace=trace) as work:
                issued = await asking.tell_station(
                    work, station_id, command, issued_by=remembered.requested_by, idempotency_key=remembered.update_id
                )
                await firmware.record_command(
                    work, station_id, request_id, issued.command_id, issued.outcome, issued.status
                )
                current = await firmware.get(work, station_id, remembered.update_id)
        except StationNotFound:
            async with self._context.work(trace=trace) as work:
                await firmware.forget_unasked(work, remembered.update_id)
            raise
        asking.must_have_been_sent(issued, station_id)
        return current


@asynccontextmanager
async def open_sender(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """The sender, as a resource of the module."""
    yield {FirmwareSender: FirmwareSender(context)}
