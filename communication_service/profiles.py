"""OCPP security profiles: which one a connection uses, and whether its station may. Whitepaper §2, A00.FR.002."""

from communication_service.arrivals import Arrival
from shared_contracts.charge_points import StationAccess


def profile_used(access: StationAccess, station_id: str, arrival: Arrival, *, proven: bool) -> int | None:
    """The highest profile that the station may use and that this connection meets; None for none.

    0 asks for nothing, 1 for the password, 2 for the password over TLS, 3 for the station's certificate over TLS.
    `proven` is whether the password is right.
    """
    met = {
        0: True,
        1: proven,
        2: proven and arrival.secured,
        3: arrival.secured and names_the_station(access, station_id, arrival),
    }
    return max((profile for profile in accepted_profiles(access) if met.get(profile, False)), default=None)


def accepted_profiles(access: StationAccess) -> tuple[int, ...]:
    """The profiles that the station may use now: several while it is being moved to a higher one."""
    return access.accepted_profiles or (access.security_profile,)


def names_the_station(access: StationAccess, station_id: str, arrival: Arrival) -> bool:
    """Whether the certificate is this station's: its whole common name counts, not a part of it (A00.FR.405)."""
    certificate = arrival.certificate
    if certificate is None or certificate.common_name != (access.certificate_common_name or station_id):
        return False
    return access.certificate_fingerprint in {None, certificate.fingerprint}
