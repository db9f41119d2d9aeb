"""T18: vendor-specific data is refused in OCPP's own words, in every version, and harms nothing."""

from typing import Any

import pytest

from communication_service.ocpp.versions import Version
from modules.charge_points.domain.data_transfer import data_status
from modules.charge_points.settings import ChargePointsSettings
from tests.communication_service.phrases import call
from tests.faults.whole import Whole, say, whole

TAKEN = {"org.example": ["Status", "Trace"], "com.Example.Quiet": []}
ACCEPTED, NO_VENDOR, NO_MESSAGE = "Accepted", "UnknownVendorId", "UnknownMessageId"


@pytest.mark.parametrize(
    ("vendor", "message", "status"),
    [
        ("org.example", "Status", ACCEPTED),
        ("ORG.Example", "sTATUS", ACCEPTED),
        ("org.example", None, ACCEPTED),
        ("com.example.quiet", None, ACCEPTED),
        ("org.example", "Other", NO_MESSAGE),
        ("org.example", "", NO_MESSAGE),
        ("com.example.quiet", "Status", NO_MESSAGE),
        ("org.example.more", "Status", NO_VENDOR),
        ("org", "Status", NO_VENDOR),
        ("", None, NO_VENDOR),
    ],
)
def test_a_vendor_is_known_before_its_messages_are(vendor: str, message: str | None, status: str) -> None:
    assert data_status(vendor, message, TAKEN) == status


def test_unless_an_operator_says_so_no_vendor_is_known() -> None:
    assert ChargePointsSettings().taken_data == {}


async def _status(w: Whole, version: Version, **payload: Any) -> dict[str, Any]:
    async with w.station(version) as station:
        answer = await say(station, call("DataTransfer", payload))
        assert await say(station, call("Heartbeat", {}, "8")), "the connection lives on"
        return answer


@pytest.mark.parametrize("version", Version)
async def test_a_station_is_told_that_its_vendor_is_unknown(database: str, version: Version) -> None:
    async with whole(database) as w:
        for more in ({}, {"messageId": "Status"}, {"messageId": "Status", "data": "x" * 100_000}):
            assert await _status(w, version, vendorId="org.example", **more) == {"status": NO_VENDOR}


@pytest.mark.parametrize("version", Version)
async def test_a_station_of_a_known_vendor_is_told_that_its_message_is_unknown(database: str, version: Version) -> None:
    async with whole(database, charge_points={"unknown_stations": "accept", "taken_data": TAKEN}) as w:
        assert await _status(w, version, vendorId="org.example", messageId="Status", data="1") == {"status": ACCEPTED}
        assert await _status(w, version, vendorId="org.example", messageId="Other") == {"status": NO_MESSAGE}
        assert await _status(w, version, vendorId="org.other", messageId="Status") == {"status": NO_VENDOR}


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
async def test_data_of_any_kind_of_json_is_judged_by_its_vendor_alone(database: str, version: Version) -> None:
    async with whole(database) as w:
        for data in ({"a": [1, None]}, [True], 1.5, "</script>", None):
            assert await _status(w, version, vendorId="org.example", data=data) == {"status": NO_VENDOR}
