"""How a station comes to the door: from where, over what, and with what to show for itself."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiohttp import web

from communication_service.admission import Credentials, basic_credentials
from communication_service.certificates import CertificateRefused, ClientCertificate, Trust, forwarded_certificate
from shared_contracts.sources import Proxies
from shared_contracts.sparse import Sparse

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known before the upgrade. `complaint` is why a certificate that was shown does not count."""

    source: str | None
    secured: bool
    credentials: Credentials | None = None
    certificate: ClientCertificate | None = None
    complaint: str | None = None


class Reception:
    """Reads arrivals. What proxies add to a request counts where the settings name the proxy, and nowhere else."""

    def __init__(
        self,
        proxies: Proxies,
        certificate_header: str,
        trust: Callable[[], Trust],
    ) -> None:
        self._proxies = proxies
        self._certificate_header = certificate_header
        self._trust = trust
        self._unnamed = Sparse(every_s=60.0)

    def source(self, request: web.Request) -> str | None:
        """From where a request comes, and nothing else of it."""
        if not self._proxies.believes(request.remote):
            return request.remote
        return self._proxies.source(request.remote, request.headers.getall("X-Forwarded-For", ()))

    def arrival(self, request: web.Request) -> Arrival:
        """Read a request."""
        remote, headers = request.remote, request.headers
        credentials = basic_credentials(headers.get("Authorization"))
        tls = None if request.transport is None else request.transport.get_extra_info("ssl_object")
        if not self._proxies.believes(remote):
            if "X-Forwarded-For" in headers and self._unnamed.due():
                log.warning("proxy_not_named", remote=remote)
            return self._with_certificate(remote, tls is not None, credentials, _peer_certificate(tls), checked=True)
        proto = headers.get("X-Forwarded-Proto")
        secured = tls is not None if proto is None else self._proxies.secured(remote, proto)
        source = self.source(request)
        forwarded = headers.get(self._certificate_header)
        if forwarded:
            der = forwarded_certificate(forwarded) or b""
            return self._with_certificate(source, secured, credentials, der, checked=False)
        return self._with_certificate(source, secured, credentials, _peer_certificate(tls), checked=True)

    def _with_certificate(
        self, source: str | None, secured: bool, credentials: Credentials | None, der: bytes | None, *, checked: bool
    ) -> Arrival:
        if der is None:
            return Arrival(source, secured, credentials)
        try:
            certificate = self._trust().judge(der, datetime.now(UTC), chain_checked=checked)
        except CertificateRefused as refused:
            return Arrival(source, secured, credentials, complaint=str(refused))
        return Arrival(source, secured, credentials, certificate)


def _peer_certificate(tls: ssl.SSLObject | None) -> bytes | None:
    return None if tls is None else tls.getpeercert(binary_form=True)
