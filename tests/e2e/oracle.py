"""Compares what simulated stations lived through with what the API shows: lost, doubled, unexpected."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator import Ledger
from simulator.ledger import TransactionRecord
from tests.e2e.stack import Stack

_CLOSE = timedelta(milliseconds=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Findings:
    """What does not fit. Empty lists are the promise kept."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.wrong or self.unexpected)


async def compare(ledger: Ledger, strum: Stack, *, samples: bool = True) -> Findings:
    """Hold the ledger against the API. With `samples` every meter sample of every transaction too."""
    findings = Findings()
    shown: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for transaction in await strum.pages("/transactions"):
        shown.setdefault((transaction["station_id"], transaction["transaction_ref"]), []).append(transaction)
    for record in ledger.transactions:
        key = (record.station_id, str(record.transaction_id))
        found = shown.pop(key, [])
        if len(found) > 1:
            findings.doubled.append(f"{key}: {len(found)} transactions")
        if found:
            await _compare_one(record, found[0], strum, findings, samples=samples)
        elif record.start_acknowledged:
            findings.lost.append(f"{key}: the start was acknowledged")
    for key, extra in shown.items():
        if not _may_be_unknown_to_the_station(key, ledger):
            findings.unexpected.append(f"{key}: {len(extra)}")
    return findings


def _may_be_unknown_to_the_station(key: tuple[str, str], ledger: Ledger) -> bool:
    """A 1.6 start whose answer was lost: the station does not know its number yet."""
    return any(
        record.station_id == key[0] and record.version == "1.6" and record.csms_transaction_id is None
        for record in ledger.transactions
    )


async def _compare_one(
    record: TransactionRecord, shown: dict[str, Any], strum: Stack, findings: Findings, *, samples: bool
) -> None:
    name = f"{record.station_id} {record.transaction_id}"
    findings.checked["transactions"] += 1
    if record.stop_acknowledged:
        findings.checked["stops"] += 1
        if shown["ended_at"] is None:
            findings.lost.append(f"{name}: the stop was acknowledged, the transaction is still open")
            return
        if shown["energy_wh"] != record.energy_wh:
            findings.wrong.append(f"{name}: {shown['energy_wh']} Wh instead of {record.energy_wh}")
        assert record.stopped_at is not None
        if abs(datetime.fromisoformat(shown["ended_at"]) - record.stopped_at) > _CLOSE:
            findings.wrong.append(f"{name}: ended {shown['ended_at']} instead of {record.stopped_at}")
    if abs(datetime.fromisoformat(shown["started_at"]) - record.started_at) > _CLOSE:
        findings.wrong.append(f"{name}: started {shown['started_at']} instead of {record.started_at}")
    if samples:
        await _compare_samples(record, shown, strum, findings)


async def _compare_samples(record: TransactionRecord, shown: dict[str, Any], strum: Stack, findings: Findings) -> None:
    values = await strum.pages(f"/transactions/{shown['id']}/meter-values")
    stored = Counter((_rounded(value["sampled_at"]), value["energy_wh"]) for value in values)
    for sample in record.samples:
        count = stored[_rounded(sample.at.isoformat()), sample.wh]
        findings.checked["samples"] += sample.acknowledged
        if sample.acknowledged and count == 0:
            findings.lost.append(f"{record.station_id} {record.transaction_id}: sample of {sample.at}")
        if count > 1:
            findings.doubled.append(f"{record.station_id} {record.transaction_id}: sample of {sample.at} {count} times")


def _rounded(text: str) -> int:
    """Milliseconds, cut off as on the wire."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
