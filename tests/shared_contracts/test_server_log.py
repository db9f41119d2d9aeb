"""A request that cannot be read is not quoted in the log, by neither service: the line may hold a token."""

import asyncio
import contextlib
import logging

import pytest
from structlog.testing import capture_logs

from shared_contracts.server_log import ServerLog
from tests.communication_service.edge import edge
from tests.management_service.probe import probing

CANARY = b"c4n4ry"
BEGINNING = b"GET /api/v1/open HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer c4n4ry\r\n"
UNREADABLE = (
    BEGINNING + b"Authorization: Bearer c4n4ry\r\r\n\r\n",
    BEGINNING + b"Authorization: Bearer c4n4ry\0\r\n\r\n",
    BEGINNING + b"c4n4ry\r\n\r\n",
    BEGINNING + b"c4n4ry c4n4ry: x\r\n\r\n",
    BEGINNING + b"Content-Length: c4n4ry\r\n\r\n",
    BEGINNING + b"X: " + CANARY * 10_000 + b"\r\n\r\n",
    b"GET http://c4n4ry:c4n4ry@[c4n4ry/ HTTP/1.1\r\n\r\n",
    b"GET /c4n4ry c4n4ry HTTP/1.1\r\n\r\n",
    b"c4n4ry /c4n4ry\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\nc4n4ry\r\n",
    POST + b"Transfer-Encoding: c4n4ry\r\n\r\nc4n4ry\r\n",
    POST + b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\nc4n4ry",
)


async def say(port: int, request: bytes) -> bytes:
    """Send this, and read what is answered until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    said = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.5):
            said = await reader.read(-1)
    writer.transport.abort()
    return said


async def said_of(port: int, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that are in the log after each of the requests was sent many times."""
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        answers = await asyncio.gather(*(say(port, request) for request in UNREADABLE for _ in range(3)))
    assert sum(b" 400 " in answer for answer in answers) > 10
    return [str(line) for line in lines] + [caplog.text]


async def test_communication_does_not_quote_it(caplog: pytest.LogCaptureFixture) -> None:
    async with edge() as e:
        for port in (e.communication.port, e.communication.health_port):
            said = await said_of(port, caplog)
            assert not [line for line in said if CANARY.decode() in line]
            assert 1 <= sum("request_unreadable" in line for line in said) <= 3


async def test_management_does_not_quote_it(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with probing(database, monkeypatch) as strum:
        said = await said_of(strum.management.port, caplog)
        assert not [line for line in said if CANARY.decode() in line]
        assert 1 <= sum("request_unreadable" in line for line in said) <= 3


def test_what_goes_wrong_on_our_side_is_told_in_full(caplog: pytest.LogCaptureFixture) -> None:
    ServerLog().exception("Error handling request from %s", "127.0.0.1", exc_info=RuntimeError("a defect of ours"))
    [record] = caplog.records
    assert (record.name, record.levelname) == ("aiohttp.server", "ERROR")
    assert "a defect of ours" in caplog.text
