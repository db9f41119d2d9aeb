from datetime import UTC, datetime
from decimal import Decimal

from communication_service.ocpp.route import OutboundCall
from communication_service.ocpp.v16.charging_profiles import clear_charging_profile, set_charging_profile
from shared_contracts.commands import ChargingPeriod, ChargingProfile, ClearChargingProfile, SetChargingProfile

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


def test_a_profile_is_said_in_the_words_of_16() -> None:
    profile = ChargingProfile(
        id=7,
        stack_level=1,
        purpose="tx",
        kind="recurring",
        recurrency="daily",
        valid_to=AT,
        transaction_ref="77",
        unit="W",
        start_at=AT,
        duration_s=60,
        min_charging_rate=Decimal("1.25"),
        periods=(ChargingPeriod(start_s=0, limit=Decimal("8.1"), number_phases=1),),
    )
    assert set_charging_profile(SetChargingProfile(evse_id=2, profile=profile)) == [
        OutboundCall(
            "SetChargingProfile",
            {
                "connectorId": 2,
                "csChargingProfiles": {
                    "chargingProfileId": 7,
                    "transactionId": 77,
                    "stackLevel": 1,
                    "chargingProfilePurpose": "TxProfile",
                    "chargingProfileKind": "Recurring",
                    "recurrencyKind": "Daily",
                    "validTo": "2025-03-01T12:00:00.000Z",
                    "chargingSchedule": {
                        "duration": 60,
                        "startSchedule": "2025-03-01T12:00:00.000Z",
                        "chargingRateUnit": "W",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1, "numberPhases": 1}],
                        "minChargingRate": 1.2,
                    },
                },
            },
        )
    ]


def test_profiles_are_cleared_by_all_that_is_given() -> None:
    assert clear_charging_profile(ClearChargingProfile()) == [OutboundCall("ClearChargingProfile", {})]
    command = ClearChargingProfile(profile_id=7, evse_id=0, purpose="station_max", stack_level=0)
    assert clear_charging_profile(command) == [
        OutboundCall(
            "ClearChargingProfile",
            {"id": 7, "connectorId": 0, "chargingProfilePurpose": "ChargePointMaxProfile", "stackLevel": 0},
        )
    ]
