"""The API's description of itself: valid, and true of every route of every module."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import MetaData

from management_service import openapi
from management_service.quarantine import routes as quarantine
from modules import catalogue
from modules.kernel.http import Call, NoQuery, Route, View, get
from modules.kernel.module import Module
from modules.kernel.work import Work
from tests.management_service import probe

MODULES = [catalogue.load(name) for name in catalogue.NAMES]
ROUTES = [(module, route) for module in MODULES for route in module.routes]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(MODULES)


def test_it_is_a_valid_document(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    OpenAPIV31SpecValidator(openapi.document([probe.module])).validate()


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(ROUTES) + len(quarantine.table)
    assert sorted(names) == sorted(set(names))
    assert all(len(operation["summary"]) > 5 for operation in operations)


@pytest.mark.parametrize(("module", "route"), ROUTES, ids=[f"{route.method} {route.path}" for _, route in ROUTES])
def test_an_operation_says_what_it_answers(document: dict[str, Any], module: Module, route: Route) -> None:
    operation = document["paths"]["/api/v1" + route.path][route.method.lower()]
    signature = route.signature()
    (success,) = [status for status in operation["responses"] if status < "300"]

    assert (success == "204") is (signature.returns is type(None))
    assert (success == "201") is signature.created
    assert ("requestBody" in operation) is (signature.body is not None)
    assert ("401" in operation["responses"]) is (route.scope is not None or 401 in route.problems)
    assert operation.get("x-scope") == route.scope
    named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert all(f"{{{name}" in route.path for name in named)


class Nested(View):
    text: str


class Note(View):
    nested: Nested


async def one(call: Call[NoQuery, None], work: Work) -> Note:
    """Show one."""
    raise NotImplementedError


def test_two_kinds_of_one_name_are_refused() -> None:
    """The document would describe one of them wrongly."""
    other = type("Nested", (View,), {"__annotations__": {"number": int}})
    another = type("OtherNote", (View,), {"__annotations__": {"nested": other}})

    async def two(call: Call[NoQuery, None], work: Work) -> another:  # type: ignore[valid-type]  # made above
        """Show another."""

    routes = (get("/one", one, None), get("/two", two, None))
    with pytest.raises(ValueError, match="Nested"):
        openapi.document([Module("probe", MetaData(schema="probe"), routes)])
