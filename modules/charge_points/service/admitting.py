"""Which stations may connect, and what they are told when they boot."""

from modules.charge_points.domain.stations import is_identity, shortened
from modules.charge_points.repository import connections, credentials, stations
from modules.charge_points.settings import ChargePointsSettings, UnknownStations
from modules.kernel.work import Work
from shared_contracts.charge_points import (
    BootAnswered,
    BootStation,
    HashedPassword,
    Registration,
    StationAccess,
    StationBooted,
    StationRegistered,
)


async def access_of(work: Work, station_id: str) -> StationAccess:
    """What the edge needs to know to admit a station; one that nobody registered is treated as the settings say."""
    access = await _stored_access(work, station_id)
    if access is None and await _registers_itself(work, station_id):
        access = await _stored_access(work, station_id)
    return access or StationAccess(known=False)


async def boot(work: Work, station: BootStation) -> BootAnswered:
    """Store what a station says of itself, and tell it whether it may operate (OCPP 1.6 §4.2, 2.0.1 B01 to B03).

    Others are told of it, but of one that repeats itself not more often than `BOOT_NOT_TOLD_AGAIN`.
    """
    stored = await stations.store_boot(work, station.station_id, _said(station), station.booted_at)
    if stored is None and await _registers_itself(work, station.station_id):
        stored = await stations.store_boot(work, station.station_id, _said(station), station.booted_at)
    if stored is None:
        return _answer(Registration.REJECTED, work.resource(ChargePointsSettings))
    if stored.news:
        work.publish(_booted(station, stored.registration))
    return _answer(stored.registration, work.resource(ChargePointsSettings))


async def _stored_access(work: Work, station_id: str) -> StationAccess | None:
    found = await stations.find_access(work, station_id)
    if found is None:
        return None
    access = await credentials.find(work, station_id)
    if access is None:
        return None
    current, certificate = access.keyring.current, found.certificate
    return StationAccess(
        known=True,
        registration=found.registration,
        security_profile=access.profiles.configured,
        password_salt=current.salt if current else "",
        password_hash=current.password_hash if current else "",
        passwords=tuple(HashedPassword(salt=one.salt, hash=one.password_hash) for one in access.keyring.valid),
        accepted_profiles=() if access.profiles.pending is None else access.profiles.accepted,
        revision=access.keyring.revision,
        certificate_common_name=certificate.common_name,
        certificate_fingerprint=certificate.fingerprint,
        time_zone=found.time_zone,
        last_epoch=await connections.last_epoch(work, station_id),
    )


async def _registers_itself(work: Work, station_id: str) -> bool:
    """Whether an unknown station is known from now on, perhaps because a concurrent request registered it."""
    settings = work.resource(ChargePointsSettings)
    if settings.unknown_stations is UnknownStations.REFUSE or not is_identity(station_id):
        return False
    if settings.unknown_stations is UnknownStations.PENDING:
        registration = Registration.PENDING
        added = await stations.add_pending(work, station_id, at_most=settings.max_pending_stations)
    else:
        registration = Registration.ACCEPTED
        values = {"registration": registration.value, "security_profile": 0, "self_registered": True}
        added = await stations.add(work, {"station_id": station_id, **values})
    if added:
        work.publish(StationRegistered(station_id=station_id, registration=registration))
    return True


def _said(station: BootStation) -> dict[str, str | None]:
    return {
        "ocpp_version": station.ocpp_version,
        "vendor": shortened(station.vendor),
        "model": shortened(station.model),
        "serial_number": shortened(station.serial_number),
        "firmware_version": shortened(station.firmware_version),
        "iccid": shortened(station.iccid),
        "imsi": shortened(station.imsi),
        "meter_type": shortened(station.meter_type),
        "meter_serial_number": shortened(station.meter_serial_number),
        "boot_reason": shortened(station.reason),
    }


def _booted(station: BootStation, registration: Registration) -> StationBooted:
    return StationBooted(
        station_id=station.station_id,
        registration=registration,
        vendor=station.vendor,
        model=station.model,
        firmware_version=station.firmware_version,
        booted_at=station.booted_at,
    )


def _answer(registration: Registration, settings: ChargePointsSettings) -> BootAnswered:
    accepted = registration is Registration.ACCEPTED
    interval_s = settings.heartbeat_interval_s if accepted else settings.retry_interval_s
    return BootAnswered(registration=registration, interval_s=interval_s)
