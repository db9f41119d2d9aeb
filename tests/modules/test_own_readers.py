"""Readers of the hot path hold to the contract that they read: its fields, its defaults, its verdicts."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from modules.diagnostics import recorded
from modules.transactions import metering, sampled
from shared_contracts.stations import Frame, FramesRecorded, MeterReading, MetersSampled, SampledValue

PAIRS: Mapping[type[BaseModel], type[msgspec.Struct]] = {
    SampledValue: sampled.Value,
    MeterReading: sampled.Reading,
    MetersSampled: sampled.Sampled,
    Frame: recorded.Frame,
    FramesRecorded: recorded.Recorded,
}
READERS: Mapping[type[BaseModel], Callable[[bytes], Any]] = {
    MetersSampled: sampled.read,
    FramesRecorded: recorded.read,
}
AT = "2026-11-21T10:00:00Z"


@pytest.mark.parametrize("contract", PAIRS, ids=lambda kind: kind.__name__)
def test_a_reader_has_the_fields_and_defaults_of_the_contract(contract: type[BaseModel]) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(PAIRS[contract])}
    assert set(fields) == set(contract.model_fields)
    for name, field in contract.model_fields.items():
        required = fields[name].default is msgspec.NODEFAULT and fields[name].default_factory is msgspec.NODEFAULT
        assert required == field.is_required(), name
        if not required:
            assert fields[name].default == field.default, name


_words = st.none() | st.text(st.characters(codec="utf-8"), max_size=8)
_values = st.builds(
    SampledValue,
    value=st.text(st.characters(codec="utf-8"), max_size=8),
    measurand=st.sampled_from(["Energy.Active.Import.Register", "Voltage", "ü"]),
    unit=_words,
    phase=_words,
    location=_words,
    context=_words,
)
_readings = st.builds(
    MeterReading,
    sampled_at=st.just(AT),
    energy_wh=st.none() | st.integers(-(2**62), 2**62),
    power_w=st.none() | st.integers(-(2**31), 2**31),
    state_of_charge_percent=st.none() | st.floats(0, 100),
    values=st.lists(_values, max_size=3).map(tuple),
    flags=st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=2).map(tuple),
)


@given(st.lists(_readings, min_size=1, max_size=3), st.none() | st.integers(0, 9))
def test_what_is_stored_is_the_same_to_the_byte(readings: list[MeterReading], evse_id: int | None) -> None:
    message = MetersSampled(station_id="CS1", evse_id=evse_id, readings=tuple(readings), flags=("a",))
    read = sampled.read(message.model_dump_json(exclude_defaults=True).encode())
    now = readings[0].sampled_at
    common = ("CS1", read.transaction_ref, read.evse_id, read.connector_id)
    assert metering.records(*common, read.readings, read.flags, now, to_json=sampled.to_json) == metering.records(
        *common, message.readings, message.flags, now
    )


ODD: list[tuple[type[BaseModel], Any]] = [
    (MetersSampled, []),
    (MetersSampled, {}),
    (MetersSampled, {"station_id": "", "readings": []}),
    (MetersSampled, {"station_id": "x" * 49, "readings": []}),
    (MetersSampled, {"station_id": 5, "readings": []}),
    (MetersSampled, {"station_id": "CS1", "readings": [{}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [{"sampled_at": "2026-11-21T10:00:00"}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [{"sampled_at": "soon"}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [{"sampled_at": AT, "energy_wh": "much"}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [{"sampled_at": AT, "energy_wh": 1.5}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [{"sampled_at": AT, "values": [{"unit": "A"}]}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [{"sampled_at": AT, "values": [{"value": 5}]}]}),
    (MetersSampled, {"station_id": "CS1", "readings": [], "flags": [1]}),
    (FramesRecorded, {}),
    (FramesRecorded, {"frames": [{"station_id": "CS1", "direction": "in", "at": AT}]}),
    (FramesRecorded, {"frames": [{"station_id": "", "direction": "in", "at": AT, "text": ""}]}),
    (FramesRecorded, {"frames": [{"station_id": "CS1", "direction": "in", "at": "2026-11-21T10:00:00", "text": ""}]}),
]


@pytest.mark.parametrize(("contract", "payload"), ODD)
def test_what_breaks_the_contract_is_refused_by_both(contract: type[BaseModel], payload: Any) -> None:
    raw = orjson.dumps(payload)
    with pytest.raises(ValidationError):
        contract.model_validate_json(raw)
    with pytest.raises(msgspec.ValidationError):
        READERS[contract](raw)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"nul"])
@pytest.mark.parametrize("contract", READERS, ids=lambda kind: kind.__name__)
def test_what_is_no_json_is_refused(contract: type[BaseModel], raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- a UnicodeDecodeError is one too
        READERS[contract](raw)


@pytest.mark.parametrize("contract", READERS, ids=lambda kind: kind.__name__)
def test_a_field_that_a_later_release_adds_is_ignored(contract: type[BaseModel]) -> None:
    later = {"station_id": "CS1", "readings": [{"sampled_at": AT, "new": 1}], "frames": [], "new": {"a": [1]}}
    READERS[contract](orjson.dumps(later))
