"""What the oracle does not look at: the event store and the figures, which other modules derive from transactions."""

import asyncio
from collections import Counter
from datetime import datetime

from shared_contracts.stations import StationDisconnected
from shared_contracts.transactions import TransactionEnded, TransactionStarted
from tests.e2e.oracle import Findings, compare
from tests.e2e.stack import Stack
from tests.faults.fleets import Charging

_PATIENCE_S = 60.0


async def verdict(stations: Charging, strum: Stack) -> Findings:
    """End all charges and examine everything. A transaction that stays open is a finding, not an error."""
    try:
        findings = await stations.settled(strum, within_s=_PATIENCE_S)
    except AssertionError:
        findings = await compare(stations.ledger, strum)
    return await examine_further(strum, findings)


async def examine_further(strum: Stack, findings: Findings) -> Findings:
    """Add what other modules made of the transactions: events that are missing or stored twice, sessions."""
    findings.doubled += await _stored_twice(strum)
    findings.lost += await _missing(strum)
    await _examine_sessions(strum, findings)
    return findings


async def taken_for_gone(strum: Stack) -> dict[str, datetime]:
    """When each station was last said to be gone because nothing was heard of its pod."""
    events = await strum.pages("/events", key=StationDisconnected.key)
    told = [StationDisconnected.model_validate(event["payload"]) for event in events]
    silent = sorted((event for event in told if event.reason == "pod_silent"), key=lambda event: event.disconnected_at)
    return {event.station_id: event.disconnected_at for event in silent}


async def _stored_twice(strum: Stack) -> list[str]:
    """Events of stations that the event store has more than once: a delivery was processed again.

    Those of modules may be there twice: an outbox is published again if nobody heard that it was published.
    """
    events = [event for event in await strum.pages("/events") if event["key"].startswith("stations.")]
    counts = Counter((event["key"], event["id"]) for event in events)
    return [f"{key} {event_id}" for (key, event_id), count in counts.items() if count > 1]


async def _missing(strum: Stack) -> list[str]:
    """Starts and ends that nobody was told of, after a while."""
    until = asyncio.get_running_loop().time() + _PATIENCE_S
    while missing := await _untold(strum):
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(1.0)
    return missing


async def _untold(strum: Stack) -> list[str]:
    transactions = await strum.pages("/transactions")
    untold: list[str] = []
    for key, at in ((TransactionStarted.key, "started_at"), (TransactionEnded.key, "ended_at")):
        told = {event["payload"]["transaction_id"] for event in await strum.pages("/events", key=key)}
        happened = {transaction["id"] for transaction in transactions if transaction[at] is not None}
        untold += [f"{key} of {transaction}" for transaction in happened - told]
    return untold


async def _examine_sessions(strum: Stack, findings: Findings) -> None:
    """As many sessions in the statistics as transactions that are over."""
    ended = sum(transaction["ended_at"] is not None for transaction in await strum.pages("/transactions"))
    try:
        await strum.eventually("/statistics/totals", lambda totals: totals["sessions"] >= ended, within_s=_PATIENCE_S)
    except AssertionError as error:
        findings.lost.append(f"sessions of {ended} transactions: {error}")
    sessions = (await strum.get("/statistics/totals"))["sessions"]
    findings.checked["sessions"] = sessions
    if sessions > ended:
        findings.doubled.append(f"{sessions} sessions of {ended} transactions")
