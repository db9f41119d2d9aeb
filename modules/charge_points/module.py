"""The table of contents."""

from modules.charge_points import handlers, routes, tables
from modules.charge_points.service.dispatching import open_dispatcher
from modules.charge_points.service.watching import forget_commands, watch_commands, watch_pods
from modules.charge_points.settings import ChargePointsSettings
from modules.kernel.module import Module, Service, answer, handle, handle_many
from shared_contracts.certificates import RequestCertificate
from shared_contracts.charge_points import BootStation, CompleteCommand, GetStationAccess, IssueCommand, ReceiveData
from shared_contracts.stations import StationConnected, StationDisconnected, StationsSeen, StatusReported
from shared_contracts.transactions import TransactionEnded, TransactionStarted

module = Module(
    name="charge_points",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(
        answer(GetStationAccess, handlers.get_station_access),
        answer(BootStation, handlers.boot_station),
        answer(ReceiveData, handlers.receive_data),
        answer(RequestCertificate, handlers.request_certificate),
        answer(IssueCommand, handlers.issue_command),
        answer(CompleteCommand, handlers.complete_command),
        handle_many(StationConnected, handlers.open_connections),
        handle_many(StationDisconnected, handlers.end_connections),
        handle_many(StationsSeen, handlers.see_stations),
        handle_many(StatusReported, handlers.discover_connectors),
        handle(TransactionStarted, handlers.link_start),
        handle(TransactionEnded, handlers.link_end),
    ),
    services=(
        Service("watch_pods", watch_pods),
        Service("watch_commands", watch_commands),
        Service("forget_commands", forget_commands),
    ),
    resources=open_dispatcher,
    settings=ChargePointsSettings,
)
