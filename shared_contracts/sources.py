"""Where connections come from: the address that counts, behind the proxies that the settings name."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_SITE_BITS = 64
_SECURE = frozenset({"https", "wss"})


class Proxies:
    """The proxies that we believe: addresses or networks, separated by commas. Raises ValueError for what is neither.

    What anybody else says about where a request came from, or how, is ignored.
    """

    def __init__(self, networks: str) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(
            ip_network(part.strip()) for part in networks.split(",") if part.strip()
        )
        self._is_named = lru_cache(1024)(self._look_up)

    def believes(self, remote: str | None) -> bool:
        """Whether this peer is a proxy of ours."""
        return bool(self._networks) and remote is not None and self._is_named(remote)

    def source(self, remote: str | None, forwarded_for: Iterable[str]) -> str | None:
        """The address that a request came from: the last in X-Forwarded-For that is no proxy of ours.

        Each proxy adds whom it heard from at the end, so what stands further to the left may be invented.
        """
        source = remote
        hops = [hop for header in forwarded_for for hop in header.split(",")]
        while hops and self.believes(source):
            hop = _address(hops.pop())
            if hop is None:
                break
            source = str(hop)
        return source

    def secured(self, remote: str | None, forwarded_proto: str | None) -> bool:
        """Whether a proxy of ours says that it was spoken to over TLS."""
        if forwarded_proto is None or not self.believes(remote):
            return False
        return forwarded_proto.rpartition(",")[2].strip().lower() in _SECURE

    def _look_up(self, remote: str) -> bool:
        address = _address(remote)
        return address is not None and any(address in network for network in self._networks)


def neighbourhood(source: str) -> str:
    """What a limit counts by: the address; of IPv6 the /64 network, all of which one site has; other text as it is."""
    address = _address(source)
    if not isinstance(address, IPv6Address):
        return source if address is None else str(address)
    network = int(address) >> _SITE_BITS << _SITE_BITS
    return f"{IPv6Address(network)}/{_SITE_BITS}"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as proxies write it: perhaps with a port, in brackets, with a zone."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
