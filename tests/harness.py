"""Modules running as in production, but on the in-process bus: what module tests act on.

async with running(database, "transactions", fakes={JudgeToken: judge}) as strum:
    await strum.publish(MetersSampled(...))
    answer = await strum.ask(OpenTransaction(...))
    status, body = await strum.api(Role.OPERATOR).get("/transactions")
    assert strum.heard(TransactionStarted)
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from management_service.app import Management
from management_service.auth import ISSUER
from management_service.settings import settings_type
from shared_contracts.bus import Delivery, Limits, OnRequest, Subscription, ask
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope, Event, R, Reply, Request
from shared_contracts.users import GetVerificationKeys, Role, VerificationKeys

E = TypeVar("E", bound=Event)
Fake = Callable[[Any], Reply | Awaitable[Reply]]

UNLIMITED = {"api_rate": 1e6, "api_burst": 10**6, "api_source_rate": 1e6, "api_source_burst": 10**6}
"""One test makes more requests than a person would."""

_KEY = ECKey.generate_key("P-256", auto_kid=True)


@dataclass
class Client:
    """Calls the API as one person."""

    session: aiohttp.ClientSession
    base: str
    headers: dict[str, str]
    response: aiohttp.ClientResponse | None = None

    async def call(
        self, method: str, path: str, *, json: Any = None, query: Mapping[str, Any] | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Returns the status and the decoded body (text where it is no JSON); the response stays in `response`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        parameters = {name: str(value) for name, value in (query or {}).items()}
        async with self.session.request(
            method, self.base + path, json=json, params=parameters, headers=self.headers | named
        ) as response:
            self.response = response
            text = await response.text()
            is_json = response.content_type.endswith("json") and response.content_type != "application/x-ndjson"
            return response.status, orjson.loads(text) if text and is_json else text

    async def get(self, path: str, **query: Any) -> tuple[int, Any]:
        return await self.call("GET", path, query=query)

    async def post(self, path: str, json: Any = None, **headers: str) -> tuple[int, Any]:
        return await self.call("POST", path, json=json, **headers)

    async def patch(self, path: str, json: Any = None, **headers: str) -> tuple[int, Any]:
        return await self.call("PATCH", path, json=json, **headers)

    async def put(self, path: str, json: Any = None, **headers: str) -> tuple[int, Any]:
        return await self.call("PUT", path, json=json, **headers)

    async def delete(self, path: str) -> tuple[int, Any]:
        return await self.call("DELETE", path)


@dataclass
class Running:
    """What runs, and what it published."""

    management: Management
    bus: MemoryBus
    session: aiohttp.ClientSession
    events: list[Envelope] = field(default_factory=list)

    def api(self, role: Role = Role.ADMIN, user_id: str = "u-1") -> Client:
        """The API as a person of this role."""
        claims = {"iss": ISSUER, "sub": user_id, "role": str(role), "exp": int(time.time()) + 600}
        token = jwt.encode({"alg": "ES256", "kid": _KEY.kid}, claims, _KEY)
        return Client(self.session, self._base, {"Authorization": f"Bearer {token}"})

    def nobody(self) -> Client:
        """The API without credentials."""
        return Client(self.session, self._base, {})

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self.management.port}/api/v1"

    async def publish(self, *events: Event, only: str | None = None) -> None:
        """Publish as another service would; returns when every consumer has committed."""
        envelopes = [Envelope.of(event) for event in events]
        await asyncio.gather(*(self.bus.publish(envelope, only=only) for envelope in envelopes))

    async def ask(self, request: Request[R]) -> R:
        """Request as another service would."""
        return await ask(self.bus, request, timeout=10.0)

    def heard(self, kind: type[E]) -> list[E]:
        """What was published of this kind, so far."""
        return [envelope.read(kind) for envelope in self.events if envelope.key == kind.key]

    async def hear(self, kind: type[E], count: int = 1, *, within_s: float = 5.0) -> list[E]:
        """Wait until this many were published."""
        async with asyncio.timeout(within_s):
            while len(self.heard(kind)) < count:
                await asyncio.sleep(0.01)
        return self.heard(kind)


@asynccontextmanager
async def running(
    database: str, *modules: str, fakes: Mapping[type[Request[Any]], Fake] | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Run modules on a migrated database; `fakes` answer the requests of modules that are not among them.

    `settings` are those of the modules: `users={"access_token_s": 60}`.
    """
    bus = MemoryBus(Limits(publish_timeout_s=10.0))
    values = {"database_url": database, "port": 0, "database_pool_size": 5, **UNLIMITED, **settings}
    management = Management(settings_type()(**values), bus, modules=modules, migrate=False)
    answers: dict[type[Request[Any]], Fake] = dict(fakes or {})
    if "users" not in modules:
        answers[GetVerificationKeys] = lambda _: VerificationKeys(keys=(_KEY.as_dict(private=False),))
    bus.serve("fakes", {kind.key: _responder(kind, fake) for kind, fake in answers.items()})
    async with aiohttp.ClientSession() as session:
        strum = Running(management, bus, session)

        async def record(_: int, deliveries: tuple[Delivery, ...]) -> None:
            strum.events.extend(envelope for delivery in deliveries for envelope in delivery.envelopes)

        async def poison(body: bytes, reason: str) -> None:
            raise AssertionError(f"{reason}: {body[:200]!r}")

        bus.subscribe(Subscription("recorder", None, record, poison))
        await management.start()
        try:
            yield strum
        finally:
            await management.stop()


def _responder(kind: type[Request[Any]], fake: Fake) -> OnRequest:
    async def respond(envelope: Envelope) -> bytes:
        reply = fake(envelope.read(kind))
        if not isinstance(reply, Reply):
            reply = await reply
        return reply.model_dump_json().encode()

    return respond
