"""Which of a station's connections counts: the one with the highest epoch, until that very epoch ends."""

from collections.abc import Iterable, Mapping

from shared_contracts.stations import POD_SILENT, StationConnected, StationDisconnected, StationsSeen, StatusReported

MOST_CONNECTORS = 128
"""Per station: more than that is a station that counts wrong."""

_HIGHEST_ID = 10_000


def newest_connections(events: Iterable[StationConnected]) -> Mapping[str, StationConnected]:
    """The newest connection of each station."""
    newest: dict[str, StationConnected] = {}
    for event in events:
        if event.station_id not in newest or newest[event.station_id].epoch < event.epoch:
            newest[event.station_id] = event
    return newest


def newest_ends(events: Iterable[StationDisconnected]) -> Mapping[str, StationDisconnected]:
    """The newest ended connection of each station, without those that only were concluded from silence."""
    newest: dict[str, StationDisconnected] = {}
    for event in events:
        if event.reason == POD_SILENT:
            continue
        if event.station_id not in newest or newest[event.station_id].epoch < event.epoch:
            newest[event.station_id] = event
    return newest


def latest_sightings(events: Iterable[StationsSeen]) -> Mapping[str, StationsSeen]:
    """One report per pod, with the last time that it heard from each station."""
    merged: dict[str, StationsSeen] = {}
    for event in events:
        earlier = merged.get(event.pod_id)
        if earlier is None:
            merged[event.pod_id] = event
            continue
        seen = dict(earlier.last_seen_at)
        for station_id, at in event.last_seen_at.items():
            seen[station_id] = max(at, seen.get(station_id, at))
        merged[event.pod_id] = earlier.model_copy(update={"last_seen_at": seen})
    return merged


def reported_connectors(events: Iterable[StatusReported]) -> frozenset[tuple[str, int, int]]:
    """Station, EVSE (0 where OCPP 1.6 names none) and connector of what stations told of.

    Connector 0 is the station itself. Absurd numbers are left out: a connector exists because it was reported, and
    only as many as `MOST_CONNECTORS` of each station are kept.
    """
    return frozenset(
        (event.station_id, event.evse_id or 0, event.connector_id)
        for event in events
        if 0 < event.connector_id <= _HIGHEST_ID and 0 <= (event.evse_id or 0) <= _HIGHEST_ID
    )
