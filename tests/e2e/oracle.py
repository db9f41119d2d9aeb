"""Compares what simulated stations lived through with what the API shows: lost, doubled, out of order, unexpected."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from typing import Any

from shared_contracts.stations import MetersSampled
from shared_contracts.transactions import TransactionEnded, TransactionReported, TransactionStarted
from simulator import Ledger
from simulator.ledger import TransactionRecord
from tests.e2e.stack import Stack

_CLOSE = timedelta(milliseconds=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ON_THE_WAY_S = 10.0
_ORDERED = {TransactionStarted.key, MetersSampled.key, TransactionReported.key, TransactionEnded.key}

Key = tuple[str, str]
"""A station, and the id that both sides use for a transaction of it."""


class Step(IntEnum):
    """What events tell of a transaction, in the order in which it happens."""

    STARTED = 0
    """By a module, which has answered the station already: its event may come after what the station said next."""
    SAID = 1
    """By the station: a 1.6 sample, or a 2.x report."""
    ENDED = 2
    """By a module, once it was told."""


@dataclass
class Findings:
    """What does not fit. Empty lists are the promise kept."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    recovered: Counter[str] = field(default_factory=Counter)
    """Starts, stops and samples that are stored, though the answer never reached the station: allowed."""
    checked: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.wrong or self.out_of_order or self.unexpected)


async def compare(ledger: Ledger, strum: Stack, *, samples: bool = True) -> Findings:
    """Hold the ledger against the API. With `samples` every meter sample of every transaction too."""
    findings = Findings()
    shown: dict[Key, list[dict[str, Any]]] = {}
    for transaction in await strum.pages("/transactions"):
        shown.setdefault((transaction["station_id"], transaction["transaction_ref"]), []).append(transaction)
    await _compare_order(ledger, strum, findings)
    for record in ledger.transactions:
        key = _key(record)
        found = shown.pop(key, [])
        if len(found) > 1:
            findings.doubled.append(f"{key}: {len(found)} transactions")
        if found:
            await _compare_one(record, found[0], strum, findings, samples=samples)
        elif record.start_acknowledged:
            findings.lost.append(f"{key}: the start was acknowledged")
    for key, extra in shown.items():
        if _may_be_unknown_to_the_station(key, ledger):
            findings.recovered["starts"] += len(extra)
        else:
            findings.unexpected.append(f"{key}: {len(extra)}")
    return findings


def out_of_order(events: Iterable[dict[str, Any]]) -> list[str]:
    """What of one transaction was stored after something that it should come before; `events` oldest first.

    A station's events reach a module in the order in which it was answered, and a module's in that of its commits: so
    samples are stored by time, reports by number, and the end after all of them. Stations repeat: the first counts.
    """
    steps = list(dict.fromkeys(_step(event) for event in events))
    late: list[str] = []
    for untold in (Step.STARTED, Step.SAID):
        told = [step for step in steps if step[0] is not untold]
        late += [f"{after} after {before}" for before, after in pairwise(told) if after < before]
    return late


async def _compare_order(ledger: Ledger, strum: Stack, findings: Findings) -> None:
    """Of each transaction that is told whole: what a station gave up may be stored any time later, or never."""
    await _ends_stored(ledger, strum)
    for station_id in {record.station_id for record in ledger.transactions}:
        stored = await _events(station_id, strum)
        for record in ledger.transactions:
            key = _key(record)
            if record.station_id == station_id and not record.discarded:
                findings.checked["events"] += len(stored[key])
                findings.out_of_order += [f"{key}: {late}" for late in out_of_order(stored[key])]


async def _ends_stored(ledger: Ledger, strum: Stack) -> None:
    """Wait a while for the ends that were acknowledged: what is stored after all else of a transaction."""
    ended = {_key(record) for record in ledger.transactions if record.stop_acknowledged}
    until = asyncio.get_running_loop().time() + _ON_THE_WAY_S
    while asyncio.get_running_loop().time() < until:
        if ended <= {_key_of(event) for event in await strum.pages("/events", key=TransactionEnded.key)}:
            return
        await asyncio.sleep(0.5)


async def _events(station_id: str, strum: Stack) -> dict[Key, list[dict[str, Any]]]:
    """What the event store has of each transaction of a station, oldest first."""
    stored: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
    for event in reversed(await strum.pages("/events", station_id=station_id)):
        if event["key"] in _ORDERED:
            stored[_key_of(event)].append(event)
    return stored


def _step(event: dict[str, Any]) -> tuple[Step, int]:
    match event["key"], event["payload"]:
        case MetersSampled.key, payload:
            return Step.SAID, _rounded(payload["readings"][0]["sampled_at"])
        case TransactionReported.key, payload:
            return Step.SAID, payload["sequence_number"]
        case TransactionStarted.key, _:
            return Step.STARTED, 0
    return Step.ENDED, 0


def _key(record: TransactionRecord) -> Key:
    return record.station_id, str(record.transaction_id)


def _key_of(event: dict[str, Any]) -> Key:
    return event["payload"]["station_id"], event["payload"].get("transaction_ref") or ""


def _may_be_unknown_to_the_station(key: Key, ledger: Ledger) -> bool:
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
    findings.recovered["starts"] += not record.start_acknowledged
    if record.stopped_at is not None and not record.stop_acknowledged:
        findings.recovered["stops"] += shown["ended_at"] is not None
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
        findings.recovered["samples"] += count > 0 and not sample.acknowledged
        if sample.acknowledged and count == 0:
            findings.lost.append(f"{record.station_id} {record.transaction_id}: sample of {sample.at}")
        if count > 1:
            findings.doubled.append(f"{record.station_id} {record.transaction_id}: sample of {sample.at} {count} times")


def _rounded(text: str) -> int:
    """Milliseconds, cut off as on the wire."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
