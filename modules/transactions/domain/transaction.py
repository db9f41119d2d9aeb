"""A charging transaction, and how it can end.

Glossary:
- *ref*: the id that the station uses. In OCPP 1.6 the number that we gave it, as text; in 2.x its own transactionId.
- *charging*: begun, and no stop was reported, whatever the connection of the station does meanwhile.
- *finished*: somebody or something meant it to end: the driver, the operator, the car, a limit, an orderly restart.
- *failed*: it broke off: an emergency stop, a fault, no power, a restart in the middle of it (`FAILURES`).
- *flags*: what is odd about it; nothing odd is ever refused, since the station would drop it.
    - `abandoned`: another transaction began on the same connector, and this one was never stopped;
    - `suspect`: the energy is not to be billed unseen, for the reason given by one of the next three;
    - `transaction_id_reused`: a 2.x station began twice under one id, so this is two charges in one;
    - `meter_decreased`: the register stands lower at the end than at the beginning; the energy is then 0;
    - `power_implausible`: more energy than any charger delivers in that time (Wh reported as kWh, or the reverse);
    - `register_rollover`: the register began again at zero in between, as the settings say that it does;
    - `clock_jump`: it ended before it began; the duration is then 0;
    - `start_missing`, `sequence_gap`: reports of a 2.x station that never arrived;
    - `matched_by_station`: stopped without its number, by being the only one open at the station.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from modules.transactions.domain.facts import Facts
from shared_contracts.authorization import TokenStatus
from shared_contracts.transactions import TransactionState

ABANDONED: Final = "abandoned"
SUSPECT: Final = "suspect"
METER_DECREASED: Final = "meter_decreased"
REGISTER_ROLLOVER: Final = "register_rollover"
POWER_IMPLAUSIBLE: Final = "power_implausible"
CLOCK_JUMP: Final = "clock_jump"
TRANSACTION_ID_REUSED: Final = "transaction_id_reused"
START_MISSING: Final = "start_missing"
SEQUENCE_GAP: Final = "sequence_gap"
MATCHED_BY_STATION: Final = "matched_by_station"

FAILURES = frozenset(
    {
        "EmergencyStop",
        "GroundFault",
        "HardReset",
        "ImmediateReset",
        "OvercurrentFault",
        "PowerLoss",
        "PowerQuality",
        "Reboot",
    }
)
"""Stop reasons of OCPP 1.6 (Reason) and 2.x (ReasonEnumType) that are no ordinary end."""

HIGHEST_POWER_W = 1_000_000
"""Above what cars take today; a 3.7 kW charger that confuses Wh with kWh is well above it."""

_SHORTEST_S = 60
"""Registers and clocks are coarse: within a minute, no power is computed from less than a minute's worth."""

_LARGEST_WH = 2**62


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction. `id` is what clients see: unique, and not to be guessed. Energy in Wh, None where unknown.

    `authorization` is the verdict on the token that began it; the station may charge whatever it is. `facts` is what
    the reports of a 2.x station said, `ended_revision` how often its end was published.
    """

    id: str
    station_id: str
    ref: str
    started_at: datetime
    received_at: datetime
    number: int | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    token_type: str | None = None
    driver_id: str | None = None
    authorization: TokenStatus | None = None
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    energy_wh: int | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    state: TransactionState = TransactionState.CHARGING
    charging_state: str | None = None
    offline: bool = False
    flags: tuple[str, ...] = ()
    remote_start_id: int | None = None
    last_sequence_number: int | None = None
    stop_digest: str | None = None
    stop_received_at: datetime | None = None
    ended_revision: int = 0
    facts: Facts | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What a station's messages name it by."""
        return self.station_id, self.ref


def state_after(reason: str) -> TransactionState:
    """Finished, or failed where the stop reason says so. A reason that OCPP does not have is an ordinary end."""
    return TransactionState.FAILED if reason in FAILURES else TransactionState.FINISHED


def duration_s(started_at: datetime, ended_at: datetime) -> int:
    """Whole seconds, never negative."""
    return max(0, int((ended_at - started_at).total_seconds()))


def energy_between(
    start_wh: int, stop_wh: int, lasted_s: int, *, rollover_wh: int | None = None
) -> tuple[int, tuple[str, ...]]:
    """The energy between two register readings in Wh, never negative, and flags where it is not to be believed.

    Where registers begin again at `rollover_wh`, one that decreased may have done so, if the energy is credible then.
    """
    if stop_wh < start_wh:
        over_wh = _rolled_over(start_wh, stop_wh, rollover_wh)
        if over_wh is None or not _is_plausible(over_wh, lasted_s):
            return 0, (SUSPECT, METER_DECREASED)
        return over_wh, (REGISTER_ROLLOVER,)
    energy_wh = min(stop_wh - start_wh, _LARGEST_WH)
    return energy_wh, () if _is_plausible(energy_wh, lasted_s) else (SUSPECT, POWER_IMPLAUSIBLE)


def _rolled_over(start_wh: int, stop_wh: int, rollover_wh: int | None) -> int | None:
    if rollover_wh is None or not 0 <= stop_wh < start_wh < rollover_wh:
        return None
    return stop_wh + rollover_wh - start_wh


def _is_plausible(energy_wh: int, lasted_s: int) -> bool:
    return energy_wh * 3600 <= HIGHEST_POWER_W * max(lasted_s, _SHORTEST_S)


def with_flags(flags: tuple[str, ...], *more: str) -> tuple[str, ...]:
    """The flags and the new ones among `more`, in the order in which they came up."""
    return tuple(dict.fromkeys((*flags, *more)))
