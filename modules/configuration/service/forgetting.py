"""What happens to the configuration of a station that was removed."""

from modules.configuration.repository import firmware, profiles, variables
from modules.kernel.work import Work


async def forget(work: Work, station_id: str) -> None:
    """Remove all that is known of a station."""
    await variables.forget(work, station_id)
    await profiles.forget(work, station_id)
    await firmware.forget(work, station_id)
