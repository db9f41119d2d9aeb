"""/charging-stations/{station_id}/charging-profiles"""

from collections.abc import Mapping
from urllib.parse import quote

from modules.configuration.domain.answers import NUMBERS
from modules.configuration.errors import ChargingProfileNotFound
from modules.configuration.routes.cursors import position_of
from modules.configuration.schemas.profiles import ChargingProfileView, NewChargingProfile, ProfileFilter
from modules.configuration.service import profiles
from modules.configuration.service.sending import Afterwards
from modules.kernel.http import Call, Created, NoQuery, Page, delete, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work

_MOST_DIGITS = len(str(NUMBERS[-1]))


async def list_charging_profiles(call: Call[ProfileFilter, None], work: Work) -> Page[ChargingProfileView]:
    """List the charging profiles that a charging station was given, by id."""
    query = call.query
    (after,) = position_of(query.cursor, int) or (None,)
    found = await profiles.list_page(
        work, call.path["station_id"], states=query.state, after=after, limit=query.limit + 1
    )
    return page_of(found, query, ChargingProfileView.of, lambda profile: (profile.profile_id,))


async def send_charging_profile(
    call: Call[NoQuery, NewChargingProfile], work: Work
) -> AfterCommit[Created[ChargingProfileView]]:
    """Give a charging station a charging profile.

    One with the same id, or with the same EVSE, purpose and stack level, is replaced. The state says whether the
    station took it; `unknown` while it has not answered.
    """
    station_id, command = call.path["station_id"], call.body.command()
    afterwards = work.resource(Afterwards)

    async def answer() -> Created[ChargingProfileView]:
        async with afterwards.work(work.trace) as later:
            sent = await profiles.send(later, station_id, command, issued_by=call.principal.user_id)
        place = f"/charging-stations/{quote(station_id, safe='')}/charging-profiles/{sent.profile_id}"
        return Created(ChargingProfileView.of(sent), place)

    return AfterCommit(answer)


async def get_charging_profile(call: Call[NoQuery, None], work: Work) -> ChargingProfileView:
    """Show a charging profile as it was last sent."""
    return ChargingProfileView.of(await profiles.get(work, call.path["station_id"], _profile_id(call.path)))


async def clear_charging_profile(call: Call[NoQuery, None], work: Work) -> None:
    """Take a charging profile back; also one that was not sent from here."""
    await profiles.clear(work, call.path["station_id"], _profile_id(call.path), issued_by=call.principal.user_id)


def _profile_id(path: Mapping[str, str]) -> int:
    """The id in the path. Raises ChargingProfileNotFound for what OCPP could not have as one."""
    text = path["profile_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) in NUMBERS):
        raise ChargingProfileNotFound(text)
    return int(text)


_ALL = "/charging-stations/{station_id}/charging-profiles"
table = (
    get(_ALL, list_charging_profiles, Scope.CONFIGURATION_READ),
    post(_ALL, send_charging_profile, Scope.CONFIGURATION_WRITE),
    get(f"{_ALL}/{{profile_id}}", get_charging_profile, Scope.CONFIGURATION_READ),
    delete(f"{_ALL}/{{profile_id}}", clear_charging_profile, Scope.CONFIGURATION_WRITE, problems=(409,)),
)
