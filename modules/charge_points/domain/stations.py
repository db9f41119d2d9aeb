"""A charging station, as it is known here."""

import hashlib
import zoneinfo
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from shared_contracts.charge_points import Registration

LONGEST_IDENTITY = 48
LONGEST_TEXT = 255
"""Characters kept of what a station says of itself; stations send more than OCPP allows."""
BOOT_NOT_TOLD_AGAIN = timedelta(minutes=1)
"""For how long others are not told again of a station that boots and says nothing new; some boot every ten seconds."""


@dataclass(frozen=True, slots=True)
class Station:
    """A registered station, with what its connections tell. Times are UTC."""

    station_id: str
    friendly_name: str | None
    address: str | None
    latitude: Decimal | None
    longitude: Decimal | None
    registration: Registration
    security_profile: int
    has_password: bool
    certificate_common_name: str | None
    certificate_fingerprint: str | None
    time_zone: str | None
    self_registered: bool
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    iccid: str | None
    imsi: str | None
    meter_type: str | None
    meter_serial_number: str | None
    boot_reason: str | None
    ocpp_version: str | None
    last_booted_at: datetime | None
    connected: bool
    first_connected_at: datetime | None
    last_connected_at: datetime | None
    connected_since: datetime | None
    last_seen_at: datetime | None
    disconnected_at: datetime | None
    remote_address: str | None
    created_at: datetime
    updated_at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """A salted SHA-256 of a station's password, both in hexadecimal. Passwords are random and long: no slow hash."""

    salt: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class ExpectedCertificate:
    """What a station's certificate must be: None for the common name is the station's identity."""

    common_name: str | None
    fingerprint: str | None


def hash_password(password: str, salt: str) -> Credentials:
    """Hash as the edge compares: SHA-256 of the salt's characters and the password's UTF-8 bytes."""
    return Credentials(salt, hashlib.sha256(salt.encode() + password.encode()).hexdigest())


def is_identity(station_id: str) -> bool:
    """Whether a station may be registered so: printable, without `:` (Basic authentication) and `/` (paths)."""
    return (
        0 < len(station_id) <= LONGEST_IDENTITY
        and station_id.isprintable()
        and station_id == station_id.strip()
        and not set(station_id) & {":", "/"}
        and station_id not in {".", ".."}
    )


def is_time_zone(name: str) -> bool:
    """Whether it is a zone of the IANA database; a name that means another zone on each machine is none."""
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime"}


def shortened(text: str | None) -> str | None:
    """A text of a station, as much of it as is kept."""
    return text if text is None else text[:LONGEST_TEXT]
