"""T14: text that is code elsewhere goes in at every field, and comes out of every list and export as text."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from management_service import openapi
from modules import catalogue
from shared_contracts.charge_points import CommandNoted, CompleteCommand
from shared_contracts.commands import CommandAnswered, CommandOutcome
from shared_contracts.message import Envelope, Event
from shared_contracts.transactions import TransactionOpened
from tests.harness import Client, Running, running
from tests.management_service.probe import execute
from tests.modules.users.people import QUICK, client
from tests.security.reading import read_everything
from tests.security.said import Said, contracts, filled

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
STATIONS = ("CS1", "CS2")
DOCUMENT = openapi.document([catalogue.load(name) for name in catalogue.NAMES])
KEPT_NOWHERE = {
    "JudgeToken",  # answered; a token that nobody knows is not kept
    "ReceiveData",  # of a vendor that we do not know: UnknownVendorId, and not kept
    "RequestCertificate",  # no request that can be read: refused
}
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
        for station_id in STATIONS:
            await api.post("/charging-stations", {"station_id": station_id})
        tables = await _tables(database)
        for number, text in enumerate(CORPUS):
            await _as_stations(strum, api, dict.fromkeys(contracts(), text), number)
            await _as_a_client(api, text)
        marks = {kind: f"=mark of {kind.__name__}" for kind in contracts()}
        await _as_stations(strum, api, marks, len(CORPUS))
        assert await _tables(database) == tables
        read = await read_everything(api, STATIONS)
        shown = {text for body in read.values() for text in _texts(body)}
        assert {kind.__name__ for kind, mark in marks.items() if mark not in shown} == KEPT_NOWHERE
        assert set(CORPUS) <= shown, "stored and shown as it came"
        assert {item["tech_info"] for item in read["/security-events"]} >= set(CORPUS)
        assert {item["id_token"] for item in read["/transactions"]} >= {"=1+1", "{{7*7}}"}
        assert ["'=1+1"] in [row[:1] for row in read["/statistics/id-tokens.csv"]], "the hostile cells are there"
        for name in catalogue.NAMES:
            assert (await api.get(f"/quarantine/{name}"))[1]["items"] == [], "everything was taken"


async def _as_stations(strum: Running, api: Client, texts: Mapping[Said, str], number: int) -> None:
    """In every free field of whatever the edge publishes (of one station) and asks (of another)."""
    ours = {"pod_id": "edge-1", "number": number, "epoch": number + 1}
    at = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=number)
    for kind, text in texts.items():
        station_id = STATIONS[0] if issubclass(kind, Event) else STATIONS[1]
        if kind is CompleteCommand:
            ours["command_id"] = await _unanswered(strum, api, station_id, text, at)
        for message in filled(kind, text, at, **{**ours, "station_id": station_id}):
            if isinstance(message, Event):
                await strum.publish(message)
            elif isinstance(reply := await strum.ask(message), TransactionOpened):
                ours["number"] = reply.number
            else:
                assert reply == CommandNoted(known=True) or not isinstance(reply, CommandNoted)


async def _unanswered(strum: Running, api: Client, station_id: str, text: str, at: datetime) -> str:
    """A command to which the station says nothing but hostile things, and too late."""
    [answered] = filled(CommandAnswered, text, at)

    async def respond(_: Envelope) -> bytes:
        return answered.model_copy(update={"outcome": CommandOutcome.TIMED_OUT}).model_dump_json().encode()

    await strum.bus.attach(station_id, respond)
    status, body = await api.post(f"/charging-stations/{station_id}/commands", {"type": "get_variables"})
    await strum.bus.detach(station_id, respond)
    assert (status, body["state"]) == (201, "timed_out"), body
    return str(body["command_id"])


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


def _texts(node: Any) -> Iterator[str]:
    match node:
        case str():
            yield node
        case dict():
            yield from (text for item in (*node, *node.values()) for text in _texts(item))
        case list():
            yield from (text for item in node for text in _texts(item))


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
