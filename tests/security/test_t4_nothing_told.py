"""T4: who is not signed in learns no identity, and nobody a secret, whatever they may read."""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from communication_service.admission import Credentials, proves
from communication_service.ocpp.versions import Version
from management_service import openapi
from modules import catalogue
from modules.kernel.http import EventStream
from shared_contracts.charge_points import GetStationAccess
from shared_contracts.users import Role
from tests.communication_service.edge import edge
from tests.harness import Client, Running, running
from tests.modules.charge_points.edge import connected
from tests.modules.users.people import QUICK, bearer
from tests.security.sinks import leaks
from tests.security.things import EMAIL, STATION, TOKEN, everything, filled

MODULES = [catalogue.load(name) for name in catalogue.NAMES]
DOCUMENT = openapi.document(MODULES)
OPERATIONS = [(method.upper(), path) for path, found in DOCUMENT["paths"].items() for method in found]
STREAMS = {
    "/api/v1" + route.path for module in MODULES for route in module.routes if route.signature().returns is EventStream
}
OPEN = {"/api/v1/sessions", "/api/v1/sessions/refresh", "/api/v1/sessions/sign-out"}
"""What is open to all by POST, and asks for a password or a token that only its owner has."""
PAGES = ("/", "/livez", "/readyz", "/metrics", "/api/openapi.json", "/api/docs", "/api/docs/start.js", "/favicon.ico")

ONCE = {
    "NewApiKeyView.key",
    "NewUserView.password",
    "PasswordView.password",
    "SessionView.access_token",
    "SessionView.refresh_token",
    "StationCreated.password",
}
"""Secrets that an answer shows: the one time that they are made."""


def _identities(things: dict[str, str]) -> set[str]:
    return {STATION, TOKEN, EMAIL, *things.values()} - {"charge_points"}


async def test_who_is_not_signed_in_is_told_that_and_nothing_else(database: str) -> None:
    """The same words for what is there and for what is not, whoever they pretend to be."""
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        things, _, _ = await everything(strum)
        callers = (strum.nobody(), bearer(strum, "strum_guessed"), bearer(strum, "a.b.c"))
        words: list[set[str]] = [set() for _ in callers]
        for method, path in OPERATIONS:
            if (method, path) in {("POST", one) for one in OPEN}:
                continue
            for caller, told in zip(callers, words, strict=True):
                for known in (things, {"module": things["module"]}):
                    status, problem = await caller.call(method, filled(path, known))
                    assert status == 401, (method, path)
                    assert not [one for one in _identities(things) if one in str(problem)], (method, path)
                    told.add(str({name: value for name, value in problem.items() if name != "trace"}))
        assert len(OPERATIONS) > 60
        assert [len(told) for told in words] == [1, 1, 1]


async def test_the_open_pages_name_no_station_and_nobody(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        things, _, _ = await everything(strum)
        for page in PAGES:
            async with strum.session.get(f"http://127.0.0.1:{strum.management.port}{page}") as answer:
                told = await answer.text() + str(answer.headers)
                assert answer.status in {200, 404}, page
                assert not [one for one in _identities(things) if one in told], page
        nobody = strum.nobody()
        for path in OPEN:
            for email in (EMAIL, "nobody@example.org"):
                body = {"email": email, "password": "x"} if path.endswith("sessions") else {"refresh_token": "x"}
                status, problem = await nobody.post(path.removeprefix("/api/v1"), body)
                assert status in {401, 204}, path
                assert not [one for one in _identities(things) if one in str(problem)], path


async def test_the_open_pages_of_a_pod_do_not_either() -> None:
    async with edge() as e, e.station(Version.V16, STATION) as station:
        await station.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        base = e.url.removesuffix("/ocpp/")
        health = f"http://127.0.0.1:{e.communication.health_port}"
        for page in (
            base + "/",
            base + "/ocpp",
            base + "/ocpp/",
            health + "/livez",
            health + "/readyz",
            health + "/metrics",
        ):
            async with e.http.get(page) as answer:
                assert STATION not in await answer.text() + str(answer.headers), page


def _fields(schema: dict[str, Any], seen: set[str]) -> Iterator[tuple[str, str]]:
    """Every field of what is answered, with the view it is of."""
    for reference in re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(schema)):
        if reference not in seen:
            seen.add(reference)
            found = DOCUMENT["components"]["schemas"][reference]
            yield from ((reference, name) for name in found.get("properties", {}))
            yield from _fields(found, seen)


