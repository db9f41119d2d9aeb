"""Bad input against a live edge: what comes back, what is handed over and counted, and that the connection lives on."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from communication_service.metrics import REGISTRY
from communication_service.ocpp.versions import Version
from shared_contracts.message import Event, Request
from shared_contracts.stations import FramesRecorded, MetersSampled
from tests.communication_service.bad_input import (
    FORMAT,
    FORMATION,
    FRAMES,
    NOTHING,
    PROPERTY,
    RESULT,
    Row,
)
from tests.communication_service.bad_payloads import PAYLOADS, SECRET
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.phrases import status
from tests.communication_service.stations import Station

STRICT = [
    Row(18, "unknown property", lambda v: status(v, vendorColour="red"), (FORMATION, FORMAT)),
    Row(32, "duplicate keys", lambda v: status(v).replace('"timestamp"', '"timestamp":"x","timestamp"'),
        (FORMATION, FORMAT)),
    *(
        Row(number, f"time {at!r}", lambda v, at=at: status(v, at=at), (PROPERTY, PROPERTY))
        for number, at in ((34, "2026-01-01T12:00:00"), (35, "2026-01-01T02:00:00+0200"), (36, "yesterday"))
    ),
]  # fmt: skip
BETWEEN_OURSELVES = {
    "bus.probe.v1",
    "charge_points.get_station_access.v1",
    "stations.connected.v1",
    "stations.frames_recorded.v1",
    "stations.seen.v1",
    "transactions.prove_commit.v1",
}
COUNTERS = ("strum_ocpp_messages_total", "strum_ocpp_defects_total", "strum_ocpp_deviations_total")
UNCOUNTED = {(10, Version.V21)}
"""That a station could not use an answer of ours is in the log alone."""
ORDINARY = {18, 31, 32, 35, 39, 40, 41, 42, 43, 44, 45, 46, 47}
"""Some of these inputs are as good as any to the edge: what comes of them is for the modules to say."""
LONGEST_FRAME = 64 * 1024


def cases(rows: list[Row]) -> list[Any]:
    """Each row in each of its versions."""
    return [pytest.param(row, v, id=f"{row.number}-{row.what[:40]}-{v}") for row in rows for v in row.versions]


@pytest.mark.parametrize(("row", "version"), cases(FRAMES + PAYLOADS))
async def test_bad_input_gets_its_answer_and_the_connection_lives_on(row: Row, version: Version) -> None:
    async with edge() as e, e.station(version) as station:
        before = _counted()
        await station.send(row.said(version))
        answer = await _answer(station, row.expected(version))
        await station.silent()

        assert answer == row.expected(version)
        _check_handed(e, row.kind(version), row.fields)
        _check_counted(_counted() - before, row, version)
        await _check_logged(e, row.said(version))


@pytest.mark.parametrize(("row", "version"), cases(STRICT))
async def test_the_strict_profile_refuses_what_the_other_takes(row: Row, version: Version) -> None:
    async with edge(strict_schemas=True) as e, e.station(version) as station:
        before = _counted()
        await station.send(row.said(version))

        assert await _answer(station, row.expected(version)) == row.expected(version)
        await station.silent()
        _check_counted(_counted() - before, row, version)


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
    handed = [one for one in e.modules.asked if one.key not in BETWEEN_OURSELVES]
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


def _counted() -> Counter[tuple[str, str]]:
    """What was counted so far of messages: by counter and its label, whatever the version."""
    counted: Counter[tuple[str, str]] = Counter()
    for sample in (sample for metric in REGISTRY.collect() for sample in metric.samples):
        if sample.name in COUNTERS:
            [label] = [value for name, value in sample.labels.items() if name != "version"]
            counted[sample.name, label] += int(sample.value)
    return counted


def _check_counted(counted: Counter[tuple[str, str]], row: Row, version: Version) -> None:
    """Once how it was answered, as the Heartbeat of `silent` was; and whatever is odd about what is taken, by kind."""
    by_counter = {name: {label: n for (of, label), n in counted.items() if of == name} for name in COUNTERS}
    messages, defects, deviations = by_counter.values()
    taken, refused = messages.pop("result") - 1, sum((messages | defects).values())
    if (row.number, version) in UNCOUNTED:
        assert taken == refused == 0
        return
    assert (taken, refused) == ((1, 0) if row.expected(version) == RESULT else (0, 1))
    assert deviations.keys() >= {flag.partition(":")[0] for flag in row.fields.get("flags", ())}
    assert deviations or refused or row.number in ORDINARY


async def _check_logged(e: Edge, text: str) -> None:
    e.communication._recorder.flush()
    await until(lambda: e.heard(FramesRecorded))
    first = min((frame for event in e.heard(FramesRecorded) for frame in event.frames), key=lambda frame: frame.at)
    assert (first.station_id, first.direction) == ("CS1", "in")
    assert SECRET not in first.text
    hidden = text.replace(f'"{SECRET}"', '"***"')
    assert first.text == (hidden[:LONGEST_FRAME] if "\\ud800" not in text else "***"), "an escape may hide a name"
