"""T12: a name that nobody can look up in time leads nowhere; one that is not known here is the station's affair."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from modules.kernel.destinations import DestinationRefused, Destinations
from tests.harness import running
from tests.modules.charge_points.edge import attach, register

Answer = Callable[..., list[Any]]
URL = "http://slow.example/x"
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("commands", {"type": "get_log", "location": URL, "request_id": 1}),
    ("ocpp/GetDiagnostics", {"location": URL}),
    ("ocpp/SetNetworkProfile", {"configurationSlot": 1, "connectionData": {"ocppCsmsUrl": "wss://slow.example/"}}),
    ("firmware-updates", {"location": URL}),
    ("logs", {"location": URL}),
]


def slow(*_: object, **__: object) -> list[Any]:
    """A name server that takes its time, and then names an inner address."""
    time.sleep(0.3)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 0))]


def unknown(*_: object, **__: object) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Sets who answers for all names, within a tenth of a second or not at all."""
    monkeypatch.setattr("modules.kernel.destinations._LOOKUP_S", 0.1)
    return lambda answer: monkeypatch.setattr(socket, "getaddrinfo", answer)


async def test_a_name_that_is_not_looked_up_in_time_is_refused(
    name_server: Callable[[Answer], None],
) -> None:
    name_server(slow)
    with pytest.raises(DestinationRefused, match=r"^'slow\.example' could not be looked up in time\. Try again later"):
        await Destinations().check(URL)


async def test_a_host_that_the_settings_name_needs_no_name_server(
    name_server: Callable[[Answer], None],
) -> None:
    name_server(slow)
    await Destinations(["slow.example"]).check(URL)


async def test_a_name_that_is_not_known_here_is_let_pass(
    name_server: Callable[[Answer], None],
) -> None:
    name_server(unknown)
    await Destinations().check(URL)


async def test_while_names_cannot_be_looked_up_no_way_of_the_api_sends_a_station_there(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database, "charge_points", "configuration", "diagnostics") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        monkeypatch.setattr("modules.kernel.destinations._LOOKUP_S", 0.1)
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        answers = [await strum.api().post(f"/charging-stations/CS1/{path}", body) for path, body in WAYS]
        monkeypatch.undo()

        refused = (422, "destination_refused", "'slow.example' could not be looked up in time. Try again later.")
        assert [(status, problem["code"], problem["detail"]) for status, problem in answers] == [refused] * len(WAYS)
        assert told == []
        assert (await strum.api().get("/charging-stations/CS1/firmware-updates"))[1]["items"] == []
