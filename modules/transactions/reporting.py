"""A 2.x station reports on its transactions: a batch of reports is merged into their rows at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from modules.kernel.errors import Unavailable
from modules.kernel.work import Work
from modules.transactions import events, judging, metering
from modules.transactions.domain.facts import Facts, facts_of, join
from modules.transactions.domain.figures import started_at, with_facts
from modules.transactions.domain.transaction import Transaction
from modules.transactions.repository import reports, samples
from modules.transactions.repository.reports import Key
from modules.transactions.settings import TransactionsSettings
from shared_contracts.authorization import TokenJudged, TokenStatus, fold_token
from shared_contracts.message import new_id
from shared_contracts.transactions import JudgeTransactionReport, TransactionReport, TransactionReportJudged

_ATTEMPTS = 5


async def merge(work: Work, told: Sequence[TransactionReport]) -> None:
    """Take what reports without a token to judge say."""
    merged: dict[Key, Facts] = {}
    for report in told:
        _gather(merged, report, None)
    await _merge(work, merged)
    await _store_readings(work, told)


async def judge_and_merge(work: Work, report: JudgeTransactionReport) -> TransactionReportJudged:
    """Take what a report says, and judge its token; a repeat gets the verdict that was stored."""
    judged = await judging.judge(work, report.station_id, report.id_token or "", report.token_type)
    key = (report.station_id, report.transaction_ref)
    if report.kind != "ended":
        judged = await _unless_concurrent(work, key, report, judged)
    merged: dict[Key, Facts] = {}
    _gather(merged, report, judged)
    known = await _merge(work, merged)
    await _store_readings(work, [report])
    status = _stored_verdict(known[key], report) or judged.status
    return TransactionReportJudged(status=status, expires_at=judged.expires_at, group=judged.group)


async def _unless_concurrent(work: Work, key: Key, report: JudgeTransactionReport, judged: TokenJudged) -> TokenJudged:
    """A token that was accepted for this transaction stays so, whatever it is used for elsewhere later."""
    verdict = await judging.unless_concurrent(work, report.id_token or "", judged, besides=key)
    if verdict.status is judged.status:
        return judged
    known = (await reports.lock(work, [key])).get(key)
    token = known.facts.token if known and known.facts else None
    was_accepted = (
        token is not None and token.status == TokenStatus.ACCEPTED and token.folded == fold_token(report.id_token or "")
    )
    return judged if was_accepted else verdict


def _gather(merged: dict[Key, Facts], report: TransactionReport, judged: TokenJudged | None) -> None:
    key, facts = (report.station_id, report.transaction_ref), facts_of(report, judged)
    merged[key] = join(merged[key], facts) if key in merged else facts


async def _merge(work: Work, told: Mapping[Key, Facts]) -> Mapping[Key, Transaction]:
    """Join the facts with what is stored; a transaction that another work stores meanwhile is looked at again."""
    missing, known = dict(told), dict[Key, Transaction]()
    for _ in range(_ATTEMPTS):
        stored = await reports.lock(work, missing.keys())
        known |= await _change(work, stored, missing)
        new = [_begun(work, key, facts) for key, facts in missing.items() if key not in stored]
        added = await reports.add(work, new) if new else set()
        for transaction in new:
            if transaction.key in added:
                known[transaction.key] = transaction
                await _tell(work, None, transaction)
        missing = {key: facts for key, facts in missing.items() if key not in known}
        if not missing:
            return known
    raise Unavailable("Others kept storing the same transactions.")


async def _change(work: Work, stored: Mapping[Key, Transaction], told: Mapping[Key, Facts]) -> dict[Key, Transaction]:
    known, changed = dict(stored), []
    for key, before in stored.items():
        facts = told[key] if before.facts is None else join(before.facts, told[key])
        if facts != before.facts:
            known[key] = _numbered(before, _with_facts(work, before, facts))
            changed.append(known[key])
    await reports.save(work, changed)
    for after in changed:
        await _tell(work, stored[after.key], after)
    return known


def _begun(work: Work, key: Key, facts: Facts) -> Transaction:
    station_id, ref = key
    blank = Transaction(new_id(), station_id, ref, started_at(facts), facts.received_at)
    return _numbered(blank, _with_facts(work, blank, facts))


def _with_facts(work: Work, transaction: Transaction, facts: Facts) -> Transaction:
    return with_facts(transaction, facts, rollover_wh=work.resource(TransactionsSettings).register_rollover_wh)


def _numbered(before: Transaction, after: Transaction) -> Transaction:
    """The transaction with the next `ended_revision`, where its end, or the figures of its end, are new."""
    if events.ended(before) == events.ended(after):
        return after
    return replace(after, ended_revision=before.ended_revision + 1)


async def _tell(work: Work, before: Transaction | None, after: Transaction) -> None:
    """Publish what is new: the start when its report arrived, whenever that is."""
    known = before.facts if before else None
    facts = after.facts
    assert facts is not None
    if facts.started and not (known and known.started):
        work.publish(events.started(after), occurred_at=after.started_at)
        if after.evse_id is not None:
            await reports.flag_abandoned(work, after)
    if facts.charging_state and after.charging_state != (before and before.charging_state):
        happened_at, _, state = facts.charging_state
        work.publish(events.updated(after, state, happened_at), occurred_at=happened_at)
    ended = events.ended(after)
    if ended and after.ended_revision != (before.ended_revision if before else 0):
        work.publish(ended, occurred_at=ended.ended_at)


def _stored_verdict(transaction: Transaction, report: JudgeTransactionReport) -> TokenStatus | None:
    """The verdict on exactly this use of a token, if it is the one that the transaction was begun with."""
    token = transaction.facts and transaction.facts.token
    if not token or (token.at, token.sequence_number) != (report.happened_at, report.sequence_number):
        return None
    return TokenStatus(token.status) if token.status and token.folded == fold_token(report.id_token or "") else None


async def _store_readings(work: Work, told: Sequence[TransactionReport]) -> None:
    rows = [
        record
        for report in told
        for record in metering.records(
            report.station_id,
            report.transaction_ref,
            report.evse_id,
            report.connector_id,
            report.readings,
            report.flags,
            work.now,
        )
    ]
    await samples.store(work, rows)
