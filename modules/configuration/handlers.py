"""Events in, use cases called."""

from collections.abc import Sequence

from modules.configuration.domain.answers import Answer
from modules.configuration.service import firmware, forgetting, profiles, variables
from modules.kernel.work import Work
from shared_contracts.charge_points import CommandCompleted, StationRemoved
from shared_contracts.commands import (
    ClearChargingProfile,
    GetVariables,
    SetChargingProfile,
    SetVariables,
    UpdateFirmware,
)
from shared_contracts.stations import FirmwareStatusReported, VariablesReported


async def record_command(message: CommandCompleted, work: Work) -> None:
    """Remember what a command did to the configuration, whoever issued it.

    Idempotent: what the route recorded before is recorded again in the same words, and a later time or command stays.
    """
    answer = Answer.of_event(message)
    match message.command:
        case GetVariables():
            await variables.record_values(work, answer)
        case SetVariables() as command:
            await variables.record_changes(work, command, answer)
        case SetChargingProfile() as command:
            await profiles.record_sent(work, command, answer)
        case ClearChargingProfile() as command:
            await profiles.record_cleared(work, command, answer)
        case UpdateFirmware(request_id=request_id):
            await firmware.record_command(
                work, message.station_id, request_id, message.command_id, message.outcome, message.status
            )


async def record_reports(messages: Sequence[VariablesReported], work: Work) -> None:
    """Remember reported variables. Idempotent: the same values again."""
    await variables.record_reports(work, messages)


async def follow_firmware(message: FirmwareStatusReported, work: Work) -> None:
    """Follow a firmware update. Idempotent: a state that is reached is not told again."""
    await firmware.follow(work, message)


async def forget_station(message: StationRemoved, work: Work) -> None:
    """Forget a station. Idempotent: nothing is left to forget, and what came to be known since is kept."""
    await forgetting.forget(work, message.station_id, until=message.removed_at or work.now)
