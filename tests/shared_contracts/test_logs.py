"""Logs tell what failed, and not what it failed on: payloads hold id tokens."""

import json
import logging

import pytest
import structlog
from pydantic import ValidationError

from shared_contracts import logs
from shared_contracts.authorization import JudgeToken

SECRET = "04A2B3C4D5"


def _log_a_failure(style: str) -> None:
    structlog.reset_defaults()
    logs.configure("info", style, service="test")
    try:
        JudgeToken.model_validate({"id_token": SECRET, "station_id": ["not", "text", SECRET]})
    except ValidationError:
        structlog.get_logger().exception("failed")
    finally:
        structlog.reset_defaults()


def test_no_style_shows_what_a_message_held(capsys) -> None:  # type: ignore[no-untyped-def]  # pytest's own
    for style in ("json", "console"):
        _log_a_failure(style)
        shown = capsys.readouterr().err
        assert "ValidationError" in shown
        assert SECRET not in shown


def test_what_a_library_logs_is_an_object_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    structlog.reset_defaults()
    logs.configure("info", "json", service="test")
    try:
        with logs.traced("t-1", station="CS-1"):
            logger = logging.getLogger("aiohttp.server")
            logger.error("Error handling %s", "request", exc_info=ConnectionError("gone"))
            logger.info("not worth a line")
    finally:
        structlog.reset_defaults()

    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"]) == ("Error handling request", "error", "aiohttp.server")
    assert (said["trace"], said["station"], said["service"]) == ("t-1", "CS-1", "test")
    assert "ConnectionError: gone" in said["exception"]
