"""Keeps account of connections, of the pods that hold them, and of the connectors that stations tell of."""

from collections.abc import Sequence
from datetime import timedelta

from modules.charge_points.domain.connections import (
    latest_sightings,
    newest_connections,
    newest_ends,
    reported_connectors,
)
from modules.charge_points.repository import connections
from modules.charge_points.service import proving
from modules.kernel.work import Work
from shared_contracts.stations import POD_SILENT, StationConnected, StationDisconnected, StationsSeen, StatusReported


async def open_connections(work: Work, events: Sequence[StationConnected]) -> None:
    """Store which connections are the newest, and what they tell of passwords and profiles that are being changed."""
    await connections.store_signs_of_life(work, {event.pod_id for event in events})
    await connections.store_opened(work, newest_connections(events).values())
    await proving.note_logins(work, events)


async def end_connections(work: Work, events: Sequence[StationDisconnected]) -> None:
    """Store which connections are gone."""
    ended = newest_ends(events)
    if ended:
        await connections.store_ended(work, ended.values())


async def see(work: Work, events: Sequence[StationsSeen]) -> None:
    """Store which pods live, and when they heard from which station.

    A station that is heard from by a pod whose connections counted as lost is connected again.
    """
    sightings = latest_sightings(events)
    await connections.store_signs_of_life(work, sightings.keys())
    rows = [
        {"station_id": station_id, "pod_id": pod_id, "seen_at": at}
        for pod_id, event in sightings.items()
        for station_id, at in event.last_seen_at.items()
    ]
    for connection in await connections.store_sightings(work, rows) if rows else ():
        work.publish(
            StationConnected(
                station_id=connection.station_id,
                epoch=connection.epoch,
                pod_id=connection.pod_id,
                ocpp_version=connection.ocpp_version,
                security_profile=connection.security_profile,
                remote_address=connection.remote_address,
                connected_at=connection.connected_at,
                heard_again_at=max(work.now, connection.lost_at + connections.MOMENT),
            )
        )


async def give_up_silent_pods(work: Work, *, silence: timedelta) -> int:
    """Tell everybody of connections that were lost with a pod that died; returns how many."""
    lost = await connections.silence_pods(work, unheard_since=work.now - silence)
    for connection in lost:
        work.publish(
            StationDisconnected(
                station_id=connection.station_id,
                epoch=connection.epoch,
                pod_id=connection.pod_id,
                reason=POD_SILENT,
                disconnected_at=connection.lost_at,
            )
        )
    return len(lost)


async def discover_connectors(work: Work, events: Sequence[StatusReported]) -> None:
    """Remember the connectors that stations told of."""
    found = reported_connectors(events)
    if found:
        await connections.add_connectors(work, found)
