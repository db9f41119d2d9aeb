"""F32: reports of 2.x stations through the database: out of order, again, with gaps, the last one first."""

import asyncio
import random
from typing import Any

import pytest

from shared_contracts.authorization import JudgeToken, TokenStatus
from shared_contracts.transactions import (
    JudgeTransactionReport,
    TransactionEnded,
    TransactionReport,
    TransactionReported,
    TransactionStarted,
    TransactionUpdated,
)
from tests.harness import Running, running
from tests.modules.transactions.messages import REF, accept, one_charge, reading, report, report_fields

FAKES: dict[Any, Any] = {JudgeToken: accept}


def judged(kind: str, sequence_number: int, minutes: float, **fields: Any) -> JudgeTransactionReport:
    return JudgeTransactionReport(**report_fields(kind, sequence_number, minutes, **fields))


async def _tell(strum: Running, told: TransactionReport) -> None:
    if told.id_token is None:
        assert isinstance(told, TransactionReported)
        await strum.publish(told)
    else:
        await strum.ask(JudgeTransactionReport(**told.model_dump()))


async def _only(strum: Running, **query: Any) -> dict[str, Any]:
    _, page = await strum.api().get("/transactions", **query)
    (found,) = page["items"]
    return {name: value for name, value in found.items() if name != "id"}


