import asyncio
from typing import Any

import pytest

from shared_contracts.authorization import JudgeToken, TokenStatus
from shared_contracts.transactions import TransactionClosed, TransactionEnded, TransactionState
from shared_contracts.users import Role
from tests.harness import Running, running
from tests.modules.transactions.messages import accept, at, reading, start, stop

FAKES: dict[Any, Any] = {JudgeToken: accept}


async def _one(strum: Running, number: int) -> dict[str, Any]:
    _, page = await strum.api().get("/transactions")
    (found,) = [item for item in page["items"] if item["transaction_ref"] == str(number)]
    return dict(found)


async def _unmatched(strum: Running) -> list[tuple[int, str]]:
    _, page = await strum.api(Role.OPERATOR).get("/transactions/unmatched-reports")
    return [(item["number"], item["problem"]) for item in page["items"]]


async def test_a_stop_ends_the_transaction(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        number = (await strum.ask(start())).number
        answer = await strum.ask(stop(number, id_token="blocked", reason="EmergencyStop"))

        assert (answer.status, answer.group) == (TokenStatus.BLOCKED, "fleet")
        seen = await _one(strum, number)
        assert (seen["state"], seen["reason"], seen["energy_wh"], seen["duration_s"]) == (
            "failed",
            "EmergencyStop",
            7000,
            3600,
        )
        (ended,) = await strum.hear(TransactionEnded)
        assert (ended.state, ended.energy_wh, ended.revision) == (TransactionState.FAILED, 7000, 1)
        assert (ended.started_at, ended.ended_at) == (at(0), at(60))


async def test_a_stop_is_stored_though_nobody_can_judge_its_token(database: str) -> None:
    verdicts = [TokenStatus.ACCEPTED]

    def judge(request: JudgeToken) -> Any:
        return accept(request).model_copy(update={"status": verdicts.pop()})

    async with running(database, "transactions", fakes={JudgeToken: judge}) as strum:
        number = (await strum.ask(start())).number

        assert await strum.ask(stop(number, id_token="Ab1")) == TransactionClosed()
        assert (await _one(strum, number))["state"] == "finished"


async def test_equal_stops_at_once_end_it_once(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        number = (await strum.ask(start())).number
        message = stop(number, readings=(reading(0, 1000), reading(60, 8000)))
        await asyncio.gather(*(strum.ask(message) for _ in range(10)))

        await strum.hear(TransactionEnded)
        assert len(strum.heard(TransactionEnded)) == 1
        assert await _unmatched(strum) == []
        _, values = await strum.api().get(f"/transactions/{(await _one(strum, number))['id']}/meter-values")
        assert [item["energy_wh"] for item in values["items"]] == [1000, 8000]


async def test_another_stop_of_what_is_over_changes_nothing_and_is_kept(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        number = (await strum.ask(start())).number
        await strum.ask(stop(number))
        before = await _one(strum, number)
        for _ in range(2):
            await strum.ask(stop(number, meter_stop_wh=9999))

        assert await _one(strum, number) == before
        assert await _unmatched(strum) == [(number, "already_over")]


async def test_a_station_cannot_stop_what_is_another_ones(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        number = (await strum.ask(start())).number
        answer = await strum.ask(stop(number, station_id="CS2"))

        assert answer == TransactionClosed()
        assert (await _one(strum, number))["state"] == "charging"
        assert await _unmatched(strum) == [(number, "unknown_number")]


@pytest.mark.parametrize("number", [0, -1])
async def test_a_stop_without_a_number_ends_the_only_open_transaction(database: str, number: int) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        opened = (await strum.ask(start())).number
        await asyncio.gather(*(strum.ask(stop(number)) for _ in range(5)))

        seen = await _one(strum, opened)
        assert (seen["state"], seen["flags"]) == ("finished", ["matched_by_station"])
        assert await _unmatched(strum) == []


async def test_the_stop_that_names_a_transaction_takes_the_place_of_one_that_did_not(database: str) -> None:
    """What ended on connector 2 was never begun here: its stop was taken for that of the only open transaction."""
    async with running(database, "transactions", fakes=FAKES) as strum:
        number = (await strum.ask(start())).number
        guess = stop(-1, meter_stop_wh=900_000_000, stopped_at=at(10), reason="PowerLoss")
        await strum.ask(guess)
        assert (await _one(strum, number))["flags"] == ["suspect", "power_implausible", "matched_by_station"]
        other = (await strum.ask(start(connector_id=2, started_at=at(-5)))).number
        for message in (stop(number), guess, stop(number)):
            await strum.ask(message)

        seen = await _one(strum, number)
        assert (seen["state"], seen["energy_wh"], seen["duration_s"], seen["flags"]) == ("finished", 7000, 3600, [])
        assert await _unmatched(strum) == [(-1, "unknown_number")]
        assert (await _one(strum, other))["state"] == "charging"
        ended = [event for event in await strum.hear(TransactionEnded, 2) if event.transaction_ref == str(number)]
        assert [(event.revision, event.state) for event in ended] == [
            (1, TransactionState.FAILED),
            (2, TransactionState.FINISHED),
        ]


@pytest.mark.parametrize("number", [0, -1, 42, 2**63 - 1, -(2**63)])
async def test_a_stop_that_fits_none_or_several_is_kept_apart(database: str, number: int) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        for connector_id in (1, 2):
            await strum.ask(start(connector_id=connector_id))
        for _ in range(2):
            assert await strum.ask(stop(number)) == TransactionClosed()

        assert await _unmatched(strum) == [(number, "unknown_number")]
        _, page = await strum.api().get("/transactions", open="true")
        assert len(page["items"]) == 2


async def test_unmatched_reports_are_paged_and_not_for_drivers(database: str) -> None:
    async with running(database, "transactions", fakes=FAKES) as strum:
        for number in range(1, 4):
            await strum.ask(stop(number, station_id=f"CS{number}"))
        path = "/transactions/unmatched-reports"

        assert (await strum.api(Role.DRIVER).get(path))[0] == 403
        _, first = await strum.api().get(path, limit=2)
        _, rest = await strum.api().get(path, limit=2, cursor=first["next_cursor"])
        assert [item["number"] for item in first["items"] + rest["items"]] == [3, 2, 1]
        _, one = await strum.api().get(path, station_id="CS2")
        assert [item["number"] for item in one["items"]] == [2]
