"""Who may connect: checked before the upgrade, remembered so that a storm of reconnects costs microseconds."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared_contracts.bus import Bus, ask
from shared_contracts.charge_points import GetStationAccess, HashedPassword, Registration, StationAccess

_ASK_S = 5.0
_REMEMBERED = 50_000
_UNKNOWN_TTL_S = 5.0


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
    except ValueError:
        return None
    return Credentials(username.decode("utf-8", "replace"), password) if separator else None


@dataclass(frozen=True, slots=True)
class Proof:
    """How a station was admitted: with which profile, by which of its passwords, and what was known of it then."""

    registration: Registration
    access_revision: int
    security_profile: int
    password_name: str | None


def proves(access: StationAccess, station_id: str, credentials: Credentials | None) -> str | None:
    """The name of the station's password that these credentials show, None if they are not the station's.

    The user name must equal its identity (whitepaper A00.FR.204). A 1.6 AuthorizationKey of hexadecimal digits may
    arrive as its text or as the bytes it stands for. What is wrong costs as much as what is right.
    """
    given = credentials or Credentials("", b"")
    matches = [
        password.name
        for password in _passwords(access)
        for form in _forms(given.password)
        if hmac.compare_digest(password_hash(password.salt, form), password.hash)
    ]
    return matches[0] if credentials is not None and given.username == station_id and matches else None


def _passwords(access: StationAccess) -> Sequence[HashedPassword]:
    """All that are valid; one that none is equal to for a station without, which so takes as long to refuse."""
    return access.passwords or (HashedPassword(salt=access.password_salt, hash=access.password_hash or "-"),)


def password_hash(salt: str, password: bytes) -> str:
    """Station passwords are random and long: a salted fast hash is enough, and a storm affordable."""
    return hashlib.sha256(salt.encode() + password).hexdigest()


def _forms(password: bytes) -> Iterator[bytes]:
    yield password
    if len(password) == 20:
        yield password.hex().encode()
        yield password.hex().upper().encode()


class Admission:
    """Asks the charge points module about a station, and remembers the answer for a while.

    That a station is unknown is remembered too, so that asking for it takes no longer than for another; but apart,
    so that made-up ids push out nobody. When a connection to the broker was lost, all is forgotten: a change may
    have been told meanwhile, and nobody tells it again.
    """

    def __init__(self, bus: Bus, *, ttl_s: float) -> None:
        self._bus = bus
        self._known: _Memory = _Memory(ttl_s, _REMEMBERED)
        self._unknown: _Memory = _Memory(min(ttl_s, _UNKNOWN_TTL_S), _REMEMBERED)
        self._changes = 0
        self._reconnects = bus.counters.reconnects

    async def access(self, station_id: str) -> StationAccess:
        """What is known of the station. Raises BusError when nobody can tell."""
        if self._reconnects != self._bus.counters.reconnects:
            self._forget_all()
        remembered = self._known.get(station_id) or self._unknown.get(station_id)
        if remembered is not None:
            return remembered
        changes = self._changes
        access = await ask(self._bus, GetStationAccess(station_id=station_id), timeout=_ASK_S)
        if changes == self._changes:  # else the answer may be from before the change
            (self._known if access.known else self._unknown).put(station_id, access)
        return access

    def _forget_all(self) -> None:
        self._reconnects = self._bus.counters.reconnects
        self._changes += 1
        self._known.clear()
        self._unknown.clear()

    def forget(self, station_id: str) -> None:
        """The station's access changed."""
        self._changes += 1
        self._known.drop(station_id)
        self._unknown.drop(station_id)


class _Memory:
    """Answers by station, the oldest dropped when there are too many."""

    def __init__(self, ttl_s: float, most: int) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self._answers: dict[str, tuple[float, StationAccess]] = {}

    def get(self, station_id: str) -> StationAccess | None:
        kept = self._answers.get(station_id)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def put(self, station_id: str, access: StationAccess) -> None:
        self.drop(station_id)
        if len(self._answers) >= self._most:
            del self._answers[next(iter(self._answers))]
        self._answers[station_id] = (time.monotonic() + self._ttl_s, access)

    def drop(self, station_id: str) -> None:
        self._answers.pop(station_id, None)

    def clear(self) -> None:
        self._answers.clear()
