"""The lives of a user and of stations, with secrets in everything that takes one."""

import base64
from typing import Any

from simulator import Station
from simulator.station import Version
from tests.e2e.stack import Stack

STATIONS: dict[str, Version] = {"CNRY16": "1.6", "CNRY201": "2.0.1", "CNRY21": "2.1"}
TO_STATIONS = {
    "AuthorizationKey by command": "636e72794175746830303034",
    "AuthorizationKey by configuration": "636e72794175746830303035",
    "AuthorizationKey by action": "636e72794175746830303036",
    "AuthorizationKey in an action that does not fit": "636e72794175746830303037",
    "BasicAuthPassword by command": "cnryBasicAuth000008",
    "BasicAuthPassword by configuration": "cnryBasicAuth000009",
    "basicAuthPassword of a network profile": "cnryNetProfile0018",
    "basicAuthPassword in a network profile that does not fit": "cnryNetUnfit00019",
    "apnPassword of a network profile": "cnryApnPass0020",
    "password of a VPN": "cnryVpnPass0021",
    "shared key of a VPN": "cnryVpnKey00022",
    "password in the URL of a log": "cnryLogUpload0010",
    "password in the URL of firmware": "cnryFirmware00011",
    "password in the URL of a raw call": "cnryRawUrl0000012",
}
"""What a station is told as it is: the commands on their way to it carry it, and nothing else does."""
SECRETS = TO_STATIONS | {
    "password of a station": "cnry-Station-0001",
    "wrong password of a station": "cnry-Guessed-0002",
    "new password of a station": "cnry-Rotated-0003",
    "password of a user": "cnry-User-Password-13",
    "wrong password of a user": "cnry-Wrong-Password-14",
    "password that does not fit": "cnryTooOdd15",
    "password typed where the address belongs": "cnry-Mistyped-16",
    "another password of a user": "cnry-Another-Password-17",
}


async def life_of_a_user(strum: Stack, secrets: dict[str, str]) -> list[str]:
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


async def life_of_stations(strum: Stack, secrets: dict[str, str]) -> list[str]:
    password = secrets["password of a station"]
    for station_id in STATIONS:
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
    for station_id, version in STATIONS.items():
        station = Station(
            url=strum.ocpp_url, station_id=station_id, version=version, password=password, seed=1, speed=600
        )
        async with station as charger:
            await strum.eventually(f"/charging-stations/{station_id}", lambda body: body["connected"], within_s=30)
            await charger.plug_in_and_charge(id_token="CNRY")
            errors += await (_commands_16 if version == "1.6" else _commands_201)(strum, station_id, secrets)
            errors += await _network_profiles(strum, station_id, secrets) if version == "2.1" else []
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


async def _network_profiles(strum: Stack, station_id: str, secrets: dict[str, str]) -> list[str]:
    place = f"/charging-stations/{station_id}/ocpp/SetNetworkProfile"
    vpn = {"server": "vpn.example.org", "user": "u", "type": "IPSec"}
    data = {
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "messageTimeout": 30,
        "ocppCsmsUrl": "wss://csms.example.org/ocpp",
        "securityProfile": 2,
        "basicAuthPassword": secrets["basicAuthPassword of a network profile"],
        "apn": {
            "apn": "a",
            "apnAuthentication": "PAP",
            "apnPassword": secrets["apnPassword of a network profile"],
        },
        "vpn": {**vpn, "password": secrets["password of a VPN"], "key": secrets["shared key of a VPN"]},
    }
    unfit = {"basicAuthPassword": [secrets["basicAuthPassword in a network profile that does not fit"]]}
    return [
        await _said(strum, "POST", place, 201, configurationSlot=1, connectionData=data),
        await _said(strum, "POST", place, 400, configurationSlot=1, connectionData=data | unfit),
    ]


async def _said(strum: Stack, method: str, path: str, status: int | None, **body: Any) -> str:
    answered, answer = await strum.api(method, path, json=body)
    assert answered == status or (status is None and answered < 300), (path, answered, answer)
    return str(answer)


def _url(password: str) -> str:
    return f"sftp://cnry:{password}@files.example.org/up/load?a=b"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
