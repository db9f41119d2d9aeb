"""How many stations may come in at once: a storm is let in at the pace that the pod bears, the rest comes again."""

import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from communication_service.settings import CommunicationSettings

_RESERVED_FILES = 64  # for the broker, the health port, logs: what lives goes on when stations took all others
_BURST_S = 1.0


class Handshakes:
    """Counts the upgrades under way, and gives out as many per second as the settings say."""

    def __init__(self, settings: CommunicationSettings) -> None:
        self._most_at_once = settings.handshakes_at_once
        self._per_s = settings.handshakes_per_s
        self._under_way = 0
        self._tokens = self._per_s * _BURST_S
        self._filled_at = time.monotonic()

    @contextmanager
    def one(self, request: web.Request) -> Iterator[bool]:
        """For the length of an upgrade: whether it may go on."""
        if not self._room_for(request):
            yield False
            return
        self._under_way += 1
        try:
            yield True
        finally:
            self._under_way -= 1

    def _room_for(self, request: web.Request) -> bool:
        return self._under_way < self._most_at_once and self._file_left(request) and self._token()

    @staticmethod
    def _file_left(request: web.Request) -> bool:
        """The system gives out the lowest number that is free: a high one says that the others are taken."""
        transport = request.transport
        socket = None if transport is None else transport.get_extra_info("socket")
        last = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED_FILES
        return last <= 0 or socket is None or socket.fileno() < last

    def _token(self) -> bool:
        now = time.monotonic()
        self._tokens = min(self._per_s * _BURST_S, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def come_again(*, leaving: bool = False) -> web.Response:
    """503, with a time to come again that differs from station to station."""
    headers = {"Retry-After": str(random.randint(10, 30))}  # noqa: S311 -- jitter is no secret
    response = web.Response(status=503, headers=headers)
    if leaving:
        response.force_close()
    return response
