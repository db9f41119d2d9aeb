"""T4, T11: secrets that went through everything are in no log, event, table, list, export or error."""

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator import Station
from simulator.station import Version
from tests.e2e.stack import ADMIN, Stack
from tests.faults.ground import PREFIX, ground
from tests.security.sinks import events_heard, leaks, of_api, of_database, of_logs

SECRETS = {
    "password of a station": "cnry-Station-0001",
    "wrong password of a station": "cnry-Guessed-0002",
    "new password of a station": "cnry-Rotated-0003",
    "AuthorizationKey by command": "636e72794175746830303034",
    "AuthorizationKey by configuration": "636e72794175746830303035",
    "AuthorizationKey by action": "636e72794175746830303036",
    "AuthorizationKey in an action that does not fit": "636e72794175746830303037",
    "BasicAuthPassword by command": "cnryBasicAuth000008",
    "BasicAuthPassword by configuration": "cnryBasicAuth000009",
    "password in the URL of a log": "cnryLogUpload0010",
    "password in the URL of firmware": "cnryFirmware00011",
    "password in the URL of a raw call": "cnryRawUrl0000012",
    "password of a user": "cnry-User-Password-13",
    "wrong password of a user": "cnry-Wrong-Password-14",
    "password that does not fit": "cnryTooOdd15",
    "password typed where the address belongs": "cnry-Mistyped-16",
    "another password of a user": "cnry-Another-Password-17",
}


def test_a_leak_would_be_found() -> None:
    """Each form, wherever it stands: a search that finds nothing proves nothing."""
    secret = {"s": "cnry-Station-0001"}
    for written in (
        "a cnry-station-0001 b",
        "636E72792D53746174696F6E2D30303031",
        "Basic Q1MxOmNucnktU3RhdGlvbi0wMDAx",  # CS1:…
        "eHhjbnJ5LVN0YXRpb24tMDAwMXh4",
    ):
        assert leaks({"log": written}, secret), written


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_no_secret_is_anywhere_after_a_life_of_a_station_and_a_user(tmp_path: Path) -> None:
    async with ground(tmp_path, log_level="debug", charge_points__unknown_stations="refuse") as faulty:
        strum = faulty.strum
        await strum.management().start()
        await strum.communication().start()
        await strum.sign_in()
        secrets = dict(SECRETS) | {"password of the administrator": ADMIN[1]}
        async with events_heard(faulty.broker.url, f"{PREFIX}.events") as heard:
            errors = await _life_of_a_user(strum, secrets)
            errors += await _life_of_stations(strum, secrets)
            await asyncio.sleep(3)  # frames and refusals are gathered
            told = await strum.pages("/audit-records")
            sinks = await of_api(strum, station_id="CNRY16") | await of_api(strum, station_id="CNRY201")
        for service in strum.services:
            await service.stop()
        keys = heard.routing_keys
        sinks |= {"events": "\n".join(heard.bodies), "errors": "\n".join(errors), "audit": str(told)}
        sinks |= of_logs(tmp_path) | await of_database(faulty.database.url)
    assert leaks(sinks, secrets) == []
    for name in ("management.log", "communication.log"):
        assert all(isinstance(orjson.loads(line), dict) for line in sinks[name].splitlines()), "a line is one object"
    assert {key for key in keys if not re.fullmatch(r"[a-z0-9_.-]+", key)} == set(), "made of names of ours alone"
    assert "ChangeConfiguration" in sinks["GET /charging-stations/CNRY16/frames/export"], "the secrets were not sent"
    assert "SetVariables" in sinks["GET /charging-stations/CNRY201/frames/export"]
    assert len(heard.bodies) > 10
    assert len(told) > 10
    assert len(sinks["management.log"]) > 1000


async def _life_of_a_user(strum: Stack, secrets: dict[str, str]) -> list[str]:
    """What the answers said that have no secret to show."""
    email, password = "person@example.org", secrets["password of a user"]
    mistyped = secrets["password typed where the address belongs"]
    unfit = secrets["password that does not fit"]
    await _said(strum, "POST", "/users", 201, email=email, role="viewer", password=password)
    errors = [
        await _said(strum, "POST", "/sessions", 401, email=email, password=secrets["wrong password of a user"]),
        await _said(strum, "POST", "/sessions", 401, email=mistyped, password="x"),
        await _said(strum, "POST", "/users", 422, email="x", role="none", password=unfit),
        await _said(strum, "POST", "/users", 422, email="o@example.org", role="viewer", password=[password]),
    ]
    status, session = await strum.api("POST", "/sessions", json={"email": email, "password": password})
    assert status == 200
    secrets |= {"access token": session["access_token"], "refresh token": session["refresh_token"]}
    refreshing = {"refresh_token": session["refresh_token"]}
    _, refreshed = await strum.api("POST", "/sessions/refresh", json=refreshing)
    secrets |= {"second access token": refreshed["access_token"], "second refresh token": refreshed["refresh_token"]}
    errors.append(await _said(strum, "POST", "/sessions/refresh", 401, **refreshing))
    status, key = await strum.api("POST", "/api-keys", json={"name": "cnry"})
    assert status == 201
    secrets["API key"] = key["key"]
    for credential in (key["key"], key["key"] + "x", session["access_token"][:-4] + "AAAA"):
        async with strum.session.get(
            f"http://127.0.0.1:{strum.api_port}/api/v1/me", headers={"Authorization": f"Bearer {credential}"}
        ) as answer:
            errors.append(await answer.text())
    new = secrets["another password of a user"]
    await _said(strum, "PUT", f"/users/{session['user']['id']}/password", 204, password=new)
    return errors


