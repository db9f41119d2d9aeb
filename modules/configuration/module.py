"""The table of contents."""

from modules.configuration import handlers, routes, tables
from modules.configuration.service.sending import open_sender
from modules.kernel.module import Module, handle, handle_many
from shared_contracts.charge_points import CommandCompleted, StationRemoved
from shared_contracts.stations import FirmwareStatusReported, VariablesReported

module = Module(
    name="configuration",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(
        handle(CommandCompleted, handlers.record_command),
        handle_many(VariablesReported, handlers.record_reports),
        handle(FirmwareStatusReported, handlers.follow_firmware),
        handle(StationRemoved, handlers.forget_station),
    ),
    resources=open_sender,
)
