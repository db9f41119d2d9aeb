"""Whom the door lets in: who comes must prove to be the station, in the way that the station's profile demands.

Everything is decided before the upgrade (OCPP-J 1.6 §3.2, whitepaper §2.3): 404 for a station that nobody knows, 401
for one that is not proven, 403 for a password over a line that is too weak, 429 after too many failures or broken
messages.
"""

from dataclasses import dataclass

import structlog
from aiohttp import web

from communication_service.admission import Admission, Proof, proves
from communication_service.arrivals import Arrival, Reception
from communication_service.flaps import Flaps
from communication_service.guard import Guard
from communication_service.handshakes import come_again
from communication_service.holds import Holds
from communication_service.incidents import Incidents
from communication_service.profiles import profile_used
from shared_contracts.bus import BusError
from shared_contracts.charge_points import StationAccess
from shared_contracts.security import IncidentKind
from shared_contracts.sparse import Sparse

log = structlog.get_logger()

_LONGEST_STATION_ID = 48


@dataclass(frozen=True, slots=True)
class Admitted:
    """A station that may come in, how it proved to be the station, and from where it comes."""

    proof: Proof
    source: str | None
    last_epoch: int = 0
    time_zone: str | None = None


class Porter:
    """Asks who comes, compares what they show, and counts who fails."""

    def __init__(
        self,
        admission: Admission,
        reception: Reception,
        guard: Guard,
        flaps: Flaps,
        struck_out: Holds,
        incidents: Incidents,
        *,
        hide_unknown: bool,
    ) -> None:
        self._admission = admission
        self._reception = reception
        self._guard = guard
        self._flaps = flaps
        self._struck_out = struck_out
        self._incidents = incidents
        self._hide_unknown = hide_unknown
        self._refusals = Sparse()

    def turns_away(self, request: web.Request, station_id: str) -> web.Response | None:
        """The answer to who does not come in whatever they show: cheap, and it takes no honest station's turn."""
        if not 1 <= len(station_id) <= _LONGEST_STATION_ID or not station_id.isprintable():
            return web.Response(status=404)
        wait_s = self._guard.wait_s(self._reception.source(request), station_id)
        return _later(429, wait_s) if wait_s else None

    async def judge(self, request: web.Request, station_id: str) -> Admitted | web.Response:
        """Whether this request, which was not turned away, may be upgraded."""
        arrival = self._reception.arrival(request)
        try:
            access = await self._admission.access(station_id)
        except BusError as error:
            log.warning("admission_unavailable", station=station_id, error=repr(error))
            return come_again()
        if wait_s := self._guard.wait_s(arrival.source, station_id):  # others may have failed meanwhile
            return _later(429, wait_s)
        return self._decide(station_id, access, arrival)

    def _decide(self, station_id: str, access: StationAccess, arrival: Arrival) -> Admitted | web.Response:
        """Compares before it looks whether the station is known, so that both take the same time."""
        password = proves(access, station_id, arrival.credentials)
        profile = profile_used(access, station_id, arrival, proven=password is not None)
        if not access.known:
            self._count(station_id, arrival, known=False)
            return _unproven() if self._hide_unknown else web.Response(status=404)
        if profile is None:
            return self._refuse(station_id, arrival, proven=password is not None)
        self._guard.proved(arrival.source, station_id)
        if held_s := self._struck_out.left_s(station_id):  # only now: who proves nothing is told nothing
            return _later(429, int(held_s) + 1)
        if held_s := self._flaps.held_s(station_id):
            return _later(503, int(held_s) + 1)
        proof = Proof(access.registration, access.revision, profile, password)
        return Admitted(proof, arrival.source, access.last_epoch, access.time_zone)

    def _refuse(self, station_id: str, arrival: Arrival, *, proven: bool) -> web.Response:
        if self._refusals.due():
            log.warning("station_refused", station=station_id, source=arrival.source, proven=proven)
        if proven:
            self._tell(IncidentKind.PROFILE_REFUSED, station_id, arrival)
            return web.Response(status=403)
        if arrival.certificate is not None or arrival.complaint is not None:
            detail = arrival.complaint or "it names another"
            self._tell(IncidentKind.CERTIFICATE_REFUSED, station_id, arrival, detail=detail)
        else:
            self._tell(IncidentKind.CREDENTIALS_REFUSED, station_id, arrival)
        self._count(station_id, arrival, known=True)
        return _unproven()

    def _count(self, station_id: str, arrival: Arrival, *, known: bool) -> None:
        guessed = known and arrival.credentials is not None
        if self._guard.failed(arrival.source, station_id, guessed=guessed):
            self._tell(IncidentKind.GUESSING, station_id, arrival)

    def _tell(self, kind: IncidentKind, station_id: str, arrival: Arrival, *, detail: str = "") -> None:
        self._incidents.notice(kind, station_id=station_id, source=arrival.source, detail=detail)


def _unproven() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="OCPP"'})


def _later(status: int, wait_s: int) -> web.Response:
    return web.Response(status=status, headers={"Retry-After": str(wait_s)})
