"""Every route of every module: who may call it, and what it answers to nonsense."""

import re
from collections.abc import Iterator
from typing import Any

from management_service import openapi
from modules import catalogue
from modules.kernel.http import Download, EventStream, Route
from modules.kernel.scopes import SCOPES
from shared_contracts.users import Role
from tests.harness import Client, running
from tests.modules.users.people import QUICK, account, bearer, sign_in

MODULES = [catalogue.load(name) for name in catalogue.NAMES]
ROUTES = [route for module in MODULES for route in module.routes]
DOCUMENT = openapi.document(MODULES)

TEXTS = (
    "",
    "0",
    "-1",
    "99999999999999999999",
    "1e400",
    "NaN",
    "null",
    "x" * 3000,
    "' OR 1=1 --",
    "%25",
    "../../etc/passwd",
    "2024-13-45",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "\u202e\U0001f50b",
)
VALUES = (None, True, -1, 2**31, 2**63, 10**25, 1.5, "", "x" * 3000, [], [None], {}, {"a": {"b": []}}, *TEXTS[-4:])


def _path(route: Route, value: str = "none") -> str:
    return re.sub(r"{[^}]*}", value.replace("/", "%2F"), route.path)


async def test_nobody_calls_what_is_not_open_and_everybody_only_what_is_theirs(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        people = {}
        for role in Role:
            await account(strum, f"{role}@example.org", role)
            people[role] = bearer(strum, (await sign_in(strum, f"{role}@example.org"))["access_token"])
        for route in ROUTES:
            if route.scope is None:
                continue
            assert (await strum.nobody().call(route.method, _path(route)))[0] == 401, route
            for role, api in people.items():
                if route.scope not in SCOPES[role]:
                    assert (await api.call(route.method, _path(route)))[0] == 403, (role, route)


async def test_nonsense_is_never_our_failure(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        await account(strum, "admin@example.org")
        api = bearer(strum, (await sign_in(strum, "admin@example.org"))["access_token"])
        assert (await api.post("/charging-stations", {"station_id": "none"}))[0] == 201
        failed = []
        for route in ROUTES:
            if route.signature().returns in {Download, EventStream}:
                continue
            for path, query, body in _nonsense(route):
                status, answer = await api.call(route.method, path, query=query, json=body)
                if not _is_sound(api, status, answer):
                    failed.append((route.method, path, query, body, status, answer))

        assert failed == []


def _is_sound(api: Client, status: int, answer: Any) -> bool:
    if status < 400:
        return True
    assert api.response is not None
    is_problem = api.response.content_type == "application/problem+json" and answer["status"] == status
    return is_problem and (status < 500 or answer["code"] == "unavailable")


def _nonsense(route: Route) -> Iterator[tuple[str, dict[str, str], Any]]:
    operation = DOCUMENT["paths"]["/api/v1" + route.path][route.method.lower()]
    for text in TEXTS if "{" in route.path else ():
        if text:
            yield _path(route, text), {}, {}
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            yield from ((_path(route), {parameter["name"]: text}, None) for text in TEXTS)
    for body in _bodies(operation):
        yield _path(route), {}, body


def _bodies(operation: dict[str, Any]) -> Iterator[Any]:
    if "requestBody" not in operation:
        return
    yield from ({}, [], 5, "text", {"unknown": 1})
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    fit = {
        name: _fit(part) for name, part in schema.get("properties", {}).items() if name in schema.get("required", ())
    }
    for name in schema.get("properties", {}):
        yield from ({**fit, name: value} for value in VALUES)


def _fit(part: dict[str, Any]) -> Any:
    part = DOCUMENT["components"]["schemas"].get(part.get("$ref", "").rpartition("/")[2], part)
    if "enum" in part:
        return part["enum"][0]
    fitting = {"string": "a@example.org", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return fitting.get(part.get("type", "string"), "a")
