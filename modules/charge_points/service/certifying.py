"""Certificates for stations: their requests are checked, and answered by our own authority or by an operator."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from cryptography import x509

from modules.charge_points.domain.authority import read_authority
from modules.charge_points.domain.certificates import Unfit, Wanted, check_chain, read_request
from modules.charge_points.domain.signings import Signing, SigningState
from modules.charge_points.errors import CertificateRefused, SigningEnded, SigningNotFound
from modules.charge_points.repository import commands, signings, stations
from modules.charge_points.service import commanding, registering
from modules.charge_points.service.commanding import Order
from modules.charge_points.settings import ChargePointsSettings
from modules.kernel.work import Work
from shared_contracts.certificates import CertificateRequested, RequestCertificate, SigningAnswered
from shared_contracts.commands import InstallCertificate
from shared_contracts.message import new_id

log = structlog.get_logger()

OURSELVES = "station authority"
"""Who issues a command that takes a certificate of our own authority to a station."""

_TIMEOUT_S = 60.0
_KIND: str = InstallCertificate.model_fields["type"].default
_HOUR, _MOST_AN_HOUR = timedelta(hours=1), 10
_KEPT = 20
"""Requests that are kept of a station: one that asks without end fills no table."""


async def request(work: Work, message: RequestCertificate) -> tuple[SigningAnswered, Order | None]:
    """Take up a station's request; with an authority of our own there is a command that answers it at once.

    A request that is not fit is refused, and the station told so. One that the station repeats while the certificate
    is on its way stays as it is; another takes its place.
    """
    station_id, settings = message.station_id, work.resource(ChargePointsSettings)
    access = await stations.find_access(work, station_id)
    if access is None:
        return SigningAnswered(accepted=False, reason="no station is registered so"), None
    try:
        wanted = read_request(
            message.csr,
            common_name=access.certificate.common_name or station_id,
            organization=settings.organization,
        )
    except Unfit as unfit:
        log.warning("certificate_request_refused", station=station_id, reason=str(unfit))
        return SigningAnswered(accepted=False, reason=str(unfit)), None
    if await commands.count(work, station_id, _KIND, since=work.now - _HOUR) >= _MOST_AN_HOUR:
        return SigningAnswered(accepted=False, reason="it had enough certificates within an hour"), None
    signing = await _taken_up(work, message, wanted)
    order = None
    if settings.station_authority is not None and signing.state is SigningState.REQUESTED:
        chain = _signed(work, wanted, settings, settings.station_authority.get_secret_value())
        order = await _send(work, signing, chain, issued_by=OURSELVES, timeout_s=_TIMEOUT_S)
    return SigningAnswered(accepted=True), order


async def answer(
    work: Work, station_id: str, signing_id: str, chain: str, *, issued_by: str, timeout_s: float
) -> Order:
    """Send a station the certificate that somebody signed. Raises SigningNotFound, SigningEnded, CertificateRefused."""
    signing = await signings.find(work, station_id, signing_id, for_change=True)
    if signing is None:
        raise SigningNotFound(signing_id)
    if not signing.is_open:
        raise SigningEnded(f"It is {signing.state}.")
    return await _send(work, signing, chain, issued_by=issued_by, timeout_s=timeout_s)


async def get(work: Work, station_id: str, signing_id: str) -> Signing:
    """One request of a station. Raises SigningNotFound."""
    signing = await signings.find(work, station_id, signing_id)
    if signing is None:
        raise SigningNotFound(signing_id)
    return signing


async def list_page(work: Work, station_id: str, *, before: str | None, limit: int) -> Sequence[Signing]:
    """The requests of a station, newest first. Raises StationNotFound."""
    found = await signings.list_page(work, station_id, before=before, limit=limit)
    if not found:
        await registering.get(work, station_id)
    return found


async def _taken_up(work: Work, message: RequestCertificate, wanted: Wanted) -> Signing:
    """The request as it stands: the one that waits already, if the station has only repeated it."""
    before = await signings.find_open(work, message.station_id)
    if before is not None and before.csr == message.csr:
        again = replace(before, request_id=message.request_id)
        await signings.store(work, again)
        return again
    await signings.supersede(work, message.station_id)
    signing = Signing(
        signing_id=new_id(),
        station_id=message.station_id,
        state=SigningState.REQUESTED,
        csr=message.csr,
        request_id=message.request_id,
        common_name=wanted.common_name,
        public_key=wanted.public_key,
        created_at=work.now,
    )
    await signings.store(work, signing)
    await signings.forget(work, message.station_id, keep=_KEPT)
    work.publish(
        CertificateRequested(
            station_id=message.station_id, signing_id=signing.signing_id, common_name=wanted.common_name
        )
    )
    return signing


def _signed(work: Work, wanted: Wanted, settings: ChargePointsSettings, authority: str) -> str:
    lasting = timedelta(days=settings.certificate_days)
    return read_authority(authority).sign(wanted, x509.random_serial_number(), work.now, lasting)


async def _send(work: Work, signing: Signing, chain: str, *, issued_by: str, timeout_s: float) -> Order:
    try:
        fingerprint = check_chain(chain, signing.csr, common_name=signing.common_name, now=work.now)
    except Unfit as unfit:
        raise CertificateRefused(str(unfit)) from unfit
    order = await commanding.issue(
        work,
        station_id=signing.station_id,
        command=InstallCertificate(certificate_chain=chain, request_id=signing.request_id),
        issued_by=issued_by,
        timeout_s=timeout_s,
    )
    await signings.store(work, signing.sent(chain, fingerprint, order.remembered.command_id))
    return order
