"""/charging-stations/{station_id}/firmware-updates"""

from urllib.parse import quote

from modules.configuration.schemas.firmware import FirmwareUpdateView, NewFirmwareUpdate
from modules.configuration.service import firmware
from modules.configuration.service.sending import FirmwareSender
from modules.kernel.http import Call, Created, NoQuery, Page, Paging, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work


async def request_firmware_update(
    call: Call[NoQuery, NewFirmwareUpdate], work: Work
) -> AfterCommit[Created[FirmwareUpdateView]]:
    """Have a charging station fetch and install firmware.

    The answer says how the station took the request; it reports on the progress afterwards.
    """
    station_id, command = call.path["station_id"], call.body.command(work.now)
    remembered = await firmware.remember(work, station_id, command, requested_by=call.principal.user_id)
    sender, trace = work.resource(FirmwareSender), work.trace

    async def answer() -> Created[FirmwareUpdateView]:
        current = await sender.send(remembered, command, trace)
        place = f"/charging-stations/{quote(station_id, safe='')}/firmware-updates/{current.update_id}"
        return Created(FirmwareUpdateView.of(current), place)

    return AfterCommit(answer)


async def list_firmware_updates(call: Call[Paging, None], work: Work) -> Page[FirmwareUpdateView]:
    """List the firmware updates of a charging station, newest first."""
    query = call.query
    (before,) = decode_cursor(query.cursor, str) or (None,)
    found = await firmware.list_page(work, call.path["station_id"], before=before, limit=query.limit + 1)
    return page_of(found, query, FirmwareUpdateView.of, lambda one: (one.update_id,))


async def get_firmware_update(call: Call[NoQuery, None], work: Work) -> FirmwareUpdateView:
    """Show a firmware update and how it goes."""
    return FirmwareUpdateView.of(await firmware.get(work, call.path["station_id"], call.path["update_id"]))


_ALL = "/charging-stations/{station_id}/firmware-updates"
table = (
    post(_ALL, request_firmware_update, Scope.CONFIGURATION_WRITE),
    get(_ALL, list_firmware_updates, Scope.CONFIGURATION_READ),
    get(f"{_ALL}/{{update_id}}", get_firmware_update, Scope.CONFIGURATION_READ),
)
