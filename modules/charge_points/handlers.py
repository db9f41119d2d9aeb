"""Messages in, use cases called, answers out."""

from collections.abc import Sequence

from modules.charge_points.domain.data_transfer import data_status
from modules.charge_points.service import admitting, certifying, commanding, connecting
from modules.charge_points.service.dispatching import Dispatcher
from modules.charge_points.settings import ChargePointsSettings
from modules.kernel.work import AfterCommit, Work
from shared_contracts.certificates import RequestCertificate, SigningAnswered
from shared_contracts.charge_points import (
    BootAnswered,
    BootStation,
    CommandIssued,
    CommandNoted,
    CompleteCommand,
    DataReceived,
    GetStationAccess,
    IssueCommand,
    ReceiveData,
    StationAccess,
)
from shared_contracts.stations import StationConnected, StationDisconnected, StationsSeen, StatusReported
from shared_contracts.transactions import TransactionEnded, TransactionStarted


async def get_station_access(message: GetStationAccess, work: Work) -> StationAccess:
    """Say how a station must prove who it is. Idempotent: an unknown one registers itself at most once."""
    return await admitting.access_of(work, message.station_id)


async def boot_station(message: BootStation, work: Work) -> BootAnswered:
    """Answer a station that booted. Idempotent: a repeat stores the same, and is not told again."""
    return await admitting.boot(work, message)


async def receive_data(message: ReceiveData, work: Work) -> DataReceived:
    """Answer vendor-specific data. Idempotent: it is in the log of frames, and nothing else is done with it."""
    taken = work.resource(ChargePointsSettings).taken_data
    return DataReceived(status=data_status(message.vendor_id, message.message_id, taken))


async def request_certificate(message: RequestCertificate, work: Work) -> AfterCommit[SigningAnswered]:
    """Take up a station's request for a certificate. Idempotent: the same request, sent again, stays one."""
    answered, order = await certifying.request(work, message)
    dispatcher = work.resource(Dispatcher)

    async def answer() -> SigningAnswered:
        if order is not None:
            dispatcher.carry_later(order)
        return answered

    return AfterCommit(answer)


async def issue_command(message: IssueCommand, work: Work) -> AfterCommit[CommandIssued]:
    """Send a command for another module. Idempotent by its `idempotency_key`; without one, each is a new command."""
    order = await commanding.issue(
        work,
        station_id=message.station_id,
        command=message.command,
        issued_by=message.issued_by,
        timeout_s=message.timeout_s,
        idempotency_key=message.idempotency_key,
    )
    dispatcher = work.resource(Dispatcher)

    async def answer() -> CommandIssued:
        command = await dispatcher.carry(order, wait_s=message.wait_s)
        return CommandIssued(
            command_id=command.command_id,
            outcome=command.outcome,
            status=command.status,
            payload=command.payload or {},
            variables=command.variables,
            error_code=command.error_code,
            error_description=command.error_description,
        )

    return AfterCommit(answer)


async def complete_command(message: CompleteCommand, work: Work) -> CommandNoted:
    """Store what a station answered late. Idempotent: a command is completed once, whatever timed out before."""
    return CommandNoted(known=await commanding.complete_late(work, message))


async def open_connections(messages: Sequence[StationConnected], work: Work) -> None:
    """Note connections. Idempotent and free of order: the highest epoch counts."""
    await connecting.open_connections(work, messages)


async def end_connections(messages: Sequence[StationDisconnected], work: Work) -> None:
    """Note ends of connections. Idempotent and free of order: an end concerns its own epoch and those below."""
    await connecting.end_connections(work, messages)


async def see_stations(messages: Sequence[StationsSeen], work: Work) -> None:
    """Note signs of life. Idempotent: the latest time counts."""
    await connecting.see(work, messages)


async def discover_connectors(messages: Sequence[StatusReported], work: Work) -> None:
    """Note connectors. Idempotent: one that is known stays as it is."""
    await connecting.discover_connectors(work, messages)


async def link_start(message: TransactionStarted, work: Work) -> None:
    """Link a transaction to the command that asked for it. Idempotent: a linked one is not linked again."""
    await commanding.link_start(work, message)


async def link_end(message: TransactionEnded, work: Work) -> None:
    """Link the end of a transaction to the command that asked for it. Idempotent, as its start."""
    await commanding.link_end(work, message)
