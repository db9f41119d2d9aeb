"""Where stations arrive: over TLS of our own, without, or both; and whose certificates count there."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from aiohttp import web

from communication_service.certificates import Trust
from communication_service.incidents import Incidents
from communication_service.metrics import TLS_REFUSALS
from communication_service.settings import CommunicationSettings
from shared_contracts.live_tls import LiveContext, Refusal, watch_files
from shared_contracts.security import IncidentKind
from shared_contracts.sites import Site

log = structlog.get_logger()

_TOLD = {"certificate": IncidentKind.CERTIFICATE_REFUSED, "too_weak": IncidentKind.TLS_TOO_WEAK}

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Entrance:
    """Listens for stations. Certificates that change are taken up for new connections; living ones stay."""

    def __init__(self, settings: CommunicationSettings, incidents: Incidents) -> None:
        self._settings = settings
        self._incidents = incidents
        self.port = settings.ocpp_port
        self.tls_port = settings.ocpp_tls.port
        self._trust = Trust()
        self._context: LiveContext | None = None

    def load(self) -> None:
        """Read all files. Raises OSError where one cannot be used."""
        tls = self._settings.ocpp_tls
        self._trust = Trust.read(tls.ca_file, tls.crl_file, tls.organization)
        self._context = LiveContext.of(tls, self._refused) if tls.on else None

    def trust(self) -> Trust:
        """Whose certificates of stations count now."""
        return self._trust

    def reload(self) -> None:
        """Read all files again; where one cannot be used, all stays as it is."""
        tls = self._settings.ocpp_tls
        try:
            trust = Trust.read(tls.ca_file, tls.crl_file, tls.organization)
        except OSError as error:
            log.error("certificates_unusable", error=repr(error))  # noqa: TRY400 -- the files are wrong, not the code
            return
        if self._context is None:
            log.info("certificates_read", files=[str(path) for path in tls.files()])
        elif not self._context.reload():
            return
        self._trust = trust

    async def watch(self) -> None:
        """Take up files that change, for ever."""
        tls = self._settings.ocpp_tls
        await watch_files(tls.files(), self.reload, every_s=tls.poll_s)

    async def open(self, runner: web.AppRunner, lobby: "Lobby", *, reuse_port: bool) -> None:
        """Begin to listen; `port` and `tls_port` then are those that were bound."""
        host = self._settings.ocpp_host
        if self._settings.ocpp_plain:
            plain = Site(runner, host, self.port, reuse_port=reuse_port, factory=lobby)
            await plain.start()
            self.port = plain.port
        if self._context is not None:
            secure = Site(runner, host, self.tls_port, context=self._context, reuse_port=reuse_port, factory=lobby)
            await secure.start()
            self.tls_port = secure.port

    def _refused(self, error: ssl.SSLError) -> None:
        refusal = Refusal.of(error)
        TLS_REFUSALS.labels(refusal.kind).inc()
        kind = _TOLD.get(refusal.kind)
        if kind is not None:
            self._incidents.notice(kind, detail=refusal.detail)


class Lobby:
    """Connections whose request has not come yet: beyond `most` of them, the one that waits longest is closed.

    So thousands of half-open ones take up little, and a station that sends its request at once still comes in.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[Visitor, None] = OrderedDict()
        self.server: web.Server | None = None

    def __call__(self) -> asyncio.BaseProtocol:
        """Make the protocol of a connection that was accepted."""
        assert self.server is not None
        visitor = Visitor(self.server, loop=asyncio.get_running_loop(), **self.server._kwargs)  # noqa: SLF001 -- as it makes its own
        self._waiting[visitor] = None
        while len(self._waiting) > self._most:
            oldest, _ = self._waiting.popitem(last=False)
            oldest.leave()
        return visitor

    def passing(self, serve: Serve) -> Serve:
        """What serves a request, once it has come."""

        async def pass_on(request: web.Request) -> web.StreamResponse:
            self._waiting.pop(cast("Visitor", request.protocol), None)
            return await serve(request)

        return pass_on


class Visitor(web.RequestHandler):
    """What aiohttp makes of a connection; this one can be told to leave at any time."""

    __slots__ = ()

    def leave(self) -> None:
        """End the connection without a word, since a peer need not answer one; within a handshake, once it is over."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS calls this when the handshake is over, and aiohttp would keep who was told to leave before."""
        if self._force_close:
            cast("asyncio.Transport", transport).abort()
        else:
            super().connection_made(transport)
