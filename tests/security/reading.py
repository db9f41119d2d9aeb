"""Every list, item and export of the API, read to the end."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import orjson

from modules import catalogue
from modules.kernel.http import EventStream, Route
from tests.harness import Client

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_MODULES = [catalogue.load(name) for name in catalogue.NAMES]
_LISTS = {"command_id": "/charging-stations/{station_id}/commands"}
"""Where ids come from, if not from the list that the path begins with."""


async def read_everything(api: Client, stations: tuple[str, ...]) -> dict[str, Any]:
    """What an administrator sees, by path: decoded JSON, lists of rows, or text. Asserts that each is well-formed."""
    read, kinds = {}, set()
    for route in (route for module in _MODULES for route in module.routes):
        if route.method != "GET" or route.signature().returns is EventStream:
            continue
        paged = "limit" in route.signature().query.model_fields
        async for path in _paths(api, route, stations):
            read[path] = await _pages(api, path) if paged else _checked(api, path, *await api.get(path))
            assert api.response is not None
            kinds.add(api.response.content_type)
    assert {"application/json", "application/x-ndjson", "text/csv"} <= kinds
    return read


async def _paths(api: Client, route: Route, stations: tuple[str, ...]) -> AsyncIterator[str]:
    for station_id in stations if "{station_id}" in route.path else ("",):
        before, has_id, rest = route.path.replace("{station_id}", station_id).partition("{")
        if not has_id:
            yield before
            continue
        name, _, rest = rest.partition("}")
        for of in [station_id] if name not in _LISTS else stations:
            for item in await _pages(api, _LISTS.get(name, before.rstrip("/")).replace("{station_id}", of)):
                yield f"{before}{item.get(name) or item['id']}{rest}"


async def _pages(api: Client, path: str) -> list[Any]:
    items: list[Any] = []
    query = {"limit": 500}
    while query:
        body = _checked(api, path, *await api.get(path, **query))
        items += body["items"]
        query = {"limit": 500, "cursor": body["next_cursor"]} if body["next_cursor"] else {}
    return items


def _checked(api: Client, path: str, status: int, body: Any) -> Any:
    assert status == 200, (path, body)
    assert api.response is not None
    headers = api.response.headers
    assert "Set-Cookie" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    match api.response.content_type:
        case "application/x-ndjson":
            lines = [orjson.loads(line) for line in body.split("\n") if line]
            assert all(isinstance(line, dict) for line in lines), path
            return lines
        case "text/csv":
            rows = list(csv.reader(io.StringIO(body, newline="")))
            assert not [cell for row in rows for cell in row if cell.lstrip(" ").startswith(FORMULA)], path
            return rows
        case kind:
            assert kind in {"application/json", "text/plain"}
            return body
