"""/charging-stations/{station_id}/certificate-signings"""

from modules.charge_points.schemas.commands import CommandWait
from modules.charge_points.schemas.signings import SignedCertificate, SigningView
from modules.charge_points.service import certifying
from modules.charge_points.service.dispatching import Dispatcher
from modules.kernel.http import Call, NoQuery, Page, Paging, decode_cursor, get, page_of, post
from modules.kernel.scopes import Scope
from modules.kernel.work import AfterCommit, Work


async def list_certificate_signings(call: Call[Paging, None], work: Work) -> Page[SigningView]:
    """List what a charging station asked to have signed, newest first."""
    (before,) = decode_cursor(call.query.cursor, str) or (None,)
    found = await certifying.list_page(work, call.path["station_id"], before=before, limit=call.query.limit + 1)
    return page_of(found, call.query, SigningView.of, lambda signing: (signing.signing_id,))


async def get_certificate_signing(call: Call[NoQuery, None], work: Work) -> SigningView:
    """Show a charging station's request for a certificate: what to have signed, and how it went."""
    return SigningView.of(await certifying.get(work, call.path["station_id"], call.path["signing_id"]))


async def answer_certificate_signing(
    call: Call[CommandWait, SignedCertificate], work: Work
) -> AfterCommit[SigningView]:
    """Send a charging station the certificate it asked for.

    It has to be for the station's key and name, for clients, and valid; otherwise it is not sent. A station that is
    not connected, or does not answer, may be sent it again.
    """
    station_id, signing_id = call.path["station_id"], call.path["signing_id"]
    order = await certifying.answer(
        work,
        station_id,
        signing_id,
        call.body.certificate_chain,
        issued_by=call.principal.user_id,
        timeout_s=call.query.timeout_s,
    )
    dispatcher = work.resource(Dispatcher)

    async def answer() -> SigningView:
        await dispatcher.carry(order, wait_s=call.query.wait_s)
        return SigningView.of(await dispatcher.read(lambda work: certifying.get(work, station_id, signing_id)))

    return AfterCommit(answer)


_ALL = "/charging-stations/{station_id}/certificate-signings"
table = (
    get(_ALL, list_certificate_signings, Scope.STATIONS_READ),
    get(f"{_ALL}/{{signing_id}}", get_certificate_signing, Scope.STATIONS_READ),
    post(f"{_ALL}/{{signing_id}}/certificate", answer_certificate_signing, Scope.STATIONS_WRITE),
)
