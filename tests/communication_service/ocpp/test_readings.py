"""What is read out of sampled values, whatever the version."""

from datetime import UTC, datetime
from typing import Any

import pytest

from communication_service.ocpp.readings import reading

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
POWER, CHARGE_LEVEL = {"measurand": "Power.Active.Import"}, {"measurand": "SoC"}


def read(*samples: dict[str, str]) -> dict[str, Any]:
    fields = reading(AT, [], samples, [])
    del fields["sampled_at"]
    return fields


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ({"value": "1234"}, {"energy_wh": 1234}),
        ({"value": "1234.6", "unit": "Wh"}, {"energy_wh": 1235}),
        ({"value": "1.2345", "unit": "kWh"}, {"energy_wh": 1234}),
        ({"value": " 1e3 ", "unit": "WH"}, {"energy_wh": 1000}),
        ({"value": "12,5", "unit": "kWh"}, {"energy_wh": 12500, "flags": ["decimal_comma"]}),
        ({"value": "-5"}, {"energy_wh": -5, "flags": ["energy_wh_negative"]}),
        ({"value": "7", "phase": "L1"}, {}),
        ({"value": "7.4", "unit": "kW", **POWER}, {"power_w": 7400}),
        ({"value": "55.5", "unit": "Percent", **CHARGE_LEVEL}, {"state_of_charge_percent": 55.5}),
    ],
)
def test_energy_power_and_charge_level_are_taken_out_in_fixed_units(
    sample: dict[str, str], expected: dict[str, Any]
) -> None:
    assert read(sample) == expected


@pytest.mark.parametrize("text", ["", "NaN", "inf", "1,234,5", "1.234,5", "1_000", "twelve", "0x10"])
def test_a_value_that_is_no_number_is_flagged_and_not_taken(text: str) -> None:
    fields = read({"value": text})
    assert "energy_wh" not in fields
    assert "energy_wh_unreadable" in fields["flags"]


@pytest.mark.parametrize(
    ("sample", "flag"),
    [
        ({"value": "1e300"}, "energy_wh_out_of_range"),
        ({"value": "3000000000", **POWER}, "power_w_out_of_range"),
        ({"value": "101", **CHARGE_LEVEL}, "state_of_charge_percent_out_of_range"),
        ({"value": "5", "unit": "varh"}, "energy_wh_unit_unknown:varh"),
    ],
)
def test_a_number_that_cannot_be_stored_or_understood_is_flagged_and_not_taken(
    sample: dict[str, str], flag: str
) -> None:
    assert read(sample) == {"flags": [flag]}


def test_the_value_at_the_outlet_counts_whatever_the_order() -> None:
    outlet, inlet = {"value": "100", "location": "Outlet"}, {"value": "200", "location": "Inlet"}
    assert read(outlet, inlet) == read(inlet, outlet) == {"energy_wh": 100}
