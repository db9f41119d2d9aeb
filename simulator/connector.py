"""A connector of a station, and the states it can be in."""

from dataclasses import dataclass
from enum import StrEnum

from simulator.charge import Charge


class State(StrEnum):
    """The states of OCPP 1.6 that the simulator uses; 2.x knows fewer, and its dialect folds them."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


@dataclass(eq=False)
class Connector:
    """A socket with an energy register that survives its charges; `number` is also the EVSE id in 2.x."""

    number: int
    register_wh: int
    state: State = State.AVAILABLE
    announced: str | None = None
    acknowledged: str | None = None
    operative: bool = True
    charge: Charge | None = None
    reservation_id: int | None = None

    @property
    def free(self) -> bool:
        """Whether a charge may begin here now."""
        return self.operative and self.charge is None and self.state in {State.AVAILABLE, State.RESERVED}

    def idle_state(self) -> State:
        """Return the state without a vehicle."""
        if not self.operative:
            return State.UNAVAILABLE
        return State.RESERVED if self.reservation_id is not None else State.AVAILABLE
