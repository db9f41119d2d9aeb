"""Bad input against a live edge: what comes back, what is handed over, and that the connection lives on."""

from datetime import datetime
from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.message import Event, Request
from shared_contracts.stations import MetersSampled
from tests.communication_service.bad_input import NOTHING, RESULT, ROWS, Row
from tests.communication_service.edge import Edge, edge
from tests.communication_service.stations import Station

CASES = [
    pytest.param(row, version, id=f"{row.number}-{row.what[:40]}-{version}") for row in ROWS for version in row.versions
]
BETWEEN_OURSELVES = {"bus.probe.v1", "stations.connected.v1", "stations.seen.v1", "stations.frames_recorded.v1"}


@pytest.mark.parametrize(("row", "version"), CASES)
async def test_bad_input_gets_its_answer_and_the_connection_lives_on(row: Row, version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        await station.send(row.said(version))
        answer = await _answer(station, row.expected(version))
        await station.silent()

        assert answer == row.expected(version)
        _check_handed(e, row.kind(version), row.fields)


async def _answer(station: Station, expected: str) -> str:
    """The answer in the notation of the table."""
    if expected == NOTHING:
        return NOTHING  # `silent` then sees whatever comes
    kind, message_id, *rest = await station.receive()
    if kind == 3:
        assert message_id == "7"
        return RESULT
    code, description, details = rest
    assert kind == 4
    assert 0 < len(description) <= 255
    assert isinstance(details, dict)
    return code if message_id == "7" else f"{code} {message_id}"


def _check_handed(e: Edge, kind: type[Any] | None, fields: Any) -> None:
    handed = [one for one in e.modules.asked if one.key != "charge_points.get_station_access.v1"]
    events = [envelope for envelope in e.modules.events if envelope.key not in BETWEEN_OURSELVES]
    if kind is None:
        assert (handed, events) == ([], [])
        return
    if issubclass(kind, Event):
        assert handed == []
        [envelope] = events
        one: Any = envelope.read(kind)
    else:
        assert issubclass(kind, Request)
        assert events == []
        [one] = handed
    assert isinstance(one, kind)
    for name, value in fields.items():
        _check_field(one, name, value)


def _check_field(one: Any, name: str, value: Any) -> None:
    if isinstance(one, MetersSampled):
        [one] = one.readings if hasattr(one.readings[0], name) else one.readings[0].values
    said = getattr(one, name)
    if isinstance(said, datetime):
        value = datetime.fromisoformat(value)
    elif isinstance(value, set):
        assert all(isinstance(flag, str) for flag in said)
        said = set(said)
    assert said == value, name
