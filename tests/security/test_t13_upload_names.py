"""T13: what a station calls a file that it uploads is shown, and names no file and no request of ours."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from tests.communication_service.phrases import call
from tests.communication_service.stations import Station
from tests.faults.whole import Whole, say, whole

SETTINGS = {"charge_points": {"unknown_stations": "accept", "allowed_destinations": ["files.example.org"]}}
LOCATION = "https://files.example.org/up?token=1"
NAMES = {
    "../../x": "../../x",
    "..\\..\\x": "..\\..\\x",
    "/etc/strum-t13": "/etc/strum-t13",
    "%2e%2e%2fx": "%2e%2e%2fx",
    "a\0/../b": "a\ufffd/../b",
    "a\r\nSet-Cookie: b": "a\r\nSet-Cookie: b",
    '"; filename="b': '"; filename="b',
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "\u202egol.exe": "\u202egol.exe",
    "x" * 5000: "x" * 510,
}
"""What the station says, and what is shown: NUL is replaced, a long text cut (docs/bad-input.md, rows 33 and 17)."""
KINDS = [
    (Version.V16, "diagnostics"),
    (Version.V16, "security"),
    (Version.V201, "security"),
    (Version.V21, "diagnostics"),
]


async def _uploaded(w: Whole, station: Station, log: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask for a log, have the station answer that its file is called so; the request and the command as shown."""
    body = {"log": log, "location": LOCATION}
    asking = asyncio.create_task(w.api.post("/charging-stations/CS1/logs", body))
    _, message_id, action, told = await station.receive()
    assert LOCATION in {told.get("location"), told.get("log", {}).get("remoteLocation")}
    answer = {"fileName": name} if action == "GetDiagnostics" else {"status": "Accepted", "filename": name}
    await station.send([3, message_id, answer])
    status, request = await asking
    assert status == 201, request
    status, command = await w.api.get(f"/commands/{request['command_id']}")
    assert status == 200
    return request, command


@pytest.mark.parametrize(("version", "log"), KINDS)
async def test_the_name_of_a_file_is_shown_and_nowhere_used(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: Version, log: str
) -> None:
    (inner := tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(inner)
    seen = set()
    async with whole(database, **SETTINGS) as w, w.station(version) as station:
        for name, shown in NAMES.items():
            request, command = await _uploaded(w, station, log, name)
            assert (request["location"], request["outcome"]) == (LOCATION, "accepted")
            assert shown in command["payload"].values()
            assert not [value for value in request.values() if name in str(value)], "not a part of the request"
            seen.add(request["id"])
        assert await say(station, call("Heartbeat", {})), "the connection lives on"
        listed = await w.page("/charging-stations/CS1/logs")

    assert {one["id"] for one in listed} == seen
    assert len(seen) == len(NAMES), "each has a name of ours, whatever the station calls it"
    assert _written(tmp_path) == ["a", "a/b"], "nothing was written"


def _written(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


async def test_a_station_overwrites_no_other_stations_upload(database: str) -> None:
    """Numbers of requests are ours, and count for the station that was given them."""
    async with whole(database, **SETTINGS) as w, w.station(Version.V201) as one:
        asking = asyncio.create_task(w.api.post("/charging-stations/CS1/logs", {"location": LOCATION}))
        told = await one.answer({"status": "Accepted", "filename": "mine.txt"})
        _, request = await asking
        uploaded = {"status": "Uploaded", "requestId": told[3]["requestId"]}
        await say(one, call("LogStatusNotification", uploaded | {"status": "Uploading"}))
        async with w.station(Version.V201, "CS2") as two:
            await say(two, call("LogStatusNotification", uploaded))  # answered when every consumer has stored it
        _, shown = await w.api.get(f"/charging-stations/CS1/logs/{request['id']}")

        assert shown["status"] == "Uploading"
        assert (await w.api.get(f"/charging-stations/CS2/logs/{request['id']}"))[0] == 404


@pytest.mark.parametrize(
    "station_id", ["..%2F..%2Fx", "%00", "a%0D%0ASet-Cookie:%20b", "%22;filename=%22b", "x" * 5000]
)
async def test_a_download_has_a_name_of_ours_whatever_the_station_is_called(database: str, station_id: str) -> None:
    async with whole(database) as w:
        api = w.api
        for suffix, name in (("", "frames.ndjson"), ("?format=text", "frames.txt")):
            status, _ = await api.call("GET", f"/charging-stations/{station_id}/frames/export{suffix}")
            assert api.response is not None
            named = api.response.headers.get("Content-Disposition")
            assert (status, named) == (200, f'attachment; filename="{name}"') or (status >= 400 and named is None)
            assert "Set-Cookie" not in api.response.headers
