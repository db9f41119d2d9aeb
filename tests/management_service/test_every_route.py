"""T4, T10, T17: every route of every module: who may call it, and what it answers to nonsense."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from management_service import openapi
from modules import catalogue
from modules.kernel.http import Download, EventStream, Route
from modules.kernel.scopes import SCOPES, Scope
from shared_contracts.transactions import OpenTransaction, TransactionStarted
from shared_contracts.users import Role
from tests.harness import Client, Running, running
from tests.modules.users.people import QUICK, account, bearer, client, sign_in

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


def test_only_what_signs_people_in_and_out_is_open_to_all() -> None:
    """A route without a scope is open: nobody adds one by leaving something out."""
    assert {(route.method, route.path) for route in ROUTES if route.scope is None} == {
        ("POST", "/sessions"),
        ("POST", "/sessions/refresh"),
        ("POST", "/sessions/sign-out"),
    }


async def test_an_api_key_opens_what_its_scopes_name_and_nothing_else(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        await account(strum, "admin@example.org")
        admin = bearer(strum, (await sign_in(strum, "admin@example.org"))["access_token"])
        only, without = {}, {}
        for scope in Scope:
            for keys, scopes in ((only, [scope]), (without, sorted(set(Scope) - {scope}))):
                status, key = await admin.post("/api-keys", {"name": "k", "scopes": scopes})
                assert status == 201, key
                keys[scope] = bearer(strum, key["key"])
        for route in ROUTES:
            if route.scope is None:
                continue
            status, problem = await without[route.scope].call(route.method, _path(route))
            assert (status, problem["scope"]) == (403, route.scope), route
            if route.signature().returns not in {Download, EventStream}:
                status, problem = await only[route.scope].call(route.method, _path(route))
                assert status != 401, route
                assert status != 403 or "scope" not in problem, route


async def test_what_is_somebody_elses_is_not_there_for_a_driver(database: str) -> None:
    """404, as for what does not exist, with the same words: that something exists is no driver's business."""
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        drivers = {}
        for name in ("own", "other"):
            user_id = await account(strum, f"{name}@example.org", Role.DRIVER)
            drivers[name] = user_id, bearer(strum, (await sign_in(strum, f"{name}@example.org"))["access_token"])
        theirs = await _things_of(strum, *drivers["other"])
        checked = 0
        for route in ROUTES:
            if "{" not in route.path or route.scope not in SCOPES[Role.DRIVER]:
                continue
            answers = []
            for things in (theirs, NONE):
                status, problem = await drivers["own"][1].call(route.method, route.path.format_map(things))
                assert status == 404, route
                answers.append(_words(problem, things))
            assert answers[0] == answers[1]
            checked += 1
            if route.method == "GET":
                assert (await drivers["other"][1].get(route.path.format_map(theirs)))[0] == 200, (
                    "it is there for whom it belongs to"
                )
        assert checked >= 5
        assert (await drivers["own"][1].get("/transactions"))[1]["items"] == []


NONE = {"transaction_id": "0123456789abcdef0123456789abcdef", "key_id": "0123456789abcdef0123456789abcdef"}


async def _things_of(strum: Running, user_id: str, api: Client) -> dict[str, str]:
    operator = await client(strum, "boss@example.org")
    await operator.post("/id-tokens", {"value": "T1", "type": "ISO14443", "driver_id": user_id})
    now = datetime.now(UTC)
    opened = await strum.ask(
        OpenTransaction(
            station_id="CS1", connector_id=1, id_token="T1", meter_start_wh=0, started_at=now, received_at=now
        )
    )
    assert opened.status == "accepted"
    await strum.hear(TransactionStarted)
    _, page = await api.get("/transactions")
    _, key = await api.post("/api-keys", {"name": "mine"})
    return {"transaction_id": page["items"][0]["id"], "key_id": key["id"]}


def _words(problem: dict[str, Any], things: dict[str, str]) -> str:
    """What the problem says, but for the id that was asked for and the trace."""
    text = str({name: value for name, value in problem.items() if name != "trace"})
    for thing in things.values():
        text = text.replace(thing, "…")
    return text


EXTRAS = ("id", "revision", "created_at", "user_id", "password_hash", "is_admin", "__proto__")
FREE = {"/charging-stations/{station_id}/ocpp/{action}"}
"""The body of an OCPP action is the station's, whatever its fields are called."""


async def test_a_field_that_is_not_a_clients_to_set_is_refused(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        api = await client(strum, "admin@example.org")
        assert (await api.post("/charging-stations", {"station_id": "none"}))[0] == 201
        for route in ROUTES:
            operation = DOCUMENT["paths"]["/api/v1" + route.path][route.method.lower()]
            if "requestBody" not in operation or route.path in FREE:
                continue
            schema = _resolved(operation["requestBody"]["content"]["application/json"]["schema"])
            known = set(schema.get("properties", {}))
            fit = next(iter(_fit_bodies(schema)))
            for name in set(EXTRAS) - known:
                status, problem = await api.call(route.method, _path(route), json={**fit, name: "x"})
                assert status == 422, (route, name, status, problem)
                assert any(error["field"].split(".")[-1] == name for error in problem["errors"]), (route, name, problem)


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    schema = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    for kind in ("oneOf", "anyOf"):
        if kind in schema:
            return _resolved(schema[kind][0])
    return schema


def _fit_bodies(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {
        name: part["const"] if "const" in part else _fit(part)
        for name, part in schema.get("properties", {}).items()
        if name in schema.get("required", ()) or "const" in part
    }


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


FORGED = (
    "x",
    "%00",
    "\U0001f50b",
    _cursor("[]"),
    _cursor("null"),
    _cursor("{}"),
    _cursor('["a","b","c","d"]'),
    _cursor("[null]"),
    _cursor("[1e400]"),
    _cursor("[" * 1000),
    _cursor("[" * 200 + "]" * 200),
    _cursor("[" + "9" * 40 + "]"),
    _cursor('["\\u0000"]'),
    _cursor('[true,"x"]'),
)
TEXTUAL = (_cursor('["' + "x" * 5000 + '"]'), _cursor('["9999-12-31T23:59:59-14:00","x"]'))
"""Places in lists that are in the order of names, beyond their ends."""


async def test_no_list_is_longer_than_allowed_and_goes_on_at_a_forged_cursor(database: str) -> None:
    lists = [route for route in ROUTES if "limit" in route.signature().query.model_fields]
    assert len(lists) > 15
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        api = await client(strum, "admin@example.org")
        assert (await api.post("/charging-stations", {"station_id": "none"}))[0] == 201
        for route in lists:
            for limit in ("501", "0", "-1", "1e3", "9" * 30, ""):
                assert (await api.get(_path(route), limit=limit))[0] == 422, (route, limit)
            for cursor in (*FORGED, *TEXTUAL):
                status, answer = await api.get(_path(route), cursor=cursor)
                is_of_names = cursor in TEXTUAL and status == 200
                is_refused = (status, answer.get("code")) == (422, "invalid_request")
                assert is_of_names or is_refused, (route.path, cursor, answer)


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
