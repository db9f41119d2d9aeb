from decimal import Decimal

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v201.charging_profiles import clear_charging_profile, set_charging_profile
from shared_contracts.commands import ChargingPeriod, ChargingProfile, ClearChargingProfile, SetChargingProfile


def test_a_profile_has_one_schedule_that_bears_its_id() -> None:
    profile = ChargingProfile(id=7, purpose="station_max", periods=(ChargingPeriod(start_s=0, limit=Decimal("32.0")),))
    assert set_charging_profile(SetChargingProfile(profile=profile)) == [
        OutboundCall(
            "SetChargingProfile",
            {
                "evseId": 0,
                "chargingProfile": {
                    "id": 7,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "ChargingStationMaxProfile",
                    "chargingProfileKind": "Absolute",
                    "chargingSchedule": [
                        {
                            "id": 7,
                            "chargingRateUnit": "A",
                            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 32}],
                        }
                    ],
                },
            },
        )
    ]


def test_profiles_are_cleared_by_id_or_criteria() -> None:
    assert clear_charging_profile(ClearChargingProfile(profile_id=7)) == [
        OutboundCall("ClearChargingProfile", {"chargingProfileId": 7})
    ]
    criteria = {"evseId": 0, "chargingProfilePurpose": "TxProfile", "stackLevel": 1}
    assert clear_charging_profile(ClearChargingProfile(evse_id=0, purpose="tx", stack_level=1)) == [
        OutboundCall("ClearChargingProfile", {"chargingProfileCriteria": criteria})
    ]
