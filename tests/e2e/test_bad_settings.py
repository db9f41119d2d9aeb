"""What cannot be had is one sentence and exit status 2, whatever had been started by then."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import free_port


async def up(directory: Path, **settings: str) -> tuple[int | None, list[str]]:
    """Run `strum up` with these settings until it ends; its exit status and what it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STRUM_")} | {
        "STRUM_DATA_DIR": str(directory),
        "STRUM_PORT": str(free_port()),
        "STRUM_OCPP_PORT": str(free_port()),
        "STRUM_HEALTH_PORT": str(free_port()),
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "strum",
        "up",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode().splitlines()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"STRUM_PROT": "8000"}, "STRUM_PROT is not a setting"),
        ({"STRUM_PORT": "http"}, "STRUM_PORT: Input should be a valid integer"),
        ({"STRUM_TRANSACTIONS__COLOUR": "red"}, "STRUM_TRANSACTIONS__COLOUR is not a setting"),
        ({"STRUM_ADMIN_EMAIL": "a@example.org", "STRUM_ADMIN_PASSWORD": "short"}, "the administrator was not made"),
    ],
)
async def test_a_bad_setting_is_one_sentence(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    status, lines = await up(tmp_path, **settings)
    assert status == 2
    assert len(lines) == 1, lines
    assert sentence in lines[0]


async def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, lines = await up(tmp_path, STRUM_PORT=str(taken.getsockname()[1]))
    assert status == 2
    assert len(lines) == 1, lines
    assert "in use" in lines[0]
