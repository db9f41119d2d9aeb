"""What was noticed of attacks and mistakes at the doors. Owner: communication_service.

What stations themselves report is `stations.SecurityEventReported`.
"""

from enum import StrEnum
from typing import ClassVar

from shared_contracts.message import Event, StationId, UtcTime


class IncidentKind(StrEnum):
    """What happened. The first four are refusals."""

    CREDENTIALS_REFUSED = "credentials_refused"
    PROFILE_REFUSED = "profile_refused"
    CERTIFICATE_REFUSED = "certificate_refused"
    TLS_TOO_WEAK = "tls_too_weak"
    GUESSING = "guessing"
    """So many failures that further attempts are refused unread."""
    DUPLICATE_CONNECTION = "duplicate_connection"
    """A station that answers on one connection opened another from elsewhere: two devices have its credentials."""
    FLAPPING = "flapping"
    """Connections of one station push each other out again and again: new ones are held off for a while."""


class IncidentNoticed(Event):
    """A security incident at the door for stations.

    Alike incidents are told once a minute; `count` has how many there were since the last time. `station_id` is what
    the peer claimed; it and `remote_address` are absent where TLS itself was refused.
    """

    key: ClassVar[str] = "stations.incident_noticed.v1"
    kind: IncidentKind
    station_id: StationId | None = None
    pod_id: str
    remote_address: str | None = None
    detail: str = ""
    count: int = 1
    noticed_at: UtcTime
