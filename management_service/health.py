"""Health, metrics and the API's own documentation."""

import asyncio
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import orjson
from aiohttp import web
from prometheus_client import generate_latest

from management_service import openapi
from management_service.consumers import Consumer
from management_service.hosted import Hosted
from management_service.metrics import CONSUMER_IN_WORK, CONSUMER_OLDEST, CONSUMER_PAUSED, LOOP_LAG, REGISTRY
from shared_contracts.bus import Bus
from shared_contracts.loop import LoopWatch
from shared_contracts.metrics import bus_metrics

_SWAGGER = find_spec("swagger_ui")  # its assets alone are of use: importing it would bring Jinja and YAML
_ASSETS = Path(_SWAGGER.origin or "").parent / "static" if _SWAGGER else Path()
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Strum API</title>
<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css"></head>
<body><div id="api"></div><script src="/api/docs/assets/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script></body></html>
"""
_START = 'SwaggerUIBundle({url: "/api/openapi.json", dom_id: "#api", deepLinking: true, persistAuthorization: true});'
_REMEMBERED_S = 1.0


class Health:
    """What an orchestrator asks of the process, and what a person reads about its API."""

    def __init__(self, bus: Bus, hosted: Sequence[Hosted], consumers: Sequence[Consumer]) -> None:
        self._bus = bus
        self._hosted = hosted
        self._consumers = consumers
        self.started = False
        self.loop = LoopWatch(LOOP_LAG)
        self._asking: asyncio.Task[bool] | None = None
        self._answered_until = 0.0

    def mount(self, application: web.Application) -> None:
        """Add /livez, /readyz, /metrics, /api/openapi.json and /api/docs."""
        described = orjson.dumps(openapi.document([hosted.module for hosted in self._hosted]))
        application.router.add_get("/livez", self._live)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/api/openapi.json", _static(described, "application/json"))
        application.router.add_get("/", _to_docs)
        application.router.add_get("/api/docs", _static(_PAGE.encode(), "text/html"))
        application.router.add_get("/api/docs/start.js", _static(_START.encode(), "text/javascript"))
        for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
            application.router.add_get(f"/api/docs/assets/{name}", _file(_ASSETS / name))

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": self.loop.lively}, status=200 if self.loop.lively else 503)

    async def _ready(self, _: web.Request) -> web.Response:
        checks = {
            "started": self.started,
            "bus": self._bus.ready,
            "consumers": not any(consumer.paused for consumer in self._consumers),
        }
        checks["database"] = await self._databases_answer()
        ready = all(checks.values())
        return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def _databases_answer(self) -> bool:
        """Anybody may ask this, and it takes connections of consumers: once at a time, and a yes holds for a second."""
        if time.monotonic() < self._answered_until:
            return True
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_databases())
        return await asyncio.shield(self._asking)

    async def _ask_databases(self) -> bool:
        databases = {hosted.database for hosted in self._hosted}
        answer = all(await asyncio.gather(*(database.answers() for database in databases)))
        if answer:
            self._answered_until = time.monotonic() + _REMEMBERED_S
        return answer

    async def _metrics(self, _: web.Request) -> web.Response:
        for consumer in self._consumers:
            for number in range(self._bus.limits.shards):
                shard = consumer.shards[number]
                CONSUMER_PAUSED.labels(consumer.name, number).set(shard.paused)
                CONSUMER_IN_WORK.labels(consumer.name, number).set(shard.in_work_s)
                CONSUMER_OLDEST.labels(consumer.name, number).set(shard.oldest_s)
        body = generate_latest(REGISTRY) + bus_metrics(self._bus)
        return web.Response(body=body, content_type="text/plain", charset="utf-8")


async def _to_docs(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/api/docs"})


def _static(body: bytes, content_type: str):  # type: ignore[no-untyped-def]  # aiohttp's handler type is not public
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return serve


def _file(path: Path):  # type: ignore[no-untyped-def]  # as above
    async def serve(_: web.Request) -> web.FileResponse:
        return web.FileResponse(path, headers={"Cache-Control": "max-age=86400"})

    return serve
