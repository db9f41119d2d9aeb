"""What a session is, and what is counted."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from shared_contracts.authorization import fold_token
from shared_contracts.transactions import TransactionEnded, TransactionState


class Grouping(StrEnum):
    """What figures are told apart by."""

    STATION = "station"
    ID_TOKEN = "id_token"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction that is over. It belongs to the day, in UTC, on which it began. Energy in Wh, unknown counts 0.

    `id_token` is folded as tokens are compared, and empty where there was none; `suspect`, that the energy is doubtful.
    `revision` tells a correction from what it corrects, in whatever order they arrive.
    """

    transaction_id: str
    revision: int
    station_id: str
    id_token: str
    day: date
    energy_wh: int
    duration_s: int
    failed: bool
    suspect: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over sessions; `of` is the station, the folded token or the day (ISO 8601), empty for all together."""

    of: str
    sessions: int
    failed: int
    suspect: int
    energy_wh: int
    duration_s: int


def session_of(ended: TransactionEnded) -> Session:
    """What a transaction counts for. A station whose clock jumped back did not charge for a negative time."""
    return Session(
        transaction_id=ended.transaction_id,
        revision=ended.revision,
        station_id=ended.station_id,
        id_token=fold_token(ended.id_token or ""),
        day=day_of(ended.started_at),
        energy_wh=max(0, ended.energy_wh or 0),
        duration_s=max(0, int((ended.ended_at - ended.started_at).total_seconds())),
        failed=ended.state is TransactionState.FAILED,
        suspect="suspect" in ended.flags,
    )


def day_of(at: datetime) -> date:
    """The day in UTC."""
    return at.astimezone(UTC).date()
