"""T17: the API under requests that are made from its own document: none is our failure, every answer is declared."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from modules import catalogue
from tests.harness import Client, Running, running
from tests.modules.users.people import PASSWORD, QUICK, account, bearer, sign_in
from tests.security.things import signing

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.negative_data_rejection,
]
ENDLESS = {"/api/v1/stream"}


@dataclass
class Attack:
    """What is sent where; the requests are blocking, so that they are sent from a thread."""

    base_url: str
    key: str
    there: Mapping[str, str]
    """Path parameters that name something which is there: of two requests one has them."""
    sent: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def run(self, document: dict[str, Any], *, examples: int, seed: int) -> None:
        schema = schemathesis.openapi.from_dict(document)
        random = Random(seed)
        with requests.Session() as session:
            for found in schema.get_all_operations():
                operation = found.ok()  # type: ignore[union-attr]  # an operation that cannot be read raises
                if operation.path not in ENDLESS:
                    self._try(operation, session, random, examples=examples, seed=seed)

    def _try(self, operation: Any, session: requests.Session, random: Random, *, examples: int, seed: int) -> None:
        @seeded(seed)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def attack(case: Any) -> None:
            if random.random() < 0.5:
                case.path_parameters |= {name: self.there[name] for name in case.path_parameters if name in self.there}
            headers = {"Authorization": f"Bearer {self.key}"}
            response = case.call(base_url=self.base_url, session=session, headers=headers, timeout=20)
            self.sent += 1
            self.statuses[response.status_code] = self.statuses.get(response.status_code, 0) + 1
            case.validate_response(response, checks=CHECKS)

        try:
            attack()
        except Exception as error:
            self.failures.append(f"{operation.label}: {error!r} {error}"[:3000])


@asynccontextmanager
async def attackable(database: str) -> AsyncIterator[tuple[Running, Attack]]:
    """Everything running, with something of each kind there, and an administrator's API key."""
    async with running(database, *catalogue.NAMES, users=QUICK) as strum:
        await account(strum, "admin@example.org")
        api = bearer(strum, (await sign_in(strum, "admin@example.org"))["access_token"])
        _, key = await api.post("/api-keys", {"name": "attacker"})
        yield strum, Attack(f"http://127.0.0.1:{strum.management.port}", key["key"], await _things(strum, api))


async def _things(strum: Running, api: Client) -> dict[str, str]:
    _, user = await api.post("/users", {"email": "victim@example.org", "role": "driver", "password": PASSWORD})
    _, token = await api.post("/id-tokens", {"value": "T1", "type": "ISO14443"})
    _, station = await api.post("/charging-stations", {"station_id": "CS1"})
    _, command = await api.post("/charging-stations/CS1/commands", {"type": "reset"})
    _, key = await api.post("/api-keys", {"name": "another"})
    return {
        "user_id": user["id"],
        "token_id": token["id"],
        "station_id": station["station_id"],
        "command_id": command["command_id"],
        "key_id": key["id"],
        "signing_id": await signing(strum, api, station["station_id"]),
    }


async def _attacked(database: str, *, examples: int, seed: int) -> Attack:
    async with attackable(database) as (strum, attack):
        url = f"{attack.base_url}/api/openapi.json"
        async with strum.session.get(url) as answer:
            document = json.loads(await answer.read())
        await asyncio.to_thread(attack.run, document, examples=examples, seed=seed)
    return attack


async def test_no_request_of_the_document_is_our_failure_or_answered_as_it_does_not_say(
    database: str, seed: int
) -> None:
    attack = await _attacked(database, examples=5, seed=seed)
    assert attack.failures == []
    assert attack.sent > 300
    assert {200, 201, 204, 404, 422} <= set(attack.statuses), "a set that reaches nothing proves nothing"


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_nor_is_any_of_many(database: str, seed: int) -> None:
    attack = await _attacked(database, examples=60, seed=seed)
    assert attack.failures == []
    assert attack.sent > 3000
