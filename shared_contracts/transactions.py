"""Charging transactions, one model for 1.6 and 2.x. Owner: modules/transactions."""

from enum import StrEnum
from typing import ClassVar, Literal

from shared_contracts.authorization import TokenStatus
from shared_contracts.message import Event, Reply, Request, StationId, UtcTime, Value
from shared_contracts.stations import MeterReading


class TransactionState(StrEnum):
    """`charging` until the stop; then `finished`, or `failed` where the reason says something went wrong."""

    CHARGING = "charging"
    FINISHED = "finished"
    FAILED = "failed"


class TransactionOpened(Reply):
    """The number a 1.6 station will use for the transaction, and the verdict on its id token."""

    number: int
    status: TokenStatus
    expires_at: UtcTime | None = None
    group: str | None = None


class OpenTransaction(Request[TransactionOpened]):
    """A 1.6 station reports that charging began. A repeat of the same content gets the same answer."""

    key: ClassVar[str] = "transactions.open.v1"
    station_id: StationId
    connector_id: int
    id_token: str
    meter_start_wh: int
    started_at: UtcTime
    received_at: UtcTime
    reservation_id: int | None = None
    flags: tuple[str, ...] = ()


class TransactionClosed(Reply):
    """The verdict on the id token that stopped it, where one was given."""

    status: TokenStatus | None = None
    expires_at: UtcTime | None = None
    group: str | None = None


class CloseTransaction(Request[TransactionClosed]):
    """A 1.6 station reports that charging ended. `number` may be unknown: the report is then kept and flagged."""

    key: ClassVar[str] = "transactions.close.v1"
    station_id: StationId
    number: int
    id_token: str | None = None
    meter_stop_wh: int
    stopped_at: UtcTime
    received_at: UtcTime
    reason: str = "Local"
    readings: tuple[MeterReading, ...] = ()
    flags: tuple[str, ...] = ()


class TransactionReport(Value):
    """The content of a 2.x TransactionEvent (OCPP 2.0.1 E01-E15)."""

    station_id: StationId
    transaction_ref: str
    kind: Literal["started", "updated", "ended"]
    sequence_number: int
    trigger_reason: str
    happened_at: UtcTime
    received_at: UtcTime
    offline: bool = False
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    token_type: str | None = None
    charging_state: str | None = None
    stopped_reason: str | None = None
    remote_start_id: int | None = None
    readings: tuple[MeterReading, ...] = ()
    flags: tuple[str, ...] = ()


class TransactionReported(TransactionReport, Event):
    """A TransactionEvent without an id token to judge: answered by the edge once this is durable."""

    key: ClassVar[str] = "stations.transaction_reported.v1"


class TransactionReportJudged(Reply):
    """The verdict on the id token of the report."""

    status: TokenStatus
    expires_at: UtcTime | None = None
    group: str | None = None


class JudgeTransactionReport(TransactionReport, Request[TransactionReportJudged]):
    """A TransactionEvent with an id token: stored, and the token judged. Idempotent by its content."""

    key: ClassVar[str] = "transactions.judge_report.v1"


class Proven(Reply):
    """It was."""


class ProveCommit(Request[Proven]):
    """Commit something that changes nothing, and answer: whoever hears no such answer may send no transaction here."""

    key: ClassVar[str] = "transactions.prove_commit.v1"


class TransactionStarted(Event):
    """A transaction is known to have begun. `transaction_id` is the id that clients see."""

    key: ClassVar[str] = "transactions.started.v1"
    transaction_id: str
    station_id: StationId
    transaction_ref: str
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    driver_id: str | None = None
    started_at: UtcTime
    meter_start_wh: int | None = None
    remote_start_id: int | None = None


class TransactionUpdated(Event):
    """The charging state changed, e.g. from EVConnected to Charging."""

    key: ClassVar[str] = "transactions.updated.v1"
    transaction_id: str
    station_id: StationId
    transaction_ref: str
    driver_id: str | None = None
    charging_state: str
    happened_at: UtcTime


class TransactionEnded(Event):
    """A transaction is over. Energy in watt-hours, None where no two readings were ever delivered.

    Said again, with the next `revision`, where what arrives late changes the figures: it replaces what was said before.
    """

    key: ClassVar[str] = "transactions.ended.v1"
    transaction_id: str
    station_id: StationId
    transaction_ref: str
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    driver_id: str | None = None
    state: TransactionState
    reason: str
    started_at: UtcTime
    ended_at: UtcTime
    energy_wh: int | None = None
    flags: tuple[str, ...] = ()
    revision: int = 1


class OpenTransactionsListed(Reply):
    """References (station, transaction_ref) of what is charging."""

    transactions: tuple[tuple[str, str], ...] = ()


class ListOpenTransactions(Request[OpenTransactionsListed]):
    """Which transactions of this driver are charging now?"""

    key: ClassVar[str] = "transactions.list_open.v1"
    driver_id: str
