"""Structured logs, one JSON object a line, and the trace id that ties them together across processes."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.contextvars import bound_contextvars

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, style: str, *, service: str) -> None:
    """Set logging up once, at the start of a process. `style` is `json` or `console`.

    Tracebacks are plain in both: one that shows local variables would show payloads, and id tokens in them.
    """
    shown = _LEVELS[level]
    logging.basicConfig(stream=sys.stderr, level=max(shown, logging.WARNING), format="%(message)s")
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(shown),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


@contextmanager
def traced(trace: str | None, **fields: str | None) -> Iterator[None]:
    """Log lines within carry this trace id and these fields."""
    given = {name: value for name, value in {"trace": trace, **fields}.items() if value is not None}
    with bound_contextvars(**given):
        yield