SOUNDS_SECRET = re.compile(r"password|secret|hash|salt|private|credential|access_token|refresh_token|^key$|^token$")
HARMLESS = {"has_password"}
ROUTING = {"EventView.key", "QuarantinedDetail.key", "QuarantinedMessage.key", "QuarantinedView.key"}
"""The key of a message is what kind it is of."""


def test_no_view_has_a_field_for_a_secret_but_where_it_is_made() -> None:
    """Nobody adds one unawares."""
    answers = {"paths": [one["responses"] for found in DOCUMENT["paths"].values() for one in found.values()]}
    told = {
        f"{view}.{name}"
        for view, name in _fields(answers, set())
        if SOUNDS_SECRET.search(name) and name not in HARMLESS
    }
    assert told - ROUTING == ONCE


async def _stored_secrets(database: str) -> dict[str, str]:
    """Every hash, salt and private key that is in the database, found by the names of the columns."""
    engine, found = create_async_engine(database), {}
    try:
        async with engine.connect() as connection:
            columns = await connection.execute(
                text(
                    "SELECT table_schema, table_name, column_name FROM information_schema.columns "
                    "WHERE column_name ~ '(hash|salt|private|secret|password)$' AND data_type = 'text'"
                )
            )
            for schema, table, column in columns.all():
                rows = await connection.execute(text(f'SELECT "{column}" FROM "{schema}"."{table}"'))
                found |= {f"{schema}.{table}.{column} {n}": one for n, one in enumerate(rows.scalars()) if one}
    finally:
        await engine.dispose()
    return found


async def _connect(strum: Running, admin: Client, password: str) -> None:
    """The station signs in, and the pod tells of it as it does."""
    access = await strum.ask(GetStationAccess(station_id=STATION))
    shown = proves(access, STATION, Credentials(STATION, password.encode()))
    assert shown is not None
    told = connected(STATION, 1).model_copy(update={"password_name": shown, "access_revision": access.revision})
    await strum.publish(told)
    statuses, until = f"/charging-stations/{STATION}/statuses", time.monotonic() + 10.0
    while "password_name" not in str(await admin.get(statuses)):
        assert time.monotonic() < until, "the connection is not among the statuses"
        await asyncio.sleep(0.1)


async def test_no_answer_to_anybody_shows_a_secret_again(database: str) -> None:
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        things, people, secrets = await everything(strum)
        await _connect(strum, people[Role.ADMIN], secrets["made for a station"])
        stored = await _stored_secrets(database)
        assert {name.split()[0].split(".", 1)[1] for name in stored} >= {
            "stations.password_hash",
            "stations.password_salt",
            "users.password_hash",
            "refresh_tokens.hash",
            "api_keys.hash",
            "signing_keys.private",
        }
        answers = {}
        for role, api in people.items():
            for method, path in OPERATIONS:
                if method == "GET" and path not in STREAMS:
                    status, answer = await api.get(filled(path, things))
                    assert status in {200, 403, 404}, (role, path, answer)
                    answers[f"{role} {status} GET {path}"] = str(answer)
        shown = [name for name in answers if " 200 " in name]

        assert leaks(answers, secrets | stored) == []
        assert len([name for name in shown if name.startswith("admin")]) > 35, "what shows nothing proves nothing"
        assert STATION in answers["admin 200 GET /api/v1/charging-stations"]
        assert EMAIL in answers["admin 200 GET /api/v1/users"]
