"""Structured logs, one JSON object a line, and the trace id that ties them together across processes."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

import structlog
from structlog.contextvars import bound_contextvars

from shared_contracts.sink import Sink

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, style: str, *, service: str) -> None:
    """Set logging up once, at the start of a process. `style` is `json` or `console`.

    Tracebacks are plain in both: one that shows local variables would show payloads, and id tokens in them. What
    libraries log by the standard library's way looks the same, from warnings on. Nobody waits for a line to be written.
    """
    sink = _sink()
    shown = _LEVELS[level]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, renderer]
    logging.basicConfig(level=max(shown, logging.WARNING), handlers=[_handler(sink, common, last)])
    structlog.configure(
        processors=[*common, *last],
        wrapper_class=structlog.make_filtering_bound_logger(shown),
        logger_factory=structlog.WriteLoggerFactory(sink),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def _sink() -> TextIO:
    """Standard error, of which nobody waits for the other end; a stand-in in memory is written to at once."""
    try:
        return cast("TextIO", Sink(sys.stderr.fileno()))
    except (OSError, ValueError):
        return sys.stderr


def _handler(
    sink: TextIO, common: list[structlog.typing.Processor], last: list[structlog.typing.Processor]
) -> logging.StreamHandler[TextIO]:
    handler = logging.StreamHandler(sink)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    return handler


@contextmanager
def traced(trace: str | None, **fields: str | None) -> Iterator[None]:
    """Log lines within carry this trace id and these fields."""
    given = {name: value for name, value in {"trace": trace, **fields}.items() if value is not None}
    with bound_contextvars(**given):
        yield
