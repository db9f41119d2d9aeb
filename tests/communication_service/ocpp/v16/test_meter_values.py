from typing import Any

from communication_service.ocpp.route import Publish, Written, seal
from communication_service.ocpp.v16.meter_values import meter_values
from communication_service.ocpp.v16.words import MEASURANDS
from communication_service.ocpp.versions import Version
from shared_contracts.message import Envelope
from shared_contracts.stations import MeterReading, MetersSampled, SampledValue
from tests.communication_service.ocpp import official
from tests.communication_service.ocpp.conversation import AT, AT_TEXT, Station

STATION = Station(Version.V16)


def sampled(*samples: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": AT_TEXT, "sampledValue": list(samples)}]} | fields


def test_sampled_values_are_kept_as_they_came_and_three_quantities_taken_out() -> None:
    energy = {"value": "12.5", "unit": "kWh", "context": "Sample.Periodic", "location": "Outlet", "format": "Raw"}
    current = {"value": "16,0", "measurand": "Current.Import", "phase": "L1", "unit": "A"}
    power = {"value": "11040", "measurand": "Power.Active.Import"}
    soc = {"value": "55", "measurand": "SoC", "unit": "Percent", "location": "EV"}
    assert STATION.publishes("MeterValues", sampled(energy, current, power, soc, transactionId=77)) == MetersSampled(
        station_id="CS1",
        connector_id=1,
        transaction_ref="77",
        readings=(
            MeterReading(
                sampled_at=AT,
                energy_wh=12500,
                power_w=11040,
                state_of_charge_percent=55,
                values=(
                    SampledValue(value="12.5", unit="kWh", context="Sample.Periodic", location="Outlet"),
                    SampledValue(value="16,0", measurand="Current.Import", phase="L1", unit="A"),
                    SampledValue(value="11040", measurand="Power.Active.Import"),
                    SampledValue(value="55", measurand="SoC", unit="Percent", location="EV"),
                ),
            ),
        ),
    )


def test_no_quantity_is_read_from_signed_data() -> None:
    event = STATION.publishes("MeterValues", sampled({"value": "OCMF|{}", "format": "SignedData"}))
    assert isinstance(event, MetersSampled)
    assert event.readings[0] == MeterReading(sampled_at=AT, values=(SampledValue(value="OCMF|{}"),))


def test_odd_readings_are_kept_and_flagged() -> None:
    payload = sampled({"value": "1", "measurand": "Humidity"}, connectorId=-1, transactionId=2**63)
    payload["meterValue"][0]["timestamp"] = "yesterday"
    event = STATION.publishes("MeterValues", payload, odd=True)
    assert isinstance(event, MetersSampled)
    assert event.flags == ("connector_id_negative", "transaction_ref_out_of_range:9223372036854775808")
    assert event.readings[0].flags == ("time_unparseable:yesterday", "unknown_measurand:Humidity")
    assert event.readings[0].sampled_at == STATION.context.received_at


def test_the_payload_is_written_byte_for_byte_as_the_model_would() -> None:
    outcome = meter_values(sampled({"value": '1.5\t"é\u202e'}, {"value": "0.1", "measurand": "SoC"}), STATION.context)
    assert isinstance(outcome, Publish)
    assert isinstance(outcome.event, Written)
    written, modelled = seal(outcome.event), Envelope.of(outcome.event.read())
    assert written.payload == modelled.payload
    assert (written.key, written.station_id) == (modelled.key, modelled.station_id)


def test_every_measurand_of_the_schema_is_known() -> None:
    assert set(official.words(Version.V16, "MeterValues", "meterValue", "sampledValue", "measurand")) == MEASURANDS
