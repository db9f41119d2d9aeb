"""A transaction as the facts of its reports make it (OCPP 2.x)."""

from dataclasses import replace
from datetime import datetime

from modules.transactions.domain.facts import Facts, is_complete
from modules.transactions.domain.starts_and_stops import REPLACED
from modules.transactions.domain.transaction import (
    ABANDONED,
    CLOCK_JUMP,
    SEQUENCE_GAP,
    START_MISSING,
    SUSPECT,
    TRANSACTION_ID_REUSED,
    Transaction,
    duration_s,
    energy_between,
    state_after,
    with_flags,
)
from shared_contracts.authorization import TokenStatus


def with_facts(transaction: Transaction, facts: Facts, *, rollover_wh: int | None = None) -> Transaction:
    """The transaction with everything that follows from the facts, and from nothing else."""
    token = facts.token
    known = replace(
        transaction,
        facts=facts,
        started_at=started_at(facts),
        received_at=facts.received_at,
        evse_id=facts.evse_id and facts.evse_id[2],
        connector_id=facts.connector_id and facts.connector_id[2],
        remote_start_id=facts.remote_start_id and facts.remote_start_id[2],
        charging_state=facts.charging_state and facts.charging_state[2],
        id_token=token and (token.value or None),
        token_type=token and (token.type or None),
        driver_id=token and (token.driver_id or None),
        authorization=TokenStatus(token.status) if token and token.status else None,
        meter_start_wh=facts.opening and facts.opening.energy_wh,
        offline=facts.offline,
        last_sequence_number=facts.last_sequence_number,
        flags=with_flags(facts.flags, *_reused(facts), *(flag for flag in transaction.flags if flag == ABANDONED)),
    )
    return known if facts.ended is None else _ended(known, facts, facts.ended[0], facts.ended[2], rollover_wh)


def started_at(facts: Facts) -> datetime:
    """When it began; until that report arrives, the earliest time that any report tells of."""
    return facts.started[0] if facts.started else facts.earliest_at


def _reused(facts: Facts) -> tuple[str, ...]:
    """Two starts at different times are two charges; but where the time of receipt stands in, a repeat differs too."""
    first, last = facts.started, facts.started_last
    if first is None or last is None or first[0] == last[0] or any(flag.startswith(REPLACED) for flag in facts.flags):
        return ()
    return (SUSPECT, TRANSACTION_ID_REUSED)


def _ended(
    transaction: Transaction, facts: Facts, ended_at: datetime, reason: str, rollover_wh: int | None
) -> Transaction:
    energy_wh, odd = _energy(facts, duration_s(transaction.started_at, ended_at), rollover_wh)
    if ended_at < transaction.started_at:
        odd = (*odd, CLOCK_JUMP)
    if facts.started is None:
        odd = (*odd, START_MISSING)
    if not is_complete(facts):
        odd = (*odd, SEQUENCE_GAP)
    return replace(
        transaction,
        ended_at=ended_at,
        reason=reason,
        state=state_after(reason),
        meter_stop_wh=facts.closing and facts.closing.energy_wh,
        energy_wh=energy_wh,
        flags=with_flags(transaction.flags, *odd),
    )


def _energy(facts: Facts, lasted_s: int, rollover_wh: int | None) -> tuple[int | None, tuple[str, ...]]:
    """From the opening to the closing reading; None where there is one reading only, or none."""
    opening, closing = facts.opening, facts.closing
    if opening is None or closing is None or opening[1:] == closing[1:]:
        return None, ()
    return energy_between(opening.energy_wh, closing.energy_wh, lasted_s, rollover_wh=rollover_wh)
