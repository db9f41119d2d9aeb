"""What clients send and see of transactions."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints, TypeAdapter

from modules.kernel.http import Body, Moment, Paging, View
from modules.transactions.domain.transaction import Transaction, duration_s
from modules.transactions.repository.reports import UnmatchedReport
from modules.transactions.repository.samples import Latest, Sample
from shared_contracts.authorization import TokenStatus
from shared_contracts.charge_points import CommandIssued
from shared_contracts.commands import CommandOutcome
from shared_contracts.message import StationId
from shared_contracts.stations import SampledValue
from shared_contracts.transactions import TransactionState

IdToken = Annotated[str, StringConstraints(min_length=1, max_length=255)]

_samples = TypeAdapter(list[SampledValue])


class TransactionFilter(Paging):
    """Which transactions to list: those for which everything given holds."""

    station_id: StationId | None = None
    id_token: IdToken | None = Field(default=None, description="Case is ignored.")
    state: TransactionState | None = None
    open: bool | None = Field(default=None, description="Whether they still go on.")
    started_since: Moment | None = None
    started_until: Moment | None = Field(default=None, description="Exclusive.")


class ReportFilter(Paging):
    """Which unmatched reports to list."""

    station_id: StationId | None = None


class RemoteStart(Body):
    """Where to charge, and for which id token."""

    station_id: StationId
    id_token: IdToken
    token_type: str = Field(default="ISO14443", max_length=20)
    evse_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    connector_id: int | None = Field(default=None, ge=1, le=2**31 - 1)


class RemoteCommandView(View):
    """A command to a station. `outcome` is absent while it is not known; the command's own resource tells it later."""

    command_id: str
    outcome: CommandOutcome | None
    station_status: str | None
    remote_start_id: int | None = None

    @classmethod
    def of(cls, issued: CommandIssued, remote_start_id: int | None = None) -> Self:
        """The view of an issued command."""
        return cls(
            command_id=issued.command_id,
            outcome=issued.outcome,
            station_status=issued.status,
            remote_start_id=remote_start_id,
        )


class TransactionView(View):
    """A transaction. While it goes on, its energy, power and charge level are what the meter said last."""

    id: str
    station_id: str
    transaction_ref: str
    evse_id: int | None
    connector_id: int | None
    id_token: str | None
    token_type: str | None
    driver_id: str | None
    authorization: TokenStatus | None
    state: TransactionState
    charging_state: str | None
    started_at: datetime
    ended_at: datetime | None
    duration_s: int | None
    reason: str | None
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int | None
    power_w: int | None
    state_of_charge_percent: float | None
    metered_at: datetime | None
    offline: bool
    flags: list[str]
    remote_start_id: int | None

    @classmethod
    def of(cls, transaction: Transaction, meter: Latest | None = None) -> Self:
        """The view of a transaction; `meter` is what it shows now, if it is open."""
        meter = meter or Latest()
        ended_at = transaction.ended_at
        return cls(
            id=transaction.id,
            station_id=transaction.station_id,
            transaction_ref=transaction.ref,
            evse_id=transaction.evse_id,
            connector_id=transaction.connector_id,
            id_token=transaction.id_token,
            token_type=transaction.token_type,
            driver_id=transaction.driver_id,
            authorization=transaction.authorization,
            state=transaction.state,
            charging_state=transaction.charging_state,
            started_at=transaction.started_at,
            ended_at=ended_at,
            duration_s=None if ended_at is None else duration_s(transaction.started_at, ended_at),
            reason=transaction.reason,
            meter_start_wh=transaction.meter_start_wh,
            meter_stop_wh=transaction.meter_stop_wh,
            energy_wh=transaction.energy_wh if ended_at else _so_far(transaction, meter),
            power_w=meter.power_w,
            state_of_charge_percent=meter.state_of_charge_percent,
            metered_at=meter.sampled_at,
            offline=transaction.offline,
            flags=list(transaction.flags),
            remote_start_id=transaction.remote_start_id,
        )


def _so_far(transaction: Transaction, meter: Latest) -> int | None:
    """Energy in Wh since the start; None without two readings."""
    if meter.energy_wh is None or transaction.meter_start_wh is None:
        return None
    return max(0, meter.energy_wh - transaction.meter_start_wh)


class MeterValueView(View):
    """A reading. `samples` are as the station sent them; the three quantities are in fixed units."""

    sampled_at: datetime
    evse_id: int | None
    connector_id: int | None
    energy_wh: int | None
    power_w: int | None
    state_of_charge_percent: float | None
    samples: list[SampledValue]

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """The view of a stored reading."""
        return cls(
            sampled_at=sample.sampled_at,
            evse_id=sample.evse_id,
            connector_id=sample.connector_id,
            energy_wh=sample.energy_wh,
            power_w=sample.power_w,
            state_of_charge_percent=sample.state_of_charge_percent,
            samples=_samples.validate_json(sample.samples),
        )


class UnmatchedReportView(View):
    """A stop that fits no transaction of its station."""

    id: str
    station_id: str
    problem: str = Field(description="`unknown_number`, or `already_over` where the transaction was stopped otherwise.")
    number: int
    id_token: str | None
    meter_stop_wh: int
    stopped_at: datetime
    received_at: datetime
    reason: str
    flags: list[str]

    @classmethod
    def of(cls, report: UnmatchedReport) -> Self:
        """The view of a report."""
        return cls.model_validate(report, from_attributes=True)
