"""Who may connect: checked before the upgrade, remembered so that a storm of reconnects costs microseconds."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import dataclass

from shared_contracts.bus import Bus, ask
from shared_contracts.charge_points import GetStationAccess, StationAccess

_ASK_S = 5.0
_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """User name and password of Basic authentication; the password may be any bytes (OCPP-J 1.6 §6.2)."""

    username: str
    password: bytes


def basic_credentials(header: str | None) -> Credentials | None:
    """Read an Authorization header; None for one that is absent or not Basic."""
    if header is None or header[:6].lower() != "basic ":
        return None
    try:
        username, separator, password = base64.b64decode(header[6:].strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return Credentials(username.decode("utf-8", "replace"), password) if separator else None


def proves(access: StationAccess, station_id: str, credentials: Credentials | None) -> bool:
    """Whether the credentials are the station's. The user name must equal its identity (whitepaper A00.FR.204).

    A 1.6 AuthorizationKey of hexadecimal digits may arrive as its text or as the bytes it stands for.
    """
    given = credentials or Credentials("", b"")
    matches = [
        hmac.compare_digest(password_hash(access.password_salt, form), access.password_hash or "-")
        for form in _forms(given.password)
    ]
    return credentials is not None and given.username == station_id and any(matches)


def password_hash(salt: str, password: bytes) -> str:
    """Station passwords are random and long: a salted fast hash is enough, and a storm affordable."""
    return hashlib.sha256(salt.encode() + password).hexdigest()


def _forms(password: bytes) -> Iterator[bytes]:
    yield password
    if len(password) == 20:
        yield password.hex().encode()
        yield password.hex().upper().encode()


class Admission:
    """Asks the charge points module about a station, and remembers the answer for a while."""

    def __init__(self, bus: Bus, *, ttl_s: float) -> None:
        self._bus = bus
        self._ttl_s = ttl_s
        self._remembered: dict[str, tuple[float, StationAccess]] = {}

    async def access(self, station_id: str) -> StationAccess:
        """What is known of the station. Raises BusError when nobody can tell."""
        remembered = self._remembered.get(station_id)
        now = time.monotonic()
        if remembered is not None and remembered[0] > now:
            return remembered[1]
        access = await ask(self._bus, GetStationAccess(station_id=station_id), timeout=_ASK_S)
        if access.known:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[station_id] = (now + self._ttl_s, access)
        return access

    def forget(self, station_id: str) -> None:
        """The station's access changed."""
        self._remembered.pop(station_id, None)
