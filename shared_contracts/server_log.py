"""What a server of aiohttp logs: its own trouble in full, and of a request that is none only that it came."""

import logging
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from shared_contracts.sparse import Sparse

log = structlog.get_logger()

_UNREADABLE = (HttpProcessingError, web.RequestPayloadError)


class ServerLog(logging.LoggerAdapter[logging.Logger]):
    """The `logger` of an `AppRunner`.

    aiohttp would log each request that it cannot read with a traceback that quotes it, and the line quoted may hold a
    token. Anybody can send thousands of them, so one a second leaves a line.
    """

    def __init__(self) -> None:
        super().__init__(logging.getLogger("aiohttp.server"), {})
        self._sparse = Sparse()

    def log(self, level: int, msg: object, *args: object, exc_info: Any = None, **more: Any) -> None:
        """Write a line; `exc_info` is the exception itself where aiohttp has one."""
        if not isinstance(exc_info, _UNREADABLE):
            super().log(level, msg, *args, exc_info=exc_info, **more)
        elif level >= logging.WARNING and self._sparse.due():
            log.warning("request_unreadable", error=type(exc_info).__name__)
