"""Cursors whose numbers are OCPP's: others were not made here, and no column could hold them."""

from typing import Any

from modules.configuration.domain.answers import NUMBERS
from modules.kernel.errors import InvalidRequest
from modules.kernel.http import decode_cursor


def position_of(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Read a cursor back as values of `kinds`; raises InvalidRequest for one that we did not make."""
    position = decode_cursor(cursor, *kinds)
    if position is not None and any(isinstance(part, int) and part not in NUMBERS for part in position):
        raise InvalidRequest("The cursor is not one of ours.", errors=[{"field": "cursor", "message": "unknown"}])
    return position
