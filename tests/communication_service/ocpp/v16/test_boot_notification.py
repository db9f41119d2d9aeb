from communication_service.ocpp.versions import Version
from shared_contracts.charge_points import BootAnswered, BootStation, Registration
from tests.communication_service.ocpp.conversation import RECEIVED_AT, Station

STATION = Station(Version.V16)
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


def test_a_boot_says_what_the_station_is() -> None:
    payload = BOOT | {
        "chargePointSerialNumber": "S1",
        "chargeBoxSerialNumber": "S2",
        "firmwareVersion": "1.2",
        "iccid": "I",
        "imsi": "J",
        "meterType": "T",
        "meterSerialNumber": "N",
    }
    assert STATION.asks("BootNotification", payload) == BootStation(
        station_id="CS1",
        ocpp_version="1.6",
        vendor="V",
        model="M",
        serial_number="S1",
        firmware_version="1.2",
        iccid="I",
        imsi="J",
        meter_type="T",
        meter_serial_number="N",
        booted_at=RECEIVED_AT,
    )


def test_the_serial_number_of_the_box_stands_in_for_that_of_the_station() -> None:
    request = STATION.asks("BootNotification", BOOT | {"chargeBoxSerialNumber": "S2"})
    assert isinstance(request, BootStation)
    assert request.serial_number == "S2"


def test_the_station_is_told_its_registration_the_time_and_the_interval() -> None:
    for registration, status in (("accepted", "Accepted"), ("pending", "Pending"), ("rejected", "Rejected")):
        reply = BootAnswered(registration=Registration(registration), interval_s=300)
        assert STATION.is_told("BootNotification", BOOT, reply) == {
            "status": status,
            "currentTime": "2025-03-01T12:00:00.000Z",
            "interval": 300,
        }
