"""What the other modules are told of a transaction."""

from datetime import datetime

from modules.transactions.domain.transaction import Transaction
from shared_contracts.transactions import TransactionEnded, TransactionStarted, TransactionUpdated


def started(transaction: Transaction) -> TransactionStarted:
    """It began."""
    return TransactionStarted(
        transaction_id=transaction.id,
        station_id=transaction.station_id,
        transaction_ref=transaction.ref,
        evse_id=transaction.evse_id,
        connector_id=transaction.connector_id,
        id_token=transaction.id_token,
        driver_id=transaction.driver_id,
        started_at=transaction.started_at,
        meter_start_wh=transaction.meter_start_wh,
        remote_start_id=transaction.remote_start_id,
    )


def updated(transaction: Transaction, charging_state: str, happened_at: datetime) -> TransactionUpdated:
    """Its charging state changed."""
    return TransactionUpdated(
        transaction_id=transaction.id,
        station_id=transaction.station_id,
        transaction_ref=transaction.ref,
        driver_id=transaction.driver_id,
        charging_state=charging_state,
        happened_at=happened_at,
    )


def ended(transaction: Transaction) -> TransactionEnded | None:
    """It is over, with its figures; None while it is not."""
    if transaction.ended_at is None or transaction.reason is None:
        return None
    return TransactionEnded(
        transaction_id=transaction.id,
        station_id=transaction.station_id,
        transaction_ref=transaction.ref,
        evse_id=transaction.evse_id,
        connector_id=transaction.connector_id,
        id_token=transaction.id_token,
        driver_id=transaction.driver_id,
        state=transaction.state,
        reason=transaction.reason,
        started_at=transaction.started_at,
        ended_at=transaction.ended_at,
        energy_wh=transaction.energy_wh,
        flags=transaction.flags,
        revision=transaction.ended_revision,
    )
