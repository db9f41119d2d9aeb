"""What cannot be had is one sentence and exit status 2, whatever had been started by then."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.services.ports import free_port


async def started(directory: Path, **settings: str) -> asyncio.subprocess.Process:
    """Begin `strum up` with these settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STRUM_")} | {
        "STRUM_DATA_DIR": str(directory),
        "STRUM_PORT": str(free_port()),
        "STRUM_OCPP_PORT": str(free_port()),
        "STRUM_HEALTH_PORT": str(free_port()),
        **settings,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "strum",
        "up",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def up(directory: Path, **settings: str) -> tuple[int | None, list[str]]:
    """Run `strum up` with these settings until it ends; its exit status and what it said."""
    process = await started(directory, **settings)
    output, _ = await process.communicate()
    return process.returncode, output.decode().splitlines()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"STRUM_PROT": "8000"}, "STRUM_PROT is not a setting"),
        ({"STRUM_PORT": "http"}, "STRUM_PORT: Input should be a valid integer"),
        ({"STRUM_AMQP_URL": "rabbit:5672"}, "STRUM_AMQP_URL: Value error, a URL like amqp://"),
        ({"STRUM_DATABASE_URL": "nonsense"}, "STRUM_DATABASE_URL: Value error, this is not the URL of a database"),
        ({"STRUM_DATABASE_URL": "mysql://u@h/d"}, "the database must be PostgreSQL"),
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


async def test_a_directory_that_another_process_uses_is_one_sentence(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    directory.mkdir()
    with (directory / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, lines = await up(tmp_path)
    assert status == 2
    assert len(lines) == 1, lines
    assert "another process" in lines[0]


async def test_ctrl_c_ends_the_wait_for_a_database_that_is_not_there(tmp_path: Path) -> None:
    nobody = f"postgresql+asyncpg://postgres@127.0.0.1:{free_port()}/strum"
    process = await started(tmp_path, STRUM_DATABASE_URL=nobody)
    assert process.stdout is not None
    assert b"waiting_for_database" in await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode == 0
