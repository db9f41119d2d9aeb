"""Where the API listens: over TLS of our own, without, or both; and the address that counts as a request's source."""

import structlog
from aiohttp import web

from management_service.settings import ManagementSettings
from shared_contracts.live_tls import LiveContext, watch_files
from shared_contracts.sites import Site
from shared_contracts.sources import Proxies

log = structlog.get_logger()

_PROXIES = web.AppKey("proxies", Proxies)
_ONLY_TLS = "max-age=31536000"


class Entrance:
    """Listens for requests. Certificates that change are taken up for new connections; living ones stay.

    Raises OSError where a file cannot be used at the start.
    """

    def __init__(self, settings: ManagementSettings, application: web.Application) -> None:
        self._settings = settings
        self._context = LiveContext.of(settings.tls) if settings.tls.on else None
        self.port = settings.port
        self.tls_port = settings.tls.port
        application[_PROXIES] = Proxies(settings.trusted_proxies)
        application.on_response_prepare.append(_demand_tls)

    def reload(self) -> None:
        """Read the certificates again; where one cannot be used, all stays as it is."""
        if self._context is not None:
            self._context.reload()

    async def watch(self) -> None:
        """Take up files that change, for ever."""
        await watch_files(self._settings.tls.files(), self.reload, every_s=self._settings.tls.poll_s)

    async def open(self, runner: web.AppRunner) -> None:
        """Begin to listen; `port` and `tls_port` then are those that were bound."""
        if self._settings.plain_http:
            plain = Site(runner, self._settings.host, self.port)
            await plain.start()
            self.port = plain.port
        if self._context is not None:
            secure = Site(runner, self._settings.host, self.tls_port, context=self._context)
            await secure.start()
            self.tls_port = secure.port


def source_of(request: web.Request) -> str:
    """The address that a request came from, behind the proxies that the settings name."""
    proxies = request.app.get(_PROXIES)
    if proxies is None:
        return request.remote or ""
    return proxies.source(request.remote, request.headers.getall("X-Forwarded-For", ())) or ""


async def _demand_tls(request: web.Request, response: web.StreamResponse) -> None:
    """Who came over TLS shall never come without (RFC 6797)."""
    if request.secure or request.app[_PROXIES].secured(request.remote, request.headers.get("X-Forwarded-Proto")):
        response.headers["Strict-Transport-Security"] = _ONLY_TLS
