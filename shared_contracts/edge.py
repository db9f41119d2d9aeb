"""What the communication service may ask and say. The broker lets nothing else of it through.

Its processes hold the connections of strangers: one that was taken over must not speak for a module.
"""

from shared_contracts.authorization import JudgeToken
from shared_contracts.certificates import RequestCertificate
from shared_contracts.charge_points import (
    BootStation,
    CompleteCommand,
    GetStationAccess,
    ReceiveData,
    StationAccessChanged,
    StationRegistered,
)
from shared_contracts.security import IncidentNoticed
from shared_contracts.stations import StationConnected
from shared_contracts.transactions import CloseTransaction, JudgeTransactionReport, OpenTransaction, ProveCommit

REQUESTS = frozenset(
    request.key
    for request in (
        BootStation,
        CloseTransaction,
        CompleteCommand,
        GetStationAccess,
        JudgeToken,
        JudgeTransactionReport,
        OpenTransaction,
        ProveCommit,
        ReceiveData,
        RequestCertificate,
    )
)
"""The keys of the requests that it may send to modules."""

EVENTS_OWNER = "stations"
"""The owner, first part of the key, of the events that it may publish."""

HEARD = frozenset(event.key for event in (IncidentNoticed, StationAccessChanged, StationConnected, StationRegistered))
"""The keys of the events that it may hear."""
