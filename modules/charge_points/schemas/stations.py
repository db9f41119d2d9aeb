"""Bodies and views of charging stations."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from modules.charge_points.domain.stations import Station, is_identity, is_time_zone
from modules.kernel.http import Body, Paging, View
from shared_contracts.charge_points import Registration


def _identity(station_id: str) -> str:
    if not is_identity(station_id):
        raise ValueError("1 to 48 printable characters without ':' and '/'")
    return station_id


def _password(password: SecretStr) -> SecretStr:
    text = password.get_secret_value()
    if not 16 <= len(text) <= 64 or not text.isprintable():
        raise ValueError("16 to 64 printable characters")
    return password


Identity = Annotated[str, AfterValidator(_identity)]
Password = Annotated[SecretStr, AfterValidator(_password)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Latitude = Annotated[Decimal, Field(ge=-90, le=90, max_digits=8, decimal_places=6)]
Longitude = Annotated[Decimal, Field(ge=-180, le=180, max_digits=9, decimal_places=6)]
SecurityProfile = Annotated[
    int, Field(ge=0, le=3, description="0 without credentials; 1 password, 2 password and TLS, 3 certificate.")
]


def _fingerprint(text: str) -> str:
    digits = text.replace(":", "").lower()
    if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise ValueError("64 hexadecimal digits")
    return digits


CommonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(description="Common name of its certificate (profile 3), where that is not the identity of the station."),
]
Fingerprint = Annotated[
    str,
    AfterValidator(_fingerprint),
    Field(max_length=95, description="SHA-256 of its certificate, in hexadecimal: no other is taken then."),
]


def _time_zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("the name of a zone in the IANA time zone database, such as Europe/Kyiv")
    return name


TimeZone = Annotated[
    str,
    AfterValidator(_time_zone),
    Field(
        max_length=64,
        description="IANA name of the zone of times that it gives without one; UTC where that is not set. "
        "Holds from its next connection.",
        examples=["Europe/Kyiv"],
    ),
]


class StationFilter(Paging):
    """Which stations to list."""

    online: bool | None = Field(default=None, description="Connected now, or not.")
    registration: Registration | None = None
    vendor: str | None = Field(default=None, max_length=255, description="The exact vendor, whatever its case.")
    search: str | None = Field(
        default=None, max_length=255, description="Part of the identity, name, address, vendor, model or serial number."
    )


class StationFacts(Body):
    """What an operator says of a station. In an edit, null removes what was said."""

    friendly_name: Text | None = None
    address: Text | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    certificate_common_name: CommonName | None = None
    certificate_fingerprint: Fingerprint | None = None
    time_zone: TimeZone | None = None


class NewPassword(Body):
    """A password for a station; one is made if it is left out."""

    password: Password | None = None

    @property
    def chosen_password(self) -> str | None:
        """The password, if the caller chose one."""
        return None if self.password is None else self.password.get_secret_value()


class NewStation(StationFacts, NewPassword):
    """A station to register. Without a password, one is made where the security profile needs it."""

    station_id: Identity
    registration: Registration = Registration.ACCEPTED
    security_profile: SecurityProfile = 1

    def values(self) -> dict[str, Any]:
        """The columns."""
        return self.model_dump(exclude={"station_id", "password"})


class StationEdit(StationFacts):
    """What to change; what is left out stays."""

    registration: Registration | None = None
    security_profile: SecurityProfile | None = None

    @model_validator(mode="after")
    def _keeps_what_must_be(self) -> Self:
        for name in ("registration", "security_profile"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def changes(self) -> dict[str, Any]:
        """The columns that are given."""
        return self.model_dump(exclude_unset=True)


class StationView(View):
    """A charging station. Times of connections are those of the service that holds them."""

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

    @classmethod
    def of(cls, station: Station) -> Self:
        """Show a station."""
        return cls.model_validate(station, from_attributes=True)


class ConnectorView(View):
    """A connector."""

    connector_id: int


class EvseView(View):
    """What charges one vehicle at a time. OCPP 1.6 knows connectors only: they are listed without an EVSE."""

    evse_id: int | None
    connectors: list[ConnectorView]


class StationDetail(StationView):
    """A charging station with the EVSEs and connectors that it told of."""

    evses: list[EvseView] = []

    @classmethod
    def with_connectors(cls, station: Station, connectors: Sequence[tuple[int, int]]) -> Self:
        """Show a station and its connectors, which are in order."""
        evses = [
            EvseView(evse_id=evse_id or None, connectors=[ConnectorView(connector_id=number) for _, number in group])
            for evse_id, group in groupby(connectors, key=lambda connector: connector[0])
        ]
        return cls.of(station).model_copy(update={"evses": evses})


class StationCreated(StationView):
    """A new station. `password` is the one that was made for it, shown this once."""

    password: str | None = None


class PasswordView(View):
    """`password` is the one that was made, shown this once; null if the caller chose it."""

    station_id: str
    password: str | None