async def _life_of_stations(strum: Stack, secrets: dict[str, str]) -> list[str]:
    password = secrets["password of a station"]
    for station_id in ("CNRY16", "CNRY201"):
        body = {"station_id": station_id, "security_profile": 1, "password": password}
        await _said(strum, "POST", "/charging-stations", 201, **body)
    async with strum.session.get(
        f"http://127.0.0.1:{strum.ocpp_port}/ocpp/CNRY16",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "ocpp1.6",
            "Authorization": _basic("CNRY16", secrets["wrong password of a station"]),
        },
    ) as refused:
        assert refused.status == 401
        errors = [await refused.text()]
    await strum.add_id_token("CNRY")
    versions: dict[str, Version] = {"CNRY16": "1.6", "CNRY201": "2.0.1"}
    for station_id, version in versions.items():
        station = Station(
            url=strum.ocpp_url, station_id=station_id, version=version, password=password, seed=1, speed=600
        )
        async with station as charger:
            await strum.eventually(f"/charging-stations/{station_id}", lambda body: body["connected"], within_s=30)
            await charger.plug_in_and_charge(id_token="CNRY")
            errors += await (_commands_16 if version == "1.6" else _commands_201)(strum, station_id, secrets)
            await charger.stop_charge(reason="Local")
            await charger.drained()
    new = secrets["new password of a station"]
    await _said(strum, "POST", "/charging-stations/CNRY16/password", 200, password=new)
    return errors


async def _commands_16(strum: Stack, station_id: str, secrets: dict[str, str]) -> list[str]:
    one = f"/charging-stations/{station_id}"
    key = {"name": "AuthorizationKey"}
    change = {**key, "value": secrets["AuthorizationKey by command"]}
    by_action = {"key": "AuthorizationKey", "value": secrets["AuthorizationKey by action"]}
    unfit = {"key": "AuthorizationKey", "value": [secrets["AuthorizationKey in an action that does not fit"]], "x": 1}
    changes = [{**key, "value": secrets["AuthorizationKey by configuration"]}]
    return [
        await _said(strum, "POST", f"{one}/commands", 201, type="set_variables", variables=[change]),
        await _said(strum, "POST", f"{one}/ocpp/ChangeConfiguration", 201, **by_action),
        await _said(strum, "POST", f"{one}/ocpp/ChangeConfiguration", 400, **unfit),
        await _said(strum, "PATCH", f"{one}/variables", None, changes=changes),
        await _said(strum, "POST", f"{one}/logs", None, location=_url(secrets["password in the URL of a log"])),
        await _said(
            strum, "POST", f"{one}/firmware-updates", None, location=_url(secrets["password in the URL of firmware"])
        ),
        await _said(
            strum,
            "POST",
            f"{one}/ocpp/GetDiagnostics",
            None,
            location=_url(secrets["password in the URL of a raw call"]),
        ),
    ]


async def _commands_201(strum: Stack, station_id: str, secrets: dict[str, str]) -> list[str]:
    one = f"/charging-stations/{station_id}"
    key = {"component": "SecurityCtrlr", "name": "BasicAuthPassword"}
    change = {**key, "value": secrets["BasicAuthPassword by command"]}
    changes = [{**key, "value": secrets["BasicAuthPassword by configuration"]}]
    location = _url(secrets["password in the URL of a log"])
    return [
        await _said(strum, "POST", f"{one}/commands", 201, type="set_variables", variables=[change]),
        await _said(strum, "PATCH", f"{one}/variables", None, changes=changes),
        await _said(strum, "POST", f"{one}/logs", None, location=location),
        await _said(strum, "POST", f"{one}/commands", 201, type="get_log", location=location, request_id=7),
        await _said(
            strum, "POST", f"{one}/firmware-updates", None, location=_url(secrets["password in the URL of firmware"])
        ),
    ]


async def _said(strum: Stack, method: str, path: str, status: int | None, **body: Any) -> str:
    answered, answer = await strum.api(method, path, json=body)
    assert answered == status or (status is None and answered < 300), (path, answered, answer)
    return str(answer)


def _url(password: str) -> str:
    return f"sftp://cnry:{password}@files.example.org/up/load?a=b"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
