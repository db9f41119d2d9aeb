"""Where users may send stations: to public addresses, and to the hosts that the settings name.

A station fetches and uploads by itself, from inside a network that the user who names the URL need not be in; so a URL
is as good as a request of one's own there. What a name resolves to is looked up here and now. One that is not known
here is let pass, for only the station may know it; one that cannot be looked up in time is not. A name that changes
before the station asks cannot be seen from here. We ourselves open no URL that a user or a station names.
"""

import asyncio
import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from modules.kernel.errors import Problem

SCHEMES = ("http", "https", "ftp", "ftps", "sftp")
"""What OCPP names for files."""

_UNFIT = frozenset('"<>\\^`{|} ')
"""What stands in no URL (RFC 3986): each program makes of it what it likes."""
_UNFIT_HOST = _UNFIT | {"%"}
_PLACE = re.compile(r"(?:\[[^\[\]]*\]|[^\[\]]*)(?::\d*)?", re.ASCII)
"""Host and port: brackets are around the whole of an IPv6 address."""
_LOOKUP_S = 2.0
_INNER_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Awaitable[Sequence[Address]]]


class DestinationRefused(Problem):
    """The URL leads to where stations are not sent. The text does not tell what its name resolves to."""

    status = 422
    code = "destination_refused"
    title = "Stations are not sent there"


async def resolve(host: str) -> Sequence[Address]:
    """All addresses of a name, none if it is not known here. Raises TimeoutError."""
    try:
        async with asyncio.timeout(_LOOKUP_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError:  # an OSError, too
        raise
    except (OSError, UnicodeError):
        return ()
    return [ip_address(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Destinations:
    """The rule. `allowed` has host names and networks that may be private; `.example.org` is all names below it."""

    allowed: Sequence[str] = ()
    resolve: Resolve = resolve

    async def check(self, url: str, *, schemes: Sequence[str] = SCHEMES) -> None:
        """Raise DestinationRefused for a URL that stations must not be given."""
        host = host_of(url, schemes)
        if host is None:
            raise DestinationRefused(f"A URL with one of the schemes {', '.join(schemes)}.")
        if self._names(host):
            return
        address = literal(host)
        if address is None and ("." not in host or host.endswith(_INNER_NAMES)):
            raise DestinationRefused(f"{host!r} is a name of an inner network.")
        for found in (address,) if address is not None else await self._look_up(host):
            if not is_public(found) and not self._contains(found):
                raise DestinationRefused(f"{host!r} is not a public address.")

    async def _look_up(self, host: str) -> Sequence[Address]:
        try:
            return await self.resolve(host)
        except TimeoutError as error:
            raise DestinationRefused(f"{host!r} could not be looked up in time. Try again later.") from error

    def _names(self, host: str) -> bool:
        return any(host == name or (name.startswith(".") and host.endswith(name)) for name in self.allowed)

    def _contains(self, address: Address) -> bool:
        networks = (ip_network(name, strict=False) for name in self.allowed if is_network(name))
        return any(_inner(address) in network for network in networks)


def host_of(url: str, schemes: Sequence[str]) -> str | None:
    """The host that any program takes the URL for, in lower case; None for a URL that programs read differently.

    A percent in the host is one of these: some decode it (RFC 3986 §3.2.2), some look the name up as it is written.
    """
    if not url.isprintable() or not _UNFIT.isdisjoint(url):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in schemes or not host or not _PLACE.fullmatch(parts.netloc.rpartition("@")[2]):
        return None
    host = unicodedata.normalize("NFKC", host).lower().rstrip(".")
    return host if host and _UNFIT_HOST.isdisjoint(host) else None


def literal(host: str) -> Address | None:
    """The address that a host is, in any of the ways to write one: `127.1`, `0x7f.1`, `2130706433`, `::ffff:7f00:1`."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def is_public(address: Address) -> bool:
    """Whether it is anybody's on the Internet: not of this machine, a link, a private or a provider's inner network."""
    inner = _inner(address)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified)


def is_network(name: str) -> bool:
    """Whether a name of the settings is an address or a network of addresses."""
    try:
        ip_network(name, strict=False)
    except ValueError:
        return False
    return True


def _inner(address: Address) -> Address:
    """What an IPv6 address stands for that wraps one of IPv4."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or address.sixtofour or address
