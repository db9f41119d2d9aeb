"""One charge: a vehicle at a connector, drawing energy until it ends."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from simulator.call import OutgoingCall
from simulator.ledger import Sample, TransactionRecord


class StillCharging(Exception):
    """The end of a charge was asked for before it ended."""

    def __init__(self, transaction: str) -> None:
        super().__init__(f"transaction {transaction} has not ended")
        self.transaction = transaction


@dataclass(eq=False)
class Charge:
    """A running or ended charge; its facts are in `record`, which the ledger keeps.

    `over` is set when the charge has ended, its stop was tried, and the vehicle is unplugged.

    `numbers` gives the sequence numbers of its messages: seqNo in OCPP 2.x. `remote_start_id` is set for a
    charge that was started remotely.
    """

    record: TransactionRecord
    power_w: int
    remote_start_id: int | None = None
    reservation_id: int | None = None
    numbers: Iterator[int] = field(default_factory=count)
    task: asyncio.Task[None] | None = None
    start: OutgoingCall | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ended(self) -> bool:
        """Whether the vehicle stopped drawing energy."""
        return self.record.stopped_at is not None

    @property
    def stopped_at(self) -> datetime:
        """When it ended; only to be asked of an ended charge."""
        if self.record.stopped_at is None:
            raise StillCharging(self.record.station_transaction_id)
        return self.record.stopped_at

    @property
    def stop_wh(self) -> int:
        """The register when it ended, in Wh; only to be asked of an ended charge."""
        if self.record.meter_stop_wh is None:
            raise StillCharging(self.record.station_transaction_id)
        return self.record.meter_stop_wh

    def register_wh(self, at: datetime) -> int:
        """Return the energy register in Wh at a time of the charge: whole, and never decreasing."""
        seconds = max(0.0, (at - self.record.started_at).total_seconds())
        return self.record.meter_start_wh + int(self.power_w * seconds / 3600)

    def sample(self, at: datetime) -> Sample:
        """Read the register and remember the reading."""
        sample = Sample(at, self.register_wh(at))
        self.record.samples.append(sample)
        return sample

    def end(self, at: datetime, reason: str) -> None:
        """Stop drawing energy."""
        self.record.stopped_at = at
        self.record.meter_stop_wh = self.register_wh(at)
        self.record.reason = reason
