"""Replaces the password of a station over the air: stored before it is sent, and seen by nobody but the station."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass

from modules.charge_points.domain.rotations import Keyring, Rotation, RotationState
from modules.charge_points.domain.stations import hash_password
from modules.charge_points.errors import RotationNotFound, RotationsUnconfirmed, RotationUnderWay, StationNotFound
from modules.charge_points.repository import credentials
from modules.charge_points.service import commanding, proving, registering
from modules.charge_points.service.commanding import Order
from modules.kernel.work import Work
from shared_contracts.commands import SetVariables, VariableChange
from shared_contracts.message import new_id

_HEX_BYTES = 20  # 40 digits: the most that AuthorizationKey of OCPP 1.6 takes
_PASSWORD_LENGTH = 40
_PASSWORD_CHARACTERS = string.ascii_letters + string.digits + "-_."
"""Of a passwordString (OCPP 2.0.1 A00.FR.205), those that need no escaping anywhere."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A rotation, and the command that takes the password to the station once this is committed."""

    rotation: Rotation
    order: Order


async def begin(work: Work, station_id: str, *, issued_by: str, timeout_s: float) -> Begun:
    """Make a password for a station (whitepaper A01.FR.06, 07: random, and no other station's).

    Raises StationNotFound, RotationUnderWay, and RotationsUnconfirmed where too many are in doubt already.
    """
    station = await registering.get(work, station_id)
    change = _change(station.ocpp_version)
    order = await commanding.issue(
        work,
        station_id=station_id,
        command=SetVariables(variables=(change,)),
        issued_by=issued_by,
        timeout_s=timeout_s,
    )
    rotation = _rotation(work, station_id, order.remembered.command_id, change.value)
    begun = await proving.change(
        work, station_id, lambda access: proving.with_keys(access, _free(access.keyring).begun(rotation))
    )
    if begun is None:
        raise StationNotFound(station_id)
    return Begun(rotation, order)


async def get(work: Work, station_id: str, rotation_id: str) -> Rotation:
    """One rotation. Raises RotationNotFound."""
    rotation = await credentials.find_rotation(work, station_id, rotation_id)
    if rotation is None:
        raise RotationNotFound(rotation_id)
    return rotation


async def list_page(work: Work, station_id: str, *, before: str | None, limit: int) -> Sequence[Rotation]:
    """The rotations of a station, newest first. Raises StationNotFound."""
    found = await credentials.list_rotations(work, station_id, before=before, limit=limit)
    if not found:
        await registering.get(work, station_id)
    return found


def _change(ocpp_version: str | None) -> VariableChange:
    """OCPP 1.6 has a key of hexadecimal digits, 2.0.1 and 2.1 have a variable of the security controller."""
    if ocpp_version is None or ocpp_version.startswith("1."):
        return VariableChange(name="AuthorizationKey", value=secrets.token_hex(_HEX_BYTES))
    password = "".join(secrets.choice(_PASSWORD_CHARACTERS) for _ in range(_PASSWORD_LENGTH))
    return VariableChange(component="SecurityCtrlr", name="BasicAuthPassword", value=password)


def _rotation(work: Work, station_id: str, command_id: str, password: str) -> Rotation:
    new = hash_password(password, secrets.token_hex(16))
    return Rotation(
        rotation_id=new_id(),
        station_id=station_id,
        state=RotationState.SENT,
        command_id=command_id,
        salt=new.salt,
        credentials=new,
        unconfirmed_revision=None,
        created_at=work.now,
    )


def _free(keyring: Keyring) -> Keyring:
    if (under_way := keyring.under_way) is not None:
        raise RotationUnderWay(under_way.rotation_id)
    if keyring.is_full:
        raise RotationsUnconfirmed
    return keyring
