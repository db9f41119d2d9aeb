"""Logs tell what failed, and not what it failed on: payloads hold id tokens."""

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
