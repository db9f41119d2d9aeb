"""The zone of a station's clock, for times that name none."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import structlog

log = structlog.get_logger()


def zone_of(station_id: str, name: str | None) -> tzinfo:
    """The zone of this name, and UTC where none is set.

    So it is where this machine knows none of this name: its list of zones may be older than the management service's,
    and that is no reason to refuse a station.
    """
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        log.warning("time_zone_unknown", station=station_id, time_zone=name, error=repr(error))
        return UTC