async def test_a_charge_is_told_report_by_report(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        *before, end = one_charge()
        for told in before:
            await _tell(strum, told)
        seen = await _only(strum)
        assert (seen["state"], seen["charging_state"], seen["energy_wh"]) == ("charging", "SuspendedEV", 2000)
        await _tell(strum, end)
        seen = await _only(strum)

        assert (seen["state"], seen["energy_wh"], seen["meter_stop_wh"]) == ("finished", 5000, 6000)
        (ended,) = await strum.hear(TransactionEnded)
        assert (ended.energy_wh, ended.reason, ended.revision) == (5000, "EVDisconnected", 1)
        (started,) = strum.heard(TransactionStarted)
        assert (started.remote_start_id, started.meter_start_wh) == (7, 1000)
        states = [event.charging_state for event in strum.heard(TransactionUpdated)]
        assert states == ["EVConnected", "Charging", "SuspendedEV", "Idle"]


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_ends_in_the_same_row(database: str, seed: int) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        for told in one_charge():
            await _tell(strum, told.model_copy(update={"station_id": "in-order"}))
        shuffled = [told.model_copy(update={"station_id": "shuffled"}) for told in one_charge() * 2]
        random.Random(seed).shuffle(shuffled)
        for told in shuffled:
            await _tell(strum, told)

        expected = await _only(strum, station_id="in-order") | {"station_id": "shuffled"}
        assert await _only(strum, station_id="shuffled") == expected


async def test_a_start_that_arrives_after_the_end_corrects_the_figures(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        started, *_, ended = one_charge()
        await _tell(strum, ended)
        await strum.hear(TransactionEnded)
        await _tell(strum, started)
        first, second = await strum.hear(TransactionEnded, 2)

        assert (first.energy_wh, first.flags, first.revision) == (None, ("start_missing",), 1)
        assert (second.energy_wh, second.id_token, second.revision) == (5000, "Ab1", 2)
        assert first.transaction_id == second.transaction_id
        assert len(strum.heard(TransactionStarted)) == 1


async def test_a_gap_is_flagged_and_holds_nothing_up_until_what_is_missing_comes(database: str) -> None:
    """2.0.1 E12: a station short of memory may drop reports between the first and the last."""
    async with running(database, "transactions", fakes=FAKES) as strum:
        started, *updates, ended = one_charge()
        for told in (ended, started, updates[0], updates[2], ended, started):
            await _tell(strum, told)
        seen = await _only(strum)
        assert (seen["state"], seen["energy_wh"], "sequence_gap" in seen["flags"]) == ("finished", 5000, True)

        await _tell(strum, updates[1])
        seen = await _only(strum)
        assert (seen["state"], seen["energy_wh"], "sequence_gap" in seen["flags"]) == ("finished", 5000, False)


async def test_a_repeated_report_changes_and_says_nothing(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        for _ in range(3):
            for told in one_charge():
                await _tell(strum, told)

        await strum.hear(TransactionUpdated, 4)
        counts = [len(strum.heard(kind)) for kind in (TransactionStarted, TransactionUpdated, TransactionEnded)]
        assert counts == [1, 4, 1]


async def test_equal_reports_at_once_are_one_transaction(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        message = judged("started", 0, 0, id_token="Ab1", token_type="ISO14443")
        answers = await asyncio.gather(*(strum.ask(message) for _ in range(20)))

        assert {answer.status for answer in answers} == {TokenStatus.ACCEPTED}
        assert (await _only(strum))["token_type"] == "ISO14443"
        await strum.hear(TransactionStarted)
        assert len(strum.heard(TransactionStarted)) == 1


async def test_a_batch_of_many_transactions_is_merged_at_once(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        told = [
            item.model_copy(update={"transaction_ref": f"r{number}", "id_token": None})
            for number in range(30)
            for item in one_charge()
        ]
        await strum.publish(*told)  # type: ignore[arg-type]  # all are events

        _, page = await strum.api().get("/transactions", state="finished", limit=100)
        assert {(item["transaction_ref"], item["energy_wh"]) for item in page["items"]} == {
            (f"r{number}", 5000) for number in range(30)
        }


async def test_a_retry_gets_the_verdict_of_the_first(database: str) -> None:
    verdicts = [TokenStatus.ACCEPTED, TokenStatus.BLOCKED, TokenStatus.BLOCKED]

    def judge(request: JudgeToken) -> Any:
        return accept(request).model_copy(update={"status": verdicts.pop(0)})

    async with running(database, "transactions", fakes={JudgeToken: judge}) as strum:
        first = await strum.ask(judged("started", 0, 0, id_token="Ab1"))
        retry = await strum.ask(judged("started", 0, 0, id_token="aB1"))
        stopping = await strum.ask(judged("ended", 1, 9, id_token="Ab1"))

        assert (first.status, retry.status) == (TokenStatus.ACCEPTED, TokenStatus.ACCEPTED)
        assert stopping.status is TokenStatus.BLOCKED
        assert (await _only(strum))["authorization"] == "accepted"


async def test_a_start_on_an_occupied_evse_leaves_the_older_flagged(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        await strum.publish(report("started", 0, 0, evse_id=1), report("updated", 1, 1, charging_state="Charging"))
        await strum.publish(report("started", 0, 5, evse_id=2, transaction_ref="other"))
        await strum.publish(report("started", 0, 9, evse_id=1, transaction_ref="newer"))
        await strum.publish(report("updated", 2, 10, charging_state="SuspendedEV"))

        _, page = await strum.api().get("/transactions")
        assert {item["transaction_ref"]: item["flags"] for item in page["items"]} == {
            REF: ["abandoned"],
            "other": [],
            "newer": [],
        }


async def test_the_same_id_at_another_station_is_another_transaction(database: str) -> None:
    """Some stations count their transactions from 1 again at every boot."""
    async with running(database, "transactions", fakes=FAKES) as strum:
        await strum.publish(report("started", 0, 0), report("started", 0, 0, station_id="CS2"))
        await strum.publish(report("ended", 1, 9, station_id="CS2"))

        assert (await _only(strum, station_id="CS1"))["state"] == "charging"
        assert (await _only(strum, station_id="CS2"))["state"] == "finished"


async def test_a_token_with_an_open_transaction_is_refused_on_demand_but_never_itself(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES, transactions={"refuse_concurrent": True}) as strum:
        for minutes in (0, 0):
            answer = await strum.ask(judged("started", 0, minutes, id_token="Ab1"))
            assert answer.status is TokenStatus.ACCEPTED
        other = await strum.ask(judged("started", 0, 1, id_token="AB1", transaction_ref="other"))
        ending = await strum.ask(judged("ended", 1, 2, id_token="Ab1"))

        assert other.status is TokenStatus.CONCURRENT_TX
        assert ending.status is TokenStatus.ACCEPTED


async def test_a_refused_token_stays_refused_however_often_it_is_told(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES, transactions={"refuse_concurrent": True}) as strum:
        await strum.ask(judged("started", 0, 0, id_token="Ab1"))
        there = {"id_token": "Ab1", "station_id": "CS2"}
        await strum.publish(report("started", 0, 1, station_id="CS2", transaction_ref="plugged in first"))
        told = [judged("started", 0, 1, **there), judged("started", 0, 1, **there), judged("updated", 1, 2, **there)]
        told.append(judged("updated", 1, 2, transaction_ref="plugged in first", **there))
        for message in told:
            assert (await strum.ask(message)).status is TokenStatus.CONCURRENT_TX
        _, page = await strum.api().get("/transactions", station_id="CS2")
        assert {item["authorization"] for item in page["items"]} == {"concurrent_tx"}
        again = await strum.ask(judged("updated", 1, 3, id_token="Ab1"))
        assert again.status is TokenStatus.ACCEPTED


async def test_an_id_that_is_used_for_two_charges_is_not_billed_unseen(database: str) -> None:
    first = [report("started", 0, 0, readings=(reading(0, 1000),)), report("ended", 1, 9, readings=(reading(9, 5000),))]
    second = [
        report("started", 0, 60, readings=(reading(60, 8000),)),
        report("ended", 1, 90, readings=(reading(90, 15000),)),
    ]
    async with running(database, "transactions", fakes=FAKES) as strum:
        await strum.publish(*first, *first)
        assert (await _only(strum))["flags"] == []
        await strum.publish(*second)

        assert (await _only(strum))["flags"] == ["suspect", "transaction_id_reused"]
        assert (await strum.hear(TransactionEnded, 2))[-1].flags == ("suspect", "transaction_id_reused")


async def test_a_start_that_is_repeated_by_a_station_without_a_clock_is_one(database: str) -> None:
    flags = ("time_absent",)
    async with running(database, "transactions", fakes=FAKES) as strum:
        await strum.publish(report("started", 0, 0, flags=flags), report("started", 0, 1, flags=flags))

        assert (await _only(strum))["flags"] == ["time_absent"]


async def test_hostile_text_and_numbers_are_stored(database: str) -> None:
    text = "'; \u202e=cmd()<b>"
    async with running(database, "transactions", fakes=FAKES) as strum:
        fields = {"transaction_ref": text, "charging_state": text, "trigger_reason": text, "flags": (text,)}
        await strum.publish(
            report("updated", 2**31 - 1, 0, evse_id=-(2**31), readings=(reading(0, -(2**62)),), **fields),
            report("ended", -(2**31), 9, stopped_reason=text, readings=(reading(9, 2**62),), **fields),
        )

        seen = await _only(strum)
        assert (seen["transaction_ref"], seen["reason"], seen["energy_wh"]) == (text, text, 2**62)
