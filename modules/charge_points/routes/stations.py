"""/charging-stations"""

from urllib.parse import quote

from modules.charge_points.repository.stations import Filter
from modules.charge_points.schemas.stations import (
    NewPassword,
    NewStation,
    PasswordView,
    StationCreated,
    StationDetail,
    StationEdit,
    StationFilter,
    StationView,
)
from modules.charge_points.service import registering
from modules.kernel.http import (
    Call,
    Created,
    NoQuery,
    Page,
    decode_cursor,
    delete,
    get,
    page_of,
    patch,
    post,
)
from modules.kernel.scopes import Scope
from modules.kernel.work import Work


async def list_charging_stations(call: Call[StationFilter, None], work: Work) -> Page[StationView]:
    """List charging stations, by identity."""
    query = call.query
    which = Filter(query.online, query.registration, query.vendor, query.search)
    (after,) = decode_cursor(query.cursor, str) or (None,)
    found = await registering.list_page(work, which, after=after, limit=query.limit + 1)
    return page_of(found, query, StationView.of, lambda station: (station.station_id,))


async def register_charging_station(call: Call[NoQuery, NewStation], work: Work) -> Created[StationCreated]:
    """Register a charging station.

    Where its security profile needs a password and none is given, one is made, and shown in this answer only.
    """
    station, made = await registering.register(
        work, call.body.station_id, call.body.values(), password=call.body.chosen_password
    )
    view = StationCreated.of(station).model_copy(update={"password": made})
    return Created(view, f"/charging-stations/{quote(station.station_id, safe='')}")


async def get_charging_station(call: Call[NoQuery, None], work: Work) -> StationDetail:
    """Show a charging station, with its EVSEs and connectors."""
    station = await registering.get(work, call.path["station_id"])
    return StationDetail.with_connectors(station, await registering.list_connectors(work, station.station_id))


async def edit_charging_station(call: Call[NoQuery, StationEdit], work: Work) -> StationView:
    """Change what is said of a charging station, its registration or its security profile.

    A profile with a password admits nobody before a password is set.
    """
    station_id = call.path["station_id"]
    return StationView.of(await registering.edit(work, station_id, call.body.changes(), revision=call.if_match))


async def remove_charging_station(call: Call[NoQuery, None], work: Work) -> None:
    """Remove a charging station, with its commands; its transactions stay."""
    await registering.remove(work, call.path["station_id"])


async def rotate_charging_station_password(call: Call[NoQuery, NewPassword], work: Work) -> PasswordView:
    """Replace the password of a charging station.

    Without one in the body, one is made, and shown in this answer only. The station itself is not told.
    """
    station_id = call.path["station_id"]
    made = await registering.rotate_password(work, station_id, password=call.body.chosen_password)
    return PasswordView(station_id=station_id, password=made)


_ONE = "/charging-stations/{station_id}"
table = (
    get("/charging-stations", list_charging_stations, Scope.STATIONS_READ),
    # No Idempotency-Key where a password is answered: remembered answers are stored as they are.
    post("/charging-stations", register_charging_station, Scope.STATIONS_WRITE, acts=False),
    get(_ONE, get_charging_station, Scope.STATIONS_READ),
    patch(_ONE, edit_charging_station, Scope.STATIONS_WRITE),
    delete(_ONE, remove_charging_station, Scope.STATIONS_WRITE),
    post(f"{_ONE}/password", rotate_charging_station_password, Scope.STATIONS_WRITE, acts=False),
)
