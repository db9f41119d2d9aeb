"""/charging-stations/{station_id}/credential-rotations and /charging-stations/{station_id}/security-profile"""

from urllib.parse import quote

from modules.charge_points.schemas.commands import CommandView, CommandWait
from modules.charge_points.schemas.credentials import ProfileMove, ProfileMoveView, RotationView
from modules.charge_points.service import raising, rotating
from modules.charge_points.service.dispatching import Dispatcher
from modules.kernel.errors import Forbidden
from modules.kernel.http import Call, Created, NoQuery, Page, Paging, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work
from shared_contracts.users import Role


async def rotate_credentials(call: Call[CommandWait, None], work: Work) -> AfterCommit[Created[RotationView]]:
    """Give a charging station a new password over the air.

    It is random, sent to the station, and shown to nobody. When the station accepts it, the old one is refused; when
    it rejects it, or is not connected, the old one stays; when no answer comes, both are valid until the station's
    next login tells which one it keeps.
    """
    begun = await rotating.begin(
        work, call.path["station_id"], issued_by=call.principal.user_id, timeout_s=call.query.timeout_s
    )
    dispatcher = work.resource(Dispatcher)
    rotation = begun.rotation

    async def answer() -> Created[RotationView]:
        await dispatcher.carry(begun.order, wait_s=call.query.wait_s)
        ended = await dispatcher.read(lambda work: rotating.get(work, rotation.station_id, rotation.rotation_id))
        return Created(RotationView.of(ended), f"{_rotations(rotation.station_id)}/{rotation.rotation_id}")

    return AfterCommit(answer)


async def get_credential_rotation(call: Call[NoQuery, None], work: Work) -> RotationView:
    """Show how the replacement of a password went."""
    return RotationView.of(await rotating.get(work, call.path["station_id"], call.path["rotation_id"]))


async def list_credential_rotations(call: Call[Paging, None], work: Work) -> Page[RotationView]:
    """List the replacements of a charging station's password, newest first."""
    (before,) = decode_cursor(call.query.cursor, str) or (None,)
    found = await rotating.list_page(work, call.path["station_id"], before=before, limit=call.query.limit + 1)
    return page_of(found, call.query, RotationView.of, lambda rotation: (rotation.rotation_id,))


async def move_security_profile(call: Call[CommandWait, ProfileMove], work: Work) -> AfterCommit[ProfileMoveView]:
    """Move a charging station to another security profile.

    Both profiles are accepted until the station has connected with the new one; from then on only that. Moving it to
    its present profile takes back what was begun. Lower than the present one is refused, but for an administrator
    who allows the step from 3 to 2.
    """
    if call.body.allow_downgrade and call.principal.role is not Role.ADMIN:
        raise Forbidden("Only an administrator may lower a security profile.")
    station_id = call.path["station_id"]
    moved = await raising.move(
        work,
        station_id,
        call.body.security_profile,
        allow_downgrade=call.body.allow_downgrade,
        tell=call.body.tell_station,
        issued_by=call.principal.user_id,
        timeout_s=call.query.timeout_s,
    )
    dispatcher = work.resource(Dispatcher)

    async def answer() -> ProfileMoveView:
        told = None if moved.order is None else await dispatcher.carry(moved.order, wait_s=call.query.wait_s)
        return ProfileMoveView.of(station_id, moved.profiles, None if told is None else CommandView.of(told))

    return AfterCommit(answer)


def _rotations(station_id: str) -> str:
    return f"/charging-stations/{quote(station_id, safe='')}/credential-rotations"


_ONE = "/charging-stations/{station_id}"
table = (
    post(f"{_ONE}/credential-rotations", rotate_credentials, Scope.STATIONS_WRITE),
    get(f"{_ONE}/credential-rotations", list_credential_rotations, Scope.STATIONS_READ),
    get(f"{_ONE}/credential-rotations/{{rotation_id}}", get_credential_rotation, Scope.STATIONS_READ),
    post(f"{_ONE}/security-profile", move_security_profile, Scope.STATIONS_WRITE),
)
