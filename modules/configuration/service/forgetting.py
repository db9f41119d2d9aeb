"""What happens to the configuration of a station that was removed."""

from datetime import datetime

from modules.configuration.repository import firmware, profiles, variables
from modules.kernel.work import Work


async def forget(work: Work, station_id: str, *, until: datetime) -> None:
    """Remove all that became known of a station until then; it may have been registered anew since."""
    await variables.forget(work, station_id, until=until)
    await profiles.forget(work, station_id, until=until)
    await firmware.forget(work, station_id, until=until)
