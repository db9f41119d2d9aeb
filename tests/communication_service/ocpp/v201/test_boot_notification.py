import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.charge_points import BootAnswered, BootStation, Registration
from tests.communication_service.ocpp.conversation import RECEIVED_AT, Station

BOOT = {
    "reason": "PowerUp",
    "chargingStation": {
        "vendorName": "V",
        "model": "M",
        "serialNumber": "S",
        "firmwareVersion": "1.2",
        "modem": {"iccid": "I", "imsi": "J"},
    },
}


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_boot_says_what_the_station_is_and_why_it_started(version: Version) -> None:
    assert Station(version).asks("BootNotification", BOOT) == BootStation(
        station_id="CS1",
        ocpp_version=version.value,
        vendor="V",
        model="M",
        serial_number="S",
        firmware_version="1.2",
        iccid="I",
        imsi="J",
        reason="PowerUp",
        booted_at=RECEIVED_AT,
    )


def test_the_station_is_told_its_registration() -> None:
    reply = BootAnswered(registration=Registration.PENDING, interval_s=30)
    told = Station(Version.V201).is_told("BootNotification", BOOT, reply)
    assert told == {"status": "Pending", "currentTime": "2025-03-01T12:00:00.000Z", "interval": 30}
