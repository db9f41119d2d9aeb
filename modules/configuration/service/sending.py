"""Asks stations once the work of the request is committed: they take their time, and no connection waits with them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from modules.configuration.domain.firmware import FirmwareUpdate
from modules.configuration.errors import StationNotFound
from modules.configuration.service import asking, firmware
from modules.kernel.destinations import DestinationRefused
from modules.kernel.work import ModuleContext, Work
from shared_contracts.commands import UpdateFirmware


@dataclass(frozen=True, slots=True)
class Afterwards:
    """A resource of the module: opens the works in which stations are asked after the request's own."""

    context: ModuleContext

    def work(self, trace: str | None) -> AbstractAsyncContextManager[Work]:
        """A work of its own; it takes a connection when the station has answered."""
        return self.context.serve(trace=trace)


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
        except (StationNotFound, DestinationRefused):
            async with self._context.work(trace=trace) as work:
                await firmware.forget_unasked(work, remembered.update_id)
            raise
        asking.must_have_been_sent(issued, station_id)
        return current


@asynccontextmanager
async def open_sender(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """What asks stations, as resources of the module."""
    yield {FirmwareSender: FirmwareSender(context), Afterwards: Afterwards(context)}
