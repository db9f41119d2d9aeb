"""Whether a station takes what it is sent: one that hangs may go on sending, and its buffers are ours."""

import asyncio
import socket
import struct
import sys

_UNSENT_KERNEL_BYTES = 64 * 1024  # Linux doubles it; by default it would grow to 4 MiB
_TCP_INFO = struct.Struct("=24x I 92x Q 16x I")  # tcpi_unacked, tcpi_bytes_acked, tcpi_notsent_bytes
_PATIENT_PROBES = 2


class Progress:
    """What the station has acknowledged, looked at now and then."""

    __slots__ = ("_acknowledged", "_idle")

    def __init__(self) -> None:
        self._acknowledged = -1
        self._idle = 0

    def stuck(self, transport: asyncio.Transport) -> bool:
        """Whether something waits for the station of which it took nothing since the last look but one."""
        waiting, acknowledged = _state(transport)
        self._idle = self._idle + 1 if waiting and acknowledged == self._acknowledged else 0
        self._acknowledged = acknowledged
        return self._idle >= _PATIENT_PROBES


def bound_unsent(transport: asyncio.Transport) -> None:
    """Have the kernel keep no more for a station that does not read than an orderly one needs."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_KERNEL_BYTES)


def _state(transport: asyncio.Transport) -> tuple[int, int]:
    """Bytes that wait for the station, and a number that changes when it takes some."""
    buffered = transport.get_write_buffer_size()
    connection: socket.socket | None = transport.get_extra_info("socket")
    if sys.platform != "linux" or connection is None:
        return buffered, buffered
    information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(information) < _TCP_INFO.size:
        return buffered, buffered
    unacknowledged, acknowledged, unsent = _TCP_INFO.unpack(information)
    return buffered + unacknowledged + unsent, acknowledged
