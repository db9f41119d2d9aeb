"""What differs between the versions of OCPP: how a station says what it has to say, and what it obeys."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from simulator.call import Message
from simulator.charge import Charge
from simulator.connector import Connector
from simulator.frames import Payload
from simulator.identity import Identity
from simulator.ledger import Sample
from simulator.variables import Variable

if TYPE_CHECKING:
    from simulator.core import StationCore


@dataclass(frozen=True)
class Reply:
    """The answer to a command, and what the station does once it is sent."""

    payload: Payload
    then: Callable[[], Awaitable[object]] | None = None


class CommandRefused(Exception):
    """A command is answered with CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


Handler = Callable[["StationCore", Payload], Reply]


@dataclass(frozen=True)
class Situation:
    """What a transaction message tells beside its charge."""

    seq: int
    offline: bool
    measurands: tuple[str, ...]


class Dialect(Protocol):
    """One version of OCPP, as a station speaks it."""

    version: str
    subprotocol: str
    commands: Mapping[str, Handler]
    format_violation: str

    def variables(self, connectors: int) -> list[Variable]:
        """Return the configuration the station begins with."""

    def boot(self, identity: Identity, reason: str) -> Message:
        """Return a BootNotification."""

    def status(self, connector: Connector, at: datetime) -> Message:
        """Return a StatusNotification."""

    def reported_state(self, connector: Connector) -> str:
        """Return the connector's state in the words of the version."""

    def authorize(self, id_token: str) -> Message:
        """Return an Authorize."""

    def token_status(self, answer: Payload) -> str | None:
        """Return the verdict on an id token in any answer; None if the answer has none."""

    def started(self, charge: Charge, situation: Situation) -> Message:
        """Return the message that begins a transaction."""

    def energized(self, charge: Charge, at: datetime, situation: Situation) -> Message | None:
        """Return the message that says energy flows, if the version has one."""

    def sampled(self, charge: Charge, sample: Sample, context: str, situation: Situation) -> Message:
        """Return a meter reading of a transaction."""

    def stopped(self, charge: Charge, situation: Situation) -> Message:
        """Return the message that ends a transaction."""

    def learn(self, charge: Charge, answer: Payload) -> None:
        """Take from the answer to the start what later messages need."""

    def loose_meter(self, connector: Connector, at: datetime, measurands: tuple[str, ...]) -> Message:
        """Return a meter reading outside any transaction."""
