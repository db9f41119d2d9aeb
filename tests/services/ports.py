"""Ports for servers that tests start, end, and start again."""

import random
import socket
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_COUNT = 20_000
_random = random.SystemRandom()


def free_port() -> int:
    """A port of the loopback that nobody uses now.

    It is not among those that the system gives to outgoing connections: while a server is down, one of thousands of
    simulated stations would take its port.
    """
    first_outgoing = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 49152
    first = max(1024, first_outgoing - _COUNT)
    while True:
        port = _random.randrange(first, first_outgoing)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
        return port
