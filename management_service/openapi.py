"""The OpenAPI 3.1 document, made of the routes."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from management_service.quarantine import routes as quarantine
from management_service.render import API
from modules.kernel.http import Download, EventStream, Route
from modules.kernel.module import Module

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "trace"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: decide by this."},
        "detail": {"type": "string"},
        "trace": {"type": "string", "description": "Find it in the logs by this."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_TEMPLATE = "#/components/schemas/{model}"
_ALWAYS = (429, 503)
_QUARANTINE = "quarantine"


def document(modules: Iterable[Module]) -> dict[str, Any]:
    """Describe every operation of these modules."""
    named = {module.name: module.routes for module in modules}
    mounted = [(name, route) for name, routes in named.items() for route in routes]
    mounted += [(_QUARANTINE, route) for route in quarantine.table]
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    paths: dict[str, Any] = {}
    for tag, route in mounted:
        operation = _operation(tag, route, schemas)
        _limit_modules(operation, list(named))
        paths.setdefault(API + route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Strum",
            "version": version("strum"),
            "description": "Charging station management: stations, transactions, id tokens, live data.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of POST /api/v1/sessions, or an API key.",
                }
            },
        },
    }


def _operation(tag: str, route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    signature = route.signature()
    summary, _, description = route.doc.partition("\n")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": summary.rstrip("."),
        "tags": [tag],
        "parameters": [*_path_parameters(route), *_query_parameters(signature.query, schemas), *_headers(route)],
        "responses": _responses(route, schemas),
    }
    if description.strip():
        operation["description"] = description.strip()
    if signature.body is not None:
        schema = _schema(signature.body, "validation", schemas)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.scope is not None:
        operation["security"] = [{"bearer": []}]
        operation["x-scope"] = str(route.scope)
    return operation


def _limit_modules(operation: dict[str, Any], names: list[str]) -> None:
    """The routes of the host itself are there once for each module that it hosts."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path" and parameter["name"] == "module":
            parameter["schema"] = {"type": "string", "enum": names}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)[^}]*}", route.path)
    text = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in names]


def _query_parameters(query: type[BaseModel], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    described = TypeAdapter(query).json_schema(ref_template=_TEMPLATE)
    _add(schemas, described.get("$defs", {}))
    required = described.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        | ({"description": schema["description"]} if "description" in schema else {})
        for name, schema in described.get("properties", {}).items()
    ]


def _headers(route: Route) -> list[dict[str, Any]]:
    headers = {"Idempotency-Key": route.acts, "If-Match": 412 in _problem_statuses(route)}
    return [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        for name, is_read in headers.items()
        if is_read
    ]


def _responses(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = {"200": _success(route, schemas)}
    signature = route.signature()
    if signature.returns is type(None):
        responses = {"204": responses["200"]}
    elif signature.created:
        responses = {"201": responses["200"]}
    elif route.status != 200:
        responses = {str(route.status): responses["200"]}
    for status in sorted(_problem_statuses(route)):
        responses[str(status)] = {"description": _REASONS.get(status, "Refused"), "content": problem}
    return responses


_REASONS = {
    400: "Malformed",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Of a kind that is not taken",
    422: "A field does not fit",
    429: "Too many requests",
    503: "Temporarily not available",
}


def _problem_statuses(route: Route) -> set[int]:
    statuses = {422, *route.problems, *_ALWAYS}
    if route.scope is not None:
        statuses |= {401, 403}
    if "{" in route.path:
        statuses.add(404)
    if route.method in {"POST", "PUT", "PATCH"}:
        statuses.add(409)
    if route.signature().body is not None:
        statuses |= {400, 413, 415}
    if route.method == "PATCH":
        statuses.add(412)
    return statuses


def _success(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    returns = route.signature().returns
    if returns is type(None) or returns is None:
        return {"description": "Done"}
    if returns is Download:
        return {"description": "A file", "content": {"*/*": {"schema": {"type": "string"}}}}
    if returns is EventStream:
        return {"description": "A stream of events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {
        "description": "Done",
        "content": {"application/json": {"schema": _schema(returns, "serialization", schemas)}},
    }


def _schema(kind: Any, mode: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        names, definitions = models_json_schema([(kind, mode)], ref_template=_TEMPLATE)
        _add(schemas, definitions.get("$defs", {}))
        return dict(names[(kind, mode)])
    described = TypeAdapter(kind).json_schema(mode=mode, ref_template=_TEMPLATE)
    _add(schemas, described.pop("$defs", {}))
    return described


def _add(schemas: dict[str, Any], described: dict[str, Any]) -> None:
    for name, schema in described.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two kinds of things are named {name} in the API")
