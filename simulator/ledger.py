"""The oracle of load and fault tests: what stations sent, and what the central system acknowledged.

Every transmission of a call is one `SentCall`; those of the same fact share a `key`. Every charge is one
`TransactionRecord`, with each meter sample and whether it was acknowledged. After a fault, whatever is
acknowledged here must be found in the central system exactly once, whatever is not may be.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from simulator.latency import Latencies
from simulator.outcome import Answered, Outcome, Refused, Unanswered


class Class(StrEnum):
    """What became of a call."""

    PENDING = "pending"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass
class SentCall:
    """One transmission of a call. Times are real UTC, not the station's."""

    station_id: str
    action: str
    message_id: str
    key: str
    sent_at: datetime
    outcome: Class = Class.PENDING
    settled_at: datetime | None = None
    detail: str | None = None
    transaction_id: str | int | None = None


@dataclass
class Sample:
    """A reading of the energy register during a charge, by the station's clock."""

    at: datetime
    wh: int
    acknowledged: bool = False


@dataclass
class TransactionRecord:
    """One charge as the station lived it; energy in Wh, times by the station's clock.

    `station_transaction_id` is the station's own (on the wire in 2.x), `csms_transaction_id` the one the
    central system gave (1.6). `discarded` holds the keys of messages the station gave up on.
    """

    station_id: str
    version: str
    connector: int
    id_token: str
    station_transaction_id: str
    started_at: datetime
    meter_start_wh: int
    csms_transaction_id: int | None = None
    stopped_at: datetime | None = None
    meter_stop_wh: int | None = None
    reason: str | None = None
    samples: list[Sample] = field(default_factory=list)
    start_acknowledged: bool = False
    stop_acknowledged: bool = False
    discarded: list[str] = field(default_factory=list)

    @property
    def transaction_id(self) -> str | int | None:
        """The id both sides know: the central system's in 1.6, the station's in 2.x."""
        return self.csms_transaction_id if self.version == "1.6" else self.station_transaction_id

    @property
    def energy_wh(self) -> int:
        """The energy so far: up to the stop, or else up to the last sample."""
        if self.meter_stop_wh is not None:
            return self.meter_stop_wh - self.meter_start_wh
        return (self.samples[-1].wh if self.samples else self.meter_start_wh) - self.meter_start_wh


class Ledger:
    """Collects the records of any number of stations.

    With `keep=False` it only counts, so that a demo may run for weeks.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.keep = keep
        self.calls: list[SentCall] = []
        self.transactions: list[TransactionRecord] = []
        self.counts: Counter[str] = Counter()
        self.by_action: Counter[tuple[str, Class]] = Counter()
        self.latencies = Latencies()

    def sending(self, *, station_id: str, action: str, message_id: str, key: str) -> SentCall:
        """Record that a call goes out now. Call it before the send."""
        sent = SentCall(station_id, action, message_id, key, datetime.now(UTC))
        self.counts["sent"] += 1
        if self.keep:
            self.calls.append(sent)
        return sent

    def settle(self, sent: SentCall, outcome: Outcome, *, latency_s: float) -> None:
        """Record what became of a call."""
        sent.settled_at = datetime.now(UTC)
        match outcome:
            case Answered(payload):
                sent.outcome = Class.ANSWERED
                sent.transaction_id = payload.get("transactionId")
                self.latencies.add(latency_s)
            case Refused(code, description):
                sent.outcome, sent.detail = Class.REFUSED, f"{code}: {description}"
            case Unanswered(reason):
                sent.outcome, sent.detail = Class.UNANSWERED, reason
        self.counts[sent.outcome.value] += 1
        self.by_action[sent.action, sent.outcome] += 1

    def began(self, transaction: TransactionRecord) -> None:
        """Record that a charge began."""
        self.counts["charges_started"] += 1
        if self.keep:
            self.transactions.append(transaction)

    def ended(self, transaction: TransactionRecord) -> None:
        """Record that a charge ended; the figures are in the transaction."""
        self.counts["charges_finished"] += 1
        self.counts["energy_wh"] += transaction.energy_wh

    def discarded(self, transaction: TransactionRecord | None, key: str) -> None:
        """Record that a station gave up on a transaction message."""
        self.counts["discarded"] += 1
        if transaction is not None:
            transaction.discarded.append(key)

    def facts(self) -> Iterator[tuple[str, list[SentCall]]]:
        """Yield each logical key with its transmissions, in the order of the first."""
        grouped: dict[str, list[SentCall]] = {}
        for call in self.calls:
            grouped.setdefault(call.key, []).append(call)
        yield from grouped.items()

    def outcome_of(self, key: str) -> Class:
        """Return what became of a fact: answered if any transmission was, else as the latest."""
        attempts = [call.outcome for call in self.calls if call.key == key]
        if Class.ANSWERED in attempts:
            return Class.ANSWERED
        return attempts[-1] if attempts else Class.PENDING

    def of(self, station_id: str, action: str | None = None) -> list[SentCall]:
        """Return the transmissions of a station, of one action if asked."""
        return [c for c in self.calls if c.station_id == station_id and action in {None, c.action}]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values: `counts`, `transactions`, `calls`."""
        return {
            "counts": dict(self.counts),
            "transactions": [
                asdict(t) | {"transaction_id": t.transaction_id, "energy_wh": t.energy_wh} for t in self.transactions
            ],
            "calls": [asdict(call) for call in self.calls],
        }

    def dump(self, path: Path) -> None:
        """Write everything as JSON."""
        path.write_bytes(orjson.dumps(self.as_dict(), option=orjson.OPT_INDENT_2))
