"""T12: nobody sends a station, or us, to an address of an inner network by a URL."""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import communication_service
from modules.kernel.destinations import Address, DestinationRefused, Destinations
from tests.harness import running
from tests.modules.charge_points.edge import attach, register

PUBLIC = "93.184.216.34"
SIX = "2606:2800:220:1:248:1893:25c8:1946"
NAMES: dict[str, list[str]] = {
    "files.example": [PUBLIC],
    "six.example": [SIX],
    "inner.example": ["10.0.0.7"],
    "metadata.example": ["169.254.169.254"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.7"],
    "wrapped.example": ["2002:7f00:1::1"],
    "stations-only.example": [],
}
REFUSED = [
    "http://127.0.0.1/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.1.2.3/x",
    "http://172.16.0.1/x",
    "http://192.168.1.1/x",
    "http://100.64.0.1/x",
    "http://0.0.0.0/x",
    "http://255.255.255.255/x",
    "http://224.0.0.1/x",
    "http://2130706433/x",
    "http://017700000001/x",
    "http://0x7f000001/x",
    "http://0x7f.1/x",
    "http://127.1/x",
    "http://0177.0.0.1/x",
    "http://127.0.0.1./x",
    "http://[::1]/x",
    "http://[::]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://[::ffff:a9fe:a9fe]/x",
    "http://[::127.0.0.1]/x",
    "http://[64:ff9b::7f00:1]/x",
    "http://[2002:7f00:1::]/x",
    "http://[fe80::1]/x",
    "http://[fc00::1]/x",
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/x",
    "http://\u2460\u2461\u2466.0.0.1/x",
    "http://localhost/x",
    "http://LOCALHOST./x",
    "http://a.localhost/x",
    "http://rabbitmq/x",
    "http://db.internal/x",
    "http://printer.local/x",
    "http://files.example@127.0.0.1/x",
    "http://files.example:80@10.0.0.1/x",
    "http://127.0.0.1\\@files.example/x",
    "http://files.example\\@127.0.0.1/x",
    "http://files.example:99999999/x",
    "http://inner.example/x",
    "http://metadata.example/x",
    "http://mixed.example/x",
    "http://mapped.example/x",
    "http://wrapped.example/x",
    "file:///etc/passwd",
    "gopher://files.example/x",
    "javascript:alert(1)",
    "//files.example/x",
    "http:///x",
    "http://[::1",
    "http://files.example/x\r\nHost: y",
    "http://files.example/\0",
    "http://169.254.169%2E254/",
    "http://169.254.169\uff052E254/",
    "ftp://%31%32%37.0.0.1/x",
    "http://127.0.0.1%2f.example.com/",
    "http://127.0.0.1\uff3c.example.com/",
    "http://files.example%00.example.com/",
    "http://[fe80::1%25eth0]/x",
    f"http://127.0.0.1[{SIX}]/x",
    f"http://[{SIX}].inner.example/x",
    *(f"https://files.example/{unfit}" for unfit in '"<>^`{|}'),
    'ftp://me:s3"cret@files.example/x',
    "",
]


class Names:
    """A resolver of these names only, which can change its mind."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names

    async def __call__(self, host: str) -> Sequence[Address]:
        return [ip_address(address) for address in self.names.get(host, ())]


@pytest.mark.parametrize("url", REFUSED)
async def test_a_station_is_not_sent_there(url: str) -> None:
    with pytest.raises(DestinationRefused):
        await Destinations(resolve=Names(NAMES)).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/fw.bin",
        "HTTPS://FILES.EXAMPLE/fw.bin",
        "ftps://me:secret@files.example:990/up/",
        "sftp://six.example/x",
        f"http://{PUBLIC}/x",
        f"http://[{SIX}]:8080/x",
        f"http://me:secret@[{SIX}]/x",
        "ftp://me:s%22cret%40@files.example/x%7By%7D?z=%25",
        "ftp://stations-only.example/x",
        "https://files.example/x?next=http://127.0.0.1/",
    ],
)
async def test_a_station_is_sent_to_the_public_internet(url: str) -> None:
    await Destinations(resolve=Names(NAMES)).check(url)


@pytest.mark.parametrize(
    ("allowed", "url", "passes"),
    [
        ("inner.example", "http://inner.example/x", True),
        ("inner.example", "http://not-inner.example/x", True),
        ("inner.example", "http://10.0.0.7/x", False),
        (".internal", "http://db.internal/x", True),
        (".internal", "http://internal/x", False),
        ("files", "http://files/x", True),
        ("10.0.0.0/24", "http://10.0.0.7/x", True),
        ("10.0.0.0/24", "http://inner.example/x", True),
        ("10.0.0.0/24", "http://[::ffff:10.0.0.7]/x", True),
        ("10.0.0.0/24", "http://10.0.1.7/x", False),
        ("10.0.0.0/24", "http://mixed.example/x", False),
        ("127.0.0.1", "http://2130706433/x", True),
    ],
)
async def test_what_the_settings_name_may_be_private(allowed: str, url: str, passes: bool) -> None:
    destinations = Destinations([allowed], resolve=Names(NAMES))
    if passes:
        await destinations.check(url)
    else:
        with pytest.raises(DestinationRefused):
            await destinations.check(url)


async def test_a_name_that_moves_inside_is_refused_from_then_on() -> None:
    names = Names({"moving.example": [PUBLIC]})
    await Destinations(resolve=names).check("http://moving.example/x")
    names.names["moving.example"] = ["127.0.0.1"]
    with pytest.raises(DestinationRefused):
        await Destinations(resolve=names).check("http://moving.example/x")


async def test_a_refusal_does_not_tell_what_a_name_resolves_to_nor_the_credentials() -> None:
    with pytest.raises(DestinationRefused) as refusal:
        await Destinations(resolve=Names(NAMES)).check("http://me:s3cret@inner.example/x")
    assert "10.0.0.7" not in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["wss://10%2e0.0.1/", "ws://files.example/`", "wss://[fe80::1%25eth0]/"])
async def test_a_station_is_not_sent_to_a_system_by_a_url_that_programs_read_differently(url: str) -> None:
    with pytest.raises(DestinationRefused):
        await Destinations([".example", "fe80::/10"], resolve=Names(NAMES)).check(url, schemes=("ws", "wss"))


INNER = "http://169.254.169.254/x"
AT = "2026-03-01T08:30:00Z"
NETWORK = {"component": "NetworkConfiguration", "component_instance": "1", "name": "OcppCsmsUrl"}
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("commands", {"type": "get_log", "location": INNER, "request_id": 1}),
    ("commands", {"type": "update_firmware", "location": INNER, "request_id": 1, "retrieve_at": AT}),
    ("commands", {"type": "raw_call", "action": "GetDiagnostics", "payload": {"location": INNER}}),
    ("ocpp/GetDiagnostics", {"location": INNER}),
    ("ocpp/UpdateFirmware", {"location": INNER, "retrieveDate": AT}),
    ("ocpp/SignedUpdateFirmware", {"requestId": 1, "firmware": {"location": INNER, "retrieveDateTime": AT}}),
    ("ocpp/GetLog", {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": INNER}}),
    ("ocpp/SetNetworkProfile", {"configurationSlot": 1, "connectionData": {"ocppCsmsUrl": "wss://169.254.169.254/"}}),
    ("commands", {"type": "set_variables", "variables": [NETWORK | {"value": "wss://169.254.169.254/"}]}),
    (
        "ocpp/SetVariables",
        {
            "setVariableData": [
                {
                    "component": {"name": "NetworkConfiguration", "instance": "1"},
                    "variable": {"name": "OcppCsmsUrl"},
                    "attributeValue": "ws://10.0.0.1/",
                }
            ]
        },
    ),
    (
        "commands",
        {"type": "raw_call", "action": "GetDiagnostics", "payload": {"location": "http://169.254.169%2E254/"}},
    ),
    ("firmware-updates", {"location": INNER}),
    ("logs", {"location": INNER}),
]


async def test_no_way_of_the_api_leads_a_station_there(database: str) -> None:
    async with running(database, "charge_points", "configuration", "diagnostics") as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        for path, body in WAYS:
            status, problem = await strum.api().post(f"/charging-stations/CS1/{path}", body)
            assert (status, problem["code"]) == (422, "destination_refused"), (path, body)

        assert told == []
        assert (await strum.api().get("/charging-stations/CS1/commands"))[1]["items"] == []


async def test_no_call_makes_us_look_up_more_names_than_it_needs(database: str) -> None:
    """Each may take seconds, in which a connection to the database is held."""
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[Address]:
        asked.append(host)
        return ()

    async with running(database, "charge_points") as strum:
        await register(strum, "CS-1")
        (hosted,) = strum.management.hosted
        hosted.resources[Destinations] = Destinations(resolve=resolve)
        files = [{"location": f"http://{number}.example/x"} for number in range(500)]
        path = "/charging-stations/CS-1/ocpp/UpdateFirmware"
        status, problem = await strum.api().post(path, {"location": "http://a.example/x", "customData": files})
        assert (status, problem["code"]) == (422, "destination_refused")
        assert asked == []
        same = [{"location": "http://a.example/x"}] * 500
        assert (await strum.api().post(path, {"location": "http://a.example/x", "customData": same}))[0] == 201
        assert asked == ["a.example"]


async def test_a_host_that_the_settings_allow_is_where_a_station_uploads_to(database: str) -> None:
    settings = {"allowed_destinations": ["192.0.2.0/24"]}
    async with running(database, "charge_points", charge_points=settings) as strum:
        await register(strum)
        told = await attach(strum, "CS1")
        upload = {"type": "get_log", "location": "ftp://192.0.2.9/x", "request_id": 1}
        assert (await strum.api().post("/charging-stations/CS1/commands", upload))[0] == 201
        assert len(told) == 1


def test_we_ourselves_open_no_url_that_anybody_names() -> None:
    """No program of ours has a client that could: those of the broker, the databases and the table store are named."""
    root = Path(communication_service.__file__).parents[1]
    clients = re.compile(
        r"ClientSession|urlopen|open_connection\("
        r"|^\s*(import|from) (requests|httpx|urllib3|urllib\.request|http\.client)\b",
        re.MULTILINE,
    )
    sources = [
        path
        for package in ("communication_service", "management_service", "modules", "shared_contracts")
        for path in (root / package).rglob("*.py")
    ]
    assert len(sources) > 100
    assert [str(path.relative_to(root)) for path in sources if clients.search(path.read_text())] == []
