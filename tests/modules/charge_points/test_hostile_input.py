"""What an API client may send that no database or path can hold: a problem, never a fault of ours."""

import base64
from typing import Any

import orjson
import pytest

from tests.harness import running
from tests.modules.charge_points.edge import register


def _cursor(*position: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


@pytest.mark.parametrize("path", ["/charging-stations", "/charging-stations/CS1/commands"])
async def test_a_cursor_that_is_not_ours_is_refused(database: str, path: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        for cursor in ("", "x", "🦊", _cursor(), _cursor(1), _cursor("a", "b"), _cursor("\0"), _cursor(None)):
            status, problem = await strum.api().get(path, cursor=cursor)
            assert (status, problem["code"]) == (422, "invalid_request"), cursor


async def test_a_revision_beyond_all_measure_is_another_one(database: str) -> None:
    async with running(database, "charge_points") as strum:
        await register(strum)
        status, _ = await strum.api().patch("/charging-stations/CS1", {"address": "A"}, If_Match=f'"{"9" * 18}"')
        assert status == 412


@pytest.mark.parametrize("text", ["%00", "%ED%A0%80", "%FF", "..%2f..", "x" * 3000, "%27%3B--"])
async def test_an_absurd_identity_in_a_path_is_not_found_or_refused(database: str, text: str) -> None:
    async with running(database, "charge_points") as strum:
        for path in (f"/charging-stations/{text}", f"/charging-stations?search={text}", f"/commands/{text}"):
            assert (await strum.api().get(path))[0] in {200, 404, 422}
        for path in (f"/charging-stations/{text}/commands", f"/charging-stations/{text}/password"):
            assert (await strum.api().post(path, {"type": "reset"}))[0] in {404, 422}
