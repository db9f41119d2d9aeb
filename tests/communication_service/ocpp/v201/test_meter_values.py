from typing import Any

import pytest

from communication_service.ocpp.v201.words import MEASURANDS
from communication_service.ocpp.versions import Version
from shared_contracts.stations import MeterReading, MetersSampled, SampledValue
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, Station

STATION = Station(Version.V201)


def sampled(*samples: dict[str, Any]) -> dict[str, Any]:
    return {"evseId": 1, "meterValue": [{"timestamp": AT_TEXT, "sampledValue": list(samples)}]}


def test_sampled_values_keep_their_words_and_numbers_become_text() -> None:
    energy = {"value": 12.5, "unitOfMeasure": {"unit": "kWh"}, "context": "Sample.Clock", "location": "Outlet"}
    power = {"value": 11040.0, "measurand": "Power.Active.Import", "unitOfMeasure": {}}
    current = {"value": 16, "measurand": "Current.Import", "phase": "L1"}
    assert STATION.publishes("MeterValues", sampled(energy, power, current)) == MetersSampled(
        station_id="CS1",
        evse_id=1,
        readings=(
            MeterReading(
                sampled_at=AT,
                energy_wh=12500,
                power_w=11040,
                values=(
                    SampledValue(value="12.5", unit="kWh", context="Sample.Clock", location="Outlet"),
                    SampledValue(value="11040", measurand="Power.Active.Import"),
                    SampledValue(value="16", measurand="Current.Import", phase="L1"),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("number", "multiplier", "text"),
    [(1.5, 3, "1500"), (1.1, 0, "1.1"), (12345, -3, "12.345"), (0, 3, "0"), (-2.0, 1, "-20"), (1e16, 0, "1e+16")],
)
def test_the_multiplier_goes_into_the_number_without_rounding(number: float, multiplier: int, text: str) -> None:
    event = STATION.publishes("MeterValues", sampled({"value": number, "unitOfMeasure": {"multiplier": multiplier}}))
    assert isinstance(event, MetersSampled)
    assert event.readings[0].values[0].value == text
    assert event.readings[0].energy_wh == round(float(text))


def test_an_absurd_multiplier_is_flagged_and_not_applied() -> None:
    event = STATION.publishes("MeterValues", sampled({"value": 1, "unitOfMeasure": {"multiplier": 2**31 - 1}}))
    assert isinstance(event, MetersSampled)
    assert event.readings[0].values[0].value == "1*10^2147483647"
    assert event.readings[0].flags == ("multiplier_out_of_range", "energy_wh_unreadable")
    assert event.readings[0].energy_wh is None


def test_signed_meter_values_are_left_out() -> None:
    signed = {"signedMeterData": "x", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
    event = STATION.publishes("MeterValues", sampled({"value": 7, "signedMeterValue": signed}))
    assert isinstance(event, MetersSampled)
    assert event.readings[0].values == (SampledValue(value="7"),)


def test_every_measurand_of_both_schemas_is_known() -> None:
    path = ("MeterValues", "meterValue", "sampledValue", "measurand")
    assert set(official.words(Version.V21, *path)) | set(official.words(Version.V201, *path)) == MEASURANDS
