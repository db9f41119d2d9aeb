"""What callers of this module may be refused with."""

from collections.abc import Sequence

from modules.kernel.errors import Conflict, InvalidRequest, NotFound, Problem
from shared_contracts.message import JsonObject


class StationNotFound(NotFound):
    """No station is registered under this identity."""

    def __init__(self, station_id: str) -> None:
        super().__init__(f"There is no charging station {station_id!r}.")


class StationExists(Conflict):
    """The identity is taken."""

    code = "station_exists"
    title = "The charging station is registered already"

    def __init__(self, station_id: str) -> None:
        super().__init__(f"The charging station {station_id!r} is registered already.")


class RotationNotFound(NotFound):
    """No replacement of this station's password has this id."""

    def __init__(self, rotation_id: str) -> None:
        super().__init__(f"There is no credential rotation {rotation_id!r} of this station.")


class RotationUnderWay(Conflict):
    """A password is on its way to the station already."""

    code = "rotation_under_way"
    title = "The password is being replaced just now"

    def __init__(self, rotation_id: str) -> None:
        super().__init__(f"The rotation {rotation_id} waits for its answer.", rotation_id=rotation_id)


class RotationsUnconfirmed(Conflict):
    """Too many passwords may be the station's: its next login tells which one is."""

    code = "rotations_unconfirmed"
    title = "The station has yet to log in with one of its last passwords"


class ProfileLowered(Conflict):
    """The security profile would become lower."""

    code = "security_profile_lowered"
    title = "A security profile is not lowered"


class ProfileCannotBeTold(Conflict):
    """No command of this OCPP version sets the security profile alone."""

    code = "security_profile_cannot_be_told"
    title = "The station cannot be told by a command"

    def __init__(self, ocpp_version: str) -> None:
        super().__init__(f"OCPP {ocpp_version} sets it with a network profile; leave it to `tell_station: false`.")


class SigningNotFound(NotFound):
    """No request of this station for a certificate has this id."""

    def __init__(self, signing_id: str) -> None:
        super().__init__(f"There is no certificate signing {signing_id!r} of this station.")


class SigningEnded(Conflict):
    """The station wants no certificate for this request any more."""

    code = "certificate_signing_ended"
    title = "The request has its answer, or the station has made another"


class CertificateRefused(InvalidRequest):
    """The certificate does not answer the station's request, so it was not sent."""

    def __init__(self, why: str) -> None:
        errors = [{"field": "certificate_chain", "message": why}]
        super().__init__(f"The certificate was not sent: {why}.", errors=errors)


class CommandNotFound(NotFound):
    """No command has this id."""

    def __init__(self, command_id: str) -> None:
        super().__init__(f"There is no command {command_id!r}.")


class IdempotencyKeyReused(Conflict):
    """The key was used for another command to the same station."""

    code = "idempotency_key_reused"
    title = "The idempotency key was used for another command"


class InvalidPayload(Problem):
    """A raw call does not fit the schema of the station's OCPP version, so it was not sent."""

    code = "invalid_payload"
    title = "The payload does not fit the OCPP schema"

    def __init__(self, detail: str, command_id: str, violations: Sequence[JsonObject]) -> None:
        super().__init__(detail, command_id=command_id, violations=list(violations))
