"""What an API client may send that no database can hold: a problem, never a fault of ours."""

import base64
from typing import Any

import orjson
import pytest

from tests.modules.configuration.stations import configuring


def _cursor(*position: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("variables", ("c", "n", "", 2**40, -1, "", "Actual")),
        ("variables", ("c", "\0", "", 1, -1, "", "Actual")),
        ("variables", ("c",)),
        ("variable-changes", ("id", 2**40)),
        ("variable-changes", ("id", -(2**63))),
        ("charging-profiles", (2**40,)),
        ("charging-profiles", ("x",)),
        ("firmware-updates", ("\0",)),
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(database: str, path: str, position: tuple[Any, ...]) -> None:
    async with configuring(database) as (strum, _):
        status, problem = await strum.api().get(f"/charging-stations/CS1/{path}", cursor=_cursor(*position))
        assert (status, problem["code"]) == (422, "invalid_request")
