"""The API of transactions."""

from datetime import datetime

from modules.kernel.http import Call, NoQuery, Page, Paging, decode_cursor, get, page_of, post
from modules.kernel.scopes import Principal, Scope
from modules.kernel.work import AfterCommit, Work
from modules.transactions import remote
from modules.transactions.domain.transaction import Transaction
from modules.transactions.errors import TransactionNotFound, TransactionOver
from modules.transactions.repository import browsing, reports, samples
from modules.transactions.schemas import (
    MeterValueView,
    RemoteCommandView,
    RemoteStart,
    ReportFilter,
    TransactionFilter,
    TransactionView,
    UnmatchedReportView,
)
from shared_contracts.authorization import fold_token
from shared_contracts.commands import StartCharging
from shared_contracts.transactions import TransactionState


async def list_transactions(call: Call[TransactionFilter, None], work: Work) -> Page[TransactionView]:
    """List transactions, the latest start first; drivers see their own."""
    query = call.query
    wanted = browsing.Wanted(
        driver_id=call.principal.driver_id,
        station_id=query.station_id,
        folded_token=query.id_token and fold_token(query.id_token),
        state=query.state,
        open=query.open,
        started_since=query.started_since,
        started_until=query.started_until,
    )
    before = decode_cursor(query.cursor, datetime, str)
    found = await browsing.browse(work, wanted, before=before, limit=query.limit + 1)
    meters = await samples.latest(work, [item for item in found if item.ended_at is None])
    return page_of(
        found,
        query,
        lambda item: TransactionView.of(item, meters.get(item.key)),
        lambda item: (item.started_at, item.id),
    )


async def list_unmatched_reports(call: Call[ReportFilter, None], work: Work) -> Page[UnmatchedReportView]:
    """List stops that fit no transaction of their station, the newest first."""
    query = call.query
    (before,) = decode_cursor(query.cursor, str) or (None,)
    found = await reports.browse_unmatched(work, station_id=query.station_id, before=before, limit=query.limit + 1)
    return page_of(found, query, UnmatchedReportView.of, lambda report: (report.id,))


async def get_transaction(call: Call[NoQuery, None], work: Work) -> TransactionView:
    """Show a transaction: live energy and power while it goes on, its figures afterwards."""
    transaction = await _visible(work, call.path["transaction_id"], call.principal)
    if transaction.ended_at is not None:
        return TransactionView.of(transaction)
    meters = await samples.latest(work, [transaction])
    return TransactionView.of(transaction, meters.get(transaction.key))


async def list_meter_values(call: Call[Paging, None], work: Work) -> Page[MeterValueView]:
    """List the meter readings of a transaction in the order of their times; a repeated one is shown once."""
    after = decode_cursor(call.query.cursor, datetime, str)
    transaction = await _visible(work, call.path["transaction_id"], call.principal)
    found = await samples.browse(work, transaction, after=after, limit=call.query.limit + 1)
    return page_of(found, call.query, MeterValueView.of, lambda sample: (sample.sampled_at, sample.digest))


async def start_transaction(call: Call[NoQuery, RemoteStart], work: Work) -> AfterCommit[RemoteCommandView]:
    """Tell a station to start charging; drivers with their own id tokens only.

    The transaction appears once the station reports it, with this `remote_start_id` if it speaks OCPP 2.x.
    """
    body = call.body
    wanted = StartCharging(
        id_token=body.id_token, token_type=body.token_type, evse_id=body.evse_id, connector_id=body.connector_id
    )

    async def answer() -> RemoteCommandView:
        issued, remote_start_id = await remote.start(
            work,
            call.principal,
            station_id=body.station_id,
            wanted=wanted,
            idempotency_key=call.idempotency_key,
        )
        return RemoteCommandView.of(issued, remote_start_id)

    return AfterCommit(answer)


async def stop_transaction(call: Call[NoQuery, None], work: Work) -> AfterCommit[RemoteCommandView]:
    """Tell the station to stop a transaction; it is over once the station reports so."""
    transaction = await _visible(work, call.path["transaction_id"], call.principal)
    if transaction.state is not TransactionState.CHARGING:
        raise TransactionOver(transaction_id=transaction.id, state=transaction.state)

    async def answer() -> RemoteCommandView:
        issued = await remote.stop(work, call.principal, transaction, idempotency_key=call.idempotency_key)
        return RemoteCommandView.of(issued)

    return AfterCommit(answer)


async def _visible(work: Work, transaction_id: str, to: Principal) -> Transaction:
    transaction = await browsing.find(work, transaction_id, driver_id=to.driver_id)
    if transaction is None:
        raise TransactionNotFound(transaction_id)
    return transaction


table = (
    get("/transactions", list_transactions, Scope.TRANSACTIONS_READ),
    get("/transactions/unmatched-reports", list_unmatched_reports, Scope.DIAGNOSTICS_READ),
    get("/transactions/{transaction_id}", get_transaction, Scope.TRANSACTIONS_READ, problems=(404,)),
    get("/transactions/{transaction_id}/meter-values", list_meter_values, Scope.TRANSACTIONS_READ, problems=(404,)),
    post("/transactions", start_transaction, Scope.TRANSACTIONS_CONTROL, status=202, problems=(403, 404, 409)),
    post(
        "/transactions/{transaction_id}/stop",
        stop_transaction,
        Scope.TRANSACTIONS_CONTROL,
        status=202,
        problems=(404, 409),
    ),
)
