"""T14: text that is code elsewhere goes in at every field, and comes out of every list and export as text."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from management_service import openapi
from modules import catalogue
from modules.kernel.http import EventStream
from shared_contracts.charge_points import BootStation, ReceiveData
from shared_contracts.stations import ConnectorStatus, SecurityEventReported, StationNotified, StatusReported
from shared_contracts.transactions import CloseTransaction, OpenTransaction
from tests.harness import Client, Running, running
from tests.management_service.probe import execute
from tests.modules.users.people import QUICK, client

CORPUS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '"=1',
    "<script>alert(1)</script>",
    "'; DROP TABLE users.users; --",
    "%' OR '1'='1",
    'x\n{"level":"error","event":"forged"}',
    "x\r\nSet-Cookie: a=b",
    "strum.*.#",
    "\u202eotp\u202c",
    "\u2028x\u2029",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "../../etc/passwd",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
MODULES = [catalogue.load(name) for name in catalogue.NAMES]
DOCUMENT = openapi.document(MODULES)
FIXED = {
    "station_id": "CS1",
    "email": "a@example.org",
    "password": "a long enough one",
    "location": "https://x.example/y",
}
"""Fields that must fit for the others to be looked at."""


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_what_is_code_elsewhere_is_text_here(database: str) -> None:
    unknown = {"accept_unknown_tokens": True}
    async with running(database, *catalogue.NAMES, users=QUICK, authorization=unknown) as strum:
        api = await client(strum, "admin@example.org")
        await api.post("/charging-stations", {"station_id": "CS1"})
        tables = await _tables(database)
        for number, text in enumerate(CORPUS):
            await _as_a_station(strum, text, number)
            await _as_a_client(api, text)
        assert await _tables(database) == tables
        await _read_everything(strum, api)
        page = (await api.get("/security-events", limit=500))[1]["items"]
        assert {item["tech_info"] for item in page} == set(CORPUS), "stored and shown as it came"
        transactions = (await api.get("/transactions", limit=500))[1]["items"]
        assert {item["id_token"] for item in transactions} >= {"=1+1", "{{7*7}}"}


async def _as_a_station(strum: Running, text: str, number: int) -> None:
    now = datetime.now(UTC) - timedelta(hours=1)
    said = {"serial_number": text, "firmware_version": text, "iccid": text, "meter_type": text, "reason": text}
    await strum.ask(BootStation(station_id="CS1", ocpp_version="1.6", vendor=text, model=text, booted_at=now, **said))
    await strum.publish(
        StatusReported(
            station_id="CS1",
            connector_id=1,
            status=ConnectorStatus.AVAILABLE,
            raw_status=text,
            error_code=text,
            info=text,
            vendor_id=text,
            vendor_error_code=text,
            reported_at=now,
        ),
        SecurityEventReported(station_id="CS1", type=text, tech_info=text, reported_at=now),
        StationNotified(station_id="CS1", ocpp_version="1.6", action=text, payload={text: text}, reported_at=now),
    )
    await strum.ask(ReceiveData(station_id="CS1", vendor_id=text, message_id=text, data=text))
    began = now + timedelta(seconds=number)
    opened = await strum.ask(
        OpenTransaction(
            station_id="CS1", connector_id=1, id_token=text, meter_start_wh=0, started_at=began, received_at=began
        )
    )
    await strum.ask(
        CloseTransaction(
            station_id="CS1",
            number=opened.number,
            meter_stop_wh=10,
            stopped_at=began + timedelta(minutes=1),
            received_at=began,
            reason=text,
        )
    )


async def _as_a_client(api: Client, text: str) -> None:
    """In every field of every body: it may be refused, but never fail."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for body in _bodies(operation, text):
                target = path.removeprefix("/api/v1").replace("{station_id}", "CS1").replace("{", "").replace("}", "")
                status, answer = await api.call(method.upper(), target, json=body)
                assert status < 500 or answer["code"] == "unavailable", (path, body, answer)


def _bodies(operation: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    if "requestBody" not in operation or operation["operationId"] in {"sign_in", "change_own_password"}:
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    fields = schema.get("properties", {})
    needed = {name: FIXED.get(name, _fit(fields[name])) for name in schema.get("required", ())}
    yield from ({**needed, name: text} for name, part in fields.items() if '"string"' in orjson.dumps(part).decode())


def _fit(part: dict[str, Any]) -> Any:
    part = DOCUMENT["components"]["schemas"].get(part.get("$ref", "").rpartition("/")[2], part)
    if "enum" in part:
        return part["enum"][0]
    return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(part.get("type", ""), "x")


async def _read_everything(strum: Running, api: Client) -> None:
    read = set()
    for route in (route for module in MODULES for route in module.routes):
        if route.method != "GET" or route.signature().returns is EventStream:
            continue
        path = route.path.replace("{station_id}", "CS1")
        if "{" in path:
            continue
        status, body = await api.get(path)
        assert status == 200, (path, body)
        assert api.response is not None
        headers = api.response.headers
        read.add(api.response.content_type)
        assert "Set-Cookie" not in headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        match api.response.content_type:
            case "application/x-ndjson":
                assert all(isinstance(orjson.loads(line), dict) for line in body.split("\n") if line), path
            case "text/csv":
                for row in csv.reader(io.StringIO(body, newline="")):
                    assert not [cell for cell in row if cell.lstrip(" ").startswith(FORMULA)], (path, row)
            case kind:
                assert kind in {"application/json", "text/plain"}
    assert {"application/json", "application/x-ndjson", "text/csv"} <= read
    _, text = await api.get("/statistics/id-tokens.csv")
    assert "'=1+1" in text, "the hostile cells are there"


async def _tables(database: str) -> list[Any]:
    statement = "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"
    return await execute(database, statement)


async def test_a_search_finds_text_and_nothing_that_it_would_be_as_a_pattern(database: str) -> None:
    async with running(database, "users", users=QUICK) as strum:
        api = await client(strum, "admin@example.org")
        for text in (*CORPUS, "%", "_", "\\", "a%n"):
            status, page = await api.get("/users", search=text)
            assert status in {200, 422}
            assert page.get("items", []) == [], text
        assert len((await api.get("/users", search="ADMIN@"))[1]["items"]) == 1
