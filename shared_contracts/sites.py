"""Sockets that a server of aiohttp listens on: with TLS or without, and with a limit to the handshake."""

import asyncio
import ssl
from collections.abc import Callable

from aiohttp import web

_BACKLOG = 4096
_HANDSHAKE_S = 10.0


class Site(web.BaseSite):
    """Listens on one address. `factory` makes the protocol of a connection; by default it is the server itself."""

    def __init__(
        self,
        runner: web.BaseRunner,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext | None = None,
        reuse_port: bool = False,
        factory: Callable[[], asyncio.BaseProtocol] | None = None,
    ) -> None:
        super().__init__(runner, ssl_context=context, backlog=_BACKLOG)
        self._host = host
        self.port = port
        self._reuse_port = reuse_port
        self._factory = factory

    @property
    def name(self) -> str:
        """The URL of its root."""
        return f"{'https' if self._ssl_context else 'http'}://{self._host}:{self.port}"

    async def start(self) -> None:
        """Begin to listen; `port` then is the one that was bound. Raises OSError where it cannot be."""
        await super().start()
        server = self._factory or self._runner.server
        assert server is not None
        listening = await asyncio.get_running_loop().create_server(
            server,
            self._host,
            self.port,
            ssl=self._ssl_context,
            ssl_handshake_timeout=_HANDSHAKE_S if self._ssl_context else None,
            backlog=self._backlog,
            reuse_port=self._reuse_port or None,
        )
        self._server = listening
        self.port = int(listening.sockets[0].getsockname()[1])
